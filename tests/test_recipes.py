import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import data, ensembling, models, recipes, results, runs
from mnist_tutorial.backend import keras
from mnist_tutorial.preprocessing import prepare
from mnist_tutorial.recipes import Experiment
from mnist_tutorial.training import Recipe, build, save_weights, train

Arrays = dict[str, NDArray[np.uint8]]
Prepared = tuple[NDArray[np.float32], NDArray[np.float32]]


@pytest.fixture(scope="module")
def tiny(mnist: Arrays) -> Arrays:
    return {
        name: array[: 64 if "train" in name else 40] for name, array in mnist.items()
    }


@pytest.fixture(scope="module")
def train_data(tiny: Arrays) -> Prepared:
    return prepare(tiny["x_train"], tiny["y_train"])


@pytest.fixture(scope="module")
def test_data(tiny: Arrays) -> Prepared:
    return prepare(tiny["x_test"], tiny["y_test"])


def test_a_recipe_is_reproduced_seed_by_seed_and_once(
    tiny: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(epochs=1, batch_size=32, augmentation=None)
    keys = [{"seed": 1}, {"seed": 2}]
    monkeypatch.setattr(recipes, "EXPERIMENTS", {"tiny": Experiment(recipe, keys)})
    monkeypatch.setattr(
        data,
        "load_mnist",
        lambda: ((tiny["x_train"], tiny["y_train"]), (tiny["x_test"], tiny["y_test"])),
    )
    recorded = recipes.reproduce("tiny", tmp_path)
    assert [(entry["seed"], entry["digits"]) for entry in recorded["runs"]] == [
        (1, 40),
        (2, 40),
    ]
    assert (
        recorded["runs"][0]["history"]["loss"] != recorded["runs"][1]["history"]["loss"]
    )
    assert recorded["recipe"]["batch_size"] == 32
    assert "seed" not in recorded["recipe"]
    assert recorded["machine"] == runs.describe_machine()
    assert (
        recipes.reproduce("tiny", tmp_path)
        == recorded
        == results.load("tiny", tmp_path)
    )


def test_a_search_runs_every_candidate_on_digits_held_out_of_the_training_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def run(
        recipe: Recipe, train_data: Prepared, test_data: Prepared
    ) -> tuple[None, dict[str, Any]]:
        seen.append((recipe, len(train_data[0]), test_data[0]))
        return None, {
            "correct": 1,
            "digits": 1,
            "wall_seconds": 1.0,
            "history": {},
            "answers": "7",
        }

    candidates = recipes.candidates([({}, 1), ({"dropout": 0.5, "batch_size": 64}, 2)])
    experiment = Experiment(Recipe(epochs=3), candidates, "validation", run)
    monkeypatch.setitem(recipes.EXPERIMENTS, "search", experiment)
    recorded = recipes.reproduce("search", tmp_path)
    assert [(run["changes"], run["seed"]) for run in recorded["runs"]] == [
        ({}, 0),
        ({"dropout": 0.5, "batch_size": 64}, 0),
        ({"dropout": 0.5, "batch_size": 64}, 1),
    ]
    changed = Recipe(epochs=3, dropout=0.5, batch_size=64)
    assert [recipe for recipe, _, _ in seen] == [
        Recipe(epochs=3),
        changed,
        replace(changed, seed=1),
    ]
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
    keys = [{"seed": 3}, {"seed": 4}]
    monkeypatch.setattr(
        recipes, "EXPERIMENTS", {"tutorial-long": Experiment(recipe, keys)}
    )
    monkeypatch.setattr(
        data,
        "load_mnist",
        lambda: ((tiny["x_train"], tiny["y_train"]), (tiny["x_test"], tiny["y_test"])),
    )
    recorded = recipes.reproduce("tutorial-long", tmp_path / "results")
    content = (tmp_path / "weights" / "tutorial-long.npz").read_bytes()
    sums = [run.get("weights_sha256") for run in recorded["runs"]]
    assert sums == [hashlib.sha256(content).hexdigest(), None]
    first, _ = train(
        replace(recipe, seed=3), *prepare(tiny["x_train"], tiny["y_train"]), verbose=0
    )
    kept = models._load_recorded(
        tmp_path / "weights" / "tutorial-long.npz", recorded["runs"][0]
    )
    for here, there in zip(kept.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_allclose(here, there, rtol=2**-11, atol=2**-25)


def test_each_member_of_the_ensemble_is_kept_with_its_probabilities(
    tiny: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(epochs=1, batch_size=32, augmentation=None)
    keys = [
        {"changes": changes, "seed": seed}
        for seed in (5, 6)
        for changes in ({}, {"network": "deep"})
    ]
    monkeypatch.setattr(recipes, "EXPERIMENTS", {"ensemble": Experiment(recipe, keys)})
    monkeypatch.setattr(
        data,
        "load_mnist",
        lambda: ((tiny["x_train"], tiny["y_train"]), (tiny["x_test"], tiny["y_test"])),
    )
    recorded = recipes.reproduce("ensemble", tmp_path / "results")
    probabilities = ensembling.load_probabilities(tmp_path / "results")
    assert probabilities.shape == (4, len(tiny["x_test"]), 10)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, atol=2e-3)
    answers = ["".join(map(str, row)) for row in probabilities.argmax(axis=2)]
    assert answers == [run["answers"] for run in recorded["runs"]]
    assert len({row.tobytes() for row in probabilities}) == 4
    (member,) = ensembling.train_members(
        replace(recipe, network="deep"), [6], tmp_path / "members" / "deep"
    )
    model = models.build_deep_cnn()
    model.load_weights(member.path)
    x_test, _ = prepare(tiny["x_test"], tiny["y_test"])
    np.testing.assert_allclose(
        model.predict(x_test, verbose=0), probabilities[3], atol=1e-3
    )


def test_members_of_both_designs_teach_the_student(
    train_data: Prepared,
    test_data: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recipes, "MEMBERS", tmp_path)
    monkeypatch.setattr(recipes, "TEACHERS", [3])
    members = []
    for changes in recipes.DESIGNS:
        taught = replace(recipes.EXPERIMENTS["ensemble"].recipe, seed=3, **changes)
        keras.utils.set_random_seed(3)
        members.append(build(taught))
        (tmp_path / taught.network).mkdir()
        save_weights(members[-1], ensembling.weights_path(tmp_path / taught.network, 3))
    recipe = recipes.EXPERIMENTS["distilled"].recipe
    _, entry = recipes.run_with_members(
        replace(recipe, batch_size=32), train_data, test_data
    )
    assert entry["digits"] == len(test_data[0])
    with np.load(tmp_path / "lesson.npz") as lesson:
        x = lesson["pictures"][..., np.newaxis].astype(np.float32) / 255
        said = np.mean([member.predict(x, verbose=0) for member in members], axis=0)
        np.testing.assert_allclose(lesson["answers"], said, atol=1e-3)


def test_a_teacher_that_could_not_be_trained_is_named_with_the_reason(
    train_data: Prepared,
    test_data: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recipes, "MEMBERS", tmp_path)
    failed = [ensembling.Member(4, tmp_path / "seed_4.weights.h5", "the disk is full")]
    monkeypatch.setattr(ensembling, "train_members", lambda *_: failed)
    with pytest.raises(OSError, match=r"seed 4 .* the disk is full"):
        recipes.run_with_members(
            recipes.EXPERIMENTS["distilled"].recipe, train_data, test_data
        )


def test_an_unknown_recipe_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=f"{', '.join(recipes.EXPERIMENTS)}, got 'best'"
    ):
        recipes.reproduce("best", tmp_path)


@pytest.mark.parametrize(
    ("name", "parameters", "shear"),
    [
        ("article-2017", 594_922, 17),
        ("article-today", 594_922, 0.3),
        ("article-meant", 601_578, 17),
        ("article-meant-today", 601_578, 0.3),
    ],
)
def test_the_articles_four_recipes_are_its_own(
    name: str, parameters: int, shear: float
) -> None:
    recipe = recipes.EXPERIMENTS[name].recipe
    assert (
        models.build_cnn(
            recipe.normalization, recipe.dropout, recipe.pooling
        ).count_params()
        == parameters
    )
    assert recipe.augmentation == {
        "rotation": 8,
        "shift": 0.08,
        "shear": shear,
        "zoom": 0.08,
    }
    settings = (
        recipe.epochs,
        recipe.batch_size,
        recipe.optimizer,
        recipe.learning_rate,
        recipe.schedule,
    )
    assert settings == (5, 64, "adam", 0.001, "constant")
    assert (recipe.augmenter, recipe.label_smoothing, recipe.ema) == (
        "ImageDataGenerator",
        0,
        0,
    )


def test_each_ablation_takes_one_thing_from_the_recipe_and_none_sees_a_test_digit() -> (
    None
):
    tutorial = vars(recipes.EXPERIMENTS["tutorial"].recipe)
    changed = {
        name: {
            key
            for key, value in vars(experiment.recipe).items()
            if value != tutorial[key]
        }
        for name, experiment in recipes.EXPERIMENTS.items()
        if name.startswith("ablation-")
    }
    assert {recipes.EXPERIMENTS[name].scored_on for name in changed} == {"validation"}
    assert changed == {
        "ablation-none": set(),
        "ablation-no-normalization": {"normalization"},
        "ablation-no-dropout": {"dropout"},
        "ablation-strides": {"pooling"},
        "ablation-no-augmentation": {"augmentation"},
        "ablation-sgd": {"optimizer", "learning_rate"},
    }


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in recipes.EXPERIMENTS
        if (results.RESULTS / f"{name}.json").exists()
    ],
)
def test_a_recorded_result_belongs_to_its_recipe_and_counts_its_answers(
    name: str, mnist: Arrays
) -> None:
    recorded = results.load(name)
    experiment = recipes.EXPERIMENTS[name]
    assert recorded["recipe"] == {
        key: value for key, value in vars(experiment.recipe).items() if key != "seed"
    }
    assert recorded["scored_on"] == experiment.scored_on
    for run in recorded["runs"]:
        assert sum(key.items() <= run.items() for key in experiment.keys) >= 1
        assert run["digits"] == 10_000
        assert run["correct"] == run["history"]["test_correct"][-1]
        if experiment.scored_on == "test":
            answers = np.array([int(answer) for answer in run["answers"]])
            assert (answers == mnist["y_test"]).sum() == run["correct"]


def test_the_recorded_ensemble_answers_as_recorded() -> None:
    recorded = results.load("ensemble")["runs"]
    answers = ensembling.load_probabilities().argmax(axis=2)
    assert ["".join(map(str, row)) for row in answers] == [
        run["answers"] for run in recorded
    ]
