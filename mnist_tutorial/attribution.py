"""What a trained network's answer depends on."""

from functools import partial

import numpy as np
from jaxtyping import Float, Integer

from mnist_tutorial.backend import keras
from mnist_tutorial.interpretation import gradient_of, layers_up_to, run
from mnist_tutorial.preprocessing import one_hot
from mnist_tutorial.scalars import Digit, Number, Positive

Images = Float[np.ndarray, "n 28 28 1"]


def margin(
    model: keras.Model, images: Images, label: Digit, rival: Digit
) -> Float[np.ndarray, "n"]:
    """Return by how much the logit of `label` exceeds that of `rival`, for each image.

    It is the logarithm of how many times more probable the network finds the label.
    """
    logits = run(layers_up_to(model, "logits"), images)
    return logits[:, label] - logits[:, rival]


def occlusion_map(
    model: keras.Model,
    image: Float[np.ndarray, "28 28 1"],
    label: Digit,
    rival: Digit,
    size: Positive = 5,
    fill: Number = 0,
) -> Float[np.ndarray, "28 28"]:
    """Cover each patch of an image in turn; return by how much the margin falls.

    The square has `size` pixels a side and is filled with 0, paper, or 1, ink. Source:
    Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014.
    """
    covered = np.tile(image, (28 * 28, 1, 1, 1))
    for picture, (row, column) in zip(covered, np.ndindex(28, 28), strict=True):
        top, left = row - size // 2, column - size // 2
        picture[max(top, 0) : top + size, max(left, 0) : left + size] = fill
    before = margin(model, image[np.newaxis], label, rival)
    return (before - margin(model, covered, label, rival)).reshape(28, 28)


def integrated_gradients(
    model: keras.Model,
    images: Images,
    labels: Integer[np.ndarray, "n"],
    rivals: Integer[np.ndarray, "n"],
    steps: Positive = 64,
) -> Float[np.ndarray, "n 28 28"]:
    """Divide the margin of label over rival among the pixels of each image.

    A pixel gets its ink times the mean gradient on the straight path from blank paper
    to the image. The attributions add up, nearly, to the image's margin minus that of
    blank paper. Source: Sundararajan et al., Axiomatic attribution for deep networks,
    2017.
    """
    weights = one_hot(labels) - one_hot(rivals)
    gradient_at = gradient_of(layers_up_to(model, "logits"), weights)
    middles = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    mean_gradient = sum(gradient_at(middle * images) for middle in middles) / steps
    return (images * mean_gradient)[..., 0]


def ablate_filters(
    model: keras.Model,
    images: Images,
    layer: str,
    filters: Integer[np.ndarray, "count"],
    values: Float[np.ndarray, "filters"] | Number = 0,
) -> Float[np.ndarray, "n 10"]:
    """Compute the logits with some of a layer's filters held at a constant output.

    values: that constant, one for all or one for each filter of the layer.
    """
    before, whole = layers_up_to(model, layer), layers_up_to(model, "logits")
    if len(before) > len(whole):
        raise ValueError(f"layer must not come after the logits, got {layer!r}.")
    ablated = np.zeros(before[-1].output.shape[-1], bool)
    ablated[filters] = True
    replace = partial(keras.ops.where, ablated, np.asarray(values, np.float32))
    return run([*before, replace, *whole[len(before) :]], images)
