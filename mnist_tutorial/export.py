"""The network, written for the page that computes it in JavaScript."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int8

from mnist_tutorial import load_mnist, prepare, results
from mnist_tutorial.backend import keras
from mnist_tutorial.files import replacing
from mnist_tutorial.scalars import Number

Weights = Float32[np.ndarray, "*inputs outputs"]
PerFilter = Float32[np.ndarray, "outputs"]
LAYERS = ("conv_1", "conv_2", "conv_3", "conv_4", "dense_5", "logits")
FRACTION = 0.01  # of digits that a limit may leave below
PAGE = "(window.mnistDraw = window.mnistDraw || {})"
DIGITS = "Digits of MNIST (CC BY-SA 3.0, LeCun, Cortes and Burges)"


def export_javascript(model: keras.Model, path: str | Path) -> None:
    """Write a network made by `build_cnn()` as JavaScript, whole or not at all.

    The file assigns an object to `window.mnistDraw.weights`: `layers`, what the page
    computes one after another; `temperature` and `limits`, as the functions of these
    names return them; `data`, base64 of what zlib makes of each layer's numbers as
    `quantize` returns them, the smallest byte first: scales and biases as float32,
    weights as int8.
    """
    numbers = b"".join(
        scale.astype("<f4").tobytes() + bias.astype("<f4").tobytes() + weights.tobytes()
        for weights, scale, bias in quantize(model).values()
    )
    content = {
        "layers": page_layers(model),
        "temperature": temperature(),
        "limits": limits(model, temperature()),
        "data": base64.b64encode(zlib.compress(numbers, 9)).decode(),
    }
    write(path, "The weights of the book's network", f"{PAGE}.weights", content)


def page_layers(model: keras.Model) -> list[dict[str, Any]]:
    """Return what the page computes: convolution or dense with ReLU, and pooling."""
    layers: list[dict[str, Any]] = []
    for layer in model.layers:
        if layer.name.startswith("pool"):
            layers.append({"name": layer.name, "kind": "pool", "size": 2})
        elif layer.name in LAYERS:
            last = layer.name == "logits"
            layers.append(
                {
                    "name": layer.name if last else f"relu_{layer.name[-1]}",
                    "kind": "conv" if layer.name.startswith("conv") else "dense",
                    "parameters": layer.name,
                    "shape": tuple(layer.kernel.shape),
                    "relu": not last,
                }
            )
    return layers


def quantize(
    model: keras.Model,
) -> dict[str, tuple[Int8[np.ndarray, "..."], PerFilter, PerFilter]]:
    """Return each layer's weights in eight bits, and each filter's scale and bias.

    The layer computes scale * (inputs @ weights) + bias, normalization included; a
    filter's largest weight becomes 127 or -127. Raises what `fold` raises.
    """
    layers = {}
    for name, (weights, scale, bias) in fold(model).items():
        largest = np.abs(weights).reshape(-1, weights.shape[-1]).max(axis=0)
        step = np.where(largest > 0, largest, 1).astype(np.float32) / 127
        integers = np.rint(weights / step).astype(np.int8)
        layers[name] = (integers, (scale * step).astype(np.float32), bias)
    return layers


def fold(model: keras.Model) -> dict[str, tuple[Weights, PerFilter, PerFilter]]:
    """Return each layer's weights, and each filter's scale and bias with normalization.

    The normalization that follows a layer, after pooling, does to its output what scale
    and bias do before it. That is exact where the scale is positive, for then the
    largest of four numbers is also the largest after scaling. Raises ValueError where
    it is not, for other layers than those of `build_cnn`, and for normalization after
    ReLU.
    """
    names = [layer.name for layer in model.layers]
    for name in (*LAYERS, "pool_2", "pool_4"):  # the page pools
        if name not in names:
            raise ValueError(
                f'the network must be one of build_cnn(), but has no layer "{name}".'
            )
    folded = {}
    for name in LAYERS:
        weights, bias = model.get_layer(name).get_weights()
        scale = np.ones_like(bias)
        following = f"norm_{name[-1]}"
        if following in names:
            between = names[names.index(name) + 1 : names.index(following)]
            if any(not other.startswith("pool") for other in between):
                raise ValueError(
                    f"{following} cannot be folded into {name}: "
                    f"{', '.join(between)} stand between them."
                )
            norm = model.get_layer(following)
            gamma, beta, mean, variance = (
                array.astype(np.float64) for array in norm.get_weights()
            )
            scale = gamma / np.sqrt(variance + norm.epsilon)
            if not (scale > 0).all():
                raise ValueError(
                    f"{following} cannot be folded: "
                    f"channel {scale.argmin()} has a scale <= 0."
                )
            bias = (bias - mean) * scale + beta
        for array in (weights, scale, bias):
            if not np.isfinite(array).all():
                raise ValueError(f"the weights of {name} must be finite.")
        folded[name] = (weights, scale.astype(np.float32), bias.astype(np.float32))
    return folded


def rounded(model: keras.Model) -> keras.Model:
    """Return the network that the page computes, with the weights of `quantize`."""
    copy = keras.models.clone_model(model)
    for name, (weights, scale, bias) in quantize(model).items():
        copy.get_layer(name).set_weights([weights * scale, bias])
    for layer in copy.layers:
        if layer.name.startswith("norm"):  # it is in the weights, and does nothing here
            one, zero = np.ones(layer.gamma.shape), np.zeros(layer.gamma.shape)
            layer.set_weights([one, zero, zero, one - layer.epsilon])
    return copy


def up_to_logits(model: keras.Model) -> keras.Model:
    """Cut a network off before its softmax."""
    return keras.Model(model.inputs, model.get_layer("logits").output)


def limits(model: keras.Model, temperature: Number) -> dict[str, float]:
    """Return what the best logit and probability of 99 % of digits exceed on the page.

    Measured with the rounded weights on training digits 50,000 to 51,999. Below the
    first the page calls a drawing unlike any digit, below the second it is not sure.
    """
    (x_train, y_train), _ = load_mnist()
    x, _ = prepare(x_train[50_000:52_000], y_train[50_000:52_000])
    logits = up_to_logits(rounded(model)).predict(x, batch_size=500, verbose=0)
    best = logits.max(axis=1)
    exponentials = np.exp((logits - best[:, np.newaxis]) / temperature)
    probability = 1 / exponentials.sum(axis=1)  # the exponential of the best is 1
    return {
        "logit": round(float(np.quantile(best, FRACTION)), 3),
        "probability": round(float(np.quantile(probability, FRACTION)), 3),
    }


def temperature() -> float:
    """Return what the page divides the logits by before softmax.

    Fitted on 10,000 digits that a network of the same recipe had not seen.
    """
    return float(results.load("temperature")["runs"][0]["temperature"])


def export_samples(model: keras.Model, path: str | Path) -> None:
    """Write the first test digit of each class, and all that a network misreads.

    The file assigns an object to `window.mnistDraw.samples`: `labels`, and `pixels`,
    base64 of 784 bytes per digit. It is written whole or not at all.
    """
    _, (x_test, y_test) = load_mnist()
    x, _ = prepare(x_test, y_test)
    read = rounded(model).predict(x, batch_size=500, verbose=0).argmax(axis=1)
    first = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
    places = np.r_[first, np.flatnonzero(read != y_test)]
    content = {
        "labels": y_test[places].tolist(),
        "pixels": base64.b64encode(x_test[places].tobytes()).decode(),
    }
    write(path, DIGITS, f"{PAGE}.samples", content)


def export_digits(path: str | Path) -> None:
    """Write the digits that the playground learns from and is scored by.

    They are training digits 0 to 6,999 and the last 1,000. The file sets
    `window.mnistPlayground.digits`: base64 of what zlib makes of all pixels, followed
    by the labels, one byte each.
    """
    (x_train, y_train), _ = load_mnist()
    chosen = np.r_[:7000, len(x_train) - 1000 : len(x_train)]
    content = x_train[chosen].tobytes() + y_train[chosen].tobytes()
    text = base64.b64encode(zlib.compress(content, 9)).decode()
    write(path, DIGITS, "(window.mnistPlayground ??= { parts: [] }).digits", text)


def write(path: str | Path, what: str, place: str, content: Any) -> None:
    """Write a script that assigns an object, whole or not at all."""
    comment = f"// {what}. Written by `mnist-tutorial export`."
    with replacing(Path(path)) as unfinished:
        text = f"{comment}\n{place} = {json.dumps(content)};\n"
        unfinished.write_text(text, encoding="utf-8", newline="\n")
