"""What a convolutional network computes, in plain NumPy (chapter: convolution).

Each function gives what the Keras layer of the same purpose gives; the tests hold them together. `conv2d`,
`batch_normalize` and `dense` check nothing: they take what `forward` gives them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mnist_tutorial import checks

Array = NDArray[Any]
PADDINGS = ("valid", "same")


def convolve2d(
    image: Array, kernel: Array, stride: int = 1, padding: str = "valid"
) -> Array:
    """Slide a kernel over one picture; at each place, add up the products of weights and pixels.

    image: (height, width); kernel: (kernel height, kernel width), not turned, as in every network.
    stride: how many pixels the window moves on. padding: "valid" keeps the window inside the picture,
    "same" puts zeros round it so that each stride-th pixel gets a window, as TensorFlow does.

    Returns (rows, columns). A side of n pixels under a kernel of k gives floor((n - k) / stride) + 1
    for "valid" and ceil(n / stride) for "same". Whole numbers give whole numbers (int64).
    Raises TypeError or ValueError. Chapter: convolution.
    """
    image, kernel = _as_picture("image", image), _as_picture("kernel", kernel)
    checks.whole_number("stride", stride, 1)
    checks.choice("padding", padding, PADDINGS)
    if padding == "valid" and (
        kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]
    ):
        raise ValueError(
            f"a kernel of {kernel.shape} does not fit into an image of {image.shape}."
        )
    _check_range(image, kernel)
    return (_windows(image, kernel.shape, stride, padding, axes=(0, 1)) * kernel).sum(
        axis=(2, 3)
    )


def conv2d(
    images: Array,
    kernels: Array,
    bias: Array,
    *,
    stride: int = 1,
    padding: str = "valid",
) -> Array:
    """Convolve each picture with each filter, through all channels: Keras's `Conv2D`.

    images: (n, height, width, channels); kernels: (kernel height, kernel width, channels, filters);
    bias: (filters,). Returns (n, rows, columns, filters). Chapter: convolution.
    """
    windows = _windows(images, kernels.shape[:2], stride, padding)
    return np.tensordot(windows, kernels, axes=((4, 5, 3), (0, 1, 2))) + bias


def relu(numbers: Array) -> Array:
    """Turn negative numbers into 0. Raises TypeError or ValueError. Chapter: convolution."""
    return np.maximum(_as_numbers("numbers", numbers), 0)


def max_pool2d(
    images: Array, size: int = 2, stride: int = 2, padding: str = "valid"
) -> Array:
    """Keep the largest number of each window, in each channel: Keras's `MaxPooling2D`.

    images: (n, height, width, channels). With "valid", rows and columns that fill no whole window are
    left out. Returns (n, rows, columns, channels). Raises TypeError or ValueError. Chapter: convolution.
    """
    _check_pooling(images, size, stride, padding)
    # Padding must never win, and the smallest number of all never beats another.
    return _windows(images, (size, size), stride, padding, fill=images.min()).max(
        axis=(4, 5)
    )


def batch_normalize(
    numbers: Array,
    scale: Array,
    shift: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float = 1e-3,
) -> Array:
    """Normalize each channel, the last axis, with stored statistics: `BatchNormalization` in use.

    scale, shift, mean, variance: (channels,), in the order of Keras's `get_weights`. Chapter: cnn_stack.
    """
    return (numbers - mean) / np.sqrt(variance + epsilon) * scale + shift


def dense(numbers: Array, weights: Array, bias: Array) -> Array:
    """Weigh all inputs for each output: Keras's `Dense`.

    numbers: (n, inputs); weights: (inputs, outputs); bias: (outputs,). Chapter: cnn_stack.
    """
    return numbers @ weights + bias


def softmax(logits: Array) -> Array:
    """Turn the numbers along the last axis into probabilities.

    Raises TypeError or ValueError. Chapter: cnn_stack.
    """
    logits = _as_numbers("logits", logits)
    logits = logits.astype(
        np.result_type(logits, np.float32), copy=False
    )  # pixels less 255 would wrap
    # Subtracting the largest changes no probability and keeps the exponentials from overflowing.
    with np.errstate(
        over="ignore"
    ):  # what is that far below the largest becomes 0 either way
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def forward(weights: Mapping[str, Sequence[Array]], images: Array) -> Array:
    """Run the book's whole network, `models.build_cnn()`, without Keras.

    weights: for each layer its arrays, `{layer.name: layer.get_weights() for layer in model.layers}`.
    images: float32 (n, 28, 28, 1) in [0, 1]. Returns the logits, (n, 10). Chapter: convolution.
    """
    maps = relu(conv2d(images, *weights["conv_1"]))
    maps = max_pool2d(conv2d(maps, *weights["conv_2"]))
    maps = relu(batch_normalize(maps, *weights["norm_2"]))
    maps = relu(conv2d(maps, *weights["conv_3"]))
    maps = max_pool2d(conv2d(maps, *weights["conv_4"]))
    maps = relu(batch_normalize(maps, *weights["norm_4"]))
    features = dense(maps.reshape(len(maps), -1), *weights["dense_5"])
    features = relu(batch_normalize(features, *weights["norm_5"]))
    return dense(features, *weights["logits"])


def _windows(
    array: Array,
    sides: tuple[int, ...],
    stride: int,
    padding: str,
    axes: tuple[int, int] = (1, 2),
    fill: Any = 0,
) -> Array:
    """View every window of these sides, `stride` apart; each window's two axes come last."""
    if padding == "same":
        around = [(0, 0)] * array.ndim
        for axis, side in zip(axes, sides, strict=True):
            around[axis] = _same_padding(array.shape[axis], side, stride)
        array = np.pad(array, around, constant_values=fill)
    steps = [
        slice(None, None, stride if axis in axes else None)
        for axis in range(array.ndim)
    ]
    return sliding_window_view(array, sides, axis=axes)[tuple(steps)]


def _same_padding(length: int, side: int, stride: int) -> tuple[int, int]:
    """How many zeros "same" puts before and after a line: an odd one goes after, as in TensorFlow."""
    places = -(-length // stride)
    missing = max((places - 1) * stride + side - length, 0)
    return missing // 2, missing - missing // 2


def _as_picture(name: str, array: Any) -> Array:
    """Check a user's picture or kernel; give whole numbers the room that sums of products need."""
    numbers = checks.finite(name, checks.array(name, array, ("height", "width")))
    if numbers.dtype.kind == "u" and numbers.max() > np.iinfo(np.int64).max:
        raise ValueError(
            f"{name} must be numbers below 2 ** 63, found {numbers.max()}."
        )
    return numbers if numbers.dtype.kind == "f" else numbers.astype(np.int64)


def _check_range(image: Array, kernel: Array) -> None:
    """Refuse numbers whose sums of products would leave the range of their dtype, and be wrong."""
    dtype = np.result_type(image, kernel)
    most = float(np.finfo(dtype).max) if dtype.kind == "f" else 2.0**62
    pixel, weight = (
        float(max(-float(numbers.min()), float(numbers.max())))
        for numbers in (image, kernel)
    )
    if pixel * weight * kernel.size > most:
        raise ValueError(
            f"image and kernel are too large, up to {pixel:g} and {weight:g}, for {dtype}."
        )


def _check_pooling(images: Any, size: Any, stride: Any, padding: Any) -> None:
    checks.finite(
        "images", checks.array("images", images, ("n", "height", "width", "channels"))
    )
    checks.choice("padding", padding, PADDINGS)
    checks.whole_number(
        "size", size, 1, min(images.shape[1:3]) if padding == "valid" else 1000
    )
    checks.whole_number("stride", stride, 1)


def _as_numbers(name: str, numbers: Any) -> Array:
    axes = max(numbers.ndim, 1) if isinstance(numbers, np.ndarray) else 1
    return checks.finite(name, checks.array(name, numbers, "n" * axes))
