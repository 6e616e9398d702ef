"""The worksheet for the 5 by 5 picture, and the key on the page for teachers."""

import re
from typing import Any

import numpy as np
from browser import HTML, needs_pages, violations
from playwright.sync_api import Page

from mnist_tutorial.convolution import convolve2d, relu

pytestmark = needs_pages
WORKSHEET = (HTML / "_static" / "worksheet.html").as_uri()
TEACHING = (HTML / "teaching.html").as_uri()


def sheets(page: Page, size: str) -> int:
    """How many sheets of paper a page takes, with Chromium's default margins."""
    margin: Any = dict.fromkeys(("top", "right", "bottom", "left"), "0.4in")
    return len(re.findall(rb"/Type */Page\b", page.pdf(format=size, margin=margin)))


def test_the_key_gives_what_the_package_computes_for_what_the_sheet_asks(
    page: Page,
) -> None:
    page.goto(WORKSHEET)
    sheet = {}
    for table in page.locator("table").all():
        rows = [
            [text.replace("−", "-") for text in row.locator("td").all_inner_texts()]
            for row in table.locator("tr").all()
        ]
        sheet[table.locator("caption").inner_text()] = rows
    results = [caption for caption in sheet if "Result" in caption]
    assert all(sheet[caption] == [[""] * 3] * 3 for caption in results)
    page.goto(TEACHING)
    lines = page.locator("pre", has_text=results[0]).inner_text().splitlines()
    assert re.split(" {2,}", lines[0]) == results
    key = np.array([line.split() for line in lines[1:]]).astype(int).reshape(3, 3, 3)
    picture = np.array(sheet["Picture"]).astype(int)
    kernels = [np.array(sheet[f"Kernel {name}"]).astype(int) for name in "AB"]
    result_a, result_b = (convolve2d(picture, kernel) for kernel in kernels)
    expected = np.stack([result_a, result_b, relu(result_b)], axis=1)
    np.testing.assert_array_equal(key, expected)


def test_the_sheet_fits_a_phone_and_prints_alone_and_its_key_on_the_next_page(
    page: Page,
) -> None:
    page.goto(WORKSHEET)
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert [sheets(page, size) for size in ("A4", "Letter")] == [1, 1]
    page.goto(TEACHING)
    page.get_by_role("link", name="the sheet").first.click()
    page.emulate_media(media="print")
    assert [sheets(page, size) for size in ("A4", "Letter")] == [2, 2]
