"""Train a network by a recipe, and score it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from mnist_tutorial.augmentation import with_augmentation
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.models import build_cnn, build_deep_cnn
from mnist_tutorial.recipe import Recipe

Images = Float[np.ndarray, "n 28 28 1"]
Labels = Float[np.ndarray, "n 10"]
Digits = tuple[Float[np.ndarray, "m 28 28 1"], Float[np.ndarray, "m 10"]]
Callbacks = Iterable[keras.callbacks.Callback]
History = dict[str, list[float]]


class Score(NamedTuple):
    """How many digits were read wrongly, out of how many."""

    errors: int
    digits: int

    @property
    def accuracy(self) -> float:
        """The fraction of digits that were read correctly."""
        return 1 - self.errors / self.digits

    def __str__(self) -> str:
        errors, digits = f"{self.errors:,} errors", f"{self.digits:,} digits"
        return f"{errors} in {digits}: accuracy {self.accuracy:.2%}"


def train(
    recipe: Recipe,
    x_train: Images,
    y_train: Labels,
    validation_data: Digits | None = None,
    callbacks: Callbacks = (),
    verbose: str | int = "auto",
) -> tuple[keras.Model, History]:
    """Train a network by a recipe; return it and its history, one number per epoch.

    Images and labels are as `prepare` returns them. Ctrl-C ends the training early and
    keeps what was learned so far.
    """
    check_scaled("x_train", x_train)
    if validation_data is not None:
        check_scaled("validation_data", validation_data[0])
    model, history = build(recipe), keras.callbacks.History()
    dataset = batches(recipe, x_train, y_train)
    try:
        fit(recipe, model, dataset, validation_data, [history, *callbacks], verbose)
    except KeyboardInterrupt:
        epoch = min(len(history.history.get("loss", [])) + 1, recipe.epochs)
        print(
            f"\nStopped in epoch {epoch} of {recipe.epochs}; what it learned is kept."
        )
    return model, history.history


def build(recipe: Recipe) -> keras.Model:
    """Build a recipe's network; its seed decides the initial weights."""
    keras.utils.set_random_seed(recipe.seed)
    network = build_deep_cnn if recipe.network == "deep" else build_cnn
    return network(recipe.dropout)


def batches(
    recipe: Recipe, x_train: Images, y_train: Labels
) -> tensorflow.data.Dataset:
    """Batch the training digits, shuffled again in every epoch.

    Keras would make much the same from the arrays, but TensorFlow would tune the number
    of threads meanwhile, and the end of an epoch would sometimes wait for the tuner.
    """
    tensorflow.random.set_seed(recipe.seed)  # the order depends on this seed too
    images, labels = tensorflow.constant(x_train), tensorflow.constant(y_train)
    n = len(x_train)
    order = tensorflow.data.Dataset.range(n).shuffle(n, seed=recipe.seed)
    dataset = order.batch(recipe.batch_size).map(
        lambda at: (tensorflow.gather(images, at), tensorflow.gather(labels, at))
    )
    return without_tuning(dataset)


def without_tuning(dataset: tensorflow.data.Dataset) -> tensorflow.data.Dataset:
    """Prefetch two batches, without letting TensorFlow tune the number of threads."""
    options = tensorflow.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(2).with_options(options)


def fit(
    recipe: Recipe,
    model: keras.Model,
    dataset: tensorflow.data.Dataset,
    validation_data: Digits | None = None,
    callbacks: Callbacks = (),
    verbose: str | int = "auto",
    optimizer: keras.optimizers.Optimizer | None = None,
) -> History:
    """Train a network on batches of images and labels; return its history.

    optimizer: Adam with the recipe's learning rate, unless another one is given.
    """
    learner = model
    if recipe.augmentation is not None:
        learner = with_augmentation(model, recipe.augmentation, recipe.seed)
    learner.compile(
        loss=keras.losses.CategoricalCrossentropy(
            label_smoothing=recipe.label_smoothing
        ),
        optimizer=optimizer or adam(recipe, steps=recipe.epochs * len(dataset)),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # on a CPU, the compiler XLA takes longer than it saves
    )
    # Otherwise the first step would create the optimizer's variables, and TensorFlow
    # would have to trace that step twice.
    learner.optimizer.build(learner.trainable_variables)
    return learner.fit(
        dataset,
        epochs=recipe.epochs,
        validation_data=validation_data,
        shuffle=False,  # the dataset does that
        callbacks=list(callbacks),
        verbose=verbose,
    ).history


def adam(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Make Adam with the recipe's schedule over this many steps."""
    return keras.optimizers.Adam(cosine_schedule(recipe, steps))


def cosine_schedule(
    recipe: Recipe, steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Raise the learning rate for a tenth of the steps; lower it along a cosine."""
    warmup_steps = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=steps - warmup_steps,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup_steps,
    )


def evaluate(model: keras.Model, x: Images, y: Labels) -> Score:
    """Count the digits that a network reads wrongly."""
    check_scaled("x", x)
    predicted = model.predict(x, batch_size=500, verbose=0).argmax(axis=1)
    return Score(errors=int((predicted != y.argmax(axis=1)).sum()), digits=len(y))


def check_scaled(name: str, images: Float[np.ndarray, "..."]) -> None:
    """Raise ValueError if there are no images, or if pixels lie outside [0, 1]."""
    found = f"{images.min()} to {images.max()}" if images.size else "none"
    if not (images.size and images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            f"{name} must be pixels in [0, 1], as `prepare` scales them, found {found}."
        )
