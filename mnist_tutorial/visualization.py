"""Drawings that are used twice or tested. Each takes arrays and returns a matplotlib Figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

BLUE, ORANGE, GREY = (
    "#0f6fb4",
    "#c4500a",
    "#5b6470",
)  # told apart by colour-blind readers too, and in print


def draw_digits(
    images: NDArray[Any],
    titles: Sequence[Any] | None = None,
    columns: int = 10,
    rows_labelled: Sequence[str] = (),
) -> Figure:
    """Draw digits in a grid, ink dark on light paper, each under its title.

    images: (n, 28, 28) or (n, 28, 28, 1), any range. titles: one a digit (its label, say).
    rows_labelled: a name for each row of the grid. Chapter: loading.
    """
    rows = -(-len(images) // columns)
    figure, axes = _grid(rows, columns, titles is not None)
    for index, axis in enumerate(axes.flat):
        if index < len(images):
            draw_digit(axis, images[index])
            if titles is not None:
                axis.set_title(str(titles[index]), fontsize=11)
        else:
            axis.axis("off")
    for name, axis in zip(rows_labelled, axes[:, 0], strict=False):
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    return figure


def draw_digit(axis: Axes, image: NDArray[Any]) -> None:
    """Draw one digit on an axis: no ticks, a thin frame, ink dark on light paper."""
    axis.imshow(np.squeeze(image), cmap="gray_r")
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_color("#c9ced6")


def draw_augmented(originals: NDArray[Any], augmented: NDArray[Any]) -> Figure:
    """Draw each original digit at the left of a row, and its augmented versions beside it.

    originals: (n, 28, 28); augmented: (n, versions, 28, 28). Chapter: augmentation.
    """
    versions = augmented.shape[1]
    figure, axes = _grid(len(originals), versions + 1, True)
    for row, original, others in zip(axes, originals, augmented, strict=True):
        for axis, image in zip(row, [original, *others], strict=True):
            draw_digit(axis, image)
        for spine in row[0].spines.values():
            spine.set(color=BLUE, linewidth=2)
    axes[0, 0].set_title("original", fontsize=11, color=BLUE)
    axes[0, (versions + 1) // 2].set_title("augmented", fontsize=11)
    return figure


def draw_stack(layers: Sequence[tuple[str, tuple[int, ...], int]]) -> Figure:
    """Draw a network from input to output: a block a layer, with its shape and parameter count.

    layers: (name, output shape without the batch, parameters), as `models.describe` returns them. A
    block's height grows with the picture's side, its width with the number of channels, both as a
    square root, so that one figure holds all of them. Chapter: cnn_stack.
    """
    figure = Figure(figsize=(7, 0.36 * len(layers) + 0.5), layout="constrained")
    axis = figure.add_subplot()
    for place, (name, shape, parameters) in enumerate(layers):
        width = np.sqrt(np.prod(shape)) / np.sqrt(26 * 26 * 32)
        axis.barh(place, width, left=-width / 2, height=0.72, color=BLUE if parameters else "#b9cde0")
        axis.text(-0.62, place, name, ha="right", va="center", fontsize=10)
        axis.text(
            0.62,
            place,
            " × ".join(str(side) for side in shape),
            ha="left",
            va="center",
            fontsize=10,
        )
        axis.text(
            1.65,
            place,
            f"{parameters:,}" if parameters else "–",
            ha="right",
            va="center",
            fontsize=10,
        )
    for x, text, align in (
        (-0.62, "layer", "right"),
        (0.62, "output shape", "left"),
        (1.65, "parameters", "right"),
    ):
        axis.text(x, -1, text, ha=align, va="center", fontsize=10, fontweight="bold", color=GREY)
    axis.set(xlim=(-1.5, 1.7), ylim=(len(layers) - 0.4, -1.6))
    axis.axis("off")
    return figure


def draw_learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]], measure: str = "loss"
) -> Figure:
    """Draw a measure by epoch: a colour for each network, training dashed, validation solid.

    histories: by name, what Keras's `fit` or `train` returned. Chapter: training.
    """
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axis = figure.add_subplot()
    for (name, history), color in zip(
        histories.items(), (BLUE, ORANGE, GREY, "#2b8a3e", "#8d3fa0"), strict=False
    ):
        for key, style, which in (
            (measure, "--", "training"),
            (f"val_{measure}", "-", "validation"),
        ):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                axis.plot(
                    epochs,
                    history[key],
                    style,
                    color=color,
                    marker="o",
                    markersize=4,
                    label=f"{name}, {which}",
                )
    axis.set(xlabel="epoch", ylabel=measure)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def _grid(rows: int, columns: int, titled: bool) -> tuple[Figure, NDArray[Any]]:
    figure = Figure(figsize=(0.75 * columns, (0.95 if titled else 0.75) * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)
