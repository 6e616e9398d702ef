from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mnist_tutorial import ensembling, results
from mnist_tutorial.ensembling import jackknife, majority_vote, sample_ensembles
from mnist_tutorial.experiments.ensemble import keep_probabilities

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(2, 4))
NUMBERS = st.floats(0, 1, width=32)


def test_of_classes_with_as_many_votes_the_one_with_the_highest_average_wins() -> None:
    members = np.array([[[0.5, 0.3, 0.2]], [[0.2, 0.5, 0.3]], [[0.1, 0.2, 0.7]]])
    assert majority_vote(members).tolist() == [2]


@given(hnp.arrays(np.float32, SHAPES, elements=NUMBERS, unique=True))
def test_the_vote_goes_to_a_class_that_no_other_beats(said: Any) -> None:
    votes = np.apply_along_axis(np.bincount, 0, said.argmax(axis=2), minlength=4)
    winners = majority_vote(said)
    best = votes.max(axis=0)
    np.testing.assert_array_equal(votes[winners, range(len(winners))], best)
    mean = said.mean(axis=0)
    np.testing.assert_allclose(ensembling.average(said), mean, rtol=1e-5)


@pytest.mark.parametrize("function", [ensembling.average, majority_vote])
@pytest.mark.parametrize("wrong", [-0.1, 2.5, np.nan])
def test_numbers_that_are_no_probabilities_are_refused(
    function: Any, wrong: float
) -> None:
    probabilities = np.full((2, 3, 4), 0.25)
    probabilities[1, 2, 3] = wrong
    with pytest.raises(ValueError, match="from 0 to 1"):
        function(probabilities)
    with pytest.raises(ValueError, match="one or more"):
        function(probabilities[:0])


def test_a_member_s_probabilities_are_kept_at_its_place_and_can_be_replaced(
    tmp_path: Path,
) -> None:
    said = np.random.default_rng(0).random((3, 4, 10), dtype=np.float32)
    for place, which in ((0, 0), (1, 1), (1, 2)):
        keep_probabilities(said[which], place, tmp_path)
    kept = results.load_probabilities(tmp_path)
    np.testing.assert_array_equal(kept, said[[0, 2]].astype(np.float16))
    with pytest.raises(ValueError, match="holds 2 members"):
        keep_probabilities(said[0], 3, tmp_path)


# The gain by number of members


def some_members(count: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=50)
    probabilities = (random.random((count, 50, 3)) + 0.4 * np.eye(3)[labels]) / 1.4
    return probabilities.astype(np.float32), labels


def errors_of(probabilities: Any, labels: Any, chosen: tuple[int, ...]) -> int:
    answers = ensembling.average(probabilities[list(chosen)]).argmax(axis=1)
    return int((answers != labels).sum())


def test_all_ensembles_are_tried_where_they_are_few() -> None:
    probabilities, labels = some_members(4)
    pairs = list(combinations(range(4), 2))
    expected = [errors_of(probabilities, labels, pair) for pair in pairs]
    errors, without = sample_ensembles(probabilities, labels, 2, samples=6, seed=0)
    assert errors.tolist() == expected
    last = [each for each, pair in zip(expected, pairs, strict=True) if 3 not in pair]
    assert without[3] == pytest.approx(np.mean(last))


def test_every_sample_is_an_ensemble_of_that_size() -> None:
    probabilities, labels = some_members(6)
    possible = {
        errors_of(probabilities, labels, three) for three in combinations(range(6), 3)
    }
    errors, again, other = (
        sample_ensembles(probabilities, labels, size=3, samples=19, seed=seed).errors
        for seed in (0, 0, 1)
    )
    assert len(errors) == 19
    assert set(errors.tolist()) <= possible
    np.testing.assert_array_equal(errors, again)
    assert (errors != other).any()


@given(hnp.arrays(float, st.integers(2, 8), elements=st.integers(0, 100)))
def test_the_jackknife_gives_the_usual_standard_error_of_a_mean(values: Any) -> None:
    without = (values.sum() - values) / (len(values) - 1)
    usual = values.std(ddof=1) / np.sqrt(len(values))
    assert jackknife(without) == pytest.approx(usual, abs=1e-6)


def test_no_standard_error_is_made_up_where_a_member_is_never_left_out() -> None:
    with pytest.warns(RuntimeWarning):  # NumPy's, of a mean of nothing
        sampled = sample_ensembles(*some_members(4), size=4, samples=100, seed=0)
    assert np.isnan(jackknife(sampled.means_without))
    with pytest.raises(ValueError, match="two or more"):
        jackknife(np.array([3.0]))
    with pytest.raises(ValueError, match="at most 4"):
        sample_ensembles(*some_members(4), size=5, samples=100, seed=0)
