"""What a convolutional network computes, in plain NumPy, equal to Keras's layers."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Real, Shaped
from numpy.lib.stride_tricks import sliding_window_view

from mnist_tutorial.scalars import Number, Positive

Padding = Literal["valid", "same"]


def convolve2d(
    image: Real[np.ndarray, "height width"],
    kernel: Real[np.ndarray, "kernel_height kernel_width"],
    stride: Positive = 1,
    padding: Padding = "valid",
) -> Real[np.ndarray, "rows columns"]:
    """Slide a kernel over a picture; at each position add up weights times pixels.

    As in every network, the kernel is not flipped. A side of n pixels under a kernel of
    k has (n - k) // stride + 1 positions, or, with "same", ceil(n / stride): zeros are
    added around the picture, an odd one at its end. Integers give integers.
    """
    image = image.astype(np.result_type(image, kernel, np.int64))  # uint8 is too small
    windows = sliding_windows(image, kernel.shape, stride, padding)
    return (windows * kernel).sum(axis=(2, 3))


def conv2d(
    images: Float[np.ndarray, "n height width channels"],
    kernels: Real[np.ndarray, "kernel_height kernel_width channels filters"],
    bias: Real[np.ndarray, "filters"],
    *,
    stride: Positive = 1,
    padding: Padding = "valid",
) -> Float[np.ndarray, "n rows columns filters"]:
    """Convolve each picture with each filter, through all channels: `Conv2D`."""
    windows = sliding_windows(images, kernels.shape[:2], stride, padding, axes=(1, 2))
    # n picture; y, x position; i, j in window; c channel; f filter. i, j, c are summed.
    return np.einsum("nyxcij,ijcf->nyxf", windows, kernels, optimize=True) + bias


def relu(numbers: Real[np.ndarray, "*shape"]) -> Real[np.ndarray, "*shape"]:
    """Turn negative numbers into 0."""
    return np.maximum(numbers, 0)


def max_pool2d(
    images: Real[np.ndarray, "n height width channels"],
    pool_size: Positive = 2,
    strides: Positive = 2,
    padding: Padding = "valid",
) -> Real[np.ndarray, "n rows columns channels"]:
    """Keep the largest number of each window, in each channel: Keras's `MaxPooling2D`.

    With "valid", rows and columns that fill no whole window are left out.
    """
    sides = (pool_size, pool_size)
    fill = images.min()  # so that padding never wins
    windows = sliding_windows(images, sides, strides, padding, axes=(1, 2), fill=fill)
    return windows.max(axis=(4, 5))


def batch_normalize(
    numbers: Float[np.ndarray, "*n channels"],
    scale: Float[np.ndarray, "channels"],
    shift: Float[np.ndarray, "channels"],
    mean: Float[np.ndarray, "channels"],
    variance: Float[np.ndarray, "channels"],
    *,
    epsilon: Number = 1e-3,
) -> Float[np.ndarray, "*n channels"]:
    """Normalize each channel with stored statistics: `BatchNormalization`, predicting.

    The four arrays come in the order of Keras's `get_weights`.
    """
    return (numbers - mean) / np.sqrt(variance + epsilon) * scale + shift


def dense(
    numbers: Float[np.ndarray, "n inputs"],
    weights: Float[np.ndarray, "inputs outputs"],
    bias: Float[np.ndarray, "outputs"],
) -> Float[np.ndarray, "n outputs"]:
    """Weigh all inputs for each output: Keras's `Dense`."""
    return numbers @ weights + bias


def softmax(logits: Float[np.ndarray, "*n classes"]) -> Float[np.ndarray, "*n classes"]:
    """Turn the numbers along the last axis into probabilities."""
    # Less their largest: the same probabilities, and no exponential overflows.
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def forward(
    weights: Mapping[str, Sequence[np.ndarray]],
    images: Float[np.ndarray, "n 28 28 1"],
) -> Float[np.ndarray, "n 10"]:
    """Run the whole network of `models.build_cnn()`, up to the logits, without Keras.

    weights: `{layer.name: layer.get_weights() for layer in model.layers}`.
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


def sliding_windows(
    array: Shaped[np.ndarray, "..."],
    sides: tuple[Any, ...],
    stride: Positive,
    padding: Padding,
    axes: tuple[int, int] = (0, 1),
    fill: Any = 0,
) -> Shaped[np.ndarray, "..."]:
    """View every window of these sides, `stride` apart; its own two axes come last."""
    if padding == "same":
        around = [(0, 0)] * array.ndim
        for axis, side in zip(axes, sides, strict=True):
            around[axis] = same_padding(array.shape[axis], side, stride)
        array = np.pad(array, around, constant_values=fill)
    steps = [
        slice(None, None, stride if axis in axes else 1) for axis in range(array.ndim)
    ]
    return sliding_window_view(array, sides, axis=axes)[tuple(steps)]


def same_padding(length: int, side: Any, stride: Positive) -> tuple[int, int]:
    """Count the zeros that "same" adds before and after a line, an odd one after it."""
    places = -(-length // stride)  # rounded up
    missing = max((places - 1) * stride + side - length, 0)
    return missing // 2, missing - missing // 2
