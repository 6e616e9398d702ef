"""The worksheet for the 5 by 5 picture, and its key."""

import re

import numpy as np
import pytest
from browser import HTML, needs_axe, needs_pages, violations
from playwright.sync_api import Page

from mnist_tutorial.convolution import convolve2d, relu

pytestmark = needs_pages
FOLDER = HTML / "_static"


def numbers(page: Page, caption: str) -> list[list[str]]:
    table = page.locator("table").filter(has=page.get_by_text(caption, exact=True))
    return [row.locator("td").all_inner_texts() for row in table.locator("tr").all()]


def test_the_key_gives_what_the_package_computes(page: Page) -> None:
    page.goto((FOLDER / "worksheet-key.html").as_uri())
    picture, a, b, result_a, result_b, after_relu = (
        np.array([[int(one.replace("−", "-")) for one in row] for row in rows])
        for rows in (
            numbers(page, caption)
            for caption in (
                "Picture",
                "Kernel A",
                "Kernel B",
                "Result A",
                "Result B",
                "Result B after ReLU",
            )
        )
    )
    np.testing.assert_array_equal(result_a, convolve2d(picture, a))
    np.testing.assert_array_equal(result_b, convolve2d(picture, b))
    np.testing.assert_array_equal(after_relu, relu(result_b))


def test_the_sheet_asks_for_what_the_key_gives(page: Page) -> None:
    grids = []
    for name in ("worksheet.html", "worksheet-key.html"):
        page.goto((FOLDER / name).as_uri())
        captions = page.locator("caption").all_inner_texts()
        grids.append({caption: numbers(page, caption) for caption in captions})
    sheet, key = grids
    assert list(sheet) == list(key)
    for caption, rows in sheet.items():
        empty = {text for row in rows for text in row} == {""}
        assert empty if "Result" in caption else rows == key[caption]


@pytest.mark.parametrize("name", ["worksheet.html", "worksheet-key.html"])
@pytest.mark.parametrize("size", ["A4", "Letter"])
def test_each_prints_on_one_sheet(page: Page, name: str, size: str) -> None:
    page.goto((FOLDER / name).as_uri())
    assert len(re.findall(rb"/Type */Page\b", page.pdf(format=size))) == 1


@needs_axe
@pytest.mark.parametrize("name", ["worksheet.html", "worksheet-key.html"])
def test_axe_finds_nothing_and_it_fits_a_phone(page: Page, name: str) -> None:
    page.goto((FOLDER / name).as_uri())
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
