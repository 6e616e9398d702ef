"""What the page `one_page` does: the article as meant, in plain Keras."""

import math

from mnist_tutorial.backend import keras
from mnist_tutorial.experiments.article import build_article_cnn
from mnist_tutorial.experiments.run import Digits, Run, scored
from mnist_tutorial.experiments.variants import MOMENTUM, Variant, make_optimizer
from mnist_tutorial.training import History

# The article's, without its shear. Today its 0.3 are degrees and move no pixel by a
# tenth of its width; and Keras's `RandomShear` shears about a corner, so that more of
# it would also shift the digit.
RANGES = {"rotation": 8, "shift": 0.08, "zoom": 0.08}


def run_on_arrays(variant: Variant, train_data: Digits, test_data: Digits) -> Run:
    """Train as the page does, on arrays that Keras batches and shuffles itself."""

    def train(callback: keras.callbacks.Callback) -> tuple[keras.Model, History]:
        model = build(variant)
        steps = variant.epochs * math.ceil(len(train_data[0]) / variant.batch_size)
        optimizer = make_optimizer(variant, steps)
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        fitted = model.fit(
            *train_data,
            batch_size=variant.batch_size,
            epochs=variant.epochs,
            callbacks=[callback],
            verbose=0,
        )
        return model, fitted.history

    return scored(train, test_data)


def build(variant: Variant) -> keras.Model:
    """Build the article's network behind three layers that augment in training."""
    ranges = variant.augmentation or {}
    shift, zoom = ranges["shift"], ranges["zoom"]
    keras.utils.set_random_seed(variant.seed)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.RandomRotation(ranges["rotation"] / 360, fill_mode="constant"),
            keras.layers.RandomTranslation(shift, shift, fill_mode="constant"),
            keras.layers.RandomZoom(zoom, zoom, fill_mode="constant"),
            build_article_cnn(variant.dropout, MOMENTUM[variant.normalization]),
        ]
    )
