"""Drawings that are used twice or tested: arrays to a matplotlib Figure, or onto an axis that is given.

What goes in is checked: TypeError for a wrong kind, ValueError for a wrong value.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mnist_tutorial import checks

# Told apart by colour-blind readers too, and in print.
BLUE, ORANGE, GREY = "#0f6fb4", "#c4500a", "#5b6470"
SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])


def draw_digits(
    images: NDArray[Any],
    titles: Sequence[Any] | None = None,
    columns: int = 10,
    rows_labelled: Sequence[str] = (),
) -> Figure:
    """Draw digits in a grid, ink dark on light paper, each under its title.

    images: (n, 28, 28) or (n, 28, 28, 1), any range. titles: one a digit (its label, say).
    rows_labelled: a name for each row of the grid, or none. Chapter: loading.
    """
    titles, rows_labelled = _check_grid(
        "images", images, titles, columns, rows_labelled
    )
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
    _check_pictures("image", image, ("height", "width"))
    axis.imshow(image.reshape(image.shape[:2]), cmap="gray_r")
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_color("#c9ced6")


def draw_maps(
    maps: NDArray[Any], titles: Sequence[Any] | None = None, columns: int = 8
) -> Figure:
    """Draw maps or filters in a grid: blue is positive, orange negative, white 0.

    maps: (n, rows, columns), each drawn to its own scale. titles: one a map. Chapter: filters.
    """
    titles, _ = _check_grid("maps", maps, titles, columns)
    rows = -(-len(maps) // columns)
    figure, axes = _grid(rows, columns, titles is not None)
    for axis in axes.flat[len(maps) :]:
        axis.axis("off")
    for axis, values in zip(axes.flat, maps, strict=False):
        draw_map(axis, values)
    for axis, title in zip(axes.flat, () if titles is None else titles, strict=False):
        axis.set_title(str(title), fontsize=12)
    return figure


def draw_map(axis: Axes, values: NDArray[Any]) -> None:
    """Draw one map on an axis: blue is positive, orange negative, white 0, dark the farthest from 0."""
    draw_digit(axis, values)
    reach = float(np.abs(values.astype(float)).max())
    axis.images[0].set(cmap=SIGNED, clim=(-reach, reach) if reach > 0 else (-1, 1))


def draw_augmented(originals: NDArray[Any], augmented: NDArray[Any]) -> Figure:
    """Draw each original digit at the left of a row, and its augmented versions beside it.

    originals: (n, 28, 28); augmented: (n, versions, 28, 28). Chapter: augmentation.
    """
    _check_pictures("originals", originals, ("n", "height", "width"))
    _check_pictures("augmented", augmented, ("n", "versions", "height", "width"))
    if len(originals) != len(augmented):
        raise ValueError(
            f"each original needs its versions, got {len(originals)} and {len(augmented)}."
        )
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
    block is as wide and as deep as the picture and thicker the more channels it has; a plain row of
    numbers is a bar. A layer that keeps the shape is a thin plate. Dark blocks have parameters, and
    the largest count is bold. Chapter: cnn_stack.
    """
    _check_layers(layers)
    figure = Figure(layout="constrained")
    axis = figure.add_subplot()
    largest = max(parameters for _, _, parameters in layers)
    bottom, shape_before = 0.0, None
    for name, shape, parameters in layers:
        *sides, channels = shape
        depth, width = sides if sides else (1.5, np.sqrt(channels))
        thickness = (
            0.65 if shape == shape_before else 0.7 * np.sqrt(channels) if sides else 1.3
        )
        top = bottom + 0.11 * depth + (0.75 if shape == shape_before else 1.1)
        bottom, shape_before = top + thickness, shape
        _draw_block(
            axis, width, depth, top, thickness, BLUE if parameters else "#b9cde0"
        )
        count = f"{parameters:,}" if parameters else "–"
        weight = "bold" if parameters == largest > 0 else "normal"
        for x, text, align in (
            (-18, name, "right"),
            (18, " × ".join(map(str, shape)), "left"),
        ):
            axis.text(
                x, bottom - thickness / 2, text, ha=align, va="center", fontsize=10
            )
        axis.text(
            63,
            bottom - thickness / 2,
            count,
            ha="right",
            va="center",
            fontsize=10,
            fontweight=weight,
        )
    for x, text, align in (
        (-18, "layer", "right"),
        (18, "shape", "left"),
        (63, "parameters", "right"),
    ):
        axis.text(
            x,
            0,
            text,
            ha=align,
            va="center",
            fontsize=10,
            fontweight="bold",
            color=GREY,
        )
    axis.set(xlim=(-34, 64), ylim=(bottom + 0.5, -1))
    axis.axis("off")
    figure.set_size_inches(4.6, 0.115 * bottom + 0.2)
    return figure


def _draw_block(
    axis: Axes, width: float, depth: float, top: float, thickness: float, color: str
) -> None:
    """Draw a box seen from the front and a little from above and from the right, its middle at x = 0."""
    back = np.array([0.18 * depth, -0.11 * depth])
    front = np.array([(0, 0), (width, 0), (width, thickness), (0, thickness)])
    front += (-(width + back[0]) / 2, top)
    upper_left, upper_right, lower_right, _ = front
    lid = (upper_left, upper_right, upper_right + back, upper_left + back)
    flank = (upper_right, lower_right, lower_right + back, upper_right + back)
    plain = np.array(to_rgb(color))
    for face, tint in ((front, plain), (lid, 0.3 + 0.7 * plain), (flank, 0.75 * plain)):
        axis.fill(*np.transpose(face), facecolor=tint, edgecolor="white", linewidth=0.6)


def draw_learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]], measure: str = "loss"
) -> Figure:
    """Draw a measure by epoch: a colour for each network, training dashed, validation solid.

    histories: by name, what `train` returned, or the `.history` of what Keras's `fit` returned. Chapter:
    training.
    """
    _check_histories(histories, measure)
    figure = Figure(figsize=(5.5, 3.4), layout="constrained")
    axis = figure.add_subplot()
    colors = itertools.cycle((BLUE, ORANGE, GREY, "#2b8a3e", "#8d3fa0"))
    for (name, history), color in zip(histories.items(), colors, strict=False):
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
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def _grid(rows: int, columns: int, titled: bool) -> tuple[Figure, NDArray[Any]]:
    figure = Figure(
        figsize=(0.75 * columns, (0.95 if titled else 0.75) * rows),
        layout="constrained",
    )
    return figure, figure.subplots(rows, columns, squeeze=False)


def _check_pictures(name: str, pictures: Any, shape: tuple[str, ...]) -> None:
    """Check pictures, each perhaps with a channel, whose numbers a drawing can scale to its colours."""
    has_channel = isinstance(pictures, np.ndarray) and pictures.ndim == len(shape) + 1
    numbers = checks.finite(
        name, checks.array(name, pictures, (*shape, 1) if has_channel else shape)
    )
    if max(-float(numbers.min()), float(numbers.max())) > 1e30:
        raise ValueError(
            f"{name} must be numbers within ±1e30, found {numbers.min()} to {numbers.max()}."
        )


def _check_grid(
    name: str, pictures: Any, titles: Any, columns: Any, rows_labelled: Any = ()
) -> tuple[list[Any] | None, list[Any]]:
    """Check what makes a grid; return the titles and the names of the rows."""
    _check_pictures(name, pictures, ("n", "height", "width"))
    checks.whole_number("columns", columns, 1, 100)
    titles = None if titles is None else checks.items("titles", titles)
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(
            f"titles must be one for each of {len(pictures)} {name}, got {len(titles)}."
        )
    rows, names = (
        -(-len(pictures) // columns),
        checks.items("rows_labelled", rows_labelled),
    )
    if len(names) not in (0, rows):
        raise ValueError(
            f"rows_labelled must name each of {rows} rows, got {len(names)} names."
        )
    return titles, names


def _check_layers(layers: Any) -> None:
    if not checks.kind("layers", layers, Sequence, "a list of layers"):
        raise ValueError("layers must be one or more, got none.")
    for layer in layers:
        if (
            not isinstance(layer, (tuple, list))
            or len(layer) != 3
            or not isinstance(layer[1], (tuple, list))
        ):
            raise TypeError(
                f"each layer must be (name, shape, parameters), got {checks.shown(layer)}."
            )
        name, shape, parameters = layer
        checks.kind("a layer's name", name, str, "a string")
        checks.whole_number("a layer's parameters", parameters, 0)
        if len(shape) not in (1, 3):
            raise ValueError(
                f"a layer's shape must have one number or three, got {checks.shown(shape)}."
            )
        for length in shape:
            checks.whole_number("a length of a layer's shape", length, 1, 100_000)


def _check_histories(histories: Any, measure: Any) -> None:
    checks.kind("measure", measure, str, "a string")
    keys = {measure, f"val_{measure}"}
    for history in checks.kind(
        "histories", histories, Mapping, "a dict of histories"
    ).values():
        for key in (
            keys & checks.kind("each history", history, Mapping, "a dict").keys()
        ):
            checks.array_like(key, history[key], ("epochs",), "iuf")
    if not any(keys & history.keys() for history in histories.values()):
        raise ValueError(
            f"measure must be one of which a history has numbers, got {checks.shown(measure)}."
        )
