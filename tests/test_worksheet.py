"""The worksheet for the 5 by 5 picture, and its key."""

import re

import numpy as np
import pytest
from browser import HTML, needs_pages, violations
from playwright.sync_api import Page

from mnist_tutorial.convolution import convolve2d, relu

pytestmark = needs_pages
SHEETS = [
    (HTML / "_static" / name).as_uri()
    for name in ("worksheet.html", "worksheet-key.html")
]


def numbers(page: Page, caption: str) -> list[list[str]]:
    table = page.locator("table").filter(has=page.get_by_text(caption, exact=True))
    return [
        [text.replace("−", "-") for text in row.locator("td").all_inner_texts()]
        for row in table.locator("tr").all()
    ]


def test_the_key_gives_what_the_package_computes(page: Page) -> None:
    page.goto(SHEETS[1])
    picture, a, b, result_a, result_b, after_relu = (
        np.array(numbers(page, caption)).astype(int)
        for caption in (
            "Picture",
            "Kernel A",
            "Kernel B",
            "Result A",
            "Result B",
            "Result B after ReLU",
        )
    )
    np.testing.assert_array_equal(result_a, convolve2d(picture, a))
    np.testing.assert_array_equal(result_b, convolve2d(picture, b))
    np.testing.assert_array_equal(after_relu, relu(result_b))


def test_the_sheet_asks_for_what_the_key_gives(page: Page) -> None:
    grids = []
    for address in SHEETS:
        page.goto(address)
        captions = page.locator("caption").all_inner_texts()
        grids.append({caption: numbers(page, caption) for caption in captions})
    sheet, key = grids
    assert list(sheet) == list(key)
    for caption, rows in sheet.items():
        empty = {text for row in rows for text in row} == {""}
        assert empty if "Result" in caption else rows == key[caption]


@pytest.mark.parametrize("address", SHEETS, ids=["sheet", "key"])
def test_each_fits_a_phone_and_one_printed_sheet_and_bars_no_reader(
    page: Page, address: str
) -> None:
    page.goto(address)
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for size in ("A4", "Letter"):
        assert len(re.findall(rb"/Type */Page\b", page.pdf(format=size))) == 1
