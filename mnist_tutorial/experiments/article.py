"""The 2017 article's network, as it was meant, and its augmentation."""

from functools import partial

from mnist_tutorial import models
from mnist_tutorial.backend import keras
from mnist_tutorial.scalars import Fraction

AS_MEANT = {"rotation": 8, "shift": 0.08, "shear": 17, "zoom": 0.08}
TODAY = {**AS_MEANT, "shear": 0.3}  # what its code has done since Keras 2.1.3


def build_article_cnn(
    dropout: Fraction = 0.2, momentum: Fraction = 0.99
) -> keras.Model:
    """Build the article's network, with normalization where its notebook wrote it.

    It has 601,578 parameters. The notebook itself ran without normalization, because it
    never added these layers; that network is `models.build_cnn(normalize=False)`.
    """
    normalization = partial(keras.layers.BatchNormalization, momentum=momentum)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            models.Conv2D(32, 3, name="conv_1"),
            models.Activation("relu", name="relu_1"),
            normalization(name="norm_1"),
            models.Conv2D(32, 3, name="conv_2"),
            models.MaxPooling2D(2, name="pool_2"),
            models.Activation("relu", name="relu_2"),
            normalization(name="norm_2"),
            models.Conv2D(64, 3, name="conv_3"),
            models.Activation("relu", name="relu_3"),
            normalization(name="norm_3"),
            models.Conv2D(64, 3, name="conv_4"),
            models.MaxPooling2D(2, name="pool_4"),
            models.Activation("relu", name="relu_4"),
            models.Flatten(name="flatten"),
            normalization(name="norm_4"),
            models.Dense(512, name="dense_5"),
            models.Activation("relu", name="relu_5"),
            normalization(name="norm_5"),
            models.Dropout(dropout, name="dropout"),
            models.Dense(10, name="logits"),
            models.Activation("softmax", name="softmax"),
        ],
        name="cnn",
    )
