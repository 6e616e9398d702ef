import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import data, recipes, results
from mnist_tutorial.preprocessing import prepare
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
    entry = recipes.run(recipe, train_data, test_data)
    assert (entry["seed"], entry["digits"]) == (3, 40)
    assert entry["wall_seconds"] == 5 - 2, "from tick 0 to tick 5, without a tick for scoring each epoch"
    model, _ = train(recipe, *train_data, verbose=0)
    assert entry["answers"] == "".join(map(str, model.predict(test_data[0], verbose=0).argmax(axis=1)))
    assert entry["correct"] == 40 - evaluate(model, *test_data).errors == entry["history"]["test_correct"][-1]
    assert {name: len(values) for name, values in entry["history"].items()} == {
        "loss": 2,
        "accuracy": 2,
        "test_correct": 2,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
    about = {"recipe": {}, "machine": recipes.describe_machine()}
    results.record("run", about, [3], lambda seed: entry, tmp_path)
    assert results.load("run", tmp_path)["runs"] == [entry]


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
    monkeypatch.setattr(recipes, "RECIPES", {"tiny": (recipe, range(1, 3))})
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


def test_an_unknown_recipe_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"'best'.*{', '.join(recipes.RECIPES)}"):
        recipes.reproduce("best", tmp_path)


def test_the_machine_is_described_by_processor_cores_and_versions() -> None:
    machine = recipes.describe_machine()
    assert list(machine) == ["processor", "cores", "python", "keras", "tensorflow", "numpy"]
    assert machine["cores"] >= 1
    assert machine["numpy"] == np.__version__
    assert json.loads(json.dumps(machine)) == machine
