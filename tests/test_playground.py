"""The network that learns in the page, in a real Chromium."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import (
    HTML,
    evaluate,
    needs_pages,
    open_page,
    press,
    used_megabytes,
    violations,
    watched,
)
from playwright.sync_api import Browser, Error, Page, expect

from mnist_tutorial.backend import keras

pytestmark = needs_pages


# The engine


@pytest.fixture(scope="module")
def engine(tab: Page) -> Page:
    """The chapter from disk, once for all tests, and its functions in short."""
    open_page(tab, "playground.html")
    tab.evaluate(
        """async () => {
          window.engine = mnistPlayground.engine;
          window.digits = await engine.unpack(await mnistPlayground.loadDigits());
          window.pictureOf = (digit) =>
            digits.pixels.subarray(784 * digit, 784 * (digit + 1));
          window.begin = (given, seen = 0) => {
            const run = engine.createRun(engine.settingsFrom(given), digits);
            while (run.seen < seen && !run.stopped) run.step();
            return run;
          };
        }"""
    )
    return tab


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("architecture", ["convolutional", "dense"])
def test_gradients_are_what_central_differences_give(
    engine: Page, architecture: str, activation: str
) -> None:
    """For twenty numbers of each kernel and bias, over a batch of five digits."""
    pairs = engine.evaluate(
        """([architecture, activation]) => {
          const { network } = begin({ architecture, activation });
          const next = engine.random(7, "test");
          for (const { values } of network.parameters) {
            values.forEach((value, i) => (values[i] = value + 0.1 * next() - 0.05));
          }
          const loss = () => {
            let sum = 0;
            for (let digit = 0; digit < 5; digit++) {
              const { values } = network.picture;
              pictureOf(digit).forEach((ink, i) => (values[i] = ink / 255));
              network.read();
              sum += network.learn(digits.labels[digit], 5);
            }
            return sum;
          };
          loss();
          const gradients = network.parameters.map(({ gradient }) => gradient.slice());
          return network.parameters.map(({ values }, parameter) => {
            const found = gradients[parameter];
            const places = found.map((_, i) => i).filter((i) => found[i] !== 0);
            return Array.from({ length: 20 }, () => {
              const i = places[Math.floor(places.length * next())], value = values[i];
              const [above, below] = [1e-5, -1e-5].map((step) => {
                values[i] = value + step;
                return loss();
              });
              values[i] = value;
              return [found[i], (above - below) / 2e-5];
            });
          });
        }""",
        [architecture, activation],
    )
    for found, expected in np.moveaxis(np.array(pairs), 2, 1):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


def keras_twin(architecture: str) -> keras.Model:
    """The same layers in Keras, in double precision."""
    layers = [
        keras.layers.Conv2D(8, 5, activation="relu", name="conv_1"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(16, 3, activation="relu", name="conv_2"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
    ]
    if architecture == "dense":
        layers = [
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu", name="dense_1"),
        ]
    return keras.Sequential(
        [keras.Input((28, 28, 1)), *layers, keras.layers.Dense(10, name="logits")]
    )


@pytest.fixture
def double() -> Iterator[None]:
    """Keras in double precision."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    ("optimizer", "rate", "architecture"),
    [
        ("sgd", 0.1, "convolutional"),
        ("momentum", 0.03, "convolutional"),
        # Keras rounds 1 - 0.999 to single precision, which can let another sum win its
        # pooling; hence a network without pooling.
        ("adam", 0.003, "dense"),
    ],
)
def test_fifty_steps_end_where_those_of_keras_end(
    engine: Page, mnist: dict[str, Any], optimizer: str, rate: float, architecture: str
) -> None:
    """The initial weights and the batches are those of the page."""
    size = 8
    settings = {"optimizer": optimizer, "learningRate": rate, "batchSize": size}
    found = evaluate(
        engine,
        """async (settings) => {
          const plain = (weights) => Object.fromEntries(Object.entries(weights)
            .map(([name, { shape, values }]) =>
              [name, { shape, values: Array.from(values) }]));
          const run = mnistPlayground.create(settings), before = plain(run.weights);
          await run.step(50);
          const { order } = begin(settings, 1);
          return { before, order: Array.from(order), after: plain(run.weights) };
        }""",
        {**settings, "architecture": architecture},
    )
    optimizers = {
        "sgd": keras.optimizers.SGD(rate),
        "momentum": keras.optimizers.SGD(rate, momentum=0.9),
        "adam": keras.optimizers.Adam(rate),
    }
    model = keras_twin(architecture)
    twins = {}
    for name, before in found["before"].items():
        layer, kind = name.split("/")
        twins[name] = getattr(model.get_layer(layer), kind)
        twins[name].assign(np.reshape(before["values"], before["shape"]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers[optimizer], loss)
    digits = np.array(found["order"][: 50 * size])
    model.fit(
        mnist["x_train"][digits][..., None] / 255,
        mnist["y_train"][digits].astype(np.int64),
        batch_size=size,
        shuffle=False,
        verbose=0,
    )
    for name, after in found["after"].items():
        expected = keras.ops.convert_to_numpy(twins[name]).ravel()
        np.testing.assert_allclose(after["values"], expected, atol=1e-4, err_msg=name)


def test_every_seed_reads_95_percent_after_20000_digits(engine: Page) -> None:
    errors = engine.evaluate(
        "[0, 1, 2, 3, 4].map((seed) => begin({ seed }, 20000).errors())"
    )
    assert len(errors) == 5
    assert max(errors) <= 50


def test_each_experiment_shows_what_it_says(engine: Page) -> None:
    """Both runs see as many digits as on the page."""
    found = engine.evaluate(
        """() => {
          const known = {};
          const resultOf = (settings, seen) => {
            const key = JSON.stringify([settings, seen]);
            if (known[key]) return known[key];
            const run = begin(settings, seen);
            let fours = 0;
            for (let i = 7000; i < 8000; i++) {
              if (run.read(pictureOf(i)) === 4) fours++;
            }
            const { values, shape } = Object.values(run.network.layers)[0].kernel;
            const filters = shape[shape.length - 1];
            const twins = values.every((each, i) => each === values[i - (i % filters)]);
            const errors = run.errors(), latest = run.latestErrors();
            return (known[key] = { errors, latest, fours, twins });
          };
          return Object.entries(mnistPlayground.experiments).map(([name, each]) => ({
            name,
            better: each.better,
            A: resultOf(each.A, each.digits),
            B: resultOf({ ...each.A, ...each.B }, each.digits),
          }));
        }"""
    )
    results = {each["name"]: each for each in found}
    assert len(results) == 8
    for name, each in results.items():
        better, worse = sorted("AB", key=lambda run: run != each["better"])
        assert each[worse]["errors"] > 1.2 * each[better]["errors"], name
    twins = [name for name, each in results.items() if each["B"]["twins"]]
    assert twins == ["all-equal"]
    assert results["no-relu"]["B"]["errors"] < 100
    few = results["few-digits"]
    assert few["B"]["latest"] == 0
    assert 3 * few["A"]["errors"] < few["B"]["errors"] < 500
    changed = results["few-changed"]
    assert changed["B"]["latest"] > changed["A"]["latest"]
    assert results["random-labels"]["B"]["latest"] < 0.02
    assert abs(results["random-labels"]["B"]["errors"] - 900) < 50
    assert results["never-a-4"]["B"]["fours"] == 0


def test_three_more_comparisons_end_as_the_chapter_says(engine: Page) -> None:
    """The better run of each first, both with seed 0 and after 1,024 digits."""
    found = engine.evaluate(
        """() => [
          [{}, { learningRate: 0.0001 }],
          [{ batchSize: 1 }, { batchSize: 128 }],
          [{ optimizer: "momentum" }, { optimizer: "sgd" }],
        ].map((pair) => pair.map((settings) => begin(settings, 1024).errors()))"""
    )
    assert all(worse > 1.2 * better for better, worse in found)
    small, large = found[1]
    assert small < 100
    assert large > 500


def test_augmentation_is_the_affine_transform_of_the_book(engine: Page) -> None:
    """Without ranges a digit stays as it is; half a pixel is a mean of neighbours."""
    same, shifted, digit = engine.evaluate(
        """() => {
          const digit = digits.pixels.slice(0, 784);
          const none = { rotation: 0, shift: 0, shear: 0, zoom: 0 };
          const changed = [none, { ...none, shift: 2.5 }].map((range) => {
            const to = new Float64Array(784);
            engine.augment(digit, to, range, () => 1);
            return Array.from(to);
          });
          return [...changed, Array.from(digit)];
        }"""
    )
    picture = np.reshape(digit, (28, 28)).astype(float)
    np.testing.assert_allclose(np.reshape(same, (28, 28)), picture, atol=1e-9)
    padded = np.pad(picture, ((0, 4), (0, 4)))
    corners = [padded[r : r + 28, c : c + 28] for r in (2, 3) for c in (2, 3)]
    np.testing.assert_allclose(
        np.reshape(shifted, (28, 28)), np.mean(corners, axis=0), atol=1e-9
    )


def test_a_wrong_setting_is_named(engine: Page) -> None:
    for settings, words in (
        ({"learningRate": 0}, "learningRate must be a number above 0"),
        ({"digits": 7001}, "digits must be a whole number from 1 to 7000"),
        ({"seed": "1"}, 'seed must be a whole number from 0, not "1"'),
        ({"optimiser": "sgd"}, "optimiser is no setting"),
    ):
        with pytest.raises(Error, match=words):
            engine.evaluate("mnistPlayground.create", settings)


def test_an_address_gives_the_settings_that_it_was_made_from(engine: Page) -> None:
    found = engine.evaluate(
        """() => {
          const given = { seed: 7, shuffled: true, leftOut: "49", learningRate: 0.01 };
          const A = engine.settingsFrom(given);
          const B = { ...A, shuffled: false, optimizer: "sgd" };
          const back = engine.fromFragment(engine.toFragment(A, B));
          return [{ A, B, problems: [] }, back];
        }"""
    )
    assert found[0] == found[1]


# The page

ANSWERED = ".pg-digits :is(.pg-right-one, .pg-wrong-one)"  # by the network as it is
PLACES = """all => all.map(each => {
  const { left, top, width, height } = each.getBoundingClientRect();
  return [left, top + scrollY, width, height].map(Math.round);
})"""
OVERHANG = """bar => {
  const [own, ...parts] = [bar, ...bar.querySelectorAll("*")].map(
    (each) => each.getBoundingClientRect().right);
  return Math.max(...parts) - own;
}"""


@pytest.fixture
def play(engine: Page) -> Page:
    """The chapter as a reader opens it, on a laptop."""
    engine.set_viewport_size({"width": 1280, "height": 900})
    go_to(engine, "seed=0")
    return engine


def go_to(page: Page, fragment: str) -> None:
    """Enter an address that differs in what stands behind the page's name."""
    page.evaluate(
        """([fragment, answered]) => {
          document.querySelector(".drawing-clear").click();
          history.replaceState(null, "", `#${fragment}`);
          dispatchEvent(new HashChangeEvent("hashchange"));
          for (const tile of document.querySelectorAll(answered)) tile.className = "";
        }""",
        [fragment, ANSWERED],
    )
    page.locator(ANSWERED).first.wait_for()


def wait_until_seen(page: Page, count: int) -> None:
    page.wait_for_function(
        """(count) => {
          const seen = document.querySelector(".pg-seen b");
          return seen && Number(seen.textContent.replace(",", "")) >= count;
        }""",
        arg=count,
    )


@pytest.mark.parametrize("place", ["server", "disk"])
def test_learn_pause_step_and_start_over(
    browser: Browser, origin: str, place: str
) -> None:
    with watched(browser.new_page(has_touch=True), origin) as play:
        open_page(
            play, "playground.html", origin if place == "server" else HTML.as_uri()
        )
        learn_pause_step_and_start_over(play)


def learn_pause_step_and_start_over(play: Page) -> None:
    seen = play.locator(".pg-seen b")
    press(play, "One step")
    expect(seen).to_have_text("32")  # nothing has moved before
    play.locator(".pg-learn").tap()
    play.wait_for_function(
        "document.querySelectorAll('.pg-answers .pg-A .pg-right-one').length >= 30"
    )
    press(play, "Pause")
    expect(play.locator(".pg-learn")).to_have_text("Learn")
    play.wait_for_function(  # until it has come to rest
        """() => {
          const last = window.last;
          window.last = document.querySelector(".pg-seen b").textContent;
          return window.last === last;
        }""",
        polling=300,
    )
    before = int(seen.inner_text().replace(",", ""))
    expect(play.locator(".pg-curve svg")).to_have_attribute(
        "aria-label", re.compile(r"A, wrong of 1,000 unseen digits: \d+ after 0 digits")
    )
    press(play, "One step")
    expect(seen).to_have_text(f"{before + 32:,}")
    press(play, "Start over")
    expect(seen).to_have_text("0")


def test_what_is_drawn_is_read_while_it_learns(play: Page) -> None:
    given, verdict = play.locator(".pg-given"), play.locator(".pg-verdict")
    before = given.evaluate("canvas => canvas.toDataURL()")
    press(play, "Learn")
    paper = play.locator(".pg-drawing canvas").first
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2
    play.mouse.move(middle, box["y"] + 0.2 * box["height"])
    play.mouse.down()
    play.mouse.move(middle, box["y"] + 0.8 * box["height"], steps=7)
    play.mouse.up()
    expect(verdict).to_contain_text("reads a 1")
    assert "label" not in verdict.inner_text()
    assert given.evaluate("canvas => canvas.toDataURL()") != before
    press(play, "Clear")
    expect(verdict).to_contain_text("Its label says")


def test_a_and_b_advance_together_and_a_knob_of_b_is_marked(play: Page) -> None:
    press(play, "Compare with a second run, B")
    expect(play.locator(".pg-differs")).to_contain_text("alike")
    play.get_by_label("Step size, learning rate, B").select_option("0.0001")
    expect(play.locator(".pg-differs")).to_have_text(
        "B differs in one thing: learning rate (0.003, 0.0001)."
    )
    expect(play.locator(".pg-different")).to_have_count(1)
    assert "B.learningRate=0.0001" in play.url
    for steps in range(1, 3):
        press(play, "One step")
        expect(play.locator(".pg-seen b")).to_have_text(str(32 * steps))
    expect(play.locator(".pg-score b")).to_have_count(2)
    press(play, "Without B")
    expect(play.locator(".pg-score.pg-B")).to_be_hidden()


def test_an_experiment_from_its_address_asks_for_a_guess_and_ends(
    browser: Browser, origin: str
) -> None:
    viewport: Any = {"width": 360, "height": 740}
    with watched(browser.new_page(viewport=viewport), origin) as page:
        open_page(page, "playground.html#random-labels")
        guess_and_end(page)


def guess_and_end(page: Page) -> None:
    page.evaluate("mnistPlayground.experiments['random-labels'].digits = 160")
    press(page, "7 Labels at random")  # with fewer digits
    expect(page.locator(".pg-line")).to_contain_text("Guess")
    press(page, "A will read better")
    expect(page.locator(".pg-card")).to_contain_text("A: right")
    assert page.locator(".pg-text").inner_text().endswith("as good as a guess.")
    assert page.locator(".pg-seen b").inner_text() == "160"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    press(page, "Next: Never shown a 4")
    expect(page.get_by_role("button", name="A will read better")).to_be_focused()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("fragment", ["seed=0", "too-fast"])
def test_nothing_moves_and_all_fits_while_it_learns(
    play: Page, width: int, fragment: str
) -> None:
    """With two runs, a laptop's screen shows the whole curve too."""
    play.set_viewport_size({"width": width, "height": 900})
    go_to(play, fragment)
    play.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    parts = play.locator(".pg section, .pg-bar > *")
    before = parts.evaluate_all(PLACES)
    press(play, "Learn")
    wait_until_seen(play, 1000)  # so that the counts are as long as they get
    assert parts.evaluate_all(PLACES) == before
    assert play.locator(".pg-bar").evaluate(OVERHANG) <= 0
    if width > 360:
        expect(play.locator(".pg-curve")).to_be_in_viewport(ratio=1)


def test_a_state_from_its_address_and_bad_values_that_are_named(
    browser: Browser, origin: str
) -> None:
    with watched(browser.new_page(), origin) as play:
        state = "seed=3&batchSize=8&digits=many&colour=red&B.seed=4"
        open_page(play, f"playground.html#{state}")
        expect(play.get_by_label("Seed, A")).to_have_value("3")
        expect(play.get_by_label("Seed, B")).to_have_value("4")
        expect(play.locator(".pg-problem")).to_have_text(
            "digits must be a whole number from 1 to 7000, not “many”."
        )
        press(play, "One step")
        expect(play.locator(".pg-seen b")).to_have_text("8")


def test_a_run_that_overflows_says_so_and_the_other_goes_on(play: Page) -> None:
    go_to(play, "activation=linear&B.optimizer=sgd&B.learningRate=1")
    press(play, "Learn")
    line = play.locator(".pg-line")
    expect(line).to_contain_text("B stopped after")
    found = re.search(r"B stopped after ([\d,]+)", line.inner_text())
    assert found
    wait_until_seen(play, int(found[1].replace(",", "")) + 1000)


def test_reports_and_three_thousand_steps_take_no_more_memory(play: Page) -> None:
    go_to(play, "batchSize=1")
    tools = play.context.new_cdp_session(play)

    def megabytes_after(reports: int) -> float:
        play.evaluate(
            """async (reports) => {
              for (let report = 0; report < reports; report++) {
                document.querySelector(".pg-step").click();
                await new Promise(requestAnimationFrame);
              }
            }""",
            reports,
        )
        return used_megabytes(tools)

    before = megabytes_after(30)
    assert megabytes_after(100) - before < 0.5
    press(play, "Learn")
    wait_until_seen(play, 3200)
    press(play, "Pause")
    assert used_megabytes(tools) - before < 2


def test_without_its_digits_it_says_so_and_bars_no_reader(browser: Browser) -> None:
    page = browser.new_page()
    page.route("**/digits.js", lambda route: route.abort())
    page.goto(f"{HTML.as_uri()}/playground.html")
    expect(page.locator(".pg-problem")).to_contain_text("digits.js")
    rules = {"color-contrast": {"enabled": False}}  # colours are as with digits
    assert violations(page, "#playground", rules=rules) == []
    page.close()


def test_axe_finds_nothing_to_complain_about_in_an_experiment(play: Page) -> None:
    go_to(play, "few-changed")
    for theme in ("light", "dark"):
        assert violations(play, "#playground", theme) == []
