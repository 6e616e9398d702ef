"""Few labels: where pseudo-labels come from, and that no hidden label leaks."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial.backend import keras
from mnist_tutorial.experiments import few_labels
from mnist_tutorial.experiments.run import Digits, Run, run_on_batches
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.preprocessing import prepare
from mnist_tutorial.pseudo_labelling import (
    Part,
    choose_confident,
    mixed_batches,
    sample_labelled,
)

Arrays = dict[str, NDArray[np.uint8]]
# Without normalization, whose statistics lag so early that all digits would get the
# same confident answer.
FEW = Variant(
    epochs=1, batch_size=32, label_smoothing=0.0, normalization="none", seed=2
)


@pytest.fixture(scope="module")
def data(mnist: Arrays) -> tuple[Digits, Digits]:
    """400 digits to train with, and 40 test digits."""
    train_data = prepare(mnist["x_train"][:400], mnist["y_train"][:400])
    return train_data, prepare(mnist["x_test"][:40], mnist["y_test"][:40])


class Notes(NamedTuple):
    """What each network in turn learned from, and the networks."""

    parts: list[Sequence[Part]]
    steps: list[int]
    seeds: list[int]
    networks: list[keras.Model]


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    notes = Notes([], [], [], [])

    def note_parts(parts: Sequence[Part], size: Any, steps: Any, seed: Any) -> Any:
        notes.parts.append(parts)
        notes.steps.append(steps)
        notes.seeds.append(seed)
        return mixed_batches(parts, size, steps, seed)

    def note_network(*arguments: Any) -> Run:
        model, entry = run_on_batches(*arguments)
        notes.networks.append(model)
        return model, entry

    monkeypatch.setattr(few_labels, "mixed_batches", note_parts)
    monkeypatch.setattr(few_labels, "run_on_batches", note_network)
    monkeypatch.setattr(few_labels, "THRESHOLD", 0.5)
    return notes


def count_correct(answers: NDArray[np.float32], y: NDArray[np.float32]) -> int:
    return int((answers.argmax(axis=1) == y.argmax(axis=1)).sum())


def test_pseudo_labels_come_from_the_network_before_and_both_arms_know_the_same_labels(
    data: tuple[Digits, Digits], notes: Notes
) -> None:
    (x, y), (x_test, y_test) = data
    known, hidden = sample_labelled(y.argmax(axis=1), 50, seed=2)
    (_, alone), (model, entry) = (
        few_labels.run_with_few_labels(FEW, *data, 50, arm, (20, 20, 5))
        for arm in (False, True)
    )
    assert "rounds" not in alone
    assert notes.steps == [45, 20, 20, 5], "both arms take as many steps in all"
    assert notes.seeds == [2, 2, 2, 2]
    for parts in notes.parts:
        np.testing.assert_array_equal(parts[0].x, x[known])
        np.testing.assert_array_equal(parts[0].y, y[known])
    for before, (_, pseudo), counts in zip(
        notes.networks[1:3], notes.parts[2:], entry["rounds"], strict=True
    ):
        said = before.predict(x[hidden], verbose=0)
        chosen, classes = choose_confident(said, 0.5)
        np.testing.assert_array_equal(pseudo.x, x[hidden][chosen])
        np.testing.assert_array_equal(pseudo.y.argmax(axis=1), classes)
        assert 0 < len(chosen) < len(hidden), "some are confident, and some are not"
        wrong = len(chosen) - count_correct(pseudo.y, y[hidden][chosen])
        assert wrong > 0, "no true label leaks"
        assert counts[0] == {"threshold": 0.5, "chosen": len(chosen), "wrong": wrong}
    assert model is notes.networks[-1]
    assert entry["correct"] == count_correct(model.predict(x_test, verbose=0), y_test)


def test_together_networks_with_other_initial_weights_label_by_their_mean_answer(
    data: tuple[Digits, Digits], notes: Notes
) -> None:
    x, y = data[0]
    steps = 15, 15, 5
    model, _ = few_labels.run_with_few_labels(
        FEW, *data, 50, True, steps, together=True
    )
    assert notes.seeds == [2, 1002, 2002]
    _, hidden = sample_labelled(y.argmax(axis=1), 50, seed=2)
    said = [network.predict(x[hidden], verbose=0) for network in notes.networks[:2]]
    chosen, classes = choose_confident(np.mean(said, axis=0), 0.5)
    np.testing.assert_array_equal(notes.parts[2][1].x, x[hidden][chosen])
    np.testing.assert_array_equal(notes.parts[2][1].y.argmax(axis=1), classes)
    assert model is notes.networks[-1]
