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


def grids(page: Page) -> dict[str, list[list[str]]]:
    return {
        table.locator("caption").inner_text(): [
            [text.replace("−", "-") for text in row.locator("td").all_inner_texts()]
            for row in table.locator("tr").all()
        ]
        for table in page.locator("table:has(caption)").all()
    }


def test_the_key_gives_what_the_package_computes_for_what_the_sheet_asks(
    page: Page,
) -> None:
    page.goto(SHEETS[0])
    sheet = grids(page)
    page.goto(SHEETS[1])
    key = grids(page)
    assert list(sheet) == list(key)
    for caption, rows in sheet.items():
        empty = {text for row in rows for text in row} == {""}
        assert empty if "Result" in caption else rows == key[caption]
    found = {caption: np.array(rows).astype(int) for caption, rows in key.items()}
    for letter in "AB":
        expected = convolve2d(found["Picture"], found[f"Kernel {letter}"])
        np.testing.assert_array_equal(found[f"Result {letter}"], expected)
    np.testing.assert_array_equal(found["Result B after ReLU"], relu(expected))


@pytest.mark.parametrize("address", SHEETS, ids=["sheet", "key"])
def test_each_fits_a_phone_and_one_printed_sheet_and_bars_no_reader(
    page: Page, address: str
) -> None:
    page.goto(address)
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for size in ("A4", "Letter"):
        assert len(re.findall(rb"/Type */Page\b", page.pdf(format=size))) == 1


def test_the_teachers_sheet_prints_alone_on_the_two_sides_of_one(page: Page) -> None:
    page.goto((HTML / "teaching.html").as_uri())
    page.get_by_role("link", name="the sheet").first.click()
    page.emulate_media(media="print")
    for size in ("A4", "Letter"):
        assert len(re.findall(rb"/Type */Page\b", page.pdf(format=size))) == 2
