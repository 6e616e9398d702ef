"""The live figure of the chapter "convolution": its sums are those of `convolve2d`."""

import itertools
import re
from typing import Any

import numpy as np
import pytest
from browser import IS_READY, PHONE, box_of, needs_pages, open_page
from playwright.sync_api import Page

from mnist_tutorial.convolution import convolve2d

pytestmark = needs_pages
PICTURE = "[aria-label='Pixels of the picture'] input"
KERNEL = "[aria-label='Weights of the kernel'] input"
RESULT = "[aria-label^='Results'] button"
EXAMPLE = [4, 3, 4, 2, 4, 3, 2, 3, 4]  # the results that the text works out


@pytest.fixture(scope="module")
def chapter(tab: Page) -> Page:
    """The chapter as a reader opens it from disk, once for all tests."""
    tab.emulate_media(reduced_motion="reduce")
    open_page(tab, "convolution.html")
    return tab


@pytest.fixture
def widget(chapter: Page) -> Page:
    """The chapter on a phone, with the example of the text."""
    chapter.set_viewport_size(PHONE)
    choose(chapter, "5 × 5, from the text", "from the text")
    return chapter


def choose(page: Page, *options: str) -> None:
    """Choose a picture, and perhaps a kernel."""
    for label, option in zip(("Picture", "Kernel"), options, strict=False):
        box = page.locator("#convolve").get_by_label(label, exact=True)
        box.select_option(option)


def press(page: Page, name: str) -> None:
    """Press the figure's button whose name begins so."""
    page.locator("#convolve").get_by_role("button", name=name).click()


def results(page: Page) -> list[float]:
    return list(map(as_number, page.locator(RESULT).all_inner_texts()))


def cells(page: Page, selector: str) -> Any:
    values = page.locator(selector).evaluate_all("all => all.map(one => +one.value)")
    return np.reshape(values, (round(len(values) ** 0.5), -1))


def as_number(text: str) -> float:
    return float(text.replace("−", "-"))


def state(page: Page) -> tuple[int, int, float]:
    """Row and column, from 0, and sum, as the sentence for the reader says."""
    sentence = page.locator("#convolve [aria-live]").inner_text()
    row, column, total = re.findall(r"−?[\d.]+", sentence)
    return int(row) - 1, int(column) - 1, as_number(total)


def assert_shows_the_convolution(page: Page) -> None:
    expected = convolve2d(cells(page, PICTURE), cells(page, KERNEL))
    np.testing.assert_allclose(results(page), expected.ravel(), atol=0.005)
    row, column, total = state(page)
    assert total == pytest.approx(expected[row, column], abs=0.005)
    *terms, last = page.locator("#convolve .terms > *").all_inner_texts()
    factors = [map(as_number, re.sub("[+ ()]", "", one).split("×")) for one in terms]
    assert len(factors) == 9
    found = sum(value * weight for value, weight in factors)
    assert found == pytest.approx(total, abs=0.005)
    assert as_number(last.strip("= ")) == total


def test_it_begins_with_the_example_of_the_text(widget: Page) -> None:
    widget.reload()
    widget.wait_for_function(IS_READY)
    assert results(widget) == EXAMPLE
    assert_shows_the_convolution(widget)


def test_every_picture_under_every_kernel(widget: Page) -> None:
    pictures, kernels = (
        choices.locator("option").all_inner_texts()
        for choices in widget.locator("#convolve select").all()
    )
    assert (len(pictures), len(kernels)) == (5, 7)
    for picture, kernel in itertools.product(pictures, kernels):
        choose(widget, picture, kernel)
        assert_shows_the_convolution(widget)


def test_an_edited_weight_and_pixel_change_the_sums_until_one_starts_again(
    widget: Page,
) -> None:
    widget.locator(KERNEL).nth(4).fill("-2.5")
    widget.locator(PICTURE).nth(12).fill("7")
    assert cells(widget, KERNEL)[1, 1] == -2.5
    assert_shows_the_convolution(widget)
    assert state(widget)[2] == 1 + 1 + 0 - 2.5 * 1 + 7
    press(widget, "Start again")
    assert results(widget) == EXAMPLE


def test_what_is_no_number_counts_as_0_and_what_is_too_large_is_corrected(
    widget: Page,
) -> None:
    pixel, corrected = widget.locator(PICTURE).first, widget.locator(".corrected")
    pixel.fill("x")
    assert pixel.get_attribute("aria-invalid") == "true"
    assert state(widget)[2] == 3
    pixel.blur()
    assert pixel.input_value() == "0"
    assert pixel.get_attribute("aria-invalid") is None
    for typed, kept in (("1e9", "99"), ("-100", "-99")):
        pixel.fill(typed)
        assert pixel.input_value() == kept
        assert corrected.is_visible()
        assert_shows_the_convolution(widget)
    pixel.fill("9")
    assert corrected.count() == 0


def test_it_stands_on_the_first_screen(widget: Page) -> None:
    screens = {"#convolve": (1440, 900), "#convolve .board >> nth=0": (360, 740)}
    for part, (width, height) in screens.items():
        widget.set_viewport_size({"width": width, "height": height})
        widget.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        _, top, _, tall = box_of(widget.locator(part))
        assert top >= 0 and top + tall <= height


def test_arrow_keys_move_the_window_and_stop_at_the_rim(widget: Page) -> None:
    choose(widget, "digit 7")
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
    press(widget, "Next")
    widget.locator("#convolve select").first.focus()
    # The other choice, pixels, weights, and the one result that has the window.
    for _ in range(1 + 25 + 9 + 1):
        widget.keyboard.press("Tab")
    widget.keyboard.press("Enter")
    widget.keyboard.press("ArrowDown")
    assert state(widget)[:2] == (1, 1)
    focused = widget.locator(f"{RESULT}:focus")
    assert focused.get_attribute("aria-label") == "row 2, column 2: 4"


def test_buttons_step_through_all_places_and_round(widget: Page) -> None:
    for place in (*range(1, 9), 0):
        press(widget, "Next")
        assert state(widget)[:2] == divmod(place, 3)
    press(widget, "Back")
    assert state(widget)[:2] == (2, 2)


def test_a_tap_on_a_result_moves_the_window_and_the_frame_there(widget: Page) -> None:
    widget.locator(RESULT).nth(5).tap()
    assert state(widget)[:2] == (1, 2)
    frame = box_of(widget.locator("#convolve .frame"))
    pixel = box_of(widget.locator(PICTURE).nth(1 * 5 + 2))
    assert frame[:2] == pytest.approx(pixel[:2], abs=2)


def test_it_fits_a_phone_and_a_finger(widget: Page) -> None:
    choose(widget, "digit 7")  # the largest
    assert widget.evaluate("document.documentElement.scrollWidth") <= 360
    figure = widget.locator("#convolve")
    left, _, room, _ = box_of(figure)
    for control in figure.locator("input, button, select").all():
        start, _, width, height = box_of(control)
        assert left <= start and start + width <= left + room
        assert min(width, height) >= 38
