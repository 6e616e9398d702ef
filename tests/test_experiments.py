"""What produced the records: networks, one run, and every experiment's record."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from mnist_tutorial import models, results, training, weights
from mnist_tutorial.backend import keras
from mnist_tutorial.experiments import ensemble, registry, variants
from mnist_tutorial.experiments.article import AS_MEANT, build_article_cnn
from mnist_tutorial.experiments.calibration import run_and_calibrate
from mnist_tutorial.experiments.one_page import run_on_arrays
from mnist_tutorial.experiments.registry import EXPERIMENTS, Experiment
from mnist_tutorial.experiments.run import Digits, Run, run
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.members import weights_path
from mnist_tutorial.preprocessing import one_hot, prepare

Arrays = dict[str, NDArray[np.uint8]]
Data = tuple[Digits, Digits]

SMALL = Variant(epochs=1, batch_size=16, schedule="constant", seed=3)


@pytest.fixture(scope="module")
def data(mnist: Arrays) -> Data:
    """64 digits to train with, and 40 test digits."""
    train_data = prepare(mnist["x_train"][:64], mnist["y_train"][:64])
    return train_data, prepare(mnist["x_test"][:40], mnist["y_test"][:40])


@pytest.fixture(scope="module")
def small_run(data: Data) -> Run:
    return run(SMALL, *data)


def test_the_articles_network_normalizes_after_relu_at_its_five_places() -> None:
    described = models.describe(build_article_cnn())
    names = [name for name, *_ in described]
    before = [names[names.index(f"norm_{number}") - 1] for number in range(1, 6)]
    assert before == ["relu_1", "relu_2", "relu_3", "flatten", "relu_5"]
    rest = [row for row in described if "norm" not in row[0]]
    assert rest == models.describe(models.build_cnn(normalize=False))


def test_strides_take_the_place_of_pooling() -> None:
    halved = {"conv_2": (12, 12, 32), "conv_4": (4, 4, 64)}
    assert models.describe(variants.build_strided_cnn()) == [
        (name, halved.get(name, shape), count)
        for name, shape, count in models.describe(models.build_cnn())
        if "pool" not in name
    ]


def write_answers(probabilities: NDArray[np.float32]) -> str:
    return "".join(map(str, probabilities.argmax(axis=1)))


# Networks and optimizers


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({}, 597_354),
        ({"normalization": "article"}, 594_922 + 4 * (32 + 32 + 64 + 1024 + 512)),
        ({"normalization": "none"}, 594_922),
        ({"pooling": "strides"}, 597_354),
        ({"network": "deep"}, 299_626),
    ],
)
def test_a_variant_builds_the_network_that_it_names_by_its_seed(
    changes: dict[str, str], parameters: int
) -> None:
    variant = Variant(dropout=0.4, **changes)  # type: ignore[arg-type]
    built = [variants.build(replace(variant, seed=seed)) for seed in (0, 0, 1)]
    assert built[0].count_params() == parameters
    assert built[0].get_layer("dropout").rate == 0.4
    pools = [layer for layer in built[0].layers if layer.name.startswith("pool")]
    assert bool(pools) == (variant.pooling == "max")
    first, same, other = (model.get_weights()[0] for model in built)
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.filterwarnings(
    "ignore:Please import .* from the `scipy.ndimage`:DeprecationWarning"
)
def test_the_generators_epoch_is_that_of_image_data_generator(data: Data) -> None:
    x, y = data[0]
    variant = replace(SMALL, batch_size=24, augmentation=AS_MEANT)
    variant = replace(variant, augmenter="ImageDataGenerator")
    batches = list(variants.batches(variant, x, y))
    flow = keras.src.legacy.preprocessing.image.ImageDataGenerator(
        rotation_range=8,
        width_shift_range=0.08,
        height_shift_range=0.08,
        shear_range=17,
        zoom_range=0.08,
    ).flow(x, y, batch_size=24, seed=SMALL.seed)
    assert [len(x) for x, _ in batches] == [24, 24, 16]
    for batch, expected in zip(batches, flow, strict=False):
        for array, other in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(array, other)


# One run


def test_a_run_scores_the_network_after_each_epoch(small_run: Run, data: Data) -> None:
    (model, entry), (x, y) = small_run, data[1]
    said = model.predict(x, verbose=0)
    correct = 40 - training.evaluate(model, x, y).errors
    assert entry["answers"] == write_answers(said)
    assert (entry["correct"], entry["digits"]) == (correct, 40)
    loss = np.mean(keras.losses.categorical_crossentropy(y, said))
    assert entry["history"]["test_loss"] == [pytest.approx(loss, abs=1e-4)]
    assert entry["history"]["test_correct"] == [correct]
    assert json.loads(json.dumps(entry)) == entry


def test_the_average_of_the_weights_is_what_is_scored_and_returned(
    small_run: Run, data: Data
) -> None:
    model, entry = run(replace(SMALL, ema=0.5), *data)
    assert (model.get_weights()[0] != small_run[0].get_weights()[0]).any()
    assert entry["answers"] == write_answers(model.predict(data[1][0], verbose=0))


def test_the_last_epoch_counts_even_if_an_earlier_one_was_better(
    small_run: Run, data: Data
) -> None:
    after_the_first = small_run[1]["answers"]
    labels = one_hot(np.array(list(after_the_first), int))
    _, entry = run(replace(SMALL, epochs=2), data[0], (data[1][0], labels))
    agreeing = sum(map(str.__eq__, entry["answers"], after_the_first))
    assert entry["history"]["test_correct"] == [40, agreeing]
    assert entry["correct"] == agreeing < 40


def test_the_program_of_the_page_one_page_is_what_its_record_trains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent / "book")
    page = json.loads(Path("one_page.ipynb").read_text(encoding="utf-8"))
    program: dict[str, Any] = {}
    for cell in page["cells"]:
        if "program" in cell["metadata"].get("tags", []) and "history" not in program:
            source = "".join(cell["source"])
            exec(source.replace("epochs=1", "epochs=2"), program)
            for name in {"x_train", "y_train", "x_test", "y_test"} & program.keys():
                program[name] = program[name][:100]  # two batches
    model, _ = run_on_arrays(
        replace(EXPERIMENTS["one-page"].recipe, epochs=2),
        (program["x_train"], program["y_train"]),
        (program["x_test"], program["y_test"]),
    )
    weights_of_both = (each.get_weights() for each in (model, program["model"]))
    for trained, weight in zip(*weights_of_both, strict=True):
        np.testing.assert_allclose(trained, weight, atol=1e-5)


def test_the_temperature_has_the_smallest_loss_of_all(data: Data) -> None:
    model, recorded = run_and_calibrate(SMALL, *data)
    x, y = data[1]
    network = keras.Model(model.inputs, model.get_layer("logits").output)
    logits = network.predict(x, verbose=0).astype(np.float64)
    best, likelihoods = recorded["temperature"], recorded["negative_log_likelihood"]
    before, after, colder, warmer = (
        -(scipy.special.log_softmax(logits / t, axis=1) * y).sum(axis=1).mean()
        for t in (1, best, 0.95 * best, 1.05 * best)
    )
    assert after < min(colder, warmer)
    assert likelihoods == pytest.approx({"before": before, "after": after})


# Every experiment


def test_training_and_validation_digits_are_apart(mnist: Arrays) -> None:
    parts = slice(50_000), slice(50_000, None)
    for (x, y), part in zip(registry.digits("validation"), parts, strict=True):
        np.testing.assert_array_equal(x[..., 0] * 255, mnist["x_train"][part])
        np.testing.assert_array_equal(y.argmax(axis=1), mnist["y_train"][part])


def answer_untrained(variant: Variant, train_data: Digits, test_data: Digits) -> Run:
    """Stand in for a run: its network is built, and answers."""
    model = variants.build(variant)
    answers = write_answers(model.predict(test_data[0], verbose=0))
    return model, {"correct": 4, "digits": 40, "history": {}, "answers": answers}


@pytest.fixture
def tiny_mnist(mnist: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {name: array[:40] for name, array in mnist.items()}
    train, test = (tiny["x_train"], tiny["y_train"]), (tiny["x_test"], tiny["y_test"])
    monkeypatch.setattr(registry, "load_mnist", lambda: (train, test))


@pytest.mark.usefixtures("tiny_mnist")
def test_a_recipe_is_reproduced_seed_by_seed_and_the_first_weights_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = Experiment(SMALL, registry.seeds(2), run=answer_untrained)
    monkeypatch.setitem(EXPERIMENTS, "tutorial-long", experiment)
    recorded = registry.reproduce("tutorial-long", tmp_path / "results")
    assert [entry["seed"] for entry in recorded["runs"]] == [0, 1]
    answers = [entry["answers"] for entry in recorded["runs"]]
    assert answers[0] != answers[1], "another seed, another network"
    assert registry.reproduce("tutorial-long", tmp_path / "results") == recorded
    path = tmp_path / "weights" / "tutorial-long.npz"
    sums = [run.get("weights_sha256") for run in recorded["runs"]]
    assert sums == [hashlib.sha256(path.read_bytes()).hexdigest(), None]
    with np.load(path) as arrays:
        for weight in variants.build(replace(SMALL, seed=0)).weights:
            dtype = np.float32 if "norm" in weight.path else np.float16
            expected = weight.numpy().astype(dtype)
            np.testing.assert_array_equal(arrays[weight.path], expected, strict=True)


@pytest.mark.usefixtures("tiny_mnist")
def test_each_member_of_the_ensemble_is_kept_with_its_probabilities(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [{"changes": changes, "seed": 5} for changes in ({}, {"network": "deep"})]
    experiment = Experiment(SMALL, keys, run=answer_untrained)
    monkeypatch.setitem(EXPERIMENTS, "ensemble", experiment)
    recorded = registry.reproduce("ensemble", tmp_path / "results")
    probabilities = results.load_probabilities(tmp_path / "results")
    assert [write_answers(member) for member in probabilities] == [
        run["answers"] for run in recorded["runs"]
    ]
    model = models.build_deep_cnn()
    model.load_weights(weights_path(tmp_path / "members" / "deep", 5))
    said = model.predict(data[1][0], verbose=0)
    np.testing.assert_allclose(said, probabilities[1], atol=1e-3)


def test_members_of_both_designs_teach_a_student_what_they_say_of_its_pictures(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "MEMBERS", tmp_path)
    monkeypatch.setattr(ensemble, "TEACHERS", [3])
    teachers = []
    for changes in ensemble.DESIGNS:
        recipe = replace(ensemble.MEMBER, seed=3, **changes)
        teachers.append(training.build(recipe))
        (tmp_path / recipe.network).mkdir()
        weights.save(teachers[-1], weights_path(tmp_path / recipe.network, 3))
    recipe = replace(EXPERIMENTS["distilled"].recipe, batch_size=32)
    _, entry = ensemble.run_with_members(recipe, *data)
    with np.load(tmp_path / "lesson.npz") as lesson:
        pictures, answers = lesson["pictures"], lesson["answers"]
    copies = pictures.reshape(5, 64, 28, 28)
    assert len({copy.tobytes() for copy in copies}) == 5, "each augmented otherwise"
    x = pictures[..., np.newaxis].astype(np.float32) / 255
    said = np.mean([teacher.predict(x, verbose=0) for teacher in teachers], axis=0)
    np.testing.assert_allclose(answers, said, atol=1e-3)
    entropy = -(said * np.log(said)).sum(axis=1).mean()
    assert entry["history"]["loss"][0] > entropy, "less is impossible with such labels"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_record_belongs_to_its_experiment_and_counts_its_answers(
    name: str, mnist: Arrays
) -> None:
    experiment = EXPERIMENTS[name]
    recorded = results.load(name)
    recipe = asdict(experiment.recipe)
    del recipe["seed"]
    assert recorded["recipe"] == recipe
    assert recorded["scored_on"] == experiment.scored_on
    for entry in recorded["runs"]:
        assert any(key.items() <= entry.items() for key in experiment.keys)
        assert entry["digits"] == 10_000
        assert entry["correct"] == entry["history"]["test_correct"][-1]
        if experiment.scored_on == "test":
            answers = np.array(list(entry["answers"]), int)
            assert (answers == mnist["y_test"]).sum() == entry["correct"]
