"""Numbers for signatures: Python's and NumPy's alike, but never True or False."""

import math
from typing import Annotated, Any

import numpy as np
from beartype.vale import Is
from typing_extensions import TypeAliasType


def is_number(value: Any) -> bool:
    """Tell finite numbers from the rest, and from what only is derived from numbers."""
    is_none = isinstance(value, (bool, np.timedelta64))
    return not is_none and bool(abs(value) < math.inf)


def is_1_or_more(value: Any) -> bool:
    return is_number(value) and bool(value >= 1)


def is_0_to_1(value: Any) -> bool:
    return is_number(value) and bool(0 <= value <= 1)


def is_below_1(value: Any) -> bool:
    return is_number(value) and bool(0 <= value < 1)


def is_above_0(value: Any) -> bool:
    return is_number(value) and bool(value > 0)


def is_digit(value: Any) -> bool:
    return is_number(value) and bool(0 <= value <= 9)


def is_32_bits(value: Any) -> bool:
    return is_number(value) and bool(0 <= value < 2**32)


# Named, so that signatures and errors say Positive and not what it is made of.
Whole = TypeAliasType("Whole", Annotated[int | np.integer, Is[is_number]])
Positive = TypeAliasType("Positive", Annotated[Whole, Is[is_1_or_more]])
Digit = TypeAliasType("Digit", Annotated[Whole, Is[is_digit]])
Seed = TypeAliasType("Seed", Annotated[Whole, Is[is_32_bits]])  # as NumPy wants it
Number = TypeAliasType("Number", Annotated[Whole | float | np.floating, Is[is_number]])
Probability = TypeAliasType("Probability", Annotated[Number, Is[is_0_to_1]])
Fraction = TypeAliasType("Fraction", Annotated[Number, Is[is_below_1]])
AboveZero = TypeAliasType("AboveZero", Annotated[Number, Is[is_above_0]])
