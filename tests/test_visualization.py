import itertools
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mnist_tutorial import visualization
from mnist_tutorial.visualization import BLUE, ORANGE

Array = NDArray[Any]
DIGITS = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
LAYERS: list[tuple[str, tuple[int, ...], int]] = [
    ("conv", (26, 26, 32), 320),
    ("relu", (26, 26, 32), 0),
    ("pool", (13, 13, 32), 0),
    ("dense", (512,), 2_769_408),
    ("softmax", (10,), 0),
]


def drawn(axis: Axes) -> Array:
    (image,) = axis.get_images()
    return np.asarray(image.get_array())


def color_of(axis: Axes, value: float) -> Any:
    return axis.get_images()[0].to_rgba(np.array([value]))[0]


def titles(figure: Figure) -> list[str]:
    return [axis.get_title() for axis in figure.axes]


@pytest.mark.parametrize("digits", [DIGITS, DIGITS[..., None] / 255 - 0.5])
def test_digits_are_drawn_dark_on_light_under_their_titles(digits: Array) -> None:
    figure = visualization.draw_digits(
        digits, np.array([7, 1, 0]), 2, ["upper", "lower"]
    )
    assert titles(figure) == ["7", "1", "0", ""]
    assert [axis.get_ylabel() for axis in figure.axes] == ["upper", "", "lower", ""]
    for axis, digit in zip(figure.axes, digits, strict=False):
        np.testing.assert_array_equal(drawn(axis), digit.reshape(28, 28))
        ink, paper = (color_of(axis, value) for value in (digit.max(), digit.min()))
        assert same_color(ink, "black") and same_color(paper, "white")
    assert not figure.axes[3].axison
    assert not plt.get_fignums()  # which a notebook would show a second time


@pytest.mark.parametrize("given", [([7, 1],), ([7] * 4,), (None, 2, ["upper"])])
def test_too_few_and_too_many_titles_are_refused(given: Any) -> None:
    with pytest.raises(ValueError):
        visualization.draw_digits(DIGITS, *given)


def test_augmented_digits_stand_beside_their_original() -> None:
    augmented = np.stack([DIGITS // 2, DIGITS // 3, DIGITS // 4], axis=1)
    figure = visualization.draw_augmented(DIGITS, augmented)
    assert titles(figure)[:4] == ["original", "", "augmented", ""]
    images = np.concatenate([DIGITS[:, None], augmented], axis=1).reshape(-1, 28, 28)
    for axis, image in zip(figure.axes, images, strict=True):
        np.testing.assert_array_equal(drawn(axis), image)


@pytest.mark.parametrize("dtype", [float, bool, np.int8])
def test_each_map_is_blue_above_0_orange_below_white_at_0(dtype: type) -> None:
    maps: Array = np.array([[[-128, -1]], [[0, 3]], [[0, 0]]]).astype(dtype)
    figure = visualization.draw_maps(maps, titles="abc", columns=2)
    assert titles(figure) == ["a", "b", "c", ""]
    for axis, values in zip(figure.axes, maps, strict=False):
        np.testing.assert_array_equal(drawn(axis), values)
        reach = abs(values.astype(float)).max() or 1
        assert same_color(color_of(axis, reach), BLUE)
        assert same_color(color_of(axis, -reach), ORANGE)
        np.testing.assert_allclose(color_of(axis, 0), 1, atol=0.01)


def test_a_block_is_as_wide_as_the_picture_and_dark_if_it_has_parameters() -> None:
    axis = visualization.draw_stack(LAYERS).axes[0]
    fronts = axis.patches[::3]
    corners = [np.asarray(patch.get_path().vertices) for patch in fronts]
    widths = [np.ptp(corner[:, 0]) for corner in corners]
    np.testing.assert_allclose(widths, [26, 26, 13, np.sqrt(512), np.sqrt(10)])
    dark = [same_color(patch.get_facecolor(), BLUE) for patch in fronts]
    assert dark == [True, False, False, True, False]
    assert axis.yaxis_inverted()  # from the top to the bottom, without overlap
    for above, below in itertools.pairwise(corners):
        assert above[:, 1].max() < below[:, 1].min()
    written = {text.get_text(): text.get_position() for text in axis.texts}
    assert {"26 × 26 × 32", "13 × 13 × 32", "320", "2,769,408", "–"} < set(written)
    for (name, _, _), corner in zip(LAYERS, corners, strict=True):
        assert corner[:, 1].min() < written[name][1] < corner[:, 1].max()


def test_learning_curves_are_the_numbers_of_the_histories() -> None:
    plain: Any = {"loss": [1, 0.3, np.float32(0.25)], "val_loss": [0.6, 0.4, 0.5]}
    others = {f"net {number}": {"loss": [0.1]} for number in range(6)}
    axis = visualization.draw_learning_curves({"plain": plain, **others}).axes[0]
    lines = {line.get_label(): line for line in axis.get_lines()}
    training, validation = lines["plain, training"], lines["plain, validation"]
    for line, key in ((training, "loss"), (validation, "val_loss")):
        expected = np.transpose([[1, 2, 3], plain[key]])
        np.testing.assert_array_equal(line.get_xydata(), expected)
    assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    assert same_color(training.get_color(), validation.get_color())
    assert not same_color(training.get_color(), lines["net 0, training"].get_color())
    assert len(lines) == 8 and axis.get_legend() is not None
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "loss")
    with pytest.raises(ValueError, match="precision"):
        visualization.draw_learning_curves({"plain": plain}, "precision")
