"""Seconds that training takes: an epoch, recipe by recipe and trick by trick, and whole runs.

Run it with nothing else running, for about half an hour:  python tests/benchmarks/training.py
It writes what it measured to mnist_tutorial/assets/results/speed.json, which the chapter evaluation reads.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import keras_io
import numpy as np

from mnist_tutorial import load_mnist, models, prepare, results, training
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.recipes import ARTICLE, EXPERIMENTS
from mnist_tutorial.runs import describe_machine

DIGITS = 12_800  # for each measurement, scaled up to an epoch of 60,000
ROUNDS = 4  # all take turns, so that a slow moment of the machine meets all of them
TUTORIAL = EXPERIMENTS["tutorial"].recipe
ARTICLE_MEANT = replace(ARTICLE, normalization="article")

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
        for average, now in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            average.assign(average * self.momentum + now * (1 - self.momentum))
        return outputs


def learner(
    recipe: training.Recipe, model: keras.Model | None = None, **options: Any
) -> keras.Model:
    """The network of a recipe, ready to be fitted; `options` go to Keras's `compile`."""
    network = training._with_augmentation(
        model or models.build_cnn(recipe.normalization, recipe.dropout, recipe.pooling),
        recipe,
    )
    network.compile(
        loss=keras.losses.CategoricalCrossentropy(
            label_smoothing=recipe.label_smoothing
        ),
        optimizer=training._optimizer(recipe, steps=10_000),
        metrics=["accuracy"],
        **{"jit_compile": False, **options},
    )
    return network


def epoch(
    recipe: training.Recipe, model: keras.Model | None = None, **options: Any
) -> Step:
    """A function that fits DIGITS digits once, in the recipe's batches."""
    network = learner(recipe, model, **options)
    dataset = training.batches(recipe, X_TRAIN[:DIGITS], Y_TRAIN[:DIGITS])
    return lambda: network.fit(dataset, shuffle=False, verbose=0)


def with_layer(kind: type[keras.layers.Layer], place: str) -> keras.Model:
    """The book's network with another normalization layer, where the book or all of the field has it."""
    model = models.build_cnn("none")
    layers: list[keras.layers.Layer] = []
    for layer in model.layers:
        normalized = layer.name.startswith("relu") and (
            place == "everywhere" or layer.name[-1] in "245"
        )
        layers += (
            [kind(name=f"norm_{layer.name[-1]}"), layer] if normalized else [layer]
        )
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


def seconds(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def operations_a_digit() -> int:
    """Multiplications and additions of a training step: forward, weights' gradients, inputs' gradients."""
    model = models.build_cnn()
    forward = {
        layer.name: 2
        * layer.kernel.shape.num_elements()
        * int(np.prod(layer.output.shape[1:-1]))
        for layer in model.layers
        if layer.name.startswith(("conv", "dense", "logits"))
    }
    return (
        3 * sum(forward.values()) - forward["conv_1"]
    )  # nobody asks for the gradient of the digits


def arrays() -> Step:
    """A whole epoch from arrays, as Keras's own data set gives them, with TensorFlow's tuner of threads."""
    network = learner(TUTORIAL)
    return lambda: network.fit(
        X_TRAIN, Y_TRAIN, batch_size=TUTORIAL.batch_size, verbose=0
    )


def batches() -> Step:
    network = learner(TUTORIAL)
    dataset = training.batches(TUTORIAL, X_TRAIN, Y_TRAIN)
    return lambda: network.fit(dataset, shuffle=False, verbose=0)


def take_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    for step in steps.values():
        step()  # the first call compiles
    measured: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            measured[name].append(seconds(step))
    return measured


def main() -> None:
    epochs = {
        "article-2017": epoch(ARTICLE),
        "article-meant": epoch(ARTICLE_MEANT),
        "tutorial": epoch(TUTORIAL),
        "tutorial with the article's generator": epoch(
            replace(TUTORIAL, augmenter="ImageDataGenerator")
        ),
        "tutorial without augmentation": epoch(replace(TUTORIAL, augmentation=None)),
        "tutorial without normalization": epoch(
            replace(TUTORIAL, normalization="none")
        ),
        "fused normalization": epoch(TUTORIAL, with_layer(FusedNormalization, "book")),
        "normalization before every ReLU": epoch(
            TUTORIAL, with_layer(keras.layers.BatchNormalization, "everywhere")
        ),
        "fused normalization before every ReLU": epoch(
            TUTORIAL, with_layer(FusedNormalization, "everywhere")
        ),
        "batches of 64": epoch(replace(TUTORIAL, batch_size=64)),
        "batches of 256": epoch(replace(TUTORIAL, batch_size=256)),
        "ten steps an execution": epoch(TUTORIAL, steps_per_execution=10),
        "XLA, without augmentation": epoch(
            replace(TUTORIAL, augmentation=None), jit_compile=True
        ),
        "mixed bfloat16": in_bfloat16(),
    }
    product = {"matrix product": matrix_product()}
    measured = take_turns({**epochs, **product}, ROUNDS)
    scale = 60_000 / DIGITS
    epoch_seconds = {name: round(median(measured[name]) * scale, 2) for name in epochs}
    rate = {
        "matrix product": 10 * 2 * 3000**3 / median(measured["matrix product"]) / 1e9,
        "tutorial": operations_a_digit() * 60_000 / epoch_seconds["tutorial"] / 1e9,
    }
    whole_epochs = take_turns(
        {"from arrays": arrays(), "from batches": batches()}, rounds=3
    )
    whole = {
        "article-meant": lambda: training.train(
            ARTICLE_MEANT, X_TRAIN, Y_TRAIN, verbose=0
        ),
        "tutorial": lambda: training.train(TUTORIAL, X_TRAIN, Y_TRAIN, verbose=0),
        "tutorial-short": lambda: training.train(
            EXPERIMENTS["tutorial-short"].recipe, X_TRAIN, Y_TRAIN, verbose=0
        ),
        "keras-io": lambda: keras_io.train(0, X_TRAIN, Y_TRAIN),
    }
    whole_runs: dict[str, list[float]] = {name: [] for name in whole}
    for _ in range(2):
        for name, run in whole.items():
            whole_runs[name].append(round(seconds(run), 1))
    speed = {
        "machine": describe_machine(),
        "epoch_seconds": epoch_seconds,
        "gflops": {name: round(value, 1) for name, value in rate.items()},
        "whole_epochs": {
            name: [round(value, 1) for value in values]
            for name, values in whole_epochs.items()
        },
        "whole_runs": whole_runs,
    }
    print(json.dumps(speed, indent=1))
    (results.RESULTS / "speed.json").write_text(
        json.dumps(speed, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
