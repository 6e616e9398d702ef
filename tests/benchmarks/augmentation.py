"""Images a second of three ways to augment digits, in batches of 64.

Run it with nothing else running:  python tests/benchmarks/augmentation.py
"""

import itertools
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import tensorflow as tf

from mnist_tutorial import load_mnist
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras
from mnist_tutorial.preprocessing import add_channel, scale_pixels
from mnist_tutorial.recipes import describe_machine

BATCH = 64
SECONDS = 4  # for each measurement
ROUNDS = 5  # the three ways take turns, so that a slow moment of the machine meets all of them


def layer_step(layers: list[keras.layers.Layer], images: np.ndarray) -> Callable[[], object]:
    """Return a function that augments the next batch with Keras layers, compiled as in training."""
    augment = tf.function(keras.Sequential([keras.Input(images.shape[1:]), *layers]))
    batches = itertools.cycle(tf.split(tf.constant(images), len(images) // BATCH))
    return lambda: augment(next(batches), training=True)


def generator_step(images: np.ndarray) -> Callable[[], object]:
    """Return a function that gives the next batch of ImageDataGenerator with the article's settings."""
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=8,
        width_shift_range=0.08,
        height_shift_range=0.08,
        shear_range=0.3,
        zoom_range=0.08,
    )
    batches = generator.flow(images, batch_size=BATCH)
    return lambda: next(batches)


def rate(step: Callable[[], object]) -> float:
    """Measure the images a second of a step that makes one batch."""
    start, steps = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < SECONDS:
        step()
        steps += 1
    return steps * BATCH / elapsed


def main() -> None:
    (x_train, _), _ = load_mnist()
    images = add_channel(scale_pixels(x_train[: 150 * BATCH]))
    chain = [
        keras.layers.RandomRotation(8 / 360, fill_mode="constant"),
        keras.layers.RandomTranslation(0.08, 0.08, fill_mode="constant"),
        keras.layers.RandomShear(0.3, 0.3, fill_mode="constant"),
        keras.layers.RandomZoom(0.08, 0.08, fill_mode="constant"),
    ]
    steps = {
        "RandomAffine, one layer": layer_step([RandomAffine()], images),
        "Keras's chain of four Random layers": layer_step(chain, images),
        "ImageDataGenerator, the article's settings": generator_step(images),
    }
    for step in steps.values():
        step()
    rates: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            rates[name].append(rate(step))
    print(describe_machine())
    for name, values in rates.items():
        times = median(values) / median(rates["ImageDataGenerator, the article's settings"])
        print(
            f"{name:44}{median(values):10,.0f} images/s, {times:5.1f} times (range {min(values):,.0f} to {max(values):,.0f})"
        )


if __name__ == "__main__":
    main()
