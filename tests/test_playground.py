"""The network that learns in the page, in a real Chromium."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import (
    HTML,
    PHONE,
    evaluate,
    needs_pages,
    open_page,
    press,
    stroke,
    used_megabytes,
    violations,
)
from playwright.sync_api import Browser, Error, Page, expect

from mnist_tutorial.augmentation import affine_coefficients
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


def keras_twin(architecture: str, activation: str) -> keras.Model:
    """The same layers in Keras."""
    layers, flatten = keras.layers, keras.layers.Flatten()
    hidden = [flatten, layers.Dense(64, activation, name="dense_1")]
    if architecture == "convolutional":
        hidden = [
            layers.Conv2D(8, 5, activation=activation, name="conv_1"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation=activation, name="conv_2"),
            layers.MaxPooling2D(),
            flatten,
        ]
    logits = layers.Dense(10, name="logits")
    return keras.Sequential([keras.Input((28, 28, 1)), *hidden, logits])


@pytest.fixture
def double() -> Iterator[None]:
    """Keras in double precision."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    ("optimizer", "rate", "architecture", "activation"),
    [
        ("sgd", 0.1, "convolutional", "relu"),
        ("momentum", 0.03, "convolutional", "linear"),
        # Keras rounds 1 - 0.999 to single precision, which can let another sum win its
        # pooling; hence a network without pooling.
        ("adam", 0.003, "dense", "relu"),
        ("adam", 0.003, "dense", "linear"),
    ],
)
def test_fifty_steps_end_where_those_of_keras_end(
    engine: Page,
    mnist: dict[str, Any],
    optimizer: str,
    rate: float,
    architecture: str,
    activation: str,
) -> None:
    """The initial weights and the batches are those of the page."""
    layers = {"architecture": architecture, "activation": activation}
    settings = {"optimizer": optimizer, "learningRate": rate, "batchSize": 8}
    found = evaluate(
        engine,
        """async (settings) => {
          const plain = (weights) => Object.entries(weights).map(
            ([name, { shape, values }]) => [name, shape, Array.from(values)]);
          const run = mnistPlayground.create(settings), before = plain(run.weights);
          await run.step(50);
          const twin = begin(settings), after = plain(run.weights);
          const losses = Array.from({ length: 50 }, () => twin.step());
          return { before, after, losses, order: Array.from(twin.order) };
        }""",
        {**settings, **layers},
    )
    optimizers = {
        "sgd": keras.optimizers.SGD(rate),
        "momentum": keras.optimizers.SGD(rate, momentum=0.9),
        "adam": keras.optimizers.Adam(rate),
    }
    model = keras_twin(**layers)
    twins = {}
    for name, shape, values in found["before"]:
        layer, kind = name.split("/")
        twins[name] = getattr(model.get_layer(layer), kind)
        twins[name].assign(np.reshape(values, shape))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers[optimizer], loss)
    digits = np.array(found["order"][: 50 * 8])
    history = model.fit(
        mnist["x_train"][digits][..., None] / 255,
        mnist["y_train"][digits].astype(np.int64),
        batch_size=8,
        shuffle=False,
        verbose=0,
    )
    mean_loss = history.history["loss"][0]
    np.testing.assert_allclose(np.mean(found["losses"]), mean_loss, rtol=1e-4)
    for name, _, values in found["after"]:
        expected = keras.ops.convert_to_numpy(twins[name]).ravel()
        np.testing.assert_allclose(values, expected, atol=1e-4, err_msg=name)


def test_every_seed_reads_95_percent_after_12000_digits(engine: Page) -> None:
    errors = engine.evaluate(
        "[0, 1, 2, 3, 4].map((seed) => begin({ seed }, 12000).errors())"
    )
    assert max(errors) <= 50


def test_comparisons_end_as_the_page_says(engine: Page) -> None:
    """With as many digits as there: the eight experiments, and two more in the text."""
    found = engine.evaluate(
        """() => {
          const inText = { digits: 1024, better: "A" };
          const comparisons = [
            ...Object.entries(mnistPlayground.experiments),
            ["too-slow", { A: {}, B: { learningRate: 0.0001 }, ...inText }],
            ["batches", { A: { batchSize: 1 }, B: { batchSize: 128 }, ...inText }],
          ];
          comparisons.sort(([, one], [, other]) => one.digits - other.digits);
          const runs = {}; // what several begin with goes on
          const resultOf = (settings, seen) => {
            const run = (runs[JSON.stringify(settings)] ??= begin(settings));
            while (run.seen < seen && !run.stopped) run.step();
            const answers = Array.from({ length: 1000 }, (_, i) =>
              run.read(pictureOf(7000 + i)));
            const { values, shape } = Object.values(run.network.layers)[0].kernel;
            const filters = shape[shape.length - 1];
            return {
              errors: answers.filter((one, i) =>
                one !== digits.labels[7000 + i]).length,
              latest: run.latestErrors(),
              fours: answers.filter((one) => one === 4).length,
              twins: values.every((each, i) => each === values[i - (i % filters)]),
            };
          };
          return Object.fromEntries(comparisons.map(([name, each]) => [name, {
            better: each.better,
            A: resultOf(each.A, each.digits),
            B: resultOf({ ...each.A, ...each.B }, each.digits),
          }]));
        }"""
    )
    assert len(found) == 8 + 2
    for name, each in found.items():
        better, worse = sorted("AB", key=lambda run: run != each["better"])
        assert each[worse]["errors"] > 1.2 * each[better]["errors"], name
    twins = [name for name, each in found.items() if each["B"]["twins"]]
    assert twins == ["all-equal"]
    assert found["no-relu"]["B"]["errors"] < 100
    few, changed = found["few-digits"], found["few-changed"]
    assert few["B"]["latest"] == 0
    assert 3 * few["A"]["errors"] < few["B"]["errors"] < 500
    assert changed["B"]["latest"] > changed["A"]["latest"]
    assert found["random-labels"]["B"]["latest"] < 0.02
    assert abs(found["random-labels"]["B"]["errors"] - 900) < 50
    assert found["never-a-4"]["B"]["fours"] == 0
    assert found["batches"]["A"]["errors"] < 100
    assert found["batches"]["B"]["errors"] > 500


def test_augmentation_is_the_affine_transform_of_the_book(engine: Page) -> None:
    lots = [0.9, 0.2, 0.7, 0.1, 0.8, 0.3]
    before, after = engine.evaluate(
        """(lots) => {
          const digit = pictureOf(0), changed = new Float64Array(784);
          engine.augment(digit, changed, engine.RANGES.article, () => lots.shift());
          return [Array.from(digit), Array.from(changed)];
        }""",
        lots,
    )
    rotation, shear, *moves = 2 * np.array(lots, np.float32)[:, np.newaxis] - 1
    down, right, tall, wide = 0.08 * np.array(moves)
    expected = keras.ops.image.affine_transform(
        np.reshape(before, (1, 28, 28, 1)).astype(np.float32),
        affine_coefficients(
            8 * rotation, 28 * down, 28 * right, 17 * shear, 1 + tall, 1 + wide, 28, 28
        ),
        interpolation="bilinear",
        fill_mode="constant",
    )
    np.testing.assert_allclose(after, np.ravel(expected), atol=0.02)


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


def test_learn_pause_step_and_start_over(play: Page) -> None:
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
    press(play, "One step")
    expect(seen).to_have_text(f"{before + 32:,}")
    press(play, "Start over")
    expect(seen).to_have_text("0")


def test_what_is_drawn_is_read_while_it_learns(play: Page) -> None:
    given, verdict = play.locator(".pg-given"), play.locator(".pg-verdict")
    before = given.evaluate("canvas => canvas.toDataURL()")
    press(play, "Learn")
    stroke(play.locator(".pg-drawing canvas").first, (0.5, 0.2), (0.5, 0.8))
    expect(verdict).to_contain_text("reads a 1")
    assert "label" not in verdict.inner_text()
    assert given.evaluate("canvas => canvas.toDataURL()") != before
    press(play, "Clear")
    expect(verdict).to_contain_text("Its label says")


def test_a_and_b_advance_together_and_a_knob_of_b_is_marked(play: Page) -> None:
    press(play, "Compare with a second run, B")
    play.get_by_label("Step size, learning rate, B").select_option("0.0001")
    expect(play.locator(".pg-differs")).to_contain_text("(0.003, 0.0001)")
    expect(play.locator(".pg-different")).to_have_count(1)
    assert "B.learningRate=0.0001" in play.url
    for steps in range(1, 3):
        press(play, "One step")
        expect(play.locator(".pg-seen b")).to_have_text(str(32 * steps))
    expect(play.locator(".pg-score b")).to_have_count(2)
    press(play, "Without B")
    expect(play.locator(".pg-score.pg-B")).to_be_hidden()


def test_an_experiment_from_its_address_asks_for_a_guess_and_ends(fresh: Page) -> None:
    fresh.set_viewport_size(PHONE)
    open_page(fresh, "playground.html#random-labels")
    fresh.evaluate("mnistPlayground.experiments['random-labels'].digits = 160")
    press(fresh, "7 Labels at random")  # with fewer digits
    expect(fresh.locator(".pg-line")).to_contain_text("Guess")
    press(fresh, "A will read better")
    expect(fresh.locator(".pg-card")).to_contain_text("A: right")
    expect(fresh.locator(".pg-seen b")).to_have_text("160")
    assert fresh.evaluate("document.documentElement.scrollWidth") <= 360
    press(fresh, "Next: Never shown a 4")
    expect(fresh.get_by_role("button", name="A will read better")).to_be_focused()


@pytest.mark.parametrize(
    ("width", "fragment"), [(360, "seed=0"), (360, "too-fast"), (1280, "too-fast")]
)
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
    assert play.locator(".pg-bar").evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    if width > 360:
        expect(play.locator(".pg-curve")).to_be_in_viewport(ratio=1)


def test_a_state_from_its_address_and_bad_values_that_are_named(fresh: Page) -> None:
    state = "seed=3&batchSize=8&digits=many&colour=red&B.seed=4"
    open_page(fresh, f"playground.html#{state}")
    expect(fresh.get_by_label("Seed, A")).to_have_value("3")
    expect(fresh.get_by_label("Seed, B")).to_have_value("4")
    expect(fresh.locator(".pg-problem")).to_contain_text("digits must be a whole")
    expect(fresh.locator(".pg-problem")).to_contain_text("colour is no setting")
    press(fresh, "One step")
    expect(fresh.locator(".pg-seen b")).to_have_text("8")


def test_a_link_further_down_the_page_leads_to_what_it_sets(play: Page) -> None:
    play.get_by_role("link", name="batches of 1 against 128").click()
    expect(play.get_by_label("Digits per step, batch size, B")).to_have_value("128")
    assert play.evaluate("scrollY") == 0


def test_a_run_that_overflows_says_so_and_the_other_goes_on(play: Page) -> None:
    go_to(play, "activation=linear&B.optimizer=sgd&B.learningRate=1")
    press(play, "Learn")
    line = play.locator(".pg-line")
    expect(line).to_contain_text("B stopped after")
    found = re.search(r"B stopped after ([\d,]+)", line.inner_text())
    assert found
    wait_until_seen(play, int(found[1].replace(",", "")) + 1000)


def test_reports_and_learning_take_no_more_memory(play: Page) -> None:
    go_to(play, "batchSize=1")

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
        return used_megabytes(play)

    before = megabytes_after(30)
    assert megabytes_after(100) - before < 0.5
    press(play, "Learn")
    wait_until_seen(play, 1700)
    press(play, "Pause")
    assert used_megabytes(play) - before < 1


def test_without_its_digits_it_says_so(browser: Browser) -> None:
    page = browser.new_page()
    page.route("**/digits.js", lambda route: route.abort())
    page.goto(f"{HTML.as_uri()}/playground.html")
    expect(page.locator(".pg-problem")).to_contain_text("digits.js")
    page.close()


def test_axe_finds_nothing_to_complain_about_in_an_experiment(play: Page) -> None:
    go_to(play, "few-changed")
    for theme in ("light", "dark"):
        assert violations(play, "#playground", theme) == []
