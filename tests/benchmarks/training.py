"""Seconds that training takes: an epoch, trick by trick, and whole runs.

Run it with nothing else running, for about half an hour:
python tests/benchmarks/training.py

It writes what it measured to mnist_tutorial/assets/results/speed.json, which the
chapter replication reads.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import keras_io
import numpy as np

from mnist_tutorial import load_mnist, models, prepare, results
from mnist_tutorial.augmentation import with_augmentation
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.experiments import variants
from mnist_tutorial.experiments.recording import describe_machine
from mnist_tutorial.experiments.registry import ARTICLE, EXPERIMENTS, MEANT
from mnist_tutorial.experiments.variants import Variant

DIGITS = 12_800  # for each measurement, scaled up to an epoch of 60,000
ROUNDS = 4  # all take turns, so that a slow moment of the machine meets all of them
TUTORIAL = EXPERIMENTS["tutorial"].recipe
SHORT = EXPERIMENTS["tutorial-short"].recipe
PLAIN = replace(TUTORIAL, augmentation=None)

Step = Callable[[], object]
X_TRAIN, Y_TRAIN = prepare(*load_mnist()[0])


class FusedNormalization(keras.layers.BatchNormalization):
    """Keras's layer, with TensorFlow's one fused kernel in training."""

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        if not training or len(inputs.shape) != 4:
            return super().call(inputs, training=training)
        outputs, mean, variance, *_ = tensorflow.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        averages = ((self.moving_mean, mean), (self.moving_variance, variance))
        for average, now in averages:
            average.assign(average * self.momentum + now * (1 - self.momentum))
        return outputs


def learner(recipe: Variant, network: keras.Model, **options: Any) -> keras.Model:
    """Make a recipe's network ready to be fitted; Keras's `compile` gets `options`."""
    if recipe.augmentation and recipe.augmenter == "RandomAffine":
        network = with_augmentation(network, recipe.augmentation, recipe.seed)
    smoothing = recipe.label_smoothing
    network.compile(
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
        optimizer=variants.make_optimizer(recipe, steps=10_000),
        metrics=["accuracy"],
        **{"jit_compile": False, **options},
    )
    return network


def epoch(
    recipe: Variant, model: Any = None, digits: int = DIGITS, **options: Any
) -> Step:
    """Return a function that fits as many digits once, in the recipe's batches."""
    network = learner(recipe, model or variants.build(recipe), **options)
    dataset = variants.batches(recipe, X_TRAIN[:digits], Y_TRAIN[:digits])
    return lambda: network.fit(dataset, shuffle=False, verbose=0)


def epoch_from_arrays() -> Step:
    """Return a function that fits all digits as Keras does, with TensorFlow's tuner."""
    network, size = learner(TUTORIAL, variants.build(TUTORIAL)), TUTORIAL.batch_size
    return lambda: network.fit(X_TRAIN, Y_TRAIN, batch_size=size, verbose=0)


def whole_run(recipe: Variant) -> Step:
    """Return a function that trains a recipe from its beginning to its end."""
    return lambda: variants.fit(
        recipe, variants.build(recipe), variants.batches(recipe, X_TRAIN, Y_TRAIN), []
    )


def with_layer(kind: type[keras.layers.Layer], places: str) -> keras.Model:
    """Build the book's network with another normalization, before these ReLUs."""
    layers: list[keras.layers.Layer] = []
    for layer in models.build_cnn(normalize=False).layers:
        if layer.name.startswith("relu") and layer.name[-1] in places:
            layers.append(kind(name=f"norm_{layer.name[-1]}"))
        layers.append(layer)
    return keras.Sequential([keras.Input((28, 28, 1)), *layers])


def in_bfloat16() -> Step:
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        return epoch(TUTORIAL)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def matrix_product(size: int = 3000, times: int = 10) -> Step:
    matrix = tensorflow.random.normal((size, size))
    multiply = tensorflow.function(lambda: tensorflow.matmul(matrix, matrix))
    return lambda: [multiply().numpy() for _ in range(times)]


def operations_per_digit() -> int:
    """Count what a training step multiplies and adds: forwards, and twice backwards."""
    layers = [layer for layer in models.build_cnn().layers if hasattr(layer, "kernel")]
    first, *others = (
        2 * int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:-1]))
        for layer in layers
    )
    return 2 * first + 3 * sum(others)  # nobody asks for the gradient of the digits


def take_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            measured[name].append(round(time.perf_counter() - start, 2))
    return measured


def main() -> None:
    fused = partial(with_layer, FusedNormalization)
    everywhere = with_layer(keras.layers.BatchNormalization, "12345")
    generator = replace(TUTORIAL, augmenter="ImageDataGenerator")
    bare = replace(TUTORIAL, normalization="none")
    epochs = {
        "article-2017": epoch(ARTICLE),
        "article-meant": epoch(MEANT),
        "tutorial": epoch(TUTORIAL),
        "tutorial with the article's generator": epoch(generator),
        "tutorial without augmentation": epoch(PLAIN),
        "tutorial without normalization": epoch(bare),
        "fused normalization": epoch(TUTORIAL, fused("245")),
        "normalization before every ReLU": epoch(TUTORIAL, everywhere),
        "fused normalization before every ReLU": epoch(TUTORIAL, fused("12345")),
        "batches of 64": epoch(replace(TUTORIAL, batch_size=64)),
        "batches of 256": epoch(replace(TUTORIAL, batch_size=256)),
        "ten steps an execution": epoch(TUTORIAL, steps_per_execution=10),
        "XLA, without augmentation": epoch(PLAIN, jit_compile=True),
        "mixed bfloat16": in_bfloat16(),
    }
    steps = {**epochs, "matrix product": matrix_product()}
    take_turns(steps, rounds=1)  # the first call compiles
    measured = {name: median(s) for name, s in take_turns(steps, ROUNDS).items()}
    per_epoch = {name: round(measured[name] * 60_000 / DIGITS, 2) for name in epochs}
    rates = {
        "matrix product": 10 * 2 * 3000**3 / measured["matrix product"],
        "tutorial": operations_per_digit() * 60_000 / per_epoch["tutorial"],
    }
    from_batches = epoch(TUTORIAL, digits=60_000)
    whole_epochs = {"from arrays": epoch_from_arrays(), "from batches": from_batches}
    take_turns(whole_epochs, rounds=1)
    whole_runs = {
        "article-meant": whole_run(MEANT),
        "tutorial": whole_run(TUTORIAL),
        "tutorial-short": whole_run(SHORT),
        "keras-io": lambda: keras_io.train(0, X_TRAIN, Y_TRAIN),
    }
    speed = {
        "machine": describe_machine(),
        "epoch_seconds": per_epoch,
        "gflops": {name: round(value / 1e9, 1) for name, value in rates.items()},
        "whole_epochs": take_turns(whole_epochs, rounds=3),
        "whole_runs": take_turns(whole_runs, rounds=2),
    }
    text = json.dumps(speed, indent=1) + "\n"
    print(text)
    (results.RESULTS / "speed.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
