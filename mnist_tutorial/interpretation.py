"""What excites a filter of a trained network.

A network is a sequence of layers, as in `models`; images are what `prepare` returns.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.scalars import Number, Positive, Whole

Images = Float[np.ndarray, "n 28 28 1"]
BATCH = 250  # images at a time, so that their feature maps fit into memory


def feature_maps(
    model: keras.Model, images: Images, layer: str
) -> Float[np.ndarray, "n *shape"]:
    """Compute a layer's output: maps (n, rows, columns, filters), or features."""
    return run(layers_up_to(model, layer), images)


def top_activations(
    maps: Float[np.ndarray, "n rows columns filters"], filter: Whole, count: Positive
) -> Integer[np.ndarray, "count 3"]:
    """Find the images that excite a filter most, and where: (image, row, column).

    The strongest comes first; `maps` come from `feature_maps`.
    """
    of_filter = maps[..., filter]
    strongest = of_filter.max(axis=(1, 2))
    images = np.argsort(-strongest, kind="stable")[:count]
    places = of_filter[images].reshape(len(images), -1).argmax(axis=1)
    return np.stack([images, *np.unravel_index(places, of_filter.shape[1:])], axis=1)


def receptive_field(
    model: keras.Model, layer: str, row: Whole, column: Whole
) -> tuple[slice, slice]:
    """Return the rows and columns of the image that one unit of a map depends on.

    Without padding, unit i of a layer with window k and stride s reads the units
    s * i to s * i + k - 1 of the layer before. We go back layer by layer.
    """
    first = last = np.array([row, column])
    for earlier in reversed(layers_up_to(model, layer)):
        flat = isinstance(earlier, keras.layers.Flatten)
        if flat or getattr(earlier, "padding", "valid") != "valid":
            raise ValueError(
                f"layer {layer} has no maps, or {earlier.name} pads its input."
            )
        window = getattr(earlier, "kernel_size", getattr(earlier, "pool_size", (1, 1)))
        strides = np.array(getattr(earlier, "strides", (1, 1)))
        first, last = first * strides, last * strides + np.array(window) - 1
    (top, left), (bottom, right) = first.tolist(), last.tolist()
    if min(top, left) < 0 or max(bottom, right) > 27:
        raise ValueError(f"{layer} has no row {row} and column {column}.")
    return slice(top, bottom + 1), slice(left, right + 1)


def maximize_activation(
    model: keras.Model,
    start: Images,
    layer: str,
    units: Integer[np.ndarray, "n axes"],
    steps: Positive = 100,
    size: Number = 0.5,
) -> Float[np.ndarray, "n 28 28 1"]:
    """Change each image step by step so that one unit of a layer grows.

    units: one per image, (row, column, filter) or, for a dense layer, (feature,). The
    steps, of length `size` at first, get shorter. Source: Erhan et al., Visualizing
    higher-layer features of a deep network, 2009.
    """
    layers = layers_up_to(model, layer)
    shape = layers[-1].output.shape[1:]
    chosen = np.zeros((len(start), math.prod(shape)), np.float32)
    chosen[np.arange(len(start)), np.ravel_multi_index(units.T, shape)] = 1
    gradient_at = gradient_of(layers, chosen.reshape(-1, *shape))
    images = start
    for step in range(steps):
        gradient = gradient_at(images)
        length = np.sqrt((gradient**2).sum(axis=(1, 2, 3), keepdims=True))
        reach = size * (1 - step / steps)
        moved = images + reach * gradient / np.maximum(length, 1e-12)
        images = np.clip(moved, 0, 1).astype(np.float32)
    return images


def layers_up_to(model: keras.Model, layer: str) -> list[keras.layers.Layer]:
    """List a network's layers up to and including the one of this name."""
    return model.layers[: model.layers.index(model.get_layer(layer)) + 1]


def run(layers: Sequence[Any], images: Images) -> Float[np.ndarray, "n *shape"]:
    """Send images through a sequence of layers, one batch at a time."""
    parts = []
    for start in range(0, len(images), BATCH):
        numbers = images[start : start + BATCH]
        for layer in layers:
            numbers = layer(numbers)
        parts.append(np.asarray(numbers))
    return np.concatenate(parts)


def gradient_of(
    layers: Sequence[Any], weights: Float[np.ndarray, "n *shape"]
) -> Callable[[Images], Images]:
    """Make a function that computes the gradient of a weighted sum of the output."""

    def compute(images: Any) -> Any:
        with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            numbers = images
            for layer in layers:
                numbers = layer(numbers)
            score = tensorflow.reduce_sum(numbers * weights)
        return tape.gradient(score, images)

    compiled = tensorflow.function(compute)  # several times as fast
    return lambda images: compiled(tensorflow.constant(images, "float32")).numpy()
