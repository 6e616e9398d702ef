"""The networks, as lists of layers."""

from functools import partial

from mnist_tutorial.backend import keras
from mnist_tutorial.scalars import Fraction

# The channels come last, whatever Keras is set to.
Conv2D = partial(keras.layers.Conv2D, data_format="channels_last")
MaxPooling2D = partial(keras.layers.MaxPooling2D, data_format="channels_last")
Flatten = partial(keras.layers.Flatten, data_format="channels_last")
# Keras's default momentum, 0.99, lets the running averages lag for hundreds of steps.
BatchNormalization = partial(keras.layers.BatchNormalization, momentum=0.9)
Activation, Dense, Dropout = (
    keras.layers.Activation,
    keras.layers.Dense,
    keras.layers.Dropout,
)


def build_cnn(dropout: Fraction = 0.2, normalize: bool = True) -> keras.Model:
    """Build the book's network: four convolutions, two dense layers, ten probabilities.

    Takes images (n, 28, 28, 1) in [0, 1] and returns (n, 10); the layer "logits" gives
    the numbers before softmax. Pooling comes before normalization and ReLU, so they
    have only a quarter of the numbers to process. 597,354 parameters, 594,922 without
    normalization.
    """
    layers = [
        keras.Input((28, 28, 1)),
        Conv2D(32, 3, name="conv_1"),
        Activation("relu", name="relu_1"),
        Conv2D(32, 3, name="conv_2"),
        MaxPooling2D(2, name="pool_2"),
        BatchNormalization(name="norm_2"),
        Activation("relu", name="relu_2"),
        Conv2D(64, 3, name="conv_3"),
        Activation("relu", name="relu_3"),
        Conv2D(64, 3, name="conv_4"),
        MaxPooling2D(2, name="pool_4"),
        BatchNormalization(name="norm_4"),
        Activation("relu", name="relu_4"),
        Flatten(name="flatten"),
        Dense(512, name="dense_5"),
        BatchNormalization(name="norm_5"),
        Activation("relu", name="relu_5"),
        Dropout(dropout, name="dropout"),
        Dense(10, name="logits"),
        Activation("softmax", name="softmax"),
    ]
    if not normalize:
        layers = [layer for layer in layers if "norm" not in layer.name]
    return keras.Sequential(layers, name="cnn")


def build_deep_cnn(dropout: Fraction = 0.2) -> keras.Model:
    """Build a deeper network: six convolutions, a dense layer, 299,626 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            Conv2D(32, 3, name="conv_1"),
            Activation("relu", name="relu_1"),
            Conv2D(32, 3, name="conv_2"),
            MaxPooling2D(2, name="pool_2"),
            BatchNormalization(name="norm_2"),
            Activation("relu", name="relu_2"),
            Conv2D(64, 3, name="conv_3"),
            BatchNormalization(name="norm_3"),
            Activation("relu", name="relu_3"),
            Conv2D(64, 3, padding="same", name="conv_4"),
            MaxPooling2D(2, name="pool_4"),
            BatchNormalization(name="norm_4"),
            Activation("relu", name="relu_4"),
            Conv2D(128, 3, padding="same", name="conv_5"),
            BatchNormalization(name="norm_5"),
            Activation("relu", name="relu_5"),
            Conv2D(128, 3, name="conv_6"),
            BatchNormalization(name="norm_6"),
            Activation("relu", name="relu_6"),
            Flatten(name="flatten"),
            Dropout(dropout, name="dropout"),
            Dense(10, name="logits"),
            Activation("softmax", name="softmax"),
        ],
        name="deep_cnn",
    )


def describe(model: keras.Model) -> list[tuple[str, tuple[int, ...], int]]:
    """List a network's layers: name, output shape without the batch, parameters."""
    return [
        (layer.name, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]
