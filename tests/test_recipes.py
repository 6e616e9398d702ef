import hashlib
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import data, models, recipes, results
from mnist_tutorial.backend import keras
from mnist_tutorial.preprocessing import prepare
from mnist_tutorial.recipes import Experiment
from mnist_tutorial.training import Recipe, evaluate, train

Arrays = dict[str, NDArray[np.uint8]]
Prepared = tuple[NDArray[np.float32], NDArray[np.float32]]


@pytest.fixture(scope="module")
def tiny(mnist: Arrays) -> Arrays:
    return {name: array[: 64 if "train" in name else 40] for name, array in mnist.items()}


@pytest.fixture(scope="module")
def train_data(tiny: Arrays) -> Prepared:
    return prepare(tiny["x_train"], tiny["y_train"])


@pytest.fixture(scope="module")
def test_data(tiny: Arrays) -> Prepared:
    return prepare(tiny["x_test"], tiny["y_test"])


def test_a_run_is_recorded_as_documented(
    train_data: Prepared, test_data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(epochs=2, batch_size=16, seed=3)
    ticks = SimpleNamespace(perf_counter=itertools.count().__next__)  # a clock that ticks when it is read
    monkeypatch.setattr(recipes, "time", ticks)
    trained, entry = recipes.run(recipe, train_data, test_data)
    assert entry["digits"] == 40
    assert entry["wall_seconds"] == 5 - 2, "from tick 0 to tick 5, without a tick for scoring each epoch"
    model, _ = train(recipe, *train_data, verbose=0)
    np.testing.assert_array_equal(trained.get_weights()[0], model.get_weights()[0])
    assert entry["answers"] == "".join(map(str, model.predict(test_data[0], verbose=0).argmax(axis=1)))
    assert entry["correct"] == 40 - evaluate(model, *test_data).errors == entry["history"]["test_correct"][-1]
    assert {name: len(values) for name, values in entry["history"].items()} == {
        "loss": 2,
        "accuracy": 2,
        "test_correct": 2,
        "test_loss": 2,
    }
    cross_entropy = keras.losses.categorical_crossentropy(
        test_data[1], model.predict(test_data[0], verbose=0)
    )
    assert entry["history"]["test_loss"][-1] == pytest.approx(np.mean(cross_entropy), abs=1e-4)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
    about = {"recipe": {}, "machine": recipes.describe_machine()}
    results.record("run", about, [{"seed": 3}], lambda seed: entry, tmp_path)
    assert results.load("run", tmp_path)["runs"] == [{"seed": 3, **entry}]


def test_a_run_that_is_stopped_is_no_result(
    train_data: Prepared, test_data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipes._ScoreAfterEpoch, "on_train_begin", press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        recipes.run(Recipe(epochs=1), train_data, test_data)


def test_a_recipe_is_reproduced_seed_by_seed_and_once(
    tiny: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(epochs=1, batch_size=32, augmentation=None)
    monkeypatch.setattr(recipes, "NAMES", ["tiny"])
    monkeypatch.setattr(recipes, "EXPERIMENTS", {"tiny": Experiment(recipe, range(1, 3))})
    monkeypatch.setattr(
        data,
        "load_mnist",
        lambda: ((tiny["x_train"], tiny["y_train"]), (tiny["x_test"], tiny["y_test"])),
    )
    recorded = recipes.reproduce("tiny", tmp_path)
    assert [(entry["seed"], entry["digits"]) for entry in recorded["runs"]] == [(1, 40), (2, 40)]
    assert recorded["runs"][0]["history"]["loss"] != recorded["runs"][1]["history"]["loss"]
    assert recorded["recipe"]["batch_size"] == 32
    assert "seed" not in recorded["recipe"]
    assert recorded["machine"] == recipes.describe_machine()
    assert recipes.reproduce("tiny", tmp_path) == recorded == results.load("tiny", tmp_path)


def test_a_search_runs_every_candidate_on_digits_held_out_of_the_training_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = [({}, range(1)), ({"dropout": 0.5, "batch_size": 64}, range(2))]
    monkeypatch.setattr(recipes, "SEARCH", candidates)
    seen = []

    def run(recipe: Recipe, train_data: Prepared, test_data: Prepared) -> tuple[None, dict[str, Any]]:
        seen.append((recipe, len(train_data[0]), test_data[0]))
        return None, {"correct": 1, "digits": 1, "wall_seconds": 1.0, "history": {}, "answers": "7"}

    monkeypatch.setattr(recipes, "run", run)
    recorded = recipes.reproduce("search", tmp_path)
    assert [(run["changes"], run["seed"]) for run in recorded["runs"]] == [
        ({}, 0),
        ({"dropout": 0.5, "batch_size": 64}, 0),
        ({"dropout": 0.5, "batch_size": 64}, 1),
    ]
    changed = replace(recipes.SEARCH_START, dropout=0.5, batch_size=64)
    assert [recipe for recipe, _, _ in seen] == [recipes.SEARCH_START, changed, replace(changed, seed=1)]
    (x_train, _), _ = data.load_mnist()
    for _, trained_on, scored_on in seen:
        assert trained_on == 50_000
        np.testing.assert_array_equal(scored_on[..., 0] * 255, x_train[50_000:])
    assert recorded["scored_on"] == "validation"
    assert not any("answers" in run for run in recorded["runs"])


def test_the_weights_of_the_first_seed_are_kept_with_their_sum(
    tiny: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(epochs=1, batch_size=32, augmentation=None)
    monkeypatch.setattr(recipes, "NAMES", ["tutorial-long"])
    monkeypatch.setattr(recipes, "EXPERIMENTS", {"tutorial-long": Experiment(recipe, range(3, 5))})
    monkeypatch.setattr(
        data, "load_mnist", lambda: ((tiny["x_train"], tiny["y_train"]), (tiny["x_test"], tiny["y_test"]))
    )
    recorded = recipes.reproduce("tutorial-long", tmp_path / "results")
    content = (tmp_path / "weights" / "tutorial-long.npz").read_bytes()
    sums = [run.get("weights_sha256") for run in recorded["runs"]]
    assert sums == [hashlib.sha256(content).hexdigest(), None]
    first, _ = train(replace(recipe, seed=3), *prepare(tiny["x_train"], tiny["y_train"]), verbose=0)
    kept = models._load_recorded(tmp_path / "weights" / "tutorial-long.npz", recorded["runs"][0])
    for here, there in zip(kept.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_allclose(here, there, rtol=2**-11, atol=2**-25)


def test_an_unknown_recipe_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"'best'.*{', '.join(recipes.NAMES)}"):
        recipes.reproduce("best", tmp_path)


def test_the_machine_is_described_by_processor_cores_and_versions() -> None:
    machine = recipes.describe_machine()
    assert list(machine) == ["processor", "cores", "python", "keras", "tensorflow", "numpy"]
    assert machine["cores"] >= 1
    assert machine["numpy"] == np.__version__
    assert json.loads(json.dumps(machine)) == machine


@pytest.mark.parametrize(
    ("name", "parameters", "shear"),
    [
        ("article-2017", 594_922, 17),
        ("article-today", 594_922, 0.3),
        ("article-meant", 601_578, 17),
        ("article-meant-today", 601_578, 0.3),
    ],
)
def test_the_articles_four_recipes_are_its_own(name: str, parameters: int, shear: float) -> None:
    recipe = recipes.EXPERIMENTS[name].recipe
    assert models.build_cnn(recipe.normalization, recipe.dropout, recipe.pooling).count_params() == parameters
    assert recipe.augmentation == {"rotation": 8, "shift": 0.08, "shear": shear, "zoom": 0.08}
    settings = (recipe.epochs, recipe.batch_size, recipe.optimizer, recipe.learning_rate, recipe.schedule)
    assert settings == (5, 64, "adam", 0.001, "constant")
    assert (recipe.augmenter, recipe.label_smoothing, recipe.ema) == ("ImageDataGenerator", 0, 0)


def test_each_ablation_takes_one_thing_from_the_recipe_and_none_sees_a_test_digit() -> None:
    tutorial = vars(recipes.EXPERIMENTS["tutorial"].recipe)
    changed = {
        name: {key for key, value in vars(experiment.recipe).items() if value != tutorial[key]}
        for name, experiment in recipes.EXPERIMENTS.items()
        if experiment.scored_on == "validation"
    }
    assert changed == {
        "ablation-none": set(),
        "ablation-no-normalization": {"normalization"},
        "ablation-no-dropout": {"dropout"},
        "ablation-strides": {"pooling"},
        "ablation-no-augmentation": {"augmentation"},
        "ablation-sgd": {"optimizer", "learning_rate"},
    }


@pytest.mark.parametrize(
    "name", [name for name in recipes.NAMES if (results.RESULTS / f"{name}.json").exists()]
)
def test_a_recorded_result_belongs_to_its_recipe_and_counts_its_answers(name: str, mnist: Arrays) -> None:
    recorded = results.load(name)
    if name == "search":
        recipe, seeds, scored_on = recipes.SEARCH_START, range(3), "validation"
        candidates = [changes for changes, _ in recipes.SEARCH]
        assert all(run["changes"] in candidates for run in recorded["runs"])
    else:
        recipe, seeds, scored_on = recipes.EXPERIMENTS[name]
    assert recorded["recipe"] == {key: value for key, value in vars(recipe).items() if key != "seed"}
    assert recorded["scored_on"] == scored_on
    for run in recorded["runs"]:
        assert run["seed"] in seeds
        assert run["digits"] == 10_000
        assert run["correct"] == run["history"]["test_correct"][-1]
        if scored_on == "test":
            answers = np.array([int(answer) for answer in run["answers"]])
            assert (answers == mnist["y_test"]).sum() == run["correct"]
