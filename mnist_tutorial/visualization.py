"""Drawings that are used twice: arrays to a matplotlib Figure, or onto a given axis."""

import ast
import inspect
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_tutorial.scalars import Number, Positive

Titles = Sequence[Any] | Shaped[np.ndarray, "n"] | None

# Told apart by colour-blind readers too, and in print.
BLUE, ORANGE, GREY = "#0f6fb4", "#c4500a", "#5b6470"
SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])


def draw_digits(
    images: Shaped[np.ndarray, "n height width *channel"],
    titles: Titles = None,
    columns: Positive = 10,
    rows_labelled: Sequence[str] = (),
) -> Figure:
    """Draw digits in a grid, ink dark on light paper, each under its title."""
    figure = draw_grid(draw_digit, images, titles, columns)
    if rows_labelled:
        for axis, name in zip(figure.axes[::columns], rows_labelled, strict=True):
            axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    return figure


def draw_digit(axis: Axes, image: Shaped[np.ndarray, "height width *channel"]) -> None:
    """Draw one digit on an axis: no ticks, a thin frame, ink dark on light paper."""
    axis.axis("on")
    axis.imshow(image.reshape(image.shape[:2]), cmap="gray_r")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_color("#c9ced6")


def draw_maps(
    maps: Shaped[np.ndarray, "n height width"],
    titles: Titles = None,
    columns: Positive = 8,
) -> Figure:
    """Draw maps or filters in a grid, each to its own scale, as `draw_map` does."""
    return draw_grid(draw_map, maps, titles, columns)


def draw_map(axis: Axes, values: Shaped[np.ndarray, "height width *channel"]) -> None:
    """Draw one map on an axis: blue is positive, orange negative, white 0."""
    draw_digit(axis, values)
    reach = float(np.abs(values.astype(float)).max()) or 1.0
    axis.images[0].set(cmap=SIGNED, clim=(-reach, reach))


def draw_grid(
    draw: Callable[[Axes, Any], None],
    images: Shaped[np.ndarray, "n height width *channel"],
    titles: Titles,
    columns: Positive,
) -> Figure:
    """Draw each image by a function, in rows of `columns`, under its title."""
    if 0 in images.shape[1:3]:
        raise ValueError(f"images or maps have no pixels: shape {images.shape}.")
    rows = int(-(-len(images) // columns))  # rounded up
    height = 0.75 if titles is None else 0.95
    figure = Figure(figsize=(0.75 * columns, height * rows), layout="constrained")
    for axis in figure.subplots(rows, int(columns), squeeze=False).flat:
        axis.axis("off")
    for axis, image in zip(figure.axes, images, strict=False):
        draw(axis, image)
    if titles is not None:
        for axis, title in zip(figure.axes[: len(images)], titles, strict=True):
            axis.set_title(str(title), fontsize=11)
    return figure


def draw_augmented(
    originals: Shaped[np.ndarray, "n 28 28 *channel"],
    augmented: Shaped[np.ndarray, "n versions 28 28 *channel"],
) -> Figure:
    """Draw each digit in a blue frame, and its augmented versions beside it."""
    rows = np.concatenate([originals[:, np.newaxis], augmented], axis=1)
    columns = rows.shape[1]
    figure = draw_digits(np.concatenate(rows), columns=columns)
    for axis in figure.axes[::columns]:
        axis.spines[:].set(color=BLUE, linewidth=2)
    figure.axes[0].set_title("original", fontsize=11, color=BLUE)
    figure.axes[columns // 2].set_title("augmented", fontsize=11)
    return figure


def draw_stack(layers: Sequence[tuple[str, tuple[int, ...], int]]) -> Figure:
    """Draw a network, as `models.describe` lists it, from input to output.

    A block is as wide and as deep as the picture, and thicker the more channels it has;
    a plain row of numbers is a bar. A layer that keeps the shape is a thin plate. Dark
    blocks have parameters, and the layer with most of them is in bold.
    """
    figure = Figure(layout="constrained")
    axis = figure.add_subplot()
    largest = max(parameters for _, _, parameters in layers)
    bottom, shape_before = 0.0, None
    for name, shape, parameters in layers:
        *sides, channels = shape
        depth, width = sides if sides else (1.5, channels**0.5)
        same = shape == shape_before
        thickness = 0.65 if same else 0.7 * channels**0.5 if sides else 1.3
        top = bottom + 0.11 * depth + (0.75 if same else 1.1)
        bottom, shape_before = top + thickness, shape
        color = BLUE if parameters else "#b9cde0"
        draw_block(axis, width, depth, top, thickness, color)
        count = f"{parameters:,}" if parameters else "–"
        row = name, " × ".join(map(str, shape)), count
        weight = "bold" if parameters == largest > 0 else "normal"
        write_row(axis, top + thickness / 2, row, fontweight=weight)
    write_row(axis, 0, ("layer", "shape", "parameters"), fontweight="bold", color=GREY)
    axis.set(xlim=(-34, 64), ylim=(bottom + 0.5, -1))
    axis.axis("off")
    figure.set_size_inches(4.6, 0.115 * bottom + 0.2)
    return figure


def write_row(axis: Axes, y: Any, row: tuple[str, str, str], **style: Any) -> None:
    """Write the three texts of a row of `draw_stack`."""
    for text, x, align in zip(
        row, (-18, 18, 63), ("right", "left", "right"), strict=True
    ):
        axis.text(x, y, text, ha=align, va="center", fontsize=10, **style)


def draw_block(
    axis: Axes, width: Number, depth: Number, top: Number, thickness: Number, color: str
) -> None:
    """Draw a box seen from the front, a little from above and from the right."""
    back = np.array([0.18 * depth, -0.11 * depth])
    front = np.array([(0, 0), (width, 0), (width, thickness), (0, thickness)])
    front += (-(width + back[0]) / 2, top)
    upper_left, upper_right, lower_right, _ = front
    lid = np.stack([upper_left, upper_right, upper_right + back, upper_left + back])
    flank = np.stack([upper_right, lower_right, lower_right + back, upper_right + back])
    plain = np.array(to_rgb(color))
    tints = (plain, 0.3 + 0.7 * plain, 0.75 * plain)
    for face, tint in zip((front, lid, flank), tints, strict=True):
        axis.fill(*face.T, facecolor=tint, edgecolor="white", linewidth=0.6)


def draw_learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[Any]]], measure: str = "loss"
) -> Figure:
    """Draw a measure by epoch: a colour per network, training dashed, validation solid.

    histories: by name, what `train` returned, or the `.history` of Keras's `fit`.
    """
    figure = Figure(figsize=(5.5, 3.4), layout="constrained")
    axis = figure.add_subplot()
    lines = {measure: ("o--", "training"), f"val_{measure}": ("o-", "validation")}
    colors = itertools.cycle((BLUE, ORANGE, GREY, "#2b8a3e", "#8d3fa0"))
    for (name, history), color in zip(histories.items(), colors, strict=False):
        for key, (style, which) in lines.items():
            if key in history:
                epochs, label = range(1, len(history[key]) + 1), f"{name}, {which}"
                axis.plot(epochs, history[key], style, color=color, label=label)
    if not axis.lines:
        raise ValueError(f"measure {measure!r} is in none of the histories.")
    axis.set(xlabel="epoch", ylabel=measure)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def show_source(*functions: Any) -> Any:
    """Show the whole source of functions or classes, as a chapter prints it."""
    from IPython.display import Markdown  # which only notebooks need

    source = "\n\n".join(map(whole_source, functions))
    return Markdown(f"```python\n{source}```")


def whole_source(thing: Any) -> str:
    """Cut a function or class out of its module, with the decorators above it.

    Python 3.13 leaves a class's out, once jaxtyping has added its own.
    """
    module = inspect.getsource(sys.modules[thing.__module__])
    [node] = (
        node
        for node in ast.parse(module).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and node.name == thing.__name__
    )
    first = min(part.lineno for part in (node, *node.decorator_list))
    return "".join(module.splitlines(keepends=True)[first - 1 : node.end_lineno])
