"""What a convolutional network computes, in plain NumPy (chapter: convolution).

Each function gives what the Keras layer of the same purpose gives; the tests hold them together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]
PADDINGS = ("valid", "same")


def convolve2d(image: Array, kernel: Array, stride: int = 1, padding: str = "valid") -> Array:
    """Slide a kernel over one picture; at each place, add up the products of weights and pixels.

    image: (height, width); kernel: (kernel height, kernel width), not turned, as in every network.
    stride: how many pixels the window moves on. padding: "valid" keeps the window inside the picture,
    "same" puts zeros round it so that each stride-th pixel gets a window, as TensorFlow does.

    Returns (rows, columns). A side of n pixels under a kernel of k gives floor((n - k) / stride) + 1
    for "valid" and ceil(n / stride) for "same". Whole numbers give whole numbers (int64).
    Raises TypeError or ValueError. Chapter: convolution.
    """
    image, kernel = _as_picture("image", image), _as_picture("kernel", kernel)
    if isinstance(stride, bool) or not isinstance(stride, (int, np.integer)) or stride < 1:
        raise ValueError(f"stride must be a whole number from 1 up, got {stride!r}.")
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {padding!r}.")
    if padding == "valid" and (kernel.shape[0] > image.shape[0] or kernel.shape[1] > image.shape[1]):
        raise ValueError(f"a kernel of {kernel.shape} does not fit into an image of {image.shape}.")
    return (_windows(image, kernel.shape, stride, padding, axes=(0, 1)) * kernel).sum(axis=(2, 3))


def conv2d(images: Array, kernels: Array, bias: Array, *, stride: int = 1, padding: str = "valid") -> Array:
    """Convolve each picture with each filter, through all channels: Keras's `Conv2D`.

    images: (n, height, width, channels); kernels: (kernel height, kernel width, channels, filters);
    bias: (filters,). Returns (n, rows, columns, filters). Chapter: convolution.
    """
    windows = _windows(images, kernels.shape[:2], stride, padding)
    return np.tensordot(windows, kernels, axes=((4, 5, 3), (0, 1, 2))) + bias


def relu(numbers: Array) -> Array:
    """Turn negative numbers into 0. Chapter: convolution."""
    return np.maximum(numbers, 0)


def max_pool2d(images: Array, size: int = 2, stride: int = 2, padding: str = "valid") -> Array:
    """Keep the largest number of each window, in each channel: Keras's `MaxPooling2D`.

    images: (n, height, width, channels). With "valid", rows and columns that fill no whole window are
    left out. Returns (n, rows, columns, channels). Chapter: convolution.
    """
    # Padding must never win, and the smallest number of all never beats another.
    return _windows(images, (size, size), stride, padding, fill=images.min()).max(axis=(4, 5))


def batch_normalize(
    numbers: Array, scale: Array, shift: Array, mean: Array, variance: Array, *, epsilon: float = 1e-3
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
    """Turn the numbers along the last axis into probabilities. Chapter: cnn_stack."""
    # Subtracting the largest changes no probability and keeps the exponentials from overflowing.
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
    steps = [slice(None, None, stride if axis in axes else None) for axis in range(array.ndim)]
    return sliding_window_view(array, sides, axis=axes)[tuple(steps)]


def _same_padding(length: int, side: int, stride: int) -> tuple[int, int]:
    """How many zeros "same" puts before and after a line: an odd one goes after, as in TensorFlow."""
    places = -(-length // stride)
    missing = max((places - 1) * stride + side - length, 0)
    return missing // 2, missing - missing // 2


def _as_picture(name: str, array: Any) -> Array:
    """Check a user's picture or kernel; give whole numbers the room that sums of products need."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        found = f"{array.dtype} array" if isinstance(array, np.ndarray) else f"{type(array).__name__}"
        raise TypeError(f"{name} must be a NumPy array of numbers, (height, width), got {found}.")
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} must have shape (height, width) and not be empty, got {array.shape}.")
    return array if array.dtype.kind == "f" else array.astype(np.int64)
