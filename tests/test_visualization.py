import itertools
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mnist_tutorial import visualization
from mnist_tutorial.visualization import (
    draw_augmented,
    draw_digits,
    draw_learning_curves,
    draw_map,
    draw_maps,
    draw_stack,
)

Arrays = dict[str, NDArray[np.uint8]]


@pytest.fixture(autouse=True)
def no_figure_is_left_open() -> Iterator[None]:
    before = plt.get_fignums()
    yield
    assert plt.get_fignums() == before


def drawn(axis: Axes) -> NDArray[Any]:
    (image,) = axis.get_images()
    array: NDArray[Any] = np.asarray(image.get_array())
    return array


def points(line: Line2D) -> list[list[float]]:
    xy: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return xy


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_digits_are_drawn_as_they_are_under_their_titles(few: Arrays) -> None:
    figure = draw_digits(few["x_train"], list(few["y_train"]))
    assert len(figure.axes) == 10
    for axis, image, label in zip(
        figure.axes, few["x_train"], few["y_train"], strict=False
    ):
        np.testing.assert_array_equal(drawn(axis), image)
        assert axis.get_title() == str(label)
        assert axis.get_images()[0].get_cmap().name == "gray_r", (
            "ink is dark on light paper"
        )
        assert (list(axis.get_xticks()), list(axis.get_yticks())) == ([], [])
    for axis in figure.axes[3:]:
        assert not axis.axison
        assert (axis.get_images(), axis.get_title()) == ([], "")


def test_digits_with_a_channel_and_any_range_are_drawn_without_titles(
    few: Arrays,
) -> None:
    images = few["x_train"][..., None] / 255 - 0.5
    figure = draw_digits(images, columns=2, rows_labelled=["upper", "lower"])
    for axis, image in zip(figure.axes, images, strict=False):
        np.testing.assert_array_equal(drawn(axis), image[..., 0])
    assert [axis.get_title() for axis in figure.axes] == [""] * 4
    assert [axis.get_ylabel() for axis in figure.axes] == ["upper", "", "lower", ""]


@pytest.mark.parametrize("names", [["upper"], ["upper", "middle", "lower"]])
def test_as_many_names_as_rows_are_wanted(few: Arrays, names: list[str]) -> None:
    with pytest.raises(ValueError, match=f"2 rows.*{len(names)}"):
        draw_digits(few["x_train"], columns=2, rows_labelled=names)


def test_augmented_digits_stand_beside_their_original(few: Arrays) -> None:
    originals = few["x_train"][:2]
    augmented = np.stack([originals // 2, originals // 3, originals // 4], axis=1)
    figure = draw_augmented(originals, augmented)
    rows = figure.axes[:4], figure.axes[4:]
    for row, original, versions in zip(rows, originals, augmented, strict=True):
        for axis, image in zip(row, [original, *versions], strict=True):
            np.testing.assert_array_equal(drawn(axis), image)
    titles = [axis.get_title() for axis in rows[0]]
    assert titles[0] == "original"
    assert [title for title in titles if title] == ["original", "augmented"]


def test_each_original_needs_its_augmented_versions(few: Arrays) -> None:
    with pytest.raises(ValueError):
        draw_augmented(few["x_train"], few["x_train"][:2, None])


def test_maps_are_drawn_as_they_are_each_to_its_own_scale() -> None:
    maps = np.array(
        [[[0.5, -2.0], [1.0, 0.0]], [[10.0, 0.0], [0.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]]
    )
    figure = draw_maps(maps, titles=["a", 7, "none"], columns=2)
    for axis, values, title, reach in zip(
        figure.axes, maps, ["a", "7", "none"], [2, 10, 1], strict=False
    ):
        np.testing.assert_array_equal(drawn(axis), values)
        assert axis.get_title() == title
        assert axis.get_images()[0].get_clim() == (-reach, reach)
    assert len(figure.axes) == 4
    assert not figure.axes[3].axison


@pytest.mark.parametrize("kind", [bool, np.int8])
@pytest.mark.parametrize("shape", [(2, 1, 5), (2, 5, 1), (2, 3, 3)])
def test_maps_of_any_kind_and_shape_are_drawn(
    kind: Any, shape: tuple[int, ...]
) -> None:
    maps = np.full(shape, -128).astype(kind)
    for axis, values in zip(draw_maps(maps, columns=2).axes, maps, strict=True):
        np.testing.assert_array_equal(drawn(axis), values)
        assert axis.get_images()[0].get_clim()[1] == abs(float(values.flat[0]))


def test_a_grid_has_no_more_rows_than_it_needs() -> None:
    for count, places in ((1, 2), (2, 2), (3, 4)):
        assert len(draw_maps(np.ones((count, 3, 3)), columns=2).axes) == places
        assert len(draw_digits(np.ones((count, 28, 28)), columns=2).axes) == places


def test_a_map_is_blue_where_positive_white_at_0_and_orange_where_negative() -> None:
    axis = Figure().add_subplot()
    draw_map(axis, np.array([[-3.0, 0.0, 3.0], [1.0, 1.0, 1.0]]))
    colors = axis.get_images()[0].to_rgba(np.array([-3.0, 0.0, 3.0]))
    assert same_color(colors[0], visualization.ORANGE)
    np.testing.assert_allclose(colors[1], 1, atol=0.01)
    assert same_color(colors[2], visualization.BLUE)


LAYERS: list[tuple[str, tuple[int, ...], int]] = [
    ("conv", (26, 26, 32), 320),
    ("relu", (26, 26, 32), 0),
    ("pool", (13, 13, 32), 0),
    ("dense", (512,), 2_769_408),
    ("softmax", (10,), 0),
]


def test_the_stack_names_each_layer_its_shape_and_its_parameters() -> None:
    expected = [
        "conv",
        "26 × 26 × 32",
        "320",
        "relu",
        "26 × 26 × 32",
        "–",
        "pool",
        "13 × 13 × 32",
        "–",
    ]
    expected += ["dense", "512", "2,769,408", "softmax", "10", "–"]
    found = texts(draw_stack(LAYERS))
    assert found[: len(expected)] == expected
    assert sorted(found[len(expected) :]) == ["layer", "parameters", "shape"]


def test_the_texts_of_a_layer_stand_at_its_block_from_top_to_bottom() -> None:
    axis = draw_stack(LAYERS).axes[0]
    heights = np.reshape([text.get_position()[1] for text in axis.texts[:15]], (5, 3))
    fronts = [
        np.asarray(patch.get_path().vertices)[:, 1] for patch in axis.patches[::3]
    ]
    assert len(fronts) == 5
    for height, front in zip(heights, fronts, strict=True):
        np.testing.assert_allclose(height, (front.min() + front.max()) / 2)
    assert axis.yaxis_inverted()
    assert all(above.max() < below.min() for above, below in itertools.pairwise(fronts))


def test_a_block_of_the_stack_is_as_wide_as_the_picture_and_dark_with_parameters() -> (
    None
):
    axis = draw_stack(LAYERS).axes[0]
    widths = [
        np.ptp(np.asarray(patch.get_path().vertices)[:, 0])
        for patch in axis.patches[::3]
    ]
    np.testing.assert_allclose(widths, [26, 26, 13, np.sqrt(512), np.sqrt(10)])
    dark = [
        same_color(patch.get_facecolor(), visualization.BLUE)
        for patch in axis.patches[::3]
    ]
    assert dark == [True, False, False, True, False]


def test_the_largest_number_of_parameters_is_bold() -> None:
    axis = draw_stack(LAYERS).axes[0]
    assert [
        text.get_text() for text in axis.texts[:15] if text.get_fontweight() == "bold"
    ] == ["2,769,408"]
    without_parameters = draw_stack([("relu", (10,), 0)]).axes[0]
    assert without_parameters.texts[2].get_fontweight() == "normal"


def test_learning_curves_are_the_numbers_of_the_histories() -> None:
    figure = draw_learning_curves(
        {
            "plain": {
                "loss": [0.5, 0.3, 0.2],
                "val_loss": [0.6, 0.4, 0.5],
                "accuracy": [0.8, 0.9, 0.9],
            },
            "augmented": {"loss": [0.7, 0.6]},
        }
    )
    axis = figure.axes[0]
    curves = {line.get_label(): line for line in axis.get_lines()}
    assert {label: points(line) for label, line in curves.items()} == {
        "plain, training": [[1, 0.5], [2, 0.3], [3, 0.2]],
        "plain, validation": [[1, 0.6], [2, 0.4], [3, 0.5]],
        "augmented, training": [[1, 0.7], [2, 0.6]],
    }
    assert [line.get_linestyle() for line in curves.values()] == ["--", "-", "--"]
    plain, validation, augmented = (line.get_color() for line in curves.values())
    assert same_color(plain, validation)
    assert not same_color(plain, augmented)
    legend = axis.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(curves)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "loss")
    figure.draw_without_rendering()
    assert all(tick == round(tick) for tick in axis.get_xticks()), (
        "epochs are whole numbers"
    )


def test_another_measure_is_drawn_by_its_name() -> None:
    axis = draw_learning_curves(
        {"net": {"loss": [0.5], "accuracy": [0.8]}}, "accuracy"
    ).axes[0]
    assert [points(line) for line in axis.get_lines()] == [[[1, 0.8]]]
    assert axis.get_ylabel() == "accuracy"


def test_every_network_has_a_curve_however_many_there_are() -> None:
    axis = draw_learning_curves(
        {f"net {number}": {"loss": [0.1]} for number in range(12)}
    ).axes[0]
    assert len(axis.get_lines()) == 12
