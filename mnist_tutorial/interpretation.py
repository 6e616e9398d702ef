"""Look inside a trained network, and test what was seen by changing something (chapter: filters).

Each function takes a network such as `models.build_cnn` makes, a row of layers with one named "logits",
and arrays; it returns arrays. Images are float (n, 28, 28, 1) in [0, 1], as `preprocessing.prepare`
makes them. What goes in is checked: TypeError for a wrong kind, ValueError for a wrong value.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnist_tutorial import checks
from mnist_tutorial.backend import keras, tensorflow

Array = NDArray[Any]
BATCH = 250  # images at a time, so that their maps fit into memory


def feature_maps(model: keras.Model, images: Array, layer: str) -> Array:
    """Return what a layer puts out: (n, rows, columns, filters), or (n, features) of a dense layer.

    Chapter: filters.
    """
    return _run(_layers_up_to(model, layer), _images(model, images))


def strongest(maps: Array, number: int, count: int) -> NDArray[np.intp]:
    """Find the digits that excite a filter most, and the place in each where they do.

    maps: (n, rows, columns, filters), from `feature_maps`; number: which filter. Returns (count, 3): digit,
    row and column in the map, the strongest first. Chapter: filters.
    """
    checks.finite(
        "maps", checks.array("maps", maps, ("n", "rows", "columns", "filters"), "f")
    )
    _check_index("number", number, maps.shape[-1])
    checks.whole_number("count", count, 1)
    of_filter = maps[..., number]
    flat = of_filter.reshape(len(maps), -1)
    digits = np.argsort(-flat.max(axis=1), kind="stable")[:count]
    rows, columns = np.unravel_index(flat[digits].argmax(axis=1), of_filter.shape[1:])
    return np.stack([digits, rows, columns], axis=1)


def receptive_field(
    model: keras.Model, layer: str, row: int, column: int
) -> tuple[slice, slice]:
    """Return the rows and the columns of the picture that one place of a layer's maps depends on.

    From the place back to the pixels: the place i of a layer with window k and stride s reads the places
    from s * i to s * i + k - 1 of the layer before it. Holds for "valid" padding. Chapter: filters.
    """
    layers = _layers_up_to(model, layer)
    if len(layers[-1].output.shape) != 4:
        raise ValueError(
            f"{layer} has no maps, so its numbers have no place in the picture."
        )
    for name, place, length in zip(
        ("row", "column"), (row, column), layers[-1].output.shape[1:3], strict=True
    ):
        _check_index(name, place, length)
    first = last = np.array([row, column])
    for earlier in reversed(layers):
        if getattr(earlier, "padding", "valid") != "valid":
            raise ValueError(
                f'{earlier.name} has padding {earlier.padding!r}; expected "valid".'
            )
        window = getattr(earlier, "kernel_size", getattr(earlier, "pool_size", (1, 1)))
        stride = getattr(earlier, "strides", (1, 1))
        first, last = first * stride, last * stride + np.array(window) - 1
    return slice(int(first[0]), int(last[0]) + 1), slice(
        int(first[1]), int(last[1]) + 1
    )


def ascend(
    model: keras.Model,
    start: Array,
    layer: str,
    units: ArrayLike,
    steps: int = 100,
    size: float = 0.5,
) -> Array:
    """Change each image, step by step, so that one number that a layer puts out grows.

    start: (n, 28, 28, 1). units: for each image the place of its number in the layer's output, (n, 3) for
    row, column and filter, (n, 1) for a feature of a dense layer or a logit. Each of `steps` goes `size`
    along the gradient (so far do the changes of all pixels reach together) and back into [0, 1]. The step
    shrinks to 0 towards the end. Returns images (n, 28, 28, 1). Source: Erhan et al., Visualizing
    higher-layer features of a deep network, 2009. Chapter: filters.
    """
    layers, images = _layers_up_to(model, layer), _images(model, start)
    shape = layers[-1].output.shape[1:]
    units = checks.array_like("units", units, (len(images), len(shape)), "iu")
    checks.whole_number("steps", steps, 1)
    checks.number("size", size, "above 0", lambda size: 0 < size < 1e6)
    for axis, length in enumerate(shape):
        for place in units[:, axis]:
            _check_index("a unit's place", place, length)
    chosen = np.zeros((len(images), *shape), np.float32)
    chosen[np.arange(len(images)), *units.T] = 1
    gradient_at = _gradient_of(layers, chosen)
    for step in range(steps):
        gradient = gradient_at(images).numpy()
        norm = np.sqrt((gradient**2).sum(axis=(1, 2, 3), keepdims=True))
        reach = size * (1 - step / steps)
        images = np.clip(
            images + reach * gradient / np.maximum(norm, 1e-12), 0, 1
        ).astype(np.float32)
    return images


def margin(model: keras.Model, images: Array, label: int, rival: int) -> Array:
    """Return how far the logit of `label` stands above the logit of `rival`, for each image: (n,).

    It is the logarithm of how many times as probable the label is for the network. Chapter: filters.
    """
    _check_classes(label, rival)
    logits = _run(_layers_up_to(model, "logits"), _images(model, images))
    return logits[:, label] - logits[:, rival]


def occlusion_map(
    model: keras.Model,
    image: Array,
    label: int,
    rival: int,
    size: int = 5,
    fill: float = 0,
) -> Array:
    """Cover each place of a picture in turn; return how far the margin of label over rival falls.

    image: (28, 28, 1). The square that covers has `size` pixels a side, an odd number, and is filled with
    `fill`, 0 for paper and 1 for ink. Returns (28, 28): at each pixel the fall for a square centred there.
    Source: Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014. Chapter: filters.
    """
    if checks.whole_number("size", size, 1) % 2 == 0:
        raise ValueError(
            f"size must be odd, so that the square has a centre, got {size!r}."
        )
    checks.number_between("fill", fill, -1000, 1000)
    image = _images(
        model, image[np.newaxis] if isinstance(image, np.ndarray) else image
    )[0]
    height, width, _ = image.shape
    covered = np.repeat(image[np.newaxis], height * width, axis=0)
    reach = size // 2
    for picture, (row, column) in zip(covered, np.ndindex(height, width), strict=True):
        picture[
            max(row - reach, 0) : row + reach + 1,
            max(column - reach, 0) : column + reach + 1,
        ] = fill
    before, after = (
        margin(model, images, label, rival) for images in (image[np.newaxis], covered)
    )
    return (before - after).reshape(height, width)


def integrated_gradients(
    model: keras.Model,
    images: Array,
    labels: ArrayLike,
    rivals: ArrayLike,
    steps: int = 64,
) -> Array:
    """Share the margin of label over rival among the pixels of each image.

    labels, rivals: one each for every image. A pixel's share is its ink times the mean gradient on the
    straight way from blank paper to the image, taken in the middle of each of `steps` pieces. Returns
    (n, 28, 28); the shares of an image add up, but for the steps' coarseness, to its margin less that of
    blank paper. Source: Sundararajan et al., Axiomatic attribution for deep networks, 2017. Chapter: filters.
    """
    layers, images = _layers_up_to(model, "logits"), _images(model, images)
    labels = checks.array_like("labels", labels, (len(images),), "iuf")
    rivals = checks.array_like("rivals", rivals, (len(images),), "iuf")
    _check_classes(*labels, *rivals)
    checks.whole_number("steps", steps, 1)
    weights = (
        np.eye(10, dtype=np.float32)[labels] - np.eye(10, dtype=np.float32)[rivals]
    )
    gradient_at = _gradient_of(layers, weights)
    shares = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    mean_gradient = sum(gradient_at(share * images).numpy() for share in shares) / steps
    return (images * mean_gradient)[..., 0]


def switch_off(
    model: keras.Model,
    images: Array,
    layer: str,
    numbers: Iterable[int],
    values: ArrayLike = 0,
) -> Array:
    """Return the logits, (n, 10), when these filters of a layer put out the same at every place.

    layer: for a value of 0, one whose 0 means silence, such as "relu_1". values: what they put out, one
    number, or one for each filter of the layer (of which only those of `numbers` are used).
    Chapter: filters.
    """
    until_logits = _layers_up_to(model, "logits")
    checks.choice("layer", layer, [each.name for each in until_logits])
    before = _layers_up_to(model, layer)
    off = np.zeros(before[-1].output.shape[-1], bool)
    for number in checks.items("numbers", numbers):
        _check_index("a filter's number", number, len(off))
        off[number] = True
    values = _values(values, len(off))
    after = until_logits[len(before) :]
    replace = partial(keras.ops.where, off, values)
    return _run([*before, replace, *after], _images(model, images))


def _layers_up_to(model: keras.Model, name: str) -> list[keras.layers.Layer]:
    checks.kind("model", model, keras.Model, "a Keras model")
    checks.choice("layer", name, [layer.name for layer in model.layers])
    return model.layers[: model.layers.index(model.get_layer(name)) + 1]


def _run(layers: Sequence[Any], images: Array) -> Array:
    """Send images through a row of layers, a batch at a time."""
    parts = []
    for start in range(0, len(images), BATCH):
        numbers = images[start : start + BATCH]
        for layer in layers:
            numbers = layer(numbers)
        parts.append(np.asarray(numbers))
    return np.concatenate(parts)


def _gradient_of(layers: Sequence[Any], weights: Array) -> Callable[[Array], Any]:
    """Make a function of images: the gradient, by each pixel, of the weighted sum of the layers' output."""

    def gradient_at(images: Any) -> Any:
        with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            numbers = images
            for layer in layers:
                numbers = layer(numbers)
            score = tensorflow.reduce_sum(numbers * weights)
        return tape.gradient(score, images)

    # Compiled once; without that, each call would take several times as long.
    return tensorflow.function(gradient_at)


def _images(model: keras.Model, images: Any) -> Array:
    shape = checks.kind("model", model, keras.Model, "a Keras model").input_shape[1:]
    images = checks.array("images", images, ("n", *shape), "f")
    if np.abs(checks.finite("images", images)).max() > 1e6:
        raise ValueError(
            "images must be numbers in [0, 1], as `prepare` makes them, found one beyond 1e6."
        )
    return images.astype(np.float32)


def _check_classes(*labels: int) -> None:
    for label in labels:
        _check_index("a label", label, 10)


def _check_index(name: str, index: Any, length: int) -> None:
    checks.whole_number(name, index, 0, length - 1)


def _values(values: Any, filters: int) -> Array:
    if isinstance(values, (int, float, np.number)):
        return np.asarray(
            checks.number_between("values", values, -1e6, 1e6), np.float32
        )
    array = checks.array_like("values", values, (filters,), "iuf")
    return np.array(
        [checks.number_between("values", value, -1e6, 1e6) for value in array],
        np.float32,
    )
