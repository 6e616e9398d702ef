"""The pages on which a reader draws a digit, in a real Chromium, against Keras."""

import io
import re
from typing import Any

import numpy as np
import pytest
import scipy.special
from browser import (
    PHONE,
    Place,
    box_of,
    evaluate,
    needs_pages,
    open_page,
    places_on,
    press,
    rest,
    stroke,
    used_megabytes,
    violations,
)
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Error, Locator, Page, expect

from mnist_tutorial import export, models, weights
from mnist_tutorial.backend import keras
from mnist_tutorial.interpretation import receptive_field
from mnist_tutorial.pictures import center_digit
from mnist_tutorial.preprocessing import add_channel, scale_pixels

pytestmark = needs_pages

Arrays = dict[str, NDArray[np.uint8]]
Picture = NDArray[np.uint8]
MAPS = ("relu_1", "relu_2", "pool_2", "relu_3", "relu_4", "pool_4")
LAYERS = (*MAPS, "relu_5", "logits")
EMPTY = ["–"] * 10
SEVEN = ((0.3, 0.25), (0.5, 0.25), (0.7, 0.25), (0.6, 0.5), (0.5, 0.8))
VERDICT = ".answer-verdict"
PAPER = ".drawing-paper canvas"


@pytest.fixture(scope="module")
def chapter(tab: Page) -> Page:
    """The chapter as a reader opens it from disk, once for all tests."""
    open_page(tab, "draw.html")
    return tab


@pytest.fixture
def draw(chapter: Page) -> Page:
    """The chapter with an empty paper, flat layers in a row each and no unit held."""
    chapter.set_viewport_size({"width": 1200, "height": 1000})
    chapter.evaluate(
        """() => {
          document.documentElement.dataset.theme = "light";
          for (const id of ["flat", "temperature-reset", "upright", "close"]) {
            document.querySelector(`#md-${id}`).click();
          }
          document.querySelector("#md-all[aria-pressed=true]")?.click();
          document.querySelector(".drawing-thickness").value = 16;
          document.querySelector(".drawing-clear").click();
          document.activeElement.blur();
        }"""
    )
    settle(chapter)
    return chapter


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """What the page shows: it activates before it pools, which gives the same."""
    model = export.rounded(weights.load_pretrained())
    outputs = {layer.name: layer.output for layer in model.layers}
    for number in ("2", "4"):
        outputs[f"pool_{number}"] = outputs[f"relu_{number}"]
        outputs[f"relu_{number}"] = keras.layers.ReLU()(outputs[f"conv_{number}"])
    return keras.Model(model.inputs, {name: outputs[name] for name in LAYERS})


def slide(page: Page, slider: str, value: float) -> None:
    page.locator(slider).evaluate(
        """(slider, value) => {
          slider.value = value;
          slider.dispatchEvent(new Event("input"));
        }""",
        value,
    )


def layers_of(network: keras.Model, pictures: Picture) -> dict[str, NDArray[Any]]:
    found: dict[str, Any] = network.predict(
        add_channel(scale_pixels(pictures)), verbose=0
    )
    return found


def shown_layers(page: Page) -> dict[str, NDArray[Any]]:
    """What the page has computed, flat."""
    found = evaluate(
        page,
        """() => mnistDraw.load().then(({ layers }) =>
          layers.map(({ name, values }) => [name, Array.from(values)]))""",
    )
    return {name: np.array(values) for name, values in found}


# The network


def test_logits_are_those_of_keras_with_the_same_weights(
    draw: Page, network: keras.Model, mnist: Arrays
) -> None:
    digits = mnist["x_test"][:100]
    logits = evaluate(
        draw,
        "(digits) => digits.map((pixels) => mnistDraw.logits(pixels))",
        (digits.reshape(100, 784) / 255).tolist(),
    )
    np.testing.assert_allclose(logits, layers_of(network, digits)["logits"], atol=1e-3)
    with pytest.raises(Error, match=r"784 .* 2"):
        draw.evaluate("mnistDraw.logits", [0, 1])


# What the reader does


def settle(page: Page) -> None:
    for _ in range(2):
        page.evaluate("new Promise(requestAnimationFrame)")


def percentages(page: Page) -> list[str]:
    settle(page)
    return page.locator(".answer-number").all_inner_texts()


def shares(page: Page) -> list[float]:
    """The percentages, as numbers from 0 to 1."""
    return [float(text.strip("<> %\xa0")) / 100 for text in percentages(page)]


def ink(page: Page) -> int:
    """How many of the paper's pixels are dark."""
    settle(page)
    dark: int = page.locator(PAPER).evaluate(
        """canvas => canvas.getContext("2d").getImageData(0, 0, 600, 600).data
          .filter((level, i) => i % 4 === 0 && level < 128).length"""
    )
    return dark


def draw_with_the_mouse(page: Page, *places: Place, lift: bool = True) -> None:
    stroke(page.locator(PAPER), *(places or SEVEN), lift=lift)


def test_the_bars_follow_the_pen_and_the_sentence_waits_for_it(draw: Page) -> None:
    """What it then says of a drawing helps one who draws, not one who photographs."""
    verdict = draw.locator(VERDICT)
    assert percentages(draw) == EMPTY
    expect(verdict).to_have_text("Nothing is drawn yet.")
    zigzag = ((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9))
    draw_with_the_mouse(draw, *zigzag, lift=False)
    draw.wait_for_timeout(1000)
    assert "–" not in percentages(draw)
    assert verdict.inner_text() == ""
    draw.mouse.up()
    expect(draw.locator(".answer-doubtful " + VERDICT)).not_to_be_empty()
    assert not re.search("crop|light", verdict.inner_text())
    assert verdict.get_attribute("role") == "status"


def test_a_drawing_goes_with_its_reader_and_comes_back(fresh: Page) -> None:
    open_page(fresh, "index.html")
    draw_with_the_mouse(fresh, (0.5, 0.2), (0.5, 0.8))
    expect(fresh.locator("#front-answer " + VERDICT)).to_have_text("This is a 1.")
    fresh.locator(".front-ways a").first.click()
    expect(fresh.locator("#md-answer " + VERDICT)).to_have_text("This is a 1.")
    fresh.go_back()
    expect(fresh.locator("#front-answer " + VERDICT)).to_have_text("This is a 1.")


def test_a_stroke_may_begin_just_outside_the_paper(draw: Page) -> None:
    draw_with_the_mouse(draw, (-0.02, 0.5), (0.5, 0.5))
    amount = ink(draw)
    assert amount > 0
    draw_with_the_mouse(draw, (-0.2, 0.7), (0.5, 0.7))
    assert ink(draw) == amount


@pytest.mark.parametrize("width", [5, 80])
def test_a_finger_draws_and_a_resting_palm_does_not_block_it(
    draw: Page, width: int
) -> None:
    tools = draw.context.new_cdp_session(draw)

    def touch(kind: str, *fingers: tuple[float, float, int, int]) -> None:
        names = ("x", "y", "id", "radiusX")
        points = [dict(zip(names, finger, strict=True)) for finger in fingers]
        event = {"type": kind, "touchPoints": points}
        tools.send("Input.dispatchTouchEvent", event)

    paper = draw.locator(PAPER)
    palm, slid, first, *others = places_on(paper, (0.8, 0.9), (0.6, 0.9), *SEVEN)
    palm_rests = (*palm, 1, width)
    touch("touchStart", palm_rests)
    if width == 80:  # so wide that it may even move
        palm_rests = (*slid, 1, width)
        touch("touchMove", palm_rests)
    touch("touchStart", palm_rests, (*first, 2, 5))
    for place in others:
        touch("touchMove", palm_rests, (*place, 2, 5))
    touch("touchEnd", palm_rests)
    touch("touchEnd")
    expect(draw.locator(VERDICT)).to_have_text("This is a 7.")
    by_finger = ink(draw)
    press(draw, "Clear")
    draw_with_the_mouse(draw)
    assert ink(draw) == pytest.approx(by_finger, rel=0.02)  # no dot from the palm


def test_the_keyboard_draws_and_says_how(draw: Page) -> None:
    draw.get_by_role("button", name="Undo").focus()
    draw.keyboard.press("Shift+Tab")
    expect(draw.locator(PAPER)).to_be_focused()
    assert box_of(draw.locator(".drawing-keys"))[-1] > 20
    draw.keyboard.press("Space")
    for _ in range(18):
        draw.keyboard.press("ArrowDown")
    assert "–" not in percentages(draw)
    expect(draw.locator(VERDICT)).to_contain_text("1")
    draw.keyboard.press("Space")
    lifted = percentages(draw)
    for _ in range(5):
        draw.keyboard.press("ArrowRight")
    assert percentages(draw) == lifted


def test_undo_and_clear(draw: Page) -> None:
    draw_with_the_mouse(draw)
    first = percentages(draw)
    press(draw, "A 3 from MNIST")
    assert percentages(draw) != first
    press(draw, "Undo")
    assert percentages(draw) == first
    press(draw, "Clear")
    assert percentages(draw) == EMPTY
    press(draw, "Undo")
    assert percentages(draw) == first
    press(draw, "Undo")
    assert percentages(draw) == EMPTY


def test_a_thicker_pen_leaves_more_ink(draw: Page) -> None:
    amounts = []
    for thickness in ("6", "28"):
        draw.get_by_label("Pen", exact=True).fill(thickness)
        draw_with_the_mouse(draw)
        amounts.append(ink(draw))
        press(draw, "Clear")
    assert amounts[1] > 3 * amounts[0] > 0


def test_samples_show_their_label(draw: Page) -> None:
    press(draw, "A 7 from MNIST")
    expect(draw.locator(VERDICT)).to_have_text("This is a 7. Its label says 7.")
    press(draw, "Clear")
    press(draw, "Surprise me")
    expect(draw.locator(VERDICT)).to_contain_text("Its label says")


def encoded(picture: Picture, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def choose_file(page: Page, content: bytes, name: str = "digit.png") -> None:
    page.locator("#md-file").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


def test_a_picture_file_is_read_as_in_python(
    draw: Page, network: keras.Model, mnist: Arrays
) -> None:
    grey = 255 - np.pad(mnist["x_test"][8], 9)  # a 5 that the network doubts a little
    colours = np.stack([grey, 128 + grey // 2, np.maximum(grey, 100)], axis=-1)
    choose_file(draw, encoded(colours))
    expect(draw.locator(".answer-number").first).not_to_have_text("–")
    logits = layers_of(network, center_digit(colours)[np.newaxis])["logits"][0]
    expected = scipy.special.softmax(logits / export.temperature())
    np.testing.assert_allclose(shares(draw), expected, atol=0.02)
    shown = shown_layers(draw)["logits"]  # a grey level may differ by one
    np.testing.assert_allclose(shown, logits, atol=0.1)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_dropped_or_pasted_anywhere_is_read(
    draw: Page, mnist: Arrays, way: str
) -> None:
    stayed = draw.evaluate(
        """([bytes, way]) => {
          const data = new DataTransfer(), parts = [Uint8Array.from(bytes)];
          data.items.add(new File(parts, "digit.png", { type: "image/png" }));
          const carried = { dataTransfer: data, clipboardData: data };
          const kind = way === "drop" ? DragEvent : ClipboardEvent;
          return !document.querySelector("h2").dispatchEvent(
            new kind(way, { ...carried, bubbles: true, cancelable: true }));
        }""",
        [list(encoded(255 - np.pad(mnist["x_test"][0], 9))), way],
    )
    assert stayed
    expect(draw.locator(VERDICT)).to_have_text("This is a 7.")


def test_a_file_that_is_no_picture_is_named_and_changes_nothing(
    draw: Page, mnist: Arrays
) -> None:
    draw_with_the_mouse(draw)
    before = percentages(draw)
    large = np.kron(255 - mnist["x_test"][0], np.ones((20, 20), np.uint8))
    whole = encoded(large, "JPEG")
    for name, content in (("notes.png", b"no picture"), ("half.jpg", whole[:-5000])):
        choose_file(draw, content, name)
        expect(draw.locator(VERDICT)).to_have_text(
            f"{name} is not a picture that this browser can read."
        )
        assert percentages(draw) == before
    choose_file(draw, whole)
    expect(draw.locator(VERDICT)).to_have_text("This is a 7.")


def test_a_picture_without_a_digit_or_with_two_is_doubted(
    draw: Page, mnist: Arrays
) -> None:
    choose_file(draw, encoded(np.pad(np.hstack(list(mnist["x_test"][:2])), 4)))
    expect(draw.locator(VERDICT)).to_contain_text("2 digits")
    for level in (0, 255):
        press(draw, "Clear")
        draw_with_the_mouse(draw)
        assert "–" not in percentages(draw)
        choose_file(draw, encoded(np.full((50, 40), level, np.uint8)))
        expect(draw.locator(VERDICT)).to_contain_text("No ink")
        assert percentages(draw) == EMPTY


def test_the_temperature_changes_the_percentages_and_no_logit(draw: Page) -> None:
    press(draw, "A 9 from MNIST")
    settle(draw)
    logits = shown_layers(draw)["logits"]
    verdict = draw.locator(VERDICT).inner_text()
    slide(draw, "#md-temperature", 2)
    expected = scipy.special.softmax(logits / 2)
    np.testing.assert_allclose(shares(draw), expected, atol=0.001)
    np.testing.assert_array_equal(shown_layers(draw)["logits"], logits)
    assert draw.locator(VERDICT).inner_text() == verdict
    draw.locator("#md-temperature-reset").dispatch_event("click")
    temperature = export.temperature()
    expect(draw.locator("#md-temperature-value")).to_have_text(f"{temperature:.2f}")
    expected = scipy.special.softmax(logits / temperature)
    np.testing.assert_allclose(shares(draw), expected, atol=0.001)


def test_nothing_jumps_while_one_draws(draw: Page) -> None:
    """Whatever the answer, all that stands below it stays in its place."""

    below = draw.locator(".answer-bars, .md-given, .md-try, .md-inside")

    def tops() -> Any:
        settle(draw)
        return below.evaluate_all("all => all.map(one => one.offsetTop)")

    for width in (360, 1200):
        draw.set_viewport_size({"width": width, "height": 740})
        press(draw, "Clear")
        places = tops()
        draw_with_the_mouse(draw)
        assert tops() == places
        press(draw, "An 8 from MNIST")
        assert tops() == places
        for start in (0.1, 0.9):
            draw_with_the_mouse(draw, (0.1, start), (0.9, 1 - start))
            assert tops() == places


# Inside the network


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def numbers(part: Locator) -> list[float]:
    return [number(text) for text in part.all_inner_texts()]


def look_at(page: Page, layer: str) -> tuple[int, ...]:
    """Move to a unit with the keyboard; return its row, column and map from 0."""
    page.keyboard.press("Tab")
    page.locator(f"[data-layer={layer}] canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    title = page.locator("#md-unit-title").inner_text().split(":")[0]
    counted = [int(text) for text in re.findall(r"\d+", title)]
    if title.startswith("Digit"):
        return tuple(counted)
    channel, *place = (count - 1 for count in counted)
    return *place, channel


def unfold(page: Page) -> None:
    page.locator("#mnist-draw details").evaluate_all(
        "all => all.forEach(details => { details.open = true; })"
    )


@pytest.fixture
def five(draw: Page, mnist: Arrays) -> Page:
    """The chapter with a 5 of the test set on its paper."""
    choose_file(draw, encoded(255 - np.pad(mnist["x_test"][8], 9)))
    expect(draw.locator(".answer-number").first).not_to_have_text("–")
    return draw


def test_the_units_have_the_values_of_keras(five: Page, network: keras.Model) -> None:
    shown = shown_layers(five)
    pixels = np.rint(shown["input"] * 255).astype(np.uint8).reshape(1, 28, 28)
    for layer, expected in layers_of(network, pixels).items():
        np.testing.assert_allclose(shown[layer], expected.ravel(), atol=1e-3)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_unit_shows_its_value_and_the_sum_that_gave_it(
    five: Page, network: keras.Model, layer: str
) -> None:
    unit = look_at(five, layer)
    value = shown_layers(five)[layer].reshape(network.output[layer].shape[1:])[unit]
    shown = number(five.locator("#md-unit-title").inner_text().split(": ")[1])
    assert shown == pytest.approx(value, abs=0.0051)
    unfold(five)
    expect(five.locator("#md-sum tr").first).to_be_visible()
    rows = [
        [cell.strip() for cell in row.split("\t")]
        for row in five.locator("#md-sum tr").all_inner_texts()
    ]
    results = {cells[0]: number(cells[-1]) for cells in rows if cells[-1]}
    steps = numbers(five.locator("#md-steps b"))
    signs = five.locator("#md-steps .md-sign").all_inner_texts()
    assert steps[-1] == shown
    if layer.startswith("pool"):
        largest = max(number(cells[1]) for cells in rows[:4])
        assert largest == results["the largest"] == shown
        return

    terms = [cells[1:] for cells in rows if len(cells) == 4 and cells[2]]
    table = [[number(cell.lstrip("× ")) for cell in term] for term in terms]
    values, weights, products = np.transpose(table)
    np.testing.assert_allclose(values * weights, products, atol=0.1)
    strengths = np.abs(products)
    assert strengths.tolist() == sorted(strengths, reverse=True)
    assert len(strengths) == 8
    total = results.pop("sum")
    kept = [results.pop(name) for name in list(results) if name.startswith("ReLU")]
    assert sum(results.values()) == pytest.approx(total, abs=0.06)
    assert shown == (total if layer == "logits" else max(0, total))
    assert kept == ([] if layer == "logits" else [shown])
    added = np.where(np.array(signs) == "−", -1, 1) * steps
    assert sum(added[: signs.index("=")]) == pytest.approx(total, abs=0.03)

    grids = numbers(five.locator(".md-grid span"))
    inputs, weights, products = np.reshape(grids, (3, 9))
    rounding = 0.006 * (1 + np.abs(inputs).max() + np.abs(weights).max())
    np.testing.assert_allclose(inputs * weights, products, atol=rounding)
    assert products.sum() == pytest.approx(steps[0], abs=0.05)
    assert strengths[0] >= np.abs(products).max()


def test_the_receptive_field_of_a_unit_is_framed(draw: Page) -> None:
    model = models.build_cnn(normalize=False)
    press(draw, "An 8 from MNIST")
    for layer in MAPS:
        row, column, _ = look_at(draw, layer)
        top, height, left, width = draw.locator("#md-field").evaluate(
            """mark => ['top', 'height', 'left', 'width'].map(
              (name) => Math.round(0.28 * parseFloat(mark.style[name])))"""
        )
        field = receptive_field(model, layer.replace("relu", "conv"), row, column)
        assert (slice(top, top + height), slice(left, left + width)) == field, layer


def pointed_at(page: Page, layer: str, across: int, rows: int = 1) -> list[int]:
    """Point at one map after the other; return which they are said to be, from 0."""
    titles = evaluate(
        page,
        """([layer, across, rows]) => {
          const canvas = document.querySelector(`[data-layer=${layer}] canvas`);
          const box = canvas.getBoundingClientRect();
          return Array.from({ length: across * rows }, (_, i) => {
            canvas.dispatchEvent(new PointerEvent("pointermove", {
              clientX: box.left + (box.width * ((i % across) + 0.5)) / across,
              clientY: box.top + (box.height * (Math.floor(i / across) + 0.5)) / rows,
            }));
            return document.querySelector("#md-unit-title").textContent;
          });
        }""",
        [layer, across, rows],
    )
    return [int(re.findall(r"\d+", title)[0]) - 1 for title in titles]


@pytest.mark.parametrize("layer", [*MAPS, "relu_5"])
def test_a_layer_is_one_row_of_its_most_active_maps_or_all_of_them(
    five: Page, network: keras.Model, layer: str
) -> None:
    channels = network.output[layer].shape[-1]
    across = 64 if layer == "relu_5" else 16
    five.evaluate("mnistDraw.pass()")
    activity = shown_layers(five)[layer].reshape(-1, channels).sum(axis=0)
    shown = pointed_at(five, layer, across)
    assert len(set(shown)) == across
    np.testing.assert_allclose(activity[shown], np.sort(activity)[::-1][:across])
    press(five, "Show all maps")
    everything = pointed_at(five, layer, across, channels // across)
    assert everything == list(range(channels))


def test_maps_change_places_when_a_drawing_is_finished_and_no_unit_is_pinned(
    five: Page,
) -> None:
    def row() -> list[int]:
        five.evaluate("mnistDraw.pass()")
        return pointed_at(five, "relu_3", 16)

    before = row()
    press(five, "Clear")
    draw_with_the_mouse(five, lift=False)
    assert row() == before
    five.mouse.up()
    expect(five.locator(VERDICT)).not_to_be_empty()
    finished = row()
    assert finished != before
    look_at(five, "relu_3")
    press(five, "A 0 from MNIST")
    assert row() == finished
    press(five, "Close")
    assert row() != finished


def test_a_pinned_unit_and_the_inputs_that_lines_lead_to_stay_in_their_rows(
    five: Page,
) -> None:
    five.evaluate("mnistDraw.pass()")
    shown = set(pointed_at(five, "relu_3", 16))
    hidden = next(channel for channel in range(64) if channel not in shown)
    press(five, "Show all maps")
    five.keyboard.press("Tab")
    five.locator("[data-layer=relu_3] canvas").focus()
    for _ in range(12 * hidden):  # as wide as a map
        five.keyboard.press("ArrowRight")
    title = five.locator("#md-unit-title").inner_text()
    press(five, "Show all maps")
    five.evaluate("mnistDraw.pass()")
    assert five.locator("#md-unit-title").inner_text() == title
    expect(five.locator("[data-layer=relu_3] .md-mark")).to_be_visible()
    unfold(five)
    terms = five.locator("#md-sum tr").all_inner_texts()[:8]
    products = [number(term.split("\t")[-1]) for term in terms]
    lines = five.locator(".md-lines line").evaluate_all(
        """all => all.map(one => [getComputedStyle(one).strokeDasharray !== "none",
          one.x2.baseVal.value, one.y2.baseVal.value])"""
    )
    dashed, *ends = np.transpose(lines)
    assert dashed.tolist() == [product < 0 for product in products if product]
    left, top, *_ = box_of(five.locator("#md-stage"))
    x, y, *size = box_of(five.locator("[data-layer=pool_2] canvas"))
    places = np.transpose(ends) + np.subtract((left, top), (x, y))
    assert (places >= 0).all() and (places <= size).all()


def test_arrow_keys_walk_over_the_maps_that_are_shown_until_escape(five: Page) -> None:
    five.evaluate("mnistDraw.pass()")
    shown = pointed_at(five, "pool_4", 16)
    five.keyboard.press("Tab")
    five.locator("[data-layer=pool_4] canvas").focus()
    for channel in shown:
        title = five.locator("#md-unit-title").inner_text()
        assert title.startswith(f"Map {channel + 1}, row 3, column 3")
        for _ in range(4):  # as wide as a map
            five.keyboard.press("ArrowRight")
    five.keyboard.press("Escape")
    expect(five.locator("#md-unit")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1200])
def test_the_input_and_the_answer_stay_in_view_beside_the_layers(
    five: Page, width: int
) -> None:
    five.set_viewport_size({"width": width, "height": 740})
    paper, strip = five.locator(".drawing-paper"), five.locator("#md-strip button")
    layers = five.locator(".md-inside")
    paper.scroll_into_view_if_needed()
    expect(strip).to_be_hidden()
    place = layers.evaluate("one => one.offsetTop")
    layers.evaluate("one => one.scrollIntoView()")
    expect(strip).to_be_in_viewport(ratio=1)
    assert layers.evaluate("one => one.offsetTop") == place
    five.get_by_role("button", name="A 3 from MNIST").dispatch_event("click")
    layers.evaluate("one => one.scrollIntoView()")
    settle(five)
    for name in ("digit", "percent"):
        text = five.locator(f".answer-{name}").inner_text()
        expect(strip.locator(f".md-strip-{name}")).to_have_text(text)
    seen, small = five.locator("#md-seen, #md-strip canvas").evaluate_all(
        "all => all.map(one => one.toDataURL())"
    )
    assert seen == small
    if width > 360:
        five.locator("[data-layer=relu_3] canvas").focus()
        for _ in range(6):  # to what the strip would cover
            five.keyboard.press("Shift+Tab")
            focused = five.evaluate(
                "document.activeElement.getBoundingClientRect().top"
            )
            covered = five.locator("#md-strip").evaluate(
                "one => one.hidden ? 0 : one.children[0].getBoundingClientRect().bottom"
            )
            assert focused >= covered
        layers.evaluate("one => one.scrollIntoView()")
    strip.click()
    expect(strip).to_be_hidden()
    expect(paper).to_be_in_viewport(ratio=0.99)


def test_pointing_at_a_unit_shows_it_and_a_click_pins_it(draw: Page) -> None:
    draw_with_the_mouse(draw)
    draw.evaluate("mnistDraw.pass()")
    first = 1 + pointed_at(draw, "relu_1", 16)[0]
    maps = draw.locator("[data-layer=relu_1] canvas")
    maps.hover(position={"x": 20, "y": 20})
    title = draw.locator("#md-unit-title")
    expect(title).to_contain_text(f"Map {first},")
    maps.click(position={"x": 20, "y": 20})
    pinned, sign = title.inner_text(), draw.locator("#md-pinned")
    expect(sign).to_be_visible()
    maps.hover(position={"x": 200, "y": 20})
    assert title.inner_text() != pinned
    expect(sign).to_be_hidden()
    title.hover()
    assert title.inner_text() == pinned
    for view in ("3-D", "Flat"):
        press(draw, view)
        assert title.inner_text() == pinned
    press(draw, "Close")
    expect(draw.locator("#md-unit")).to_be_hidden()
    maps.hover(position={"x": 200, "y": 20})
    expect(title).to_be_visible()
    expect(sign).to_be_hidden()


def test_the_maps_change_with_the_drawing(draw: Page) -> None:
    draw.set_viewport_size({"width": 1200, "height": 4000})  # all of them are seen
    settle(draw)  # until the watcher knows what has come into view
    draw.evaluate("mnistDraw.pass()")
    maps = draw.locator(".md-maps canvas")
    before = maps.evaluate_all("all => all.map(one => one.toDataURL())")
    draw_with_the_mouse(draw)
    draw.wait_for_function(
        """(before) => Array.from(document.querySelectorAll(".md-maps canvas")).every(
          (one, i) => one.toDataURL() !== before[i])""",
        arg=before,
    )


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_every_layer_can_be_pointed_at_in_3d(draw: Page, width: int) -> None:
    """At the least and the greatest turn, each sheet is hit where it is seen."""
    draw.set_viewport_size({"width": width, "height": 1100})
    press(draw, "3-D")
    for turn in (-70, 0, 70):
        slide(draw, "#md-turn", turn)
        rest(draw)
        hits = draw.locator(".md-3d .md-layer canvas").evaluate_all(
            """canvases => canvases.map((canvas) => {
              canvas.scrollIntoView({ block: "center" });
              const { left, top, width, height } = canvas.getBoundingClientRect();
              const parts = [0.2, 0.4, 0.6, 0.8];
              return parts.every((x) => parts.every((y) => canvas ===
                document.elementFromPoint(left + x * width, top + y * height)));
            })"""
        )
        assert hits == [True] * 9, turn


def test_dragging_the_layers_turns_them_and_pins_nothing(draw: Page) -> None:
    press(draw, "3-D")
    stroke(draw.locator("[data-layer=relu_1] .md-maps"), (0.5, 0.5), (0.2, 0.5))
    turned = draw.locator("#md-turn").evaluate("one => one.value - one.defaultValue")
    assert turned < -5
    expect(draw.locator("#md-pinned")).to_be_hidden()


def test_the_occlusion_map_is_what_keras_says_to_covered_pictures(
    five: Page, network: keras.Model
) -> None:
    five.get_by_label("What does the answer depend on?").check()
    expect(five.locator("#md-depends-note")).to_be_visible()
    found = five.evaluate(
        """() => mnistDraw.load().then((network) => new Promise((done) => {
          const pixels = Array.from(network.layers[0].values);
          const report = (map) => map && done({ pixels, ...map });
          mnistDraw.createOcclusion(network.copy(), report).update(pixels);
        }))"""
    )
    pixels = np.rint(np.array(found["pixels"]) * 255).astype(np.uint8).reshape(28, 28)
    covered = np.repeat(pixels[np.newaxis], 50, axis=0)
    for patch, (row, column) in enumerate(np.ndindex(7, 7), start=1):
        covered[patch, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 0
    logits = layers_of(network, covered)["logits"]
    best = found["digit"]
    assert best == logits[0].argmax()
    margin = logits[:, best] - np.delete(logits, best, axis=1).max(axis=1)
    np.testing.assert_allclose(found["falls"], margin[0] - margin[1:], atol=2e-3)
    (most,) = numbers(five.locator("#md-depends-most"))
    assert most == pytest.approx(np.abs(found["falls"]).max(), abs=0.06)
    five.get_by_label("What does the answer depend on?").uncheck()
    expect(five.locator("#md-depends-note")).to_be_hidden()


# For every reader


def test_a_phone_in_the_dark_has_dark_maps_and_shows_the_sum_when_asked_for(
    fresh: Page,
) -> None:
    """The first stroke brings no help for the keyboard either."""
    fresh.set_viewport_size(PHONE)
    fresh.emulate_media(color_scheme="dark")
    open_page(fresh, "draw.html")
    fresh.wait_for_function(
        """() => document.querySelector("[data-layer=input] canvas")
          .getContext("2d").getImageData(0, 0, 1, 1).data[0] < 64"""
    )
    draw_with_the_mouse(fresh)
    assert box_of(fresh.locator(".drawing-keys"))[-1] <= 1
    expect(fresh.locator(PAPER)).to_be_focused()
    panel, maps = fresh.locator("#md-unit"), fresh.locator("[data-layer=pool_2] canvas")
    maps.scroll_into_view_if_needed()
    expect(panel).to_be_hidden()
    maps.click(position={"x": 20, "y": 20})
    panel.locator("summary").click()
    _, top, _, height = box_of(panel)
    assert height <= 0.45 * 740
    assert box_of(fresh.locator(".md-mark:visible"))[1] < top
    press(fresh, "Close")  # it is in view
    expect(panel).to_be_hidden()
    maps.click(position={"x": 20, "y": 20})
    expect(panel).to_be_visible()
    press(fresh, "3-D")
    expect(panel).to_be_hidden()


def test_axe_finds_nothing_to_complain_about(draw: Page) -> None:
    draw_with_the_mouse(draw)
    for view in ("Flat", "Show all maps", "3-D"):
        press(draw, view)
        look_at(draw, "relu_3")
        unfold(draw)
        draw.locator("[data-layer=relu_3]").evaluate("one => one.scrollIntoView()")
        expect(draw.locator("#md-strip button")).to_be_visible()
        for theme in ("light", "dark"):
            assert violations(draw, "#mnist-draw", theme) == []


def test_a_thousand_strokes_take_no_more_memory(draw: Page) -> None:
    def megabytes_after(strokes: int) -> float:
        draw.evaluate(
            """(strokes) => {
              const canvas = document.querySelector(".drawing-paper canvas");
              const margin = document.querySelector(".drawing-margin");
              const box = canvas.getBoundingClientRect();
              const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
                pointerId: 1, button: 0, bubbles: true,
                clientX: box.x + x, clientY: box.y + y }));
              margin.setPointerCapture = () => {}; // no such pointer is there
              for (let stroke = 0; stroke < strokes; stroke++) {
                send("pointerdown", 60, 60);
                for (let k = 0; k < 8; k++) {
                  send("pointermove", 60 + 12 * k, 60 + 9 * k);
                }
                send("pointerup", 160, 140);
                if (stroke % 8 === 0) mnistDraw.pass();
                if (stroke % 10 === 9) document.querySelector(".drawing-clear").click();
              }
              delete margin.setPointerCapture;
            }""",
            strokes,
        )
        return used_megabytes(draw)

    before = megabytes_after(200)
    assert megabytes_after(1000) - before < 1
