import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import results, runs
from mnist_tutorial.backend import keras
from mnist_tutorial.preprocessing import one_hot, prepare
from mnist_tutorial.pseudo_labelling import (
    Part,
    choose_confident,
    draw_labelled,
    mixed_batches,
)
from mnist_tutorial.training import Recipe, build, evaluate, fit, train

Arrays = dict[str, NDArray[np.uint8]]
Prepared = tuple[NDArray[np.float32], NDArray[np.float32]]


@pytest.fixture(scope="module")
def train_data(mnist: Arrays) -> Prepared:
    return prepare(mnist["x_train"][:64], mnist["y_train"][:64])


@pytest.fixture(scope="module")
def test_data(mnist: Arrays) -> Prepared:
    return prepare(mnist["x_test"][:40], mnist["y_test"][:40])


def test_a_run_is_recorded_as_documented(
    train_data: Prepared,
    test_data: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = Recipe(epochs=2, batch_size=16, seed=3)
    ticks = SimpleNamespace(
        perf_counter=itertools.count().__next__
    )  # a clock that ticks when it is read
    monkeypatch.setattr(runs, "time", ticks)
    trained, entry = runs.run(recipe, train_data, test_data)
    assert entry["digits"] == 40
    assert entry["wall_seconds"] == 5 - 2, (
        "from tick 0 to tick 5, without a tick for scoring each epoch"
    )
    model, _ = train(recipe, *train_data, verbose=0)
    np.testing.assert_array_equal(trained.get_weights()[0], model.get_weights()[0])
    assert entry["answers"] == "".join(
        map(str, model.predict(test_data[0], verbose=0).argmax(axis=1))
    )
    assert (
        entry["correct"]
        == 40 - evaluate(model, *test_data).errors
        == entry["history"]["test_correct"][-1]
    )
    assert {name: len(values) for name, values in entry["history"].items()} == {
        "loss": 2,
        "accuracy": 2,
        "test_correct": 2,
        "test_loss": 2,
    }
    cross_entropy = keras.losses.categorical_crossentropy(
        test_data[1], model.predict(test_data[0], verbose=0)
    )
    assert entry["history"]["test_loss"][-1] == pytest.approx(
        np.mean(cross_entropy), abs=1e-4
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
    about = {"recipe": {}, "machine": runs.describe_machine()}
    results.record("run", about, [{"seed": 3}], lambda seed: entry, tmp_path)
    assert results.load("run", tmp_path)["runs"] == [{"seed": 3, **entry}]


class NoteAnswers(keras.callbacks.Callback):
    def __init__(self, x: NDArray[np.float32]) -> None:
        super().__init__()
        self.x = x
        self.answers: list[NDArray[np.intp]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.answers.append(self.model.predict(self.x, verbose=0).argmax(axis=1))


def test_the_last_epoch_counts_even_if_an_earlier_one_was_better(
    train_data: Prepared, test_data: Prepared
) -> None:
    recipe = Recipe(epochs=2, batch_size=16, seed=3)
    note = NoteAnswers(test_data[0])
    train(recipe, *train_data, callbacks=[note], verbose=0)
    as_after_the_first = one_hot(note.answers[0])
    _, entry = runs.run(recipe, train_data, (test_data[0], as_after_the_first))
    agreeing = int((note.answers[1] == note.answers[0]).sum())
    assert entry["history"]["test_correct"] == [40, agreeing]
    assert entry["correct"] == agreeing < 40


@pytest.mark.parametrize("moment", ["on_train_begin", "on_epoch_end"])
def test_a_run_that_is_stopped_is_no_result(
    train_data: Prepared,
    test_data: Prepared,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    def press_ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs._ScoreAfterEpoch, moment, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        runs.run(Recipe(epochs=1), train_data, test_data)


def test_pseudo_labels_come_from_the_network_before_and_hide_the_labels(
    mnist: Arrays, test_data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = prepare(mnist["x_train"][:400], mnist["y_train"][:400])
    monkeypatch.setattr(runs, "THRESHOLD", 0.8)
    monkeypatch.setattr(runs, "THRESHOLDS", (0.0, 0.5, 0.8))
    mixed: list[list[Part]] = []

    def note(parts: Sequence[Part], *arguments: Any) -> Any:
        mixed.append(list(parts))
        return mixed_batches(parts, *arguments)

    monkeypatch.setattr(runs, "mixed_batches", note)
    # Without normalization, whose statistics lag so early that all digits would get the same sure answer.
    recipe = Recipe(
        epochs=1, batch_size=32, label_smoothing=0.0, normalization="none", seed=2
    )
    model, entry = runs.run_with_few_labels(
        recipe, (x, y), test_data, labels=50, pseudo_labels=True, steps=(20, 10, 10)
    )
    known, hidden = draw_labelled(y.argmax(axis=1), 50, seed=2)
    assert [[part.share for part in parts] for parts in mixed] == [
        [1],
        [0.25, 0.75],
        [0.25, 0.75],
    ]
    for parts in mixed:
        np.testing.assert_array_equal(parts[0].x, x[known])
        np.testing.assert_array_equal(parts[0].y, y[known])
    first, _ = fit(
        recipe, mixed_batches([Part(x[known], y[known], 1)], 32, 20, seed=2), verbose=0
    )
    chosen, answers = choose_confident(first.predict(x[hidden], verbose=0), 0.8)
    np.testing.assert_array_equal(mixed[1][1].x, x[hidden[chosen]])
    np.testing.assert_array_equal(mixed[1][1].y.argmax(axis=1), answers)
    assert [count["threshold"] for count in entry["rounds"][0]] == [0.0, 0.5, 0.8]
    for count in entry["rounds"][0]:
        chosen, answers = choose_confident(
            first.predict(x[hidden], verbose=0), count["threshold"]
        )
        wrong = int((answers != y[hidden[chosen]].argmax(axis=1)).sum())
        assert (count["chosen"], count["wrong"]) == (len(chosen), wrong)
    assert 50 < len(chosen) < 300, "some are sure, and some are not"
    assert (
        len(mixed[2][1].x)
        == {count["threshold"]: count for count in entry["rounds"][1]}[0.8]["chosen"]
    )
    assert entry["correct"] == 40 - evaluate(model, *test_data).errors


def test_both_arms_know_the_same_labels_and_do_as_many_steps(
    mnist: Arrays, test_data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = prepare(mnist["x_train"][:200], mnist["y_train"][:200])
    monkeypatch.setattr(runs, "THRESHOLD", 0.0)
    steps: dict[bool, int] = {}
    seen: dict[bool, NDArray[np.float32]] = {}
    for pseudo_labels in (False, True):

        def note(
            parts: Sequence[Part], *arguments: Any, arm: bool = pseudo_labels
        ) -> Any:
            steps[arm] = steps.get(arm, 0) + arguments[1]
            seen[arm] = parts[0].x
            return mixed_batches(parts, *arguments)

        monkeypatch.setattr(runs, "mixed_batches", note)
        recipe = Recipe(epochs=1, batch_size=16, seed=4)
        _, entry = runs.run_with_few_labels(
            recipe, (x, y), test_data, 20, pseudo_labels, (3, 2, 4)
        )
        assert ("rounds" in entry) == pseudo_labels
    assert steps == {False: 9, True: 9}
    np.testing.assert_array_equal(seen[False], seen[True])


def test_together_networks_with_other_first_weights_label_by_their_mean_answer(
    mnist: Arrays, test_data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = prepare(mnist["x_train"][:400], mnist["y_train"][:400])
    monkeypatch.setattr(runs, "THRESHOLD", 0.5)
    seeds: list[int] = []
    networks: list[keras.Model] = []
    learned: list[Part] = []
    run_on_batches = runs.run_on_batches

    def note_network(recipe: Recipe, *arguments: Any) -> runs.Run:
        seeds.append(recipe.seed)
        model, entry = run_on_batches(recipe, *arguments)
        networks.append(model)
        return model, entry

    def note_part(parts: Sequence[Part], *arguments: Any) -> Any:
        learned.append(parts[-1])
        return mixed_batches(parts, *arguments)

    monkeypatch.setattr(runs, "run_on_batches", note_network)
    monkeypatch.setattr(runs, "mixed_batches", note_part)
    recipe = Recipe(
        epochs=1, batch_size=32, label_smoothing=0.0, normalization="none", seed=2
    )
    model, entry = runs.run_with_few_labels(
        recipe, (x, y), test_data, 50, True, (15, 15, 5), together=True
    )
    assert seeds == [2, 1002, 2002]
    _, hidden = draw_labelled(y.argmax(axis=1), 50, seed=2)
    mean = np.mean(
        [network.predict(x[hidden], verbose=0) for network in networks[:2]], axis=0
    )
    chosen, answers = choose_confident(mean, 0.5)
    np.testing.assert_array_equal(learned[2].x, x[hidden[chosen]])
    np.testing.assert_array_equal(learned[2].y.argmax(axis=1), answers)
    assert entry["correct"] == 40 - evaluate(networks[2], *test_data).errors
    assert model is networks[2]


def test_the_articles_way_practises_on_the_test_digits_with_their_soft_labels(
    train_data: Prepared, test_data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[Any] = []

    def note(*arguments: Any) -> Any:
        noted.append(arguments)
        return mixed_batches(*arguments)

    monkeypatch.setattr(runs, "mixed_batches", note)
    recipe = Recipe(epochs=2, batch_size=16, seed=3)
    train_data = (
        train_data[0][:60],
        train_data[1][:60],
    )  # the last of four batches is smaller
    _, entry = runs.run_with_test_images(recipe, train_data, test_data)
    ((labelled, practised), batch_size, steps, seed) = noted[0]
    assert (batch_size, steps, seed) == (16, 4, 3)
    assert (labelled.share, practised.share) == (0.75, 0.25)
    first, _ = train(recipe, *train_data, verbose=0)
    soft = first.predict(test_data[0], batch_size=500, verbose=0)
    np.testing.assert_array_equal(practised.x, test_data[0])
    np.testing.assert_allclose(practised.y, soft, rtol=1e-6)
    assert (
        entry["correct_before"]
        == (soft.argmax(axis=1) == test_data[1].argmax(axis=1)).sum()
    )
    assert len(entry["history"]["test_correct"]) == 2


def test_a_student_learns_what_its_teachers_say_of_the_very_pictures_it_sees(
    train_data: Prepared,
    test_data: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teachers = []
    for taught in (
        Recipe(epochs=1, batch_size=16),
        Recipe(epochs=1, batch_size=16, network="deep"),
    ):
        model, _ = train(taught, *train_data, verbose=0)
        teachers.append((taught, tmp_path / f"{taught.network}.weights.h5"))
        model.save_weights(teachers[-1][1])
    noted: list[Any] = []

    def note(*arguments: Any) -> Any:
        noted.append(arguments)
        return mixed_batches(*arguments)

    monkeypatch.setattr(runs, "mixed_batches", note)
    recipe = Recipe(epochs=1, batch_size=16, label_smoothing=0.0, augmentation=None)
    for seed in (0, 1):  # the second one finds the lesson
        student, entry = runs.run_with_teachers(
            replace(recipe, seed=seed),
            train_data,
            test_data,
            teachers,
            tmp_path / "lesson.npz",
        )
    (((first,), _, _, _), ((part,), batch_size, steps, seed)) = noted
    assert (batch_size, steps, seed, part.share) == (16, 5 * 64 / 16, 1, 1)
    np.testing.assert_array_equal(part.x, first.x)
    assert part.x.shape == (5 * 64, 28, 28, 1)
    copies = part.x.reshape(5, 64, 28, 28)
    assert (np.abs(copies - train_data[0][..., 0]).mean(axis=(1, 2, 3)) > 0.01).all(), (
        "augmented"
    )
    assert len({copy.tobytes() for copy in copies}) == 5
    said = []
    for taught, path in teachers:
        model = build(taught)
        model.load_weights(path)
        said.append(model.predict(part.x, verbose=0))
    np.testing.assert_allclose(part.y, np.mean(said, axis=0), atol=1e-3)
    assert entry["correct"] == 40 - evaluate(student, *test_data).errors


def test_the_machine_is_described_by_processor_cores_and_versions() -> None:
    machine = runs.describe_machine()
    assert list(machine) == [
        "processor",
        "cores",
        "python",
        "keras",
        "tensorflow",
        "numpy",
    ]
    assert machine["cores"] >= 1
    assert machine["numpy"] == np.__version__
    assert json.loads(json.dumps(machine)) == machine
