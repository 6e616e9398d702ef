from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tutorial.pseudo_labelling import (
    Part,
    choose_confident,
    mixed_batches,
    sample_labelled,
)


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_each_class_gets_as_many_labels_and_no_digit_is_lost(
    each: int, seed: int
) -> None:
    labels = np.random.default_rng(7).permutation(np.repeat(range(10), range(4, 14)))
    known, hidden = sample_labelled(labels, 10 * each, seed)
    assert np.bincount(labels[known]).tolist() == [each] * 10
    assert sorted([*known, *hidden]) == list(range(len(labels)))
    assert (np.diff(known) > 0).all()
    assert (np.diff(hidden) > 0).all()


def test_a_seed_samples_the_same_digits_and_another_one_others() -> None:
    labels = np.arange(1000) % 10
    sampled = [sample_labelled(labels, 50, seed)[0].tolist() for seed in (0, 0, 1)]
    assert sampled[0] == sampled[1] != sampled[2]


@pytest.mark.parametrize("count", [5, 15, 60])
def test_a_count_that_cannot_be_sampled_is_refused(count: int) -> None:
    with pytest.raises(ValueError):
        sample_labelled(np.arange(50) % 10, count, seed=0)


def test_the_confident_ones_of_four_worked_out_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.06, 0.94], [0.5, 0.5], [0.01, 0.99]])
    chosen, answers = choose_confident(probabilities, 0.95)
    assert (chosen.tolist(), answers.tolist()) == ([0, 3], [0, 1])
    assert [array.tolist() for array in choose_confident(probabilities, 1)] == [[], []]
    assert choose_confident(probabilities, 0)[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("row", [[3.0, -1.0], [0.5, np.nan], [0.5, 0.4]])
def test_logits_are_not_taken_for_probabilities(row: list[float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        choose_confident(np.array([[0.5, 0.5], row]), 0.5)


def part(count: int, first: int, fraction: float) -> Part:
    """Images whose first pixel is their number, with labels that say the same."""
    numbers = np.arange(first, first + count, dtype=np.float32)
    x, y = np.zeros((count, 28, 28, 1), np.float32), np.zeros((count, 10), np.float32)
    x[:, 0, 0, 0] = y[:, 0] = numbers
    return Part(x, y, fraction)


def epoch_of(dataset: Any) -> list[NDArray[np.float32]]:
    """Return the numbers in each batch, where images and labels agree on them."""
    batches = [(np.asarray(x)[:, 0, 0, 0], np.asarray(y)[:, 0]) for x, y in dataset]
    for x, y in batches:
        np.testing.assert_array_equal(x, y)
    return [y for _, y in batches]


def test_each_part_has_its_fraction_of_each_batch_and_each_digit_its_turn() -> None:
    parts = [part(6, 0, 0.25), part(40, 100, 0.75)]
    dataset = mixed_batches(parts, batch_size=8, steps=9, seed=1)
    assert len(dataset) == 9
    batches = epoch_of(dataset)
    sizes = [((batch < 100).sum(), (batch >= 100).sum()) for batch in batches]
    assert sizes == [(2, 6)] * 9
    small = np.concatenate([batch[batch < 100] for batch in batches])
    for turn in np.split(small, 3):
        assert sorted(turn) == [0, 1, 2, 3, 4, 5]
    large = np.concatenate([batch[batch >= 100] for batch in batches])
    assert sorted(large[:40]) == list(range(100, 140))


def test_the_order_is_the_seeds_and_another_one_in_the_next_epoch() -> None:
    def epochs(seed: int) -> list[list[float]]:
        dataset = mixed_batches([part(30, 0, 1)], batch_size=10, steps=3, seed=seed)
        return [np.concatenate(epoch_of(dataset)).tolist() for _ in range(2)]

    first = epochs(1)
    assert first == epochs(1) != epochs(2)
    assert first[0] != first[1]
    assert first[0] != list(range(30))


def test_fractions_need_not_be_exact_and_parts_of_one_size_differ_in_order() -> None:
    parts = [part(55, 0, 0.55), part(45, 100, 0.45)]
    (batch,) = epoch_of(mixed_batches(parts, batch_size=100, steps=1, seed=1))
    assert [(batch < 100).sum(), (batch >= 100).sum()] == [55, 45]
    halves = [part(50, 0, 0.5), part(50, 100, 0.5)]
    (batch,) = epoch_of(mixed_batches(halves, batch_size=100, steps=1, seed=0))
    assert (batch[:50] + 100 != batch[50:]).any()


@pytest.mark.parametrize("fractions", [[0.5], [0.3, 0.7], [1, 0], [1, 1], []])
def test_parts_that_make_no_batch_are_refused(fractions: list[float]) -> None:
    parts = [part(5, 0, fraction) for fraction in fractions]
    with pytest.raises(ValueError, match="8 places"):
        mixed_batches(parts, batch_size=8, steps=1, seed=0)
