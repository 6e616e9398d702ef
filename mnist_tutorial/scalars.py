"""Numbers for signatures: Python's and NumPy's alike, but never True or False."""

from typing import Annotated, Any

import numpy as np
from beartype.vale import Is


def is_number(value: Any) -> bool:
    """Tell numbers from what Python and NumPy derive from them without being any."""
    return not isinstance(value, (bool, np.timedelta64))


def is_1_or_more(value: Any) -> bool:
    return is_number(value) and bool(value >= 1)


def is_0_to_1(value: Any) -> bool:
    return is_number(value) and bool(0 <= value <= 1)


def is_below_1(value: Any) -> bool:
    return is_number(value) and bool(0 <= value < 1)


def is_digit(value: Any) -> bool:
    return is_number(value) and bool(0 <= value <= 9)


def is_32_bits(value: Any) -> bool:
    return is_number(value) and bool(0 <= value < 2**32)


Whole = Annotated[int | np.integer, Is[is_number]]
Positive = Annotated[int | np.integer, Is[is_1_or_more]]
Digit = Annotated[int | np.integer, Is[is_digit]]
Seed = Annotated[int | np.integer, Is[is_32_bits]]  # what Python, NumPy and Keras take
Number = Annotated[int | float | np.integer | np.floating, Is[is_number]]
Probability = Annotated[int | float | np.integer | np.floating, Is[is_0_to_1]]
Fraction = Annotated[int | float | np.integer | np.floating, Is[is_below_1]]
