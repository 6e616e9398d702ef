"""The network, as a list of layers (chapter: cnn_stack), and its trained weights."""

import hashlib
import io
from pathlib import Path

import h5py
import numpy as np

from mnist_tutorial import checks, results
from mnist_tutorial.backend import keras

layers = keras.layers
WEIGHTS = Path(__file__).parent / "assets" / "weights"
NORMALIZATIONS = ("book", "article", "none")
CHECKSUM = "sha256"  # the attribute of a weights file that holds the sum of its numbers
POOLINGS = ("max", "strides")


def build_cnn(
    normalization: str = "book", dropout: float = 0.2, pooling: str = "max"
) -> keras.Model:
    """Build the book's network: four convolutions and two dense layers, ten probabilities out.

    Takes float32 (n, 28, 28, 1) in [0, 1] and returns (n, 10); the layer "logits" gives the ten numbers
    before softmax. Chapter: cnn_stack.

    The article activates before it pools; here pooling comes first, which gives the same numbers (the
    largest of four stays the largest when negative numbers become 0) for a quarter of the work.

    normalization: where batch normalization stands. "book" (597,354 parameters): after each pooling and
    after the first dense layer, before ReLU. "article" (601,578): at the five places, all after ReLU,
    where the 2017 article's notebook wrote it. "none" (594,922): nowhere, as the notebook really ran.
    dropout: the share of the 512 features that is switched off at random in training.
    pooling: "max" keeps the largest of two by two; "strides" lets the convolution before it compute every
    second position only.

    Raises ValueError if an argument is none of these.
    """
    checks.choice("normalization", normalization, NORMALIZATIONS)
    checks.choice("pooling", pooling, POOLINGS)
    checks.share_below_1("dropout", dropout)

    def normalize(name: str, arrangement: str) -> list[keras.layers.Layer]:
        # Keras's default momentum, 0.99, lets the running averages lag behind for hundreds of steps.
        momentum = 0.99 if arrangement == "article" else 0.9
        layer = layers.BatchNormalization(momentum=momentum, name=name)
        return [layer] if normalization == arrangement else []

    def convolve_and_halve(filters: int, number: int) -> list[keras.layers.Layer]:
        if pooling == "strides":
            return [layers.Conv2D(filters, 3, strides=2, name=f"conv_{number}")]
        return [
            layers.Conv2D(filters, 3, name=f"conv_{number}"),
            layers.MaxPooling2D(2, name=f"pool_{number}"),
        ]

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, name="conv_1"),
            layers.Activation("relu", name="relu_1"),
            *normalize("norm_1", "article"),
            *convolve_and_halve(32, 2),
            *normalize("norm_2", "book"),
            layers.Activation("relu", name="relu_2"),
            *normalize("norm_2", "article"),
            layers.Conv2D(64, 3, name="conv_3"),
            layers.Activation("relu", name="relu_3"),
            *normalize("norm_3", "article"),
            *convolve_and_halve(64, 4),
            *normalize("norm_4", "book"),
            layers.Activation("relu", name="relu_4"),
            layers.Flatten(name="flatten"),
            *normalize("norm_4", "article"),
            layers.Dense(512, name="dense_5"),
            *normalize("norm_5", "book"),
            layers.Activation("relu", name="relu_5"),
            *normalize("norm_5", "article"),
            layers.Dropout(dropout, name="dropout"),
            layers.Dense(10, name="logits"),
            layers.Activation("softmax", name="softmax"),
        ],
        name="cnn",
    )


def build_deep_cnn(dropout: float = 0.2) -> keras.Model:
    """Build a deeper network: six convolutions, each but the first with normalization, one dense layer.

    Takes and returns what `build_cnn` does, with 299,626 parameters. dropout: the share of the 1,152
    features that is switched off at random in training. Raises ValueError. Chapter: ensembling.
    """
    checks.share_below_1("dropout", dropout)

    def convolve(
        filters: int, number: int, padding: str, halve: bool = False
    ) -> list[keras.layers.Layer]:
        return [
            layers.Conv2D(filters, 3, padding=padding, name=f"conv_{number}"),
            *([layers.MaxPooling2D(2, name=f"pool_{number}")] if halve else []),
            layers.BatchNormalization(momentum=0.9, name=f"norm_{number}"),
            layers.Activation("relu", name=f"relu_{number}"),
        ]

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, name="conv_1"),
            layers.Activation("relu", name="relu_1"),
            *convolve(32, 2, "valid", halve=True),
            *convolve(64, 3, "valid"),
            *convolve(64, 4, "same", halve=True),
            *convolve(128, 5, "same"),
            *convolve(128, 6, "valid"),
            layers.Flatten(name="flatten"),
            layers.Dropout(dropout, name="dropout"),
            layers.Dense(10, name="logits"),
            layers.Activation("softmax", name="softmax"),
        ],
        name="deep_cnn",
    )


def describe(model: keras.Model) -> list[tuple[str, tuple[int, ...], int]]:
    """List a network's layers: name, output shape without the batch, parameters. Chapter: cnn_stack."""
    return [
        (layer.name, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]


def load_cnn(path: str | Path, normalization: str = "book") -> keras.Model:
    """Build the network and load its weights from a file that `training.save_weights` wrote.

    Only numbers are read from the file, no code. Raises TypeError, FileNotFoundError, or ValueError if the
    file is damaged or holds the weights of another network. Chapter: training.
    """
    path = checks.path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}.")
    if not path.name.endswith(".weights.h5"):
        raise ValueError(
            f"The name of a weights file must end in .weights.h5, got {path}."
        )
    checks.choice("normalization", normalization, NORMALIZATIONS)
    try:
        with h5py.File(path) as file:
            count, stored = len(file["layers"]), file.attrs.get(CHECKSUM)
        model = build_cnn(normalization)
        if count != len(model.layers):  # Keras itself does not mind layers too many
            raise ValueError(f"expected {len(model.layers)} layers, found {count}")
        model.load_weights(path)
        if stored not in (
            None,
            checksum(model),
        ):  # None in a file that Keras itself wrote
            raise ValueError("its numbers were changed after it was written")
    except (
        Exception
    ) as error:  # the readers of damaged files raise errors of many types
        raise ValueError(
            f"{path} is damaged, or holds the weights of another network: {error}"
        ) from error
    return model


def checksum(model: keras.Model) -> str:
    """Return the SHA-256 sum of all weights of a network, in their order."""
    return hashlib.sha256(
        b"".join(array.tobytes() for array in model.get_weights())
    ).hexdigest()


def load_pretrained() -> keras.Model:
    """Return the network with the weights of `tutorial-long`'s first seed, as the package holds them.

    The file must have the SHA-256 sum that was recorded with that run. Raises FileNotFoundError, or
    ValueError if the file is damaged. Chapter: filters.
    """
    return _load_recorded(
        WEIGHTS / "tutorial-long.npz", results.load("tutorial-long")["runs"][0]
    )


def save_recorded(model: keras.Model, path: Path) -> str:
    """Write a network's weights to an .npz file as float16, whole or not at all; return its SHA-256 sum.

    Normalization's four numbers a channel stay float32: a variance can be too small for float16.
    Chapter: evaluation.
    """
    buffer = io.BytesIO()
    weights = {weight.path: weight.numpy() for weight in model.weights}
    np.savez(
        buffer,
        **{
            key: array if "norm" in key else array.astype(np.float16)
            for key, array in weights.items()
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    results.write_whole(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _load_recorded(path: Path, run: dict[str, str]) -> keras.Model:
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no weights file {path}; install the package anew."
        )
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != run["weights_sha256"]:
        raise ValueError(
            f"{path} is damaged: its SHA-256 sum is not the recorded one. Install the package anew."
        )
    model = build_cnn()
    with np.load(io.BytesIO(content)) as arrays:
        for weight in model.weights:
            weight.assign(arrays[weight.path])
    return model
