"""Recipes with the options that only the article, ablations and searches need."""

from dataclasses import dataclass, replace
from typing import Literal

from mnist_tutorial import models, training
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.experiments.article import build_article_cnn
from mnist_tutorial.recipe import Recipe
from mnist_tutorial.scalars import Fraction
from mnist_tutorial.training import Callbacks, History, Images, Labels

# The momentum of the article's normalization: Keras's own, or the book's.
MOMENTUM = {"article": 0.99, "article, momentum 0.9": 0.9}


@dataclass(frozen=True)
class Variant(Recipe):
    """A recipe with every option that a record's `recipe` holds."""

    optimizer: Literal["adam", "sgd"] = "adam"  # SGD with Nesterov's momentum of 0.9
    schedule: Literal["cosine", "constant", "halved each epoch"] = "cosine"
    # Above 0, this fraction of the averaged weights is kept at each step.
    ema: Fraction = 0.0
    normalization: Literal["book", "article", "article, momentum 0.9", "none"] = "book"
    pooling: Literal["max", "strides"] = "max"
    augmenter: Literal["RandomAffine", "ImageDataGenerator", "keras.layers"] = (
        "RandomAffine"
    )


def build(variant: Variant) -> keras.Model:
    """Build a variant's network; its seed decides the initial weights."""
    keras.utils.set_random_seed(variant.seed)
    if variant.network == "deep":
        return models.build_deep_cnn(variant.dropout)
    if variant.pooling == "strides":
        return build_strided_cnn(variant.dropout)
    if variant.normalization in MOMENTUM:
        return build_article_cnn(variant.dropout, MOMENTUM[variant.normalization])
    return models.build_cnn(variant.dropout, variant.normalization == "book")


def build_strided_cnn(dropout: Fraction = 0.2) -> keras.Model:
    """Build the book's network with strides of 2 in place of pooling."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            models.Conv2D(32, 3, name="conv_1"),
            models.Activation("relu", name="relu_1"),
            models.Conv2D(32, 3, strides=2, name="conv_2"),
            models.BatchNormalization(name="norm_2"),
            models.Activation("relu", name="relu_2"),
            models.Conv2D(64, 3, name="conv_3"),
            models.Activation("relu", name="relu_3"),
            models.Conv2D(64, 3, strides=2, name="conv_4"),
            models.BatchNormalization(name="norm_4"),
            models.Activation("relu", name="relu_4"),
            models.Flatten(name="flatten"),
            models.Dense(512, name="dense_5"),
            models.BatchNormalization(name="norm_5"),
            models.Activation("relu", name="relu_5"),
            models.Dropout(dropout, name="dropout"),
            models.Dense(10, name="logits"),
            models.Activation("softmax", name="softmax"),
        ],
        name="cnn",
    )


def batches(variant: Variant, x: Images, y: Labels) -> tensorflow.data.Dataset:
    """Batch the training digits with the variant's augmenter."""
    if variant.augmenter == "RandomAffine":
        return training.batches(variant, x, y)
    if variant.augmenter == "keras.layers":
        raise ValueError("augmenter 'keras.layers' is for one_page.run_on_arrays.")
    tensorflow.random.set_seed(variant.seed)
    ranges = variant.augmentation or {}
    # Keras's old, deprecated generator, as the article used it
    flow = tensorflow.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=ranges.get("rotation", 0),
        width_shift_range=ranges.get("shift", 0),
        height_shift_range=ranges.get("shift", 0),
        shear_range=ranges.get("shear", 0),
        zoom_range=ranges.get("zoom", 0),
    ).flow(x, y, batch_size=variant.batch_size, seed=variant.seed)
    generated = tensorflow.data.Dataset.from_generator(
        lambda: (next(flow) for _ in range(len(flow))),
        output_signature=(
            tensorflow.TensorSpec((None, 28, 28, 1)),
            tensorflow.TensorSpec((None, 10)),
        ),
    )
    counted = tensorflow.data.experimental.assert_cardinality(len(flow))
    return training.without_tuning(generated.apply(counted))


def make_optimizer(variant: Variant, steps: int) -> keras.optimizers.Optimizer:
    """Make the variant's optimizer."""
    learning_rate = variant.learning_rate
    if variant.schedule == "cosine":
        learning_rate = training.cosine_schedule(variant, steps)
    if variant.schedule == "halved each epoch":
        learning_rate = keras.optimizers.schedules.ExponentialDecay(
            variant.learning_rate, steps // variant.epochs, 0.5, staircase=True
        )
    options = {"use_ema": True, "ema_momentum": variant.ema} if variant.ema else {}
    if variant.optimizer == "sgd":
        options |= {"momentum": 0.9, "nesterov": True}
        return keras.optimizers.SGD(learning_rate, **options)
    return keras.optimizers.Adam(learning_rate, **options)


def fit(
    variant: Variant,
    model: keras.Model,
    dataset: tensorflow.data.Dataset,
    callbacks: Callbacks,
) -> History:
    """Train a network with the variant's optimizer and averaging."""
    if variant.ema:
        callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True), *callbacks]
    optimizer = make_optimizer(variant, variant.epochs * len(dataset))
    if variant.augmenter != "RandomAffine":
        variant = replace(variant, augmentation=None)  # the dataset has done it
    return training.fit(variant, model, dataset, None, callbacks, optimizer=optimizer)
