"""Write the network for the page that computes it in JavaScript (chapter: draw)."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import checks, data, preprocessing, results
from mnist_tutorial.backend import keras

Floats = NDArray[np.float32]
LAYERS = ("conv_1", "conv_2", "conv_3", "conv_4", "dense_5", "logits")
SHARE = 0.01  # of digits that a limit may leave below
SAMPLES = 3  # of each digit, to try


def export_javascript(model: keras.Model, path: str | Path) -> None:
    """Write a network's weights as a JavaScript file, whole or not at all.

    model: as `build_cnn()` makes it. The file assigns an object to `window.mnistDraw.weights`: `shapes`, by
    layer; `limits`, what the function of that name returns; and `data`, base64 of what `fold` returns for
    each layer in turn, the smallest byte first: its scales and biases as float32, its weights as float16.
    That is exact for the network that comes with the package, whose weights are float16. Raises TypeError,
    ValueError, FileNotFoundError. Chapter: draw.
    """
    path = checks.path_to_write(path)
    layers = fold(model)
    numbers = b"".join(
        scale.astype("<f4").tobytes()
        + bias.astype("<f4").tobytes()
        + weights.astype("<f2").tobytes()
        for weights, scale, bias in layers.values()
    )
    content = {
        "shapes": {name: weights.shape for name, (weights, _, _) in layers.items()},
        "limits": limits(model),
        "data": base64.b64encode(numbers).decode(),
    }
    _write(path, "The weights of the book's network", "weights", content)


def export_samples(path: str | Path) -> None:
    """Write the first three test digits of each class as a JavaScript file, whole or not at all.

    The file assigns `window.mnistDraw.samples`: `labels`, and `pixels`, base64 of 784 bytes a digit.
    Raises TypeError, FileNotFoundError. Chapter: draw.
    """
    path = checks.path_to_write(path)
    _, (x_test, y_test) = data.load_mnist()
    places = np.stack(
        [np.flatnonzero(y_test == digit)[:SAMPLES] for digit in range(10)]
    ).T.ravel()
    content = {
        "labels": y_test[places].tolist(),
        "pixels": base64.b64encode(x_test[places].tobytes()).decode(),
    }
    _write(
        path,
        "Digits of MNIST (CC BY-SA 3.0, LeCun, Cortes and Burges)",
        "samples",
        content,
    )


def limits(model: keras.Model) -> dict[str, float]:
    """Return what the largest logit and the largest probability of 99 % of digits exceed.

    Measured on 2,000 training digits, numbers 50,000 to 51,999, and rounded to two decimals. Below the first
    the page calls a drawing unlike any digit, below the second it is not sure. Chapter: draw.
    """
    (x_train, y_train), _ = data.load_mnist()
    x, _ = preprocessing.prepare(x_train[50_000:52_000], y_train[50_000:52_000])
    outputs = [model.get_layer(name).output for name in ("logits", "softmax")]
    answers = keras.Model(model.inputs, outputs).predict(x, batch_size=500, verbose=0)
    logit, probability = (
        float(np.quantile(answer.max(axis=1), SHARE)) for answer in answers
    )
    return {"logit": round(logit, 2), "probability": round(probability, 2)}


def _write(path: Path, what: str, name: str, content: dict[str, Any]) -> None:
    text = (
        f"// {what}. Written by `mnist-tutorial export`.\n"
        f"(window.mnistDraw = window.mnistDraw || {{}}).{name} = {json.dumps(content)};\n"
    )
    results.write_whole(path, text.encode())


def fold(model: keras.Model) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return each layer's weights, and the scale and bias of each filter, normalization included.

    The layer computes scale * (inputs @ weights) + bias. The normalization that follows it would do the same
    to its output, after pooling. That is exact where the scale is positive, for then the largest of four
    numbers is also the largest after scaling. Raises ValueError where it is not, and for a network with other
    layers than `build_cnn` makes or with normalization after ReLU. Chapter: draw.
    """
    checks.kind("model", model, keras.Model, "a Keras model")
    names = [layer.name for layer in model.layers]
    for name in (*LAYERS, "pool_2", "pool_4"):  # the page pools
        if name not in names:
            raise ValueError(
                f'the network must be one that build_cnn() makes, but has no layer "{name}".'
            )
    folded = {}
    for name in LAYERS:
        weights, bias = model.get_layer(name).get_weights()
        scale = np.ones_like(bias)
        following = f"norm_{name[-1]}"
        if following in names:
            _check_place(names, name, following)
            norm = model.get_layer(following)
            gamma, beta, mean, variance = (
                array.astype(np.float64) for array in norm.get_weights()
            )
            scale = gamma / np.sqrt(variance + norm.epsilon)
            if not (scale > 0).all():
                raise ValueError(
                    f"{following} cannot be folded: channel {scale.argmin()} has a scale <= 0."
                )
            bias = (bias - mean) * scale + beta
        for array in (weights, scale, bias):
            checks.finite(f"the weights of {name}", array)
        folded[name] = (weights, scale.astype(np.float32), bias.astype(np.float32))
    return folded


def _check_place(names: list[str], name: str, following: str) -> None:
    between = names[names.index(name) + 1 : names.index(following)]
    if any(not other.startswith("pool") for other in between):
        raise ValueError(
            f"{following} cannot be folded into {name}: {', '.join(between)} stand between them."
        )


def export_digits(path: str | Path) -> None:
    """Write the playground's digits: training digits 0 to 6,999 and the last 1,000.

    The file sets `window.mnistPlayground.digits`: base64 of the deflated pixels of all of
    them, followed by their labels, one byte each. Raises TypeError, FileNotFoundError.
    """
    path = checks.path_to_write(path)
    (x_train, y_train), _ = data.load_mnist()
    chosen = np.r_[:7000, len(x_train) - 1000 : len(x_train)]
    content = x_train[chosen].tobytes() + y_train[chosen].astype(np.uint8).tobytes()
    text = base64.b64encode(zlib.compress(content, 8)).decode()
    script = (
        "// Digits of MNIST (CC BY-SA 3.0, LeCun, Cortes and Burges). "
        "Written by `mnist-tutorial export`.\n"
        f'(window.mnistPlayground ??= {{ parts: [] }}).digits = "{text}";\n'
    )
    results.write_whole(path, script.encode())
