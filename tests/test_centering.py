"""The page prepares and doubts a picture as Python does, in a real Chromium."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
from browser import CHROMIUM, evaluate
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from mnist_tutorial.doubt import LIMITS, doubt
from mnist_tutorial.pictures import center_digit

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "book" / "_extra" / "drawing"
Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """A page that has loaded the preparation and the doubt, and may open files."""
    page = browser.new_page()
    page.goto((SCRIPTS / "drawing.css").as_uri())
    for name in ("planes.js", "centering.js", "doubt.js"):
        page.add_script_tag(path=SCRIPTS / name)
    yield page
    page.close()


def in_the_page(page: Page, pictures: list[Picture], folder: Path) -> Any:
    """What the page makes of grey pictures and of colours, or None where it refuses.

    It opens them as a file, since Playwright would take longer to send them than the
    page to prepare them.
    """
    sent = []
    for picture in pictures:
        if picture.ndim == 3:
            picture = np.dstack([picture, np.full_like(picture[..., 0], 255)])
        sent.append([base64.b64encode(picture.tobytes()).decode(), *picture.shape[:2]])
    (folder / "pictures.js").write_text(f"window.pictures = {json.dumps(sent)};")
    page.add_script_tag(url=(folder / "pictures.js").as_uri())
    return evaluate(
        page,
        """() => pictures.map(([text, height, width]) => {
          const levels = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
          try {
            return Array.from(mnistDrawing.centerDigit(levels, width, height).pixels);
          } catch (error) {
            if (!error.message.startsWith("No ink")) throw error;
            return null;
          }
        })""",
    )


def strokes(rng: np.random.Generator, width: int, height: int) -> Picture:
    """A drawing of one to three strokes on white paper."""
    picture = Image.new("L", (width, height), 255)
    for _ in range(rng.integers(1, 4)):
        points = rng.uniform(0.05, 0.95, (rng.integers(2, 7), 2)) * (width, height)
        thickness = int(rng.integers(2, 26))
        ImageDraw.Draw(picture).line(
            [tuple(point) for point in points], fill=0, width=thickness, joint="curve"
        )
    return np.asarray(picture)


def test_pictures_of_every_kind_are_prepared_as_in_python(
    blank: Page,
    mnist: dict[str, Picture],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    from pictures import KINDS

    made = [
        make(mnist["x_train"][i : i + 3], np.random.default_rng(i), bool(i % 2))
        for i, (_, make) in enumerate(KINDS.values())
    ]
    pictures = [picture for picture in made if not isinstance(picture, bytes)]
    rng = np.random.default_rng(0)
    pictures += [strokes(rng, *rng.integers(30, 260, 2)) for _ in range(20)]
    pictures += [np.full((30, 30), level, np.uint8) for level in (0, 180, 255)]
    read = 0
    prepared = in_the_page(blank, pictures, tmp_path)
    for found, picture in zip(prepared, pictures, strict=True):
        try:
            expected = center_digit(picture)
        except ValueError:
            assert found is None
            continue
        assert found is not None
        np.testing.assert_allclose(found, expected.ravel().astype(int), atol=1)
        read += 1
    assert read > 70


def test_the_page_doubts_in_python_s_words(blank: Page) -> None:
    rng, asked = np.random.default_rng(0), []
    for empty in np.linspace(-0.2, 0.9, 200):
        inked = rng.choice([60, 255], (7, 7)) * (rng.random((7, 7)) > empty)
        inked[rng.integers(1, 8) :] = 0
        inked[0, 0] = 255
        pixels = np.kron(inked, np.ones((4, 4))).astype(np.uint8)
        logits = rng.normal(0, 3, 10)
        asked.append((pixels, logits, scipy.special.softmax(logits)))
    found = blank.evaluate(
        """([asked, limits]) => asked.map(([pixels, ...answer]) =>
          mnistDrawing.doubt(Uint8Array.from(pixels), ...answer, limits))""",
        [[[part.ravel().tolist() for part in one] for one in asked], LIMITS],
    )
    assert found == [doubt(*one, LIMITS) for one in asked]
    assert len({text[:12] for text in found}) >= 6
