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

    model: as `build_cnn()` makes it. The file assigns an object to `window.mnistDraw.weights`: `layers`, what
    the page computes one after another; `temperature`, by which it divides the logits before softmax;
    `limits`, what the function of that name returns; and `data`, base64 of zlib's compression of what
    `quantize` returns for each layer in turn, the smallest byte first: scales and biases as float32, weights
    as int8. Raises TypeError, ValueError, FileNotFoundError. Chapter: draw.
    """
    path = checks.path_to_write(path)
    layers = quantize(model)
    numbers = b"".join(
        scale.astype("<f4").tobytes() + bias.astype("<f4").tobytes() + weights.tobytes()
        for weights, scale, bias in layers.values()
    )
    degrees = temperature()
    content = {
        "layers": page_layers(model),
        "temperature": degrees,
        "limits": limits(model, degrees),
        "data": base64.b64encode(zlib.compress(numbers, 9)).decode(),
    }
    _write(path, "The weights of the book's network", "weights", content)


def temperature() -> float:
    """Return what the logits are divided by before softmax, so that probabilities are frequencies.

    Fitted on 10,000 digits that a network with the same recipe had not seen. Chapter: draw.
    """
    record = results.RESULTS / "temperature.json"
    return float(json.loads(record.read_text(encoding="utf-8"))["temperature"])


def page_layers(model: keras.Model) -> list[dict[str, Any]]:
    """Return what the page computes, in its order: each convolution and dense layer with its ReLU, each pooling."""
    layers: list[dict[str, Any]] = []
    for layer in model.layers:
        number = layer.name[-1]
        if layer.name in LAYERS:
            last = layer.name == "logits"
            layers.append(
                {
                    "name": "logits" if last else f"relu_{number}",
                    "kind": "conv" if layer.name.startswith("conv") else "dense",
                    "parameters": layer.name,
                    "shape": tuple(layer.kernel.shape),
                    "relu": not last,
                }
            )
        elif layer.name.startswith("pool"):
            layers.append({"name": layer.name, "kind": "pool", "size": 2})
    return layers


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


def limits(model: keras.Model, temperature: float) -> dict[str, float]:
    """Return what the largest logit and the largest probability of 99 % of digits exceed on the page.

    Measured with the rounded weights on 2,000 training digits, numbers 50,000 to 51,999, and rounded to three
    decimals. Below the first the page calls a drawing unlike any digit, below the second it is not sure.
    Chapter: draw.
    """
    (x_train, y_train), _ = data.load_mnist()
    x, _ = preprocessing.prepare(x_train[50_000:52_000], y_train[50_000:52_000])
    logits = up_to_logits(rounded(model)).predict(x, batch_size=500, verbose=0)
    exponentials = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    largest = 1 / exponentials.sum(axis=1)  # the exponential of the best is 1
    return {
        "logit": round(float(np.quantile(logits.max(axis=1), SHARE)), 3),
        "probability": round(float(np.quantile(largest, SHARE)), 3),
    }


def up_to_logits(model: keras.Model) -> keras.Model:
    """Cut a network off before its softmax."""
    return keras.Model(model.inputs, model.get_layer("logits").output)


def _write(path: Path, what: str, name: str, content: dict[str, Any]) -> None:
    text = (
        f"// {what}. Written by `mnist-tutorial export`.\n"
        f"(window.mnistDraw = window.mnistDraw || {{}}).{name} = {json.dumps(content)};\n"
    )
    results.write_whole(path, text.encode())


def quantize(model: keras.Model) -> dict[str, tuple[NDArray[np.int8], Floats, Floats]]:
    """Return each layer's weights in eight bits, and the scale and bias of each filter.

    The layer computes scale * (inputs @ weights) + bias, so that a filter's largest weight becomes 127 or -127.
    Raises what `fold` raises. Chapter: draw.
    """
    layers = {}
    for name, (weights, scale, bias) in fold(model).items():
        largest = np.abs(weights).reshape(-1, weights.shape[-1]).max(axis=0)
        step = np.where(largest > 0, largest, 1) / np.float32(127)
        layers[name] = (np.rint(weights / step).astype(np.int8), scale * step, bias)
    return layers


def rounded(model: keras.Model) -> keras.Model:
    """Return the network that the page computes: with the weights of `quantize`, and normalization that does nothing.

    Chapter: draw.
    """
    copy = keras.models.clone_model(model)
    for name, (weights, scale, bias) in quantize(model).items():
        copy.get_layer(name).set_weights([weights * scale, bias])
    for layer in copy.layers:
        if layer.name.startswith("norm"):
            one, zero = np.ones(layer.gamma.shape), np.zeros(layer.gamma.shape)
            layer.set_weights([one, zero, zero, one - layer.epsilon])
    return copy


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
