"""What an answer of a trained network depends on."""

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
    """Return how far the logit of `label` stands above that of `rival`, for each image.

    It is the logarithm of how many times as probable the label is for the network.
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
    """Cover each place of an image in turn; return how far the margin falls.

    The square that covers has `size` pixels a side, an odd number, and is filled with 0
    for paper or 1 for ink. Source: Zeiler and Fergus, Visualizing and understanding
    convolutional networks, 2014.
    """
    if size % 2 == 0:
        raise ValueError(f"size must be odd, to have a centre, got {size}.")
    covered = np.tile(image, (28 * 28, 1, 1, 1))
    reach = size // 2
    for picture, (row, column) in zip(covered, np.ndindex(28, 28), strict=True):
        rows = slice(max(row - reach, 0), row + reach + 1)
        picture[rows, max(column - reach, 0) : column + reach + 1] = fill
    before = margin(model, image[np.newaxis], label, rival)
    return (before - margin(model, covered, label, rival)).reshape(28, 28)


def integrated_gradients(
    model: keras.Model,
    images: Images,
    labels: Integer[np.ndarray, "n"],
    rivals: Integer[np.ndarray, "n"],
    steps: Positive = 64,
) -> Float[np.ndarray, "n 28 28"]:
    """Share the margin of label over rival among the pixels of each image.

    A pixel's part is its ink times the mean gradient on the straight way from blank
    paper to the image, taken in the middle of each step. The parts add up, but for the
    steps' coarseness, to the image's margin less that of blank paper. Source:
    Sundararajan et al., Axiomatic attribution for deep networks, 2017.
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
    """Return the logits when these filters of a layer put out the same everywhere.

    values: what they put out, one number for all or one for each filter of the layer. A
    value of 0 silences a filter of a layer with ReLU.
    """
    before, whole = layers_up_to(model, layer), layers_up_to(model, "logits")
    if len(before) > len(whole):
        raise ValueError(f"layer must not come after the logits, got {layer!r}.")
    ablated = np.zeros(before[-1].output.shape[-1], bool)
    ablated[filters] = True
    replace = partial(keras.ops.where, ablated, np.asarray(values, np.float32))
    return run([*before, replace, *whole[len(before) :]], images)
