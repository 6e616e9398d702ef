"""Train a network by a recipe, and score it (chapter: training)."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import checks
from mnist_tutorial.augmentation import RandomAffine, check_ranges
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.models import (
    CHECKSUM,
    NORMALIZATIONS,
    POOLINGS,
    build_cnn,
    build_deep_cnn,
    checksum,
)

NETWORKS = ("cnn", "deep")
OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine")
AUGMENTERS = ("RandomAffine", "ImageDataGenerator")


@dataclass(frozen=True)
class Recipe:
    """All that decides how a network is trained. Raises TypeError or ValueError for what makes no sense."""

    network: str = "cnn"  # the book's, or "deep": build_deep_cnn
    epochs: int = 5  # passes over the training digits
    batch_size: int = 128  # digits a gradient step
    optimizer: str = "adam"  # or "sgd", with Nesterov's momentum of 0.9
    learning_rate: float = 6e-3  # the highest one where the schedule changes it
    schedule: str = "cosine"  # up in the first tenth of the steps, then to 0 along a cosine; or "constant"
    ema: float = 0.0  # above 0: this share of the averaged weights is kept at each step
    label_smoothing: float = (
        0.1  # this share of each label is spread over all ten classes
    )
    normalization: str = "book"  # as in build_cnn; the deep network has its own
    pooling: str = "max"  # as in build_cnn; the deep network has its own
    dropout: float = 0.2  # as in build_cnn
    augmentation: dict[str, float] | None = (
        field(  # RandomAffine's ranges, or None for the digits as they are
            default_factory=lambda: {
                "rotation": 12,
                "shift": 0.06,
                "shear": 17,
                "zoom": 0.12,
            }
        )
    )
    augmenter: str = (
        "RandomAffine"  # or Keras's "ImageDataGenerator", as in the 2017 article
    )
    seed: int = (
        0  # for the first weights, the order of the digits, dropout and augmentation
    )

    def __post_init__(self) -> None:
        checks.choice("network", self.network, NETWORKS)
        checks.choice("optimizer", self.optimizer, OPTIMIZERS)
        checks.choice("schedule", self.schedule, SCHEDULES)
        checks.choice("normalization", self.normalization, NORMALIZATIONS)
        checks.choice("pooling", self.pooling, POOLINGS)
        checks.choice("augmenter", self.augmenter, AUGMENTERS)
        checks.kind(
            "augmentation", self.augmentation, (dict, type(None)), "a dict or None"
        )
        numbers: dict[str, Any] = {
            "augmentation": None
            if self.augmentation is None
            else check_ranges(self.augmentation),
            "epochs": checks.whole_number("epochs", self.epochs, 1),
            "batch_size": checks.whole_number("batch_size", self.batch_size, 1),
            "learning_rate": checks.number(
                "learning_rate",
                self.learning_rate,
                "above 0, and 1000 at most",
                lambda rate: 0 < rate <= 1000,
            ),
            "seed": checks.seed(self.seed),
        }
        for name in ("ema", "label_smoothing", "dropout"):
            numbers[name] = checks.share_below_1(name, getattr(self, name))
        for name, value in numbers.items():
            object.__setattr__(
                self, name, value
            )  # NumPy's numbers become Python's, which JSON can write


class Score(NamedTuple):
    """How many of how many digits were read wrongly."""

    errors: int
    digits: int

    @property
    def accuracy(self) -> float:
        """The share of digits that were read correctly, 0 to 1."""
        return 1 - self.errors / self.digits

    def __str__(self) -> str:
        return f"{self.errors:,} errors in {self.digits:,} digits: accuracy {self.accuracy:.2%}"


def train(
    recipe: Recipe,
    x_train: NDArray[np.float32],
    y_train: NDArray[np.float32],
    validation_data: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    verbose: str | int = "auto",
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a network by a recipe; return it and its history, one number an epoch.

    x_train: float32 (n, 28, 28, 1) in [0, 1]; y_train: one-hot (n, 10), as `prepare` returns them.
    verbose: as in Keras's `fit`. Ctrl-C ends the training early and keeps what was learned so far.
    The seed is set for Python, NumPy and Keras alike. Raises TypeError or ValueError. Chapter: training.
    """
    checks.kind("recipe", recipe, Recipe, "a Recipe")
    _check_digits(x_train, y_train)
    if validation_data is not None:
        _check_digits(*_pair(validation_data))
    return fit(
        recipe, batches(recipe, x_train, y_train), validation_data, callbacks, verbose
    )


def fit(
    recipe: Recipe,
    dataset: tensorflow.data.Dataset,
    validation_data: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    verbose: str | int = "auto",
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a network on a data set of batches, which decides their order and their size; else as `train`.

    dataset: pairs of images and labels, of known length, as `batches` makes it. Chapter: training.
    """
    keras.utils.set_random_seed(recipe.seed)
    model = build(recipe)
    learner = _with_augmentation(model, recipe)
    learner.compile(
        loss=keras.losses.CategoricalCrossentropy(
            label_smoothing=recipe.label_smoothing
        ),
        optimizer=_optimizer(recipe, steps=recipe.epochs * len(dataset)),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # on a CPU, compiling with XLA costs more than it gains here
    )
    # With this, and a metric in place of its name, all variables are there before the first step, and
    # TensorFlow traces the step once, not twice: half of the time before it.
    learner.optimizer.build(learner.trainable_variables)
    history = keras.callbacks.History()
    average = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if recipe.ema else []
    try:
        learner.fit(
            dataset,
            epochs=recipe.epochs,
            validation_data=validation_data,
            shuffle=False,  # the data set shuffles
            callbacks=[*average, history, *callbacks],
            verbose=verbose,
        )
    except KeyboardInterrupt:
        epoch = min(len(history.history.get("loss", [])) + 1, recipe.epochs)
        print(
            f"\nStopped in epoch {epoch} of {recipe.epochs}; what was learned is kept."
        )
    return model, history.history


def build(recipe: Recipe) -> keras.Model:
    """Build the network that a recipe names, with first weights drawn at random. Chapter: ensembling."""
    if recipe.network == "deep":
        return build_deep_cnn(recipe.dropout)
    return build_cnn(recipe.normalization, recipe.dropout, recipe.pooling)


def evaluate(
    model: keras.Model, x: NDArray[np.float32], y: NDArray[np.float32]
) -> Score:
    """Score a network on every digit given: the errors and the accuracy.

    x: float32 (n, 28, 28, 1); y: one-hot (n, 10). Raises TypeError or ValueError. Chapter: training.
    """
    checks.kind("model", model, keras.Model, "a Keras model")
    _check_digits(x, y)
    predicted = model.predict(x, batch_size=500, verbose=0).argmax(axis=1)
    return Score(errors=int((predicted != y.argmax(axis=1)).sum()), digits=len(y))


def save_weights(model: keras.Model, path: str | Path) -> None:
    """Write a network's weights to a .weights.h5 file, whole or not at all.

    The file also holds a sum of all numbers, with which `models.load_cnn` notices if one was changed.
    Raises TypeError if there is no model or no path, ValueError if the name does not end in .weights.h5,
    FileNotFoundError if its folder does not exist.
    """
    checks.kind("model", model, keras.Model, "a Keras model")
    path = check_weights_path(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.weights.h5")
    try:
        model.save_weights(unfinished)
        with h5py.File(unfinished, "a") as file:
            file.attrs[CHECKSUM] = checksum(model)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def check_weights_path(path: str | Path) -> Path:
    """Say early, before any training, that weights cannot be written to `path`."""
    if not checks.path(path).name.endswith(".weights.h5"):
        raise ValueError(
            f"The name of a weights file must end in .weights.h5, got {path}."
        )
    return checks.path_to_write(path)


def _check_digits(x: Any, y: Any) -> None:
    """See that images and labels are as `prepare` returns them."""
    checks.finite("x", checks.array("x", x, ("n", 28, 28, 1), "f"))
    checks.shares("y", checks.array("y", y, ("n", 10), "f"))
    if len(x) != len(y):
        raise ValueError(
            f"there must be one label for each image, got {len(x)} images and {len(y)} labels."
        )


def _pair(validation_data: Any) -> tuple[Any, Any]:
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
        raise TypeError(
            f"validation_data must be images and labels, got {checks.shown(validation_data)}."
        )
    return validation_data[0], validation_data[1]


def batches(
    recipe: Recipe, x_train: NDArray[np.float32], y_train: NDArray[np.float32]
) -> tensorflow.data.Dataset:
    """The training digits in batches, in another order in every epoch.

    Keras would make much the same from the arrays, but would leave it to TensorFlow to tune the number
    of threads, and then the end of an epoch can wait for the tuner: ten seconds, or twenty, doing nothing.
    Chapter: evaluation.
    """
    tensorflow.random.set_seed(recipe.seed)  # the order hangs on this one too
    if recipe.augmenter == "ImageDataGenerator":
        whole = _generated(recipe, x_train, y_train)
    else:
        images, labels = tensorflow.constant(x_train), tensorflow.constant(y_train)
        order = tensorflow.data.Dataset.range(len(x_train)).shuffle(
            len(x_train), seed=recipe.seed
        )
        whole = order.batch(recipe.batch_size).map(
            lambda chosen: (
                tensorflow.gather(images, chosen),
                tensorflow.gather(labels, chosen),
            )
        )
    options = tensorflow.data.Options()
    options.autotune.enabled = False
    return whole.prefetch(2).with_options(options)


def _generated(
    recipe: Recipe, x_train: NDArray[np.float32], y_train: NDArray[np.float32]
) -> tensorflow.data.Dataset:
    """The batches of Keras's old, deprecated ImageDataGenerator, which augments with SciPy."""
    ranges = recipe.augmentation or {}
    flow = tensorflow.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=ranges.get("rotation", 0),
        width_shift_range=ranges.get("shift", 0),
        height_shift_range=ranges.get("shift", 0),
        shear_range=ranges.get("shear", 0),
        zoom_range=ranges.get("zoom", 0),
    ).flow(x_train, y_train, batch_size=recipe.batch_size, seed=recipe.seed)
    shapes = [
        tensorflow.TensorSpec((None, *array.shape[1:]), "float32")
        for array in (x_train, y_train)
    ]
    generated = tensorflow.data.Dataset.from_generator(
        lambda: (next(flow) for _ in range(len(flow))), output_signature=tuple(shapes)
    )
    return generated.apply(tensorflow.data.experimental.assert_cardinality(len(flow)))


def _with_augmentation(model: keras.Model, recipe: Recipe) -> keras.Model:
    if recipe.augmentation is None or recipe.augmenter != "RandomAffine":
        return model
    return keras.Sequential(
        [
            keras.Input(model.input_shape[1:]),
            RandomAffine(**recipe.augmentation, seed=recipe.seed),
            model,
        ]
    )


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    learning_rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        warmup = steps // 10
        learning_rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=steps - warmup,
            warmup_target=recipe.learning_rate,
            warmup_steps=warmup,
        )
    average = {"use_ema": True, "ema_momentum": recipe.ema} if recipe.ema else {}
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(
            learning_rate, momentum=0.9, nesterov=True, **average
        )
    return keras.optimizers.Adam(learning_rate, **average)
