"""The page where a reader draws a digit, in a real Chromium: its numbers are those of Keras and of Python."""

import base64
import importlib.util
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect
from test_pages import HTML, browser, origin, pytestmark

from mnist_tutorial import models
from mnist_tutorial.backend import keras
from mnist_tutorial.pictures import center_digit, read_picture
from mnist_tutorial.preprocessing import add_channel, scale_pixels

__all__ = [
    "browser",
    "origin",
    "pytestmark",
]  # the same browser, and skipped for the same reasons

Arrays = dict[str, NDArray[np.uint8]]
Picture = NDArray[np.uint8]
AXE = importlib.util.find_spec("axe_playwright_python")
LAYERS = (
    "relu_1",
    "relu_2",
    "pool_2",
    "relu_3",
    "relu_4",
    "pool_4",
    "relu_5",
    "logits",
)
in_ci = pytest.mark.skipif(
    not os.environ.get("CI"), reason="takes a minute: in CI only"
)
if os.environ.get("CI") and not AXE:
    raise RuntimeError("axe-playwright-python is not installed.")


@pytest.fixture(scope="module", params=["server", "file"])
def shared(
    request: pytest.FixtureRequest, browser: Browser, origin: str
) -> Iterator[Page]:
    """The chapter from a server and from disk, for tests that leave it as it is."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    open_chapter(page, origin if request.param == "server" else HTML.as_uri())
    yield page
    page.close()


@pytest.fixture
def draw(browser: Browser) -> Iterator[Page]:
    """The chapter as a reader opens it from disk, fresh."""
    page = browser.new_page(viewport={"width": 1200, "height": 1000}, has_touch=True)
    open_chapter(page, HTML.as_uri())
    yield page
    page.close()


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """The numbers that the page shows, by its names: it activates before it pools, which gives the same."""
    model = models.load_pretrained()
    outputs = {
        name: model.get_layer(name).output
        for name in ("relu_1", "relu_3", "relu_5", "logits", "softmax")
    }
    for number in ("2", "4"):
        convolved = model.get_layer(f"conv_{number}").output
        normalized = model.get_layer(f"norm_{number}")(convolved)
        outputs[f"relu_{number}"] = keras.layers.ReLU(name=f"unpooled_{number}")(
            normalized
        )
        outputs[f"pool_{number}"] = model.get_layer(f"relu_{number}").output
    return keras.Model(model.inputs, outputs)


def open_chapter(page: Page, place: str) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{place}/draw.html")
    page.wait_for_function(
        "window.mnistDraw && window.mnistDraw.logits && document.querySelector('#md-canvas')"
    )
    assert complaints == []


def layers_of(
    network: keras.Model, pictures: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    answers: dict[str, Any] = network.predict(
        add_channel(scale_pixels(pictures)), batch_size=500, verbose=0
    )
    return answers


def pages_logits(page: Page, digits: NDArray[np.uint8]) -> NDArray[Any]:
    logits = page.evaluate(
        """(text) => {
          const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          const digit = (i) => Array.from(bytes.subarray(784 * i, 784 * i + 784), (pixel) => pixel / 255);
          return Array.from({ length: bytes.length / 784 }, (_, i) => mnistDraw.logits(digit(i)));
        }""",
        base64.b64encode(digits.tobytes()).decode(),
    )
    return np.array(logits)


# The network


def test_logits_are_those_of_keras(
    shared: Page, network: keras.Model, mnist: Arrays
) -> None:
    digits = mnist["x_test"][:500]
    expected, found = layers_of(network, digits)["logits"], pages_logits(shared, digits)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


@in_ci
def test_every_test_digit_gets_the_same_answer(
    draw: Page, network: keras.Model, mnist: Arrays
) -> None:
    found = np.concatenate(
        [pages_logits(draw, part) for part in np.split(mnist["x_test"], 20)]
    ).argmax(axis=1)
    expected = layers_of(network, mnist["x_test"])["logits"].argmax(axis=1)
    np.testing.assert_array_equal(found, expected)
    assert (found == mnist["y_test"]).sum() == (expected == mnist["y_test"]).sum()


def test_float16_is_decoded_exactly(draw: Page) -> None:
    found = draw.evaluate(
        "Array.from({ length: 65536 }, (_, bits) => String(mnistDraw.float16(bits)))"
    )
    expected = np.arange(65536, dtype=np.uint16).view(np.float16).astype(float)
    np.testing.assert_array_equal(
        [float(number.replace("Infinity", "inf")) for number in found], expected
    )


def test_logits_refuses_another_number_of_pixels(draw: Page) -> None:
    complaint = draw.evaluate(
        "(() => { try { mnistDraw.logits([0, 1]) } catch (e) { return e.message } })()"
    )
    assert re.search("784 .* 2", complaint)


# Centring


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


def changed(rng: np.random.Generator, digit: Picture) -> Picture:
    """A digit moved, scaled from half to nine times, at times thickened, noisy, shaded or inverted."""
    side = int(28 * rng.uniform(0.5, 9))
    ink = np.asarray(
        Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    )
    if rng.random() < 0.3:
        ink = np.maximum(ink, np.roll(ink, 1, axis=int(rng.integers(2))))
    ink = np.pad(
        ink,
        (
            (rng.integers(1, 60), rng.integers(1, 60)),
            (rng.integers(1, 60), rng.integers(1, 60)),
        ),
    )
    grey = 250 - ink.astype(float) * rng.uniform(0.5, 0.9)
    grey -= np.linspace(0, rng.choice([0, 20]), grey.shape[1])
    grey += rng.normal(0, rng.choice([0, 3]), grey.shape)
    return np.clip(255 - grey if rng.random() < 0.3 else grey, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def drawings(mnist: Arrays) -> list[Picture]:
    rng = np.random.default_rng(0)
    upright = np.full((40, 40), 255, np.uint8)
    upright[5:30, 10:14] = 0  # its centre of mass lies between two pixels
    sides = rng.integers(30, 260, (99, 2))
    digits = mnist["x_test"][:100]
    return [
        upright,
        *(strokes(rng, w, h) for w, h in sides),
        *(changed(rng, digit) for digit in digits),
    ]


# What the reader does


def settle(page: Page) -> None:
    page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def percentages(page: Page) -> list[str]:
    settle(page)
    return page.locator("#md-bars .md-percent").all_inner_texts()


def points_of_a_seven(page: Page) -> list[tuple[float, float]]:
    page.locator("#md-canvas").scroll_into_view_if_needed()
    box = page.locator("#md-canvas").bounding_box()
    assert box
    return [
        (box["x"] + x * box["width"], box["y"] + y * box["height"])
        for x, y in ((0.3, 0.25), (0.5, 0.25), (0.7, 0.25), (0.6, 0.5), (0.5, 0.8))
    ]


def draw_with_the_mouse(page: Page) -> None:
    first, *others = points_of_a_seven(page)
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point)
    page.mouse.up()


EMPTY = ["–"] * 10


def test_a_stroke_with_the_mouse_is_read(draw: Page) -> None:
    assert percentages(draw) == EMPTY
    draw_with_the_mouse(draw)
    assert "–" not in percentages(draw)
    expect(draw.locator("#md-verdict")).to_have_text("This is a 7.")
    expect(draw.locator("#md-status")).to_have_text("This is a 7.")
    assert draw.locator("#md-status").get_attribute("role") == "status"


def test_a_stroke_with_a_finger_is_read(draw: Page) -> None:
    touch = draw.context.new_cdp_session(draw)
    points = points_of_a_seven(draw)
    for kind, (x, y) in zip(["touchStart"] + ["touchMove"] * 4, points, strict=True):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y}]},
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(draw.locator("#md-verdict")).to_have_text("This is a 7.")


def test_the_keyboard_draws(draw: Page) -> None:
    draw.locator("#md-canvas").focus()
    draw.keyboard.press("Space")
    for _ in range(18):
        draw.keyboard.press("ArrowDown")
    assert "–" not in percentages(draw)
    expect(draw.locator("#md-verdict")).to_contain_text("1")
    draw.keyboard.press("Space")
    lifted = percentages(draw)
    for _ in range(5):
        draw.keyboard.press("ArrowRight")
    assert percentages(draw) == lifted


def test_undo_and_clear(draw: Page) -> None:
    draw_with_the_mouse(draw)
    first = percentages(draw)
    draw.get_by_role("button", name="A 3 from MNIST").first.click()
    assert percentages(draw) != first
    draw.get_by_role("button", name="Undo").click()
    assert percentages(draw) == first
    draw.get_by_role("button", name="Clear").click()
    assert percentages(draw) == EMPTY
    expect(draw.locator("#md-verdict")).to_have_text("Nothing is drawn yet.")
    draw.get_by_role("button", name="Undo").click()
    assert percentages(draw) == first
    draw.get_by_role("button", name="Undo").click()
    draw.get_by_role("button", name="Undo").click()
    assert percentages(draw) == EMPTY


def test_a_thicker_pen_leaves_more_ink(draw: Page) -> None:
    def ink() -> int:
        settle(draw)
        return draw.evaluate(
            """() => {
              const context = document.querySelector("#md-canvas").getContext("2d");
              const { data } = context.getImageData(0, 0, 600, 600);
              return data.filter((level, i) => i % 4 === 0 && level < 128).length;
            }"""
        )

    amounts = []
    for thickness in (6, 28):
        draw.get_by_role("button", name="Clear").click()
        draw.get_by_label("Pen").fill(str(thickness))
        draw_with_the_mouse(draw)
        amounts.append(ink())
    assert amounts[1] > 3 * amounts[0] > 0


def test_a_sample_and_any_sample_show_their_label(draw: Page) -> None:
    draw.get_by_role("button", name="A 7 from MNIST").first.click()
    expect(draw.locator("#md-verdict")).to_have_text("This is a 7. Its label says 7.")
    draw.get_by_role("button", name="Clear").click()
    draw.get_by_role("button", name="Any of them").click()
    expect(draw.locator("#md-verdict")).to_contain_text("Its label says")


def png(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def choose_file(page: Page, content: bytes, name: str = "digit.png") -> None:
    page.locator("#md-file").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


def test_a_picture_file_is_read_as_in_python(
    draw: Page, network: keras.Model, drawings: list[Picture], tmp_path: Path
) -> None:
    grey = drawings[150]
    colours = np.stack([grey, 128 + grey // 2, np.maximum(grey, 100)], axis=-1)
    (tmp_path / "colours.png").write_bytes(png(colours))
    draw.locator("#md-file").set_input_files(tmp_path / "colours.png")
    expect(draw.locator(".md-percent").first).not_to_have_text("–")
    expected = layers_of(
        network, center_digit(read_picture(tmp_path / "colours.png"))[None]
    )["softmax"][0]
    found = [float(text.rstrip(" %")) / 100 for text in percentages(draw)]
    np.testing.assert_allclose(found, expected, atol=0.006)


def test_a_dropped_picture_is_read(draw: Page, mnist: Arrays) -> None:
    draw.evaluate(
        """(text) => {
          const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], "digit.png", { type: "image/png" }));
          const drop = new DragEvent("drop", { dataTransfer, cancelable: true });
          document.querySelector(".md-paper").dispatchEvent(drop);
        }""",
        base64.b64encode(png(255 - np.pad(mnist["x_test"][0], 9))).decode(),
    )
    expect(draw.locator("#md-verdict")).to_have_text("This is a 7.")


def test_a_file_that_is_no_picture_is_named_and_changes_nothing(draw: Page) -> None:
    draw_with_the_mouse(draw)
    before = percentages(draw)
    choose_file(draw, b"no picture", "notes.png")
    expect(draw.locator("#md-verdict")).to_have_text(
        "notes.png is not a picture that this browser can read."
    )
    assert percentages(draw) == before


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_of_one_colour_shows_no_digit(draw: Page, level: int) -> None:
    draw_with_the_mouse(draw)
    choose_file(draw, png(np.full((50, 40), level, np.uint8)))
    expect(draw.locator("#md-verdict")).to_contain_text("There is no digit here")
    assert percentages(draw) == EMPTY


def test_two_digits_in_one_picture_are_doubted(draw: Page, mnist: Arrays) -> None:
    choose_file(
        draw, png(np.pad(np.hstack([mnist["x_test"][0], mnist["x_test"][1]]), 4))
    )
    expect(draw.locator("#md-verdict")).to_have_text(
        re.compile("unlike any digit|Not sure")
    )


# Inside the network


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def look_at(page: Page, layer: str) -> tuple[int, int, int]:
    """Move to a unit of a layer with the keyboard; return its map, row and column from 0."""
    page.locator(f"[data-layer={layer}] canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    title = page.locator("#md-unit-title").inner_text()
    if found := re.match(r"Map (\d+) of \d+, row (\d+), column (\d+):", title):
        channel, row, column = (int(text) - 1 for text in found.groups())
        return channel, row, column
    found = re.match(r"(Number|Digit) (\d+):", title)
    assert found, title
    return int(found[2]) - (found[1] == "Number"), 0, 0


@pytest.mark.parametrize("layer", LAYERS)
def test_a_unit_shows_its_value_and_the_sum_that_gave_it(
    draw: Page, network: keras.Model, drawings: list[Picture], layer: str
) -> None:
    choose_file(draw, png(drawings[150]))
    expect(draw.locator(".md-percent").first).not_to_have_text("–")
    draw.keyboard.press("Tab")
    channel, row, column = look_at(draw, layer)
    values = layers_of(network, center_digit(drawings[150])[None])[layer][0]
    expected = float(
        values[row, column, channel] if values.ndim == 3 else values[channel]
    )
    shown = number(draw.locator("#md-unit-title").inner_text().split(": ")[1])
    assert shown == pytest.approx(
        expected, abs=0.03
    )  # a grey level of the picture may differ by one

    rows = [
        [cell.strip() for cell in row.split("\t")]
        for row in draw.locator("#md-sum tr").all_inner_texts()
    ]
    results = {cells[0]: number(cells[-1]) for cells in rows if cells[-1]}
    if layer.startswith("pool"):
        assert (
            max(number(cells[1]) for cells in rows[:4])
            == results["the largest"]
            == shown
        )
        return
    terms = [cells for cells in rows if len(cells) == 4 and cells[2]]
    for _, value, weight, product in terms:
        assert number(value) * number(weight.lstrip("× ")) == pytest.approx(
            number(product), abs=0.1
        )
    total = results.pop("sum")
    kept = [results.pop(name) for name in list(results) if name.startswith("ReLU")]
    assert sum(results.values()) == pytest.approx(
        total, abs=0.005 * len(results) + 1e-9
    )
    assert shown == (max(0, total) if layer != "logits" else total)
    assert kept == ([] if layer == "logits" else [shown])


FIELDS = {
    "relu_1": 3,
    "relu_2": 5,
    "pool_2": 6,
    "relu_3": 10,
    "relu_4": 14,
    "pool_4": 16,
    "relu_5": 28,
}


@pytest.mark.parametrize(("layer", "side"), FIELDS.items())
def test_the_receptive_field_is_what_the_unit_depends_on(
    draw: Page, layer: str, side: int
) -> None:
    """Change one pixel after another: those inside the field, and no others, change the unit in some map."""
    draw.get_by_role("button", name="An 8 from MNIST").first.click()
    settle(draw)
    draw.keyboard.press("Tab")
    _, row, column = look_at(draw, layer)
    style = draw.locator(".md-seen .md-field").evaluate(
        "mark => ['left', 'top', 'width', 'height'].map(name => parseFloat(mark.style[name]))"
    )
    left, top, width, height = (round(28 * share / 100) for share in style)
    assert (width, height) == (side, side)
    influence = draw.evaluate(
        """([layer, row, column]) => {
          const network = mnistDraw.build(mnistDraw.weights), { values } = network.layers.input;
          const there = network.layers[layer];
          const read = () => {
            network.run();
            const start = (row * there.columns + column) * there.channels;
            return there.values.slice(start, start + there.channels);
          };
          for (let i = 0; i < 784; i++) values[i] = (i * 37 % 101) / 100;
          const before = read();
          const changes = (i) => {
            const old = values[i];
            values[i] = old > 0.5 ? -3 : 4;
            const after = read();
            values[i] = old;
            return after.some((value, k) => value !== before[k]);
          };
          const seen = [[], []];
          for (let k = 0; k < 28; k++) { // along the middle row and the middle column of the field
            const middle = layer === "relu_5" ? 14 : null;
            seen[0].push(changes((middle ?? window.fieldRow) * 28 + k));
            seen[1].push(changes(k * 28 + (middle ?? window.fieldColumn)));
          }
          return seen;
        }""".replace("window.fieldRow", str(top + height // 2)).replace(
            "window.fieldColumn", str(left + width // 2)
        ),
        [layer, row, column],
    )
    assert [k for k, yes in enumerate(influence[0]) if yes] == list(
        range(left, left + width)
    )
    assert [k for k, yes in enumerate(influence[1]) if yes] == list(
        range(top, top + height)
    )


def test_pointing_at_a_unit_shows_it_and_a_tap_holds_it(draw: Page) -> None:
    draw_with_the_mouse(draw)
    maps = draw.locator("[data-layer=relu_1] canvas")
    maps.hover(position={"x": 30, "y": 20})
    title = draw.locator("#md-unit-title")
    expect(title).to_contain_text("Map 1 of 32")
    maps.click(position={"x": 30, "y": 20})
    held = title.inner_text()
    maps.hover(position={"x": 200, "y": 20})
    assert title.inner_text() == held
    draw.get_by_role("button", name="Close").click()
    expect(draw.locator("#md-unit")).to_be_hidden()


def test_escape_lets_a_unit_go(draw: Page) -> None:
    draw_with_the_mouse(draw)
    draw.keyboard.press("Tab")
    look_at(draw, "relu_3")
    draw.keyboard.press("Escape")
    expect(draw.locator("#md-unit")).to_be_hidden()


def test_the_maps_change_with_the_drawing(draw: Page) -> None:
    def pictures() -> list[str]:
        settle(draw)
        return draw.locator(".md-maps canvas").evaluate_all(
            "all => all.map(one => one.toDataURL())"
        )

    before = pictures()
    draw_with_the_mouse(draw)
    assert all(old != new for old, new in zip(before, pictures(), strict=True))


def test_the_stack_turns_and_lies_flat_again(draw: Page) -> None:
    def boxes() -> list[Any]:
        return draw.locator(".md-layer").evaluate_all(
            "all => all.map(one => JSON.stringify(one.getBoundingClientRect()))"
        )

    draw.locator("#md-stage").scroll_into_view_if_needed()
    flat = boxes()
    draw.get_by_role("button", name="3-D").click()
    solid = boxes()
    assert solid != flat
    draw.get_by_label("Turn").fill("30")
    assert boxes() != solid
    turned = boxes()
    stage = draw.locator("#md-stage").bounding_box()
    assert stage
    draw.mouse.move(stage["x"] + 20, stage["y"] + 20)
    draw.mouse.down()
    draw.mouse.move(stage["x"] + 120, stage["y"] + 60, steps=3)
    draw.mouse.up()
    assert boxes() != turned
    draw.get_by_role("button", name="Flat").click()
    draw.evaluate("window.scrollTo(0, 0)")
    assert (
        draw.locator("#md-stage").evaluate(
            "stage => getComputedStyle(stage).perspective"
        )
        == "none"
    )


# For every reader


@pytest.mark.skipif(not AXE, reason="axe-playwright-python is not installed")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(draw: Page, theme: str) -> None:
    assert AXE and AXE.origin
    draw.evaluate(
        "(theme) => { document.documentElement.dataset.theme = theme; }", theme
    )
    draw_with_the_mouse(draw)
    draw.keyboard.press("Tab")
    look_at(draw, "relu_3")
    draw.add_script_tag(path=Path(AXE.origin).with_name("axe.min.js"))
    for view in ("Flat", "3-D"):
        draw.get_by_role("button", name=view, exact=True).click()
        draw.wait_for_timeout(300)
        violations = draw.evaluate(
            "axe.run('#mnist-draw').then((result) => result.violations)"
        )
        assert [
            (one["id"], [node["html"] for node in one["nodes"]]) for one in violations
        ] == []


@in_ci
def test_two_thousand_strokes_take_no_more_memory(draw: Page) -> None:
    tools = draw.context.new_cdp_session(draw)

    def used() -> float:
        tools.send("HeapProfiler.collectGarbage")
        return draw.evaluate("performance.memory.usedJSHeapSize") / 2**20

    def draw_and_clear(times: int) -> None:
        draw.evaluate(
            """async (times) => {
              const canvas = document.querySelector("#md-canvas"), box = canvas.getBoundingClientRect();
              const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
                pointerId: 1, button: 0, clientX: box.x + x, clientY: box.y + y, bubbles: true }));
              canvas.setPointerCapture = () => {};
              for (let i = 0; i < times; i++) {
                send("pointerdown", 60, 60);
                for (let k = 0; k < 8; k++) send("pointermove", 60 + 12 * k, 60 + 9 * k);
                send("pointerup", 160, 140);
                mnistDraw.pass();
                if (i % 10 === 9) document.querySelector("#md-clear").click();
              }
            }""",
            times,
        )

    draw_and_clear(200)
    before = used()
    draw_and_clear(2000)
    assert used() - before < 2
