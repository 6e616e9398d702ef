from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mnist_tutorial import results
from mnist_tutorial.ensembling import average, majority_vote, sample_ensembles
from mnist_tutorial.experiments.ensemble import keep_probabilities

PROBABILITIES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(2, 4)),
    elements=st.floats(0, 1, width=32),
    unique=True,
)


def test_average_and_vote_of_three_worked_out_by_hand() -> None:
    members = np.array(
        [
            [[0.6, 0.4, 0.0], [0.5, 0.3, 0.2]],
            [[0.6, 0.4, 0.0], [0.2, 0.5, 0.3]],
            [[0.0, 0.9, 0.1], [0.1, 0.2, 0.7]],
        ]
    )
    expected = [[0.4, 1.7 / 3, 0.1 / 3], [0.8 / 3, 1 / 3, 0.4]]
    np.testing.assert_allclose(average(members), expected)
    # Two of three; one vote each, so the highest average.
    assert majority_vote(members).tolist() == [0, 2]


@given(PROBABILITIES)
def test_the_vote_goes_to_a_class_that_no_other_beats(
    probabilities: NDArray[np.float32],
) -> None:
    choices, classes = probabilities.argmax(axis=2), probabilities.shape[2]
    votes = np.apply_along_axis(np.bincount, 0, choices, minlength=classes)
    winners = majority_vote(probabilities)
    best = votes.max(axis=0)
    np.testing.assert_array_equal(votes[winners, range(len(winners))], best)
    mean = probabilities.mean(axis=0)
    np.testing.assert_allclose(average(probabilities), mean, rtol=1e-5)


@pytest.mark.parametrize("function", [average, majority_vote])
@pytest.mark.parametrize("wrong", [-0.1, 2.5, np.nan, np.inf])
def test_numbers_that_are_no_probabilities_are_refused(
    function: Any, wrong: float
) -> None:
    probabilities = np.full((2, 3, 4), 0.25)
    probabilities[1, 2, 3] = wrong
    with pytest.raises(ValueError, match="from 0 to 1"):
        function(probabilities)
    with pytest.raises(ValueError, match="one or more"):
        function(probabilities[:0])


def test_what_a_member_says_is_kept_at_its_place_and_replaced_when_said_again(
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


def test_every_sample_is_an_ensemble_of_that_size_and_its_errors_are_its_own() -> None:
    probabilities, labels = some_members(4)
    possible = {
        int((average(probabilities[list(chosen)]).argmax(axis=1) != labels).sum())
        for chosen in combinations(range(4), 2)
    }
    errors, again, other = (
        sample_ensembles(probabilities, labels, size=2, samples=200, seed=seed).errors
        for seed in (0, 0, 1)
    )
    assert len(errors) == 200
    assert set(errors.tolist()) == possible
    np.testing.assert_array_equal(errors, again)
    assert (errors != other).any()


def test_the_standard_error_of_single_members_is_the_usual_one() -> None:
    probabilities, labels = some_members(6)
    errors = (probabilities.argmax(axis=2) != labels).sum(axis=1)
    sampled = sample_ensembles(probabilities, labels, size=1, samples=20_000, seed=0)
    assert sampled.errors.mean() == pytest.approx(errors.mean(), rel=0.01)
    usual = errors.std(ddof=1) / np.sqrt(6)
    assert sampled.standard_error == pytest.approx(usual, rel=0.05)


@pytest.mark.parametrize(("size", "samples"), [(4, 100), (3, 1)])
def test_no_standard_error_is_made_up_where_a_member_is_never_left_out(
    size: int, samples: int
) -> None:
    with pytest.warns(RuntimeWarning):  # NumPy's, of a mean of nothing
        sampled = sample_ensembles(*some_members(4), size, samples, seed=0)
    assert np.isnan(sampled.standard_error)
