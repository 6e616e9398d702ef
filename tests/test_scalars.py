"""Numbers in signatures, at their edges."""

from typing import Any

import numpy as np
import pytest
from beartype.door import is_bearable

from mnist_tutorial.scalars import (
    AboveZero,
    Digit,
    Fraction,
    Number,
    Positive,
    Probability,
    Seed,
)

EDGES: dict[Any, tuple[list[Any], list[Any]]] = {  # what fits, and what just does not
    Positive: ([1, np.int8(3)], [0, 1.0, "1"]),
    Digit: ([0, np.uint8(9)], [-1, 10]),
    Seed: ([0, 2**32 - 1], [-1, 2**32, 0.5]),
    Number: ([-0.5, 3, np.float16(2)], ["3", 1j]),
    Probability: ([0, 1, np.float32(0.5)], [-0.001, 1.001, float("nan")]),
    Fraction: ([0, 0.999], [1, -0.1, float("nan")]),
    AboveZero: ([1e-9, 1000], [0, -0.1, float("inf")]),
}


@pytest.mark.parametrize("kind", EDGES)
def test_numbers_are_held_to_their_range_and_truth_is_no_number(kind: Any) -> None:
    fit, unfit = EDGES[kind]
    assert all(is_bearable(value, kind) for value in fit)
    unfit = [*unfit, True, np.True_, np.timedelta64(1, "s"), None]
    assert not any(is_bearable(value, kind) for value in unfit)
