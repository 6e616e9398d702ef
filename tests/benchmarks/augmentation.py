"""Images per second of three ways to augment digits, in batches of 64.

Run it with nothing else running:  python tests/benchmarks/augmentation.py
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import load_mnist
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.experiments.recording import describe_machine
from mnist_tutorial.preprocessing import add_channel, scale_pixels

BATCH = 64
BATCHES = 150  # for each call of a step
SECONDS = 4  # for each measurement
ROUNDS = 5  # all take turns, so that a slow moment of the machine meets all of them

Step = Callable[[], object]


def layer_step(layers: list[keras.layers.Layer], images: NDArray[np.float32]) -> Step:
    """Augment all batches with Keras layers, compiled as a training step is."""
    batches = tensorflow.constant(images.reshape(BATCHES, BATCH, *images.shape[1:]))

    def augment_all() -> tensorflow.Tensor:
        total = 0.0
        for index in tensorflow.range(BATCHES):
            batch = batches[index]
            for layer in layers:
                batch = layer(batch, training=True)
            total += batch[0, 14, 14, 0]  # so that no batch can be left out
        return total

    compiled: Step = tensorflow.function(augment_all)
    return compiled


def generator_step(images: NDArray[np.float32]) -> Step:
    """Take as many batches from ImageDataGenerator, with the article's settings."""
    generator = tensorflow.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=8,
        width_shift_range=0.08,
        height_shift_range=0.08,
        shear_range=0.3,
        zoom_range=0.08,
    )
    batches = generator.flow(images, batch_size=BATCH)
    return lambda: [next(batches) for _ in range(BATCHES)]


def rate(step: Step) -> float:
    """Measure the images per second of a step."""
    start, steps = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < SECONDS:
        step()
        steps += 1
    return steps * BATCHES * BATCH / elapsed


def main() -> None:
    (x_train, _), _ = load_mnist()
    images = add_channel(scale_pixels(x_train[: BATCHES * BATCH]))
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
        step()  # the first call compiles
    rounds = [{name: rate(steps[name]) for name in steps} for _ in range(ROUNDS)]
    print(describe_machine())
    for name in steps:
        rates = [each[name] for each in rounds]
        span = f"{min(rates):,.0f} to {max(rates):,.0f}"
        print(f"{name:44}{median(rates):9,.0f} images/s ({span})")


if __name__ == "__main__":
    main()
