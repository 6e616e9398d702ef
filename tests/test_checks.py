"""The checks at their edges: what just fits comes back, and what just does not is named in the error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_tutorial import checks

Check = Callable[..., Any]


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no words for it")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("nor numbers")


@pytest.mark.parametrize(
    "check, arguments, value",
    [
        (checks.whole_number, (1, 3), 1),
        (checks.whole_number, (1, 3), np.int8(3)),
        (checks.whole_number, (1,), 2**31 - 1),
        (checks.number_between, (0, 1), 0),
        (checks.number_between, (0, 1), np.float32(1)),
        (checks.number_between, (0, 1), 0.5),
        (checks.number_between, (-1, 1), np.int64(-1)),
        (checks.share_below_1, (), 0),
        (checks.share_below_1, (), 0.999),
        (checks.choice, (["one", "two"],), "two"),
        (checks.kind, (int, "a number"), 3),
    ],
)
def test_what_just_fits_comes_back(
    check: Check, arguments: tuple[Any, ...], value: Any
) -> None:
    assert check("size", value, *arguments) == value


@pytest.mark.parametrize(
    "check, arguments, value, says",
    [
        (
            checks.whole_number,
            (1, 3),
            0,
            "size must be a whole number from 1 to 3, got 0.",
        ),
        (
            checks.whole_number,
            (1, 3),
            np.int8(4),
            "size must be a whole number from 1 to 3, got 4.",
        ),
        (
            checks.whole_number,
            (1,),
            2**31,
            "from 1 to 2147483647, got 2147483648.",
        ),
        (checks.whole_number, (0, 3), True, "got True."),
        (checks.whole_number, (0, 3), 1.0, "got 1.0."),
        (checks.whole_number, (0, 3), np.timedelta64(1, "s"), "got "),
        (checks.whole_number, (0, 3), "1", "got '1'."),
        (
            checks.number_between,
            (0, 1),
            -0.001,
            "size must be a number from 0 to 1, got -0.001.",
        ),
        (
            checks.number_between,
            (0, 1),
            np.float32(1.5),
            "size must be a number from 0 to 1, got 1.5.",
        ),
        (checks.number_between, (0, 1), float("nan"), "got nan."),
        (checks.number_between, (0, 1), True, "got True."),
        (checks.number_between, (0, 1), np.timedelta64(1, "s"), "got "),
        (
            checks.share_below_1,
            (),
            1,
            "size must be a number from 0 up to, not including, 1, got 1.",
        ),
        (checks.share_below_1, (), -0.1, "got -0.1."),
        (
            checks.choice,
            (["one", "two"],),
            "three",
            "size must be one of one, two, got 'three'.",
        ),
        (
            checks.choice,
            (["one", "two"],),
            ["one"],
            "size must be one of one, two, got ['one'].",
        ),
    ],
)
def test_what_just_does_not_fit_is_named(
    check: Check, arguments: tuple[Any, ...], value: Any, says: str
) -> None:
    with pytest.raises(ValueError) as error:
        check("size", value, *arguments)
    assert says in str(error.value)


@pytest.mark.parametrize("value", [np.int16(2), np.float32(0.5)])
def test_numbers_come_back_as_pythons_own(value: Any) -> None:
    assert type(checks.number_between("size", value, 0, 2)) is float
    assert type(checks.number_between("size", 2, 0, 2)) is int
    assert type(checks.whole_number("size", np.int16(2), 0, 2)) is int


def test_a_seed_is_what_all_three_libraries_take() -> None:
    assert checks.seed(0) == 0
    assert checks.seed(2**32 - 1) == 2**32 - 1
    for value in (-1, 2**32, 0.5):
        with pytest.raises(
            ValueError, match="seed must be a whole number from 0 to 4294967295"
        ):
            checks.seed(value)


def test_arrays_that_fit_come_back_as_they_are() -> None:
    for kinds, dtype in (
        ("b", bool),
        ("iu", np.uint8),
        ("f", np.float16),
        ("iuf", np.int64),
        ("buif", bool),
    ):
        value = np.ones((2, 3), dtype)
        assert checks.array("images", value, ("n", 3), kinds) is value
        assert checks.array_like("images", value, ("n", 3), kinds) is value
    assert checks.array_like("labels", [1, 2], ("n",), "iu").tolist() == [1, 2]
    assert checks.array("labels", np.ones(3), (word for word in ["n"])).shape == (3,)


@pytest.mark.parametrize(
    "value, shape, kinds, error, says",
    [
        (
            [1, 2],
            ("n",),
            "iu",
            TypeError,
            "of whole numbers of shape (n,), got list [1, 2].",
        ),
        (
            np.ones(2),
            ("n",),
            "iu",
            TypeError,
            "array of whole numbers, got float64 of shape (2,).",
        ),
        (
            np.ones(2, bool),
            ("n",),
            "f",
            TypeError,
            "array of floats, got bool of shape (2,).",
        ),
        (
            np.ones(2, int),
            ("n",),
            "b",
            TypeError,
            "array of True or False, got int64 of shape (2,).",
        ),
        (
            np.array(["a"]),
            ("n",),
            "iuf",
            TypeError,
            "array of numbers, got <U1 of shape (1,).",
        ),
        (
            np.ones((2, 3)),
            ("n",),
            "f",
            ValueError,
            "shape (n,) and not be empty, got float64",
        ),
        (
            np.ones((2, 3)),
            ("n", 4),
            "f",
            ValueError,
            "shape (n, 4) and not be empty, got",
        ),
        (
            np.ones((2, 3)),
            ("n", 3, 1),
            "f",
            ValueError,
            "shape (n, 3, 1) and not be empty, got",
        ),
        (
            np.ones((0, 3)),
            ("n", 3),
            "f",
            ValueError,
            "shape (n, 3) and not be empty, got",
        ),
        (np.array([]), ("n",), "iu", ValueError, "shape (n,) and not be empty, got"),
    ],
)
def test_arrays_that_do_not_fit_are_named(
    value: Any, shape: tuple[Any, ...], kinds: str, error: type[Exception], says: str
) -> None:
    for check in (checks.array, checks.array_like)[: 1 + isinstance(value, np.ndarray)]:
        with pytest.raises(error) as raised:
            check("images", value, shape, kinds)
        assert str(raised.value).startswith("images ")
        assert says in str(raised.value)


@pytest.mark.parametrize("check", [checks.array, checks.array_like])
def test_numbers_of_all_kinds_are_taken_where_none_is_named(check: Check) -> None:
    assert check("images", np.ones(2, bool), ("n",)).dtype == bool
    with pytest.raises(
        TypeError, match=r"^images must be an array of numbers, got <U1"
    ):
        check("images", np.array(["a"]), ("n",))


@pytest.mark.parametrize("value", [[[1], [2, 3]], Unprintable()])
def test_what_is_no_array_is_a_type_error(value: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^images must be an array of whole numbers, got "
    ):
        checks.array_like("images", value, ("n",), "iu")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_the_number_that_is_not_finite_is_named(wrong: float) -> None:
    assert checks.finite("images", np.array([0.0, -1e30])).tolist() == [0.0, -1e30]
    with pytest.raises(
        ValueError, match=f"^images must be finite numbers, found {wrong}, as NaN"
    ):
        checks.finite("images", np.array([1.0, wrong, 2.0]))


def test_shares_may_be_a_rounding_above_one() -> None:
    values = np.array([0, 1, 1.001])
    assert checks.shares("shares", values) is values
    for wrong in (-0.001, 1.002, 2.5):
        with pytest.raises(
            ValueError, match=f"^shares must be numbers from 0 to 1, found {wrong}"
        ):
            checks.shares("shares", np.array([0.5, wrong]))
    with pytest.raises(ValueError, match=r"^shares must be finite"):
        checks.shares("shares", np.array([np.nan]))


def test_paths(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for value in (file, str(file), tmp_path / "none", file / "below a file"):
        assert checks.path(value) == Path(value)
    assert checks.path_to_write(str(tmp_path / "new")) == tmp_path / "new"
    with pytest.raises(TypeError, match=r"^path must be a string or a Path, got 3"):
        checks.path(3)
    with pytest.raises(
        TypeError, match=r"^folder must be a string or a Path, got None"
    ):
        checks.path(None, "folder")
    for value in ("a\0b", "x" * 5000):
        with pytest.raises(
            ValueError, match=r"^folder must be one that a file can have, got '"
        ):
            checks.path(value, "folder")
    with pytest.raises(
        ValueError, match=r"is a folder; expected the name of a file to write"
    ):
        checks.path_to_write(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"^There is no folder .*none to write new to"
    ):
        checks.path_to_write(tmp_path / "none" / "new")


def test_items_and_kinds() -> None:
    assert checks.items("seeds", range(2)) == [0, 1]
    with pytest.raises(TypeError, match=r"^seeds must be a list, got 3"):
        checks.items("seeds", 3)
    with pytest.raises(TypeError, match=r"^recipe must be a Recipe, got 'none'"):
        checks.kind("recipe", "none", (int, float), "a Recipe")


@pytest.mark.parametrize(
    "value, words",
    [
        (np.ones((2, 3), np.uint8), "uint8 of shape (2, 3)"),
        (np.float32(0.5), "0.5"),
        (["a", "b"], "['a', 'b']"),
        ("line\nline", r"'line\nline'"),
        ("x" * 200, "'" + "x" * 79),
        (Unprintable(), "a value of type Unprintable that cannot be shown"),
    ],
)
def test_any_value_is_shown_in_a_few_words(value: Any, words: str) -> None:
    assert checks.shown(value) == words
