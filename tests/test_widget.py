"""The live figure of the chapter "convolution": its sums are those of `convolve2d`."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
from browser import HTML, needs_pages
from playwright.sync_api import Page

from mnist_tutorial.convolution import convolve2d

pytestmark = needs_pages
PICTURE = "[aria-label='Pixels of the picture'] input"
KERNEL = "[aria-label='Weights of the kernel'] input"
RESULT = "[aria-label^='Results'] button"


@pytest.fixture
def widget(page: Page) -> Page:
    """The chapter as a reader opens it from disk."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((HTML / "convolution.html").as_uri())
    page.locator("#convolve select").first.wait_for()
    assert complaints == []
    return page


def choose(page: Page, label: str, option: str) -> None:
    page.locator("#convolve").get_by_label(label, exact=True).select_option(option)


def cells(page: Page, selector: str) -> Any:
    values = page.locator(selector).evaluate_all(
        "cells => cells.map(cell => Number(cell.value))"
    )
    side = round(len(values) ** 0.5)
    return np.array(values).reshape(side, side)


def as_number(text: str) -> float:
    return float(text.replace("−", "-"))


def state(page: Page) -> tuple[int, int, float]:
    """Row and column, from 0, and sum, as the sentence for the reader says."""
    sentence = page.locator("#convolve [aria-live]").inner_text()
    row, column, total = re.findall(r"−?[\d.]+", sentence)
    return int(row) - 1, int(column) - 1, as_number(total)


def assert_shows_the_convolution(page: Page) -> None:
    expected = convolve2d(cells(page, PICTURE), cells(page, KERNEL))
    shown = np.array(
        [as_number(text) for text in page.locator(RESULT).all_inner_texts()]
    )
    np.testing.assert_allclose(shown.reshape(expected.shape), expected, atol=0.005)
    row, column, total = state(page)
    assert total == pytest.approx(expected[row, column], abs=0.005)
    *terms, last = page.locator("#convolve .terms > *").all_inner_texts()
    factors = [
        term.strip("+ ").replace("(", "").replace(")", "").split("×") for term in terms
    ]
    assert len(factors) == 9
    assert sum(as_number(a) * as_number(b) for a, b in factors) == pytest.approx(
        total, abs=0.005
    )
    assert as_number(last.strip("= ")) == total


def test_it_begins_with_the_example_of_the_text(widget: Page) -> None:
    assert widget.locator(RESULT).all_inner_texts() == list("434243234")
    assert_shows_the_convolution(widget)


def test_every_picture_under_every_kernel(widget: Page) -> None:
    pictures, kernels = (
        widget.locator("#convolve")
        .get_by_label(label, exact=True)
        .locator("option")
        .all_inner_texts()
        for label in ("Picture", "Kernel")
    )
    assert (len(pictures), len(kernels)) == (5, 7)
    for picture, name in itertools.product(pictures, kernels):
        choose(widget, "Picture", picture)
        choose(widget, "Kernel", name)
        assert_shows_the_convolution(widget)


def test_an_edited_weight_and_pixel_change_the_sums(widget: Page) -> None:
    widget.locator(KERNEL).nth(4).fill("-2.5")
    widget.locator(PICTURE).nth(12).fill("7")
    assert cells(widget, KERNEL)[1, 1] == -2.5
    assert_shows_the_convolution(widget)
    assert state(widget)[2] == 1 + 1 + 0 - 2.5 * 1 + 7


def test_text_that_is_not_a_number_counts_as_0_and_is_marked(widget: Page) -> None:
    pixel = widget.locator(PICTURE).first
    pixel.fill("x")
    assert pixel.get_attribute("aria-invalid") == "true"
    assert state(widget)[2] == 3
    pixel.blur()
    assert pixel.input_value() == "0"
    assert pixel.get_attribute("aria-invalid") is None


def test_a_number_out_of_range_is_corrected_while_it_is_typed(widget: Page) -> None:
    pixel = widget.locator(PICTURE).first
    for typed, kept in (("1e9", "99"), ("-100", "-99")):
        pixel.fill(typed)
        assert pixel.input_value() == kept
        assert widget.locator("#convolve .corrected").is_visible()
        assert_shows_the_convolution(widget)
    pixel.fill("9")
    assert widget.locator("#convolve .corrected").count() == 0


def test_it_stands_on_the_first_screen(widget: Page) -> None:
    widget.set_viewport_size({"width": 1440, "height": 900})
    box = widget.locator("#convolve").bounding_box()
    assert box and box["y"] >= 0 and box["y"] + box["height"] <= 900
    widget.set_viewport_size({"width": 360, "height": 740})
    boards = [box.bounding_box() for box in widget.locator("#convolve .board").all()]
    assert boards[0] and boards[0]["y"] + boards[0]["height"] <= 740


def test_arrow_keys_move_the_window_and_stop_at_the_rim(widget: Page) -> None:
    choose(widget, "Picture", "digit 7")
    widget.locator(PICTURE).first.focus()
    for key, place in (
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("ArrowUp", (0, 1)),
        ("ArrowUp", (0, 1)),
        ("ArrowLeft", (0, 0)),
        ("ArrowLeft", (0, 0)),
    ):
        widget.keyboard.press(key)
        assert state(widget)[:2] == place
        assert_shows_the_convolution(widget)


def test_the_keyboard_alone_reaches_every_part(widget: Page) -> None:
    widget.locator("#convolve").get_by_label("Picture", exact=True).focus()
    for _ in range(
        1 + 25 + 9 + 1
    ):  # the other choice, pixels, weights, the one result that has the window
        widget.keyboard.press("Tab")
    widget.keyboard.press("ArrowDown")
    assert state(widget)[:2] == (1, 0)
    assert (
        widget.evaluate("document.activeElement.getAttribute('aria-label')")
        == "row 2, column 1: 2"
    )


def test_buttons_step_through_all_places_and_round(widget: Page) -> None:
    places = []
    for _ in range(9):
        widget.locator("#convolve").get_by_role("button", name="Next").click()
        places.append(state(widget)[:2])
    assert places == [(place // 3, place % 3) for place in (*range(1, 9), 0)]
    widget.locator("#convolve").get_by_role("button", name="Back").click()
    assert state(widget)[:2] == (2, 2)


def test_a_tap_on_a_result_moves_the_window_and_the_frame_there(widget: Page) -> None:
    widget.emulate_media(reduced_motion="reduce")
    widget.locator(RESULT).nth(5).click()
    assert state(widget)[:2] == (1, 2)
    frame = widget.locator("#convolve .frame").bounding_box()
    pixel = widget.locator(PICTURE).nth(1 * 5 + 2).bounding_box()
    assert frame is not None and pixel is not None
    assert (frame["x"], frame["y"]) == pytest.approx((pixel["x"], pixel["y"]), abs=2)


def test_start_again_brings_the_chosen_numbers_back(widget: Page) -> None:
    widget.locator(KERNEL).first.fill("5")
    widget.locator("#convolve").get_by_role("button", name="Start again").click()
    assert widget.locator(RESULT).all_inner_texts() == list("434243234")


def test_it_fits_a_phone_and_a_finger(widget: Page) -> None:
    for picture in ("5 × 5, from the text", "digit 7"):
        choose(widget, "Picture", picture)
        assert widget.evaluate("document.documentElement.scrollWidth") <= 360
        boxes = widget.locator(
            "#convolve, #convolve :is(input, button, select)"
        ).evaluate_all(
            """nodes => nodes.map(node => node.getBoundingClientRect())
              .map(box => [box.left, box.right, box.height])"""
        )
        (left, right, _), *controls = boxes
        for control_left, control_right, height in controls:
            assert left <= control_left and control_right <= right
            assert min(control_right - control_left, height) >= 38
