"""Recorded results are read as they were written, or refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_tutorial import results

ABOUT = {"recipe": {"epochs": 5}, "machine": {"cores": 2}}
RUN = {"seed": 0, "correct": 9950, "digits": 10000, "history": {"loss": [0.1]}}


def write(folder: Path, *lines: Any) -> Path:
    path = folder / "first.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_record_is_what_its_runs_share_and_the_list_of_them(tmp_path: Path) -> None:
    write(tmp_path, ABOUT, RUN, RUN | {"seed": 1})
    expected = {"name": "first", **ABOUT, "runs": [RUN, RUN | {"seed": 1}]}
    assert results.load("first", tmp_path) == expected


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [5],
        [ABOUT, 5],
        [ABOUT, {"seed": 0}],
        [ABOUT, RUN | {"correct": 10001}],
        [ABOUT, RUN | {"correct": -1}],
        [ABOUT, RUN | {"correct": None}],
    ],
)
def test_a_damaged_record_is_refused(tmp_path: Path, lines: list[Any]) -> None:
    path = write(tmp_path, *lines)
    with pytest.raises(ValueError) as error:
        results.load("first", tmp_path)
    assert str(path) in str(error.value)


def test_the_ensemble_says_of_each_test_digit_what_its_answers_are(
    mnist: dict[str, Any],
) -> None:
    probabilities, record = results.load_probabilities(), results.load("ensemble")
    assert probabilities.shape == (len(record["runs"]), 10000, 10)
    for said, run in zip(probabilities, record["runs"], strict=True):
        correct = np.sum(said.argmax(axis=1) == mnist["y_test"])
        assert abs(correct - run["correct"]) <= 1  # rounded to float16, one may be tied
