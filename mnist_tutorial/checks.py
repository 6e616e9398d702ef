"""Check what a user gives: each function returns it, or says in an error what it is and what was expected."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {
    "b": "True or False",
    "iu": "whole numbers",
    "f": "floats",
    "iuf": "numbers",
    "buif": "numbers",
}
LARGEST = (
    2**31 - 1
)  # the largest whole number that is asked for anywhere, and that all libraries take


def array(
    name: str, value: Any, shape: Iterable[int | str], kinds: str = "buif"
) -> NDArray[Any]:
    """Return a NumPy array with numbers of these kinds, as in dtype.kind, and of this shape.

    A number in `shape` is a length that must be so, a word any length but 0. Raises TypeError or ValueError.
    """
    shape = tuple(shape)
    wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    if not isinstance(value, np.ndarray):
        found = f"{type(value).__name__} {shown(value)}"
        raise TypeError(
            f"{name} must be a NumPy array of {KINDS[kinds]} of shape {wanted}, got {found}."
        )
    if value.size and value.dtype.kind not in kinds:
        raise TypeError(
            f"{name} must be an array of {KINDS[kinds]}, got {shown(value)}."
        )
    fits = [
        isinstance(one, str) or one == length
        for one, length in zip(shape, value.shape, strict=False)
    ]
    if value.ndim != len(shape) or value.size == 0 or not all(fits):
        raise ValueError(
            f"{name} must have shape {wanted} and not be empty, got {shown(value)}."
        )
    return value


def array_like(
    name: str, value: Any, shape: Iterable[int | str], kinds: str = "buif"
) -> NDArray[Any]:
    """Return what `array` does, of lists of numbers too."""
    try:
        values = np.asarray(value)
    except Exception as error:  # lists of unequal length, or whatever an object's own conversion raises
        raise TypeError(
            f"{name} must be an array of {KINDS[kinds]}, got {shown(value)}."
        ) from error
    return array(name, values, shape, kinds)


def finite(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return an array without NaN and infinity. Raises ValueError."""
    good = np.isfinite(values)
    if not good.all():
        raise ValueError(
            f"{name} must be finite numbers, found {values[~good][0]}, as NaN or infinity."
        )
    return values


def shares(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of numbers from 0 to 1, such as probabilities. Raises ValueError."""
    wrong = finite(name, values)[
        (values < 0) | (values > 1.001)
    ]  # rounding may leave a little more than 1
    if len(wrong):
        raise ValueError(f"{name} must be numbers from 0 to 1, found {wrong[0]}.")
    return values


def whole_number(name: str, value: Any, least: int, most: int = LARGEST) -> int:
    """Return a whole number from `least` to `most`. Raises ValueError."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(
        value, (bool, np.timedelta64)
    )
    if not is_whole or not least <= value <= most:
        raise ValueError(
            f"{name} must be a whole number from {least} to {most}, got {shown(value)}."
        )
    return int(value)


def number(
    name: str, value: Any, expected: str, fits: Callable[[float], bool]
) -> float:
    """Return a number that fits, "from 0 to 1" for one. Raises ValueError."""
    kinds = (int, float, np.integer, np.floating)
    is_number = isinstance(value, kinds) and not isinstance(
        value, (bool, np.timedelta64)
    )
    if not is_number or not fits(value):
        raise ValueError(f"{name} must be a number {expected}, got {shown(value)}.")
    return value if isinstance(value, int) else float(value)


def number_between(name: str, value: Any, least: float, most: float) -> float:
    """Return a number from `least` to `most`. Raises ValueError."""
    return number(
        name, value, f"from {least} to {most}", lambda one: least <= one <= most
    )


def share_below_1(name: str, value: Any) -> float:
    """Return a share that leaves something over. Raises ValueError."""
    return number(
        name, value, "from 0 up to, not including, 1", lambda share: 0 <= share < 1
    )


def seed(value: Any) -> int:
    """Return a seed that Python, NumPy and Keras take. Raises ValueError."""
    return whole_number("seed", value, 0, 2**32 - 1)


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return one of the choices. Raises ValueError."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{name} must be one of {', '.join(choices)}, got {shown(value)}."
        )
    return value


def path(value: Any, name: str = "path") -> Path:
    """Return a path. Raises TypeError for what is none, ValueError for one that no file can have."""
    if not isinstance(value, (str, Path)):
        raise TypeError(f"{name} must be a string or a Path, got {shown(value)}.")
    try:
        Path(value).stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # whoever reads it says so
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{name} must be one that a file can have, got {shown(value)}."
        ) from error
    return Path(value)


def path_to_write(value: Any) -> Path:
    """Return a path in a folder that exists. Raises TypeError, ValueError, FileNotFoundError."""
    file = path(value)
    if file.is_dir():
        raise ValueError(f"{file} is a folder; expected the name of a file to write.")
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {file.parent} to write {file.name} to."
        )
    return file


def items(name: str, value: Any) -> list[Any]:
    """Return the items of a list, a range, an array... Raises TypeError."""
    try:
        return list(value)
    except TypeError as error:
        raise TypeError(f"{name} must be a list, got {shown(value)}.") from error


def kind(name: str, value: Any, expected: type | tuple[type, ...], words: str) -> Any:
    """Return an object of the expected class. Raises TypeError."""
    if not isinstance(value, expected):
        raise TypeError(f"{name} must be {words}, got {shown(value)}.")
    return value


def shown(value: Any) -> str:
    """Describe a value in a few words, whatever it is."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    try:
        value = value.item() if isinstance(value, np.generic) else value
        return " ".join(f"{value!r:.80}".split())
    except Exception:  # a number of 5,000 digits, a list in a list in a list...
        return f"a value of type {type(value).__name__} that cannot be shown"
