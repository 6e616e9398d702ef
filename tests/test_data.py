"""Digits from the package and from files: the right bytes, or an error that helps."""

import gzip
import hashlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import load_mnist

Arrays = dict[str, NDArray[Any]]

OFFICIAL_MD5 = {  # of the unpacked IDX files
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def as_idx(array: NDArray[np.uint8]) -> bytes:
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return header + array.tobytes()


def write_idx_folder(
    folder: Path, arrays: Arrays, compressed: bool = False, name: str = "{0}"
) -> Path:
    """Write four IDX files; `name` makes each file's path of its usual name."""
    for key, array in arrays.items():
        file = folder / name.format(IDX_NAMES[key])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(as_idx(array)) if compressed else as_idx(array))
    return folder


def write_npz(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def assert_loads(path: str | Path, expected: Arrays) -> None:
    train, test = load_mnist(path)
    for array, name in zip((*train, *test), OFFICIAL_MD5, strict=True):
        np.testing.assert_array_equal(array, expected[name], strict=True)


def assert_refused(path: Path, *parts: str) -> None:
    with pytest.raises(ValueError) as error:
        load_mnist(path)
    assert all(part in str(error.value) for part in (str(path), *parts)), error.value


def test_each_array_has_the_official_md5_sum(mnist: Arrays) -> None:
    for name, array in mnist.items():
        assert hashlib.md5(as_idx(array)).hexdigest() == OFFICIAL_MD5[name], name


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("folder", ["", "{0}/", "{0}.gz/"])
def test_a_folder_of_idx_files_is_read_whatever_unpackers_made_of_it(
    few: Arrays, tmp_path: Path, compressed: bool, folder: str
) -> None:
    for name in ("{0}", "{0}.gz"):  # .gz may stay after unpacking, or be lost before
        path = tmp_path / f"as {name}"
        assert_loads(write_idx_folder(path, few, compressed, folder + name), few)


def test_an_npz_file_is_read(few: Arrays, tmp_path: Path) -> None:
    assert_loads(str(write_npz(tmp_path / "set.npz", few)), few)


def test_names_with_a_dot_as_older_copies_have_them_are_found(
    few: Arrays, tmp_path: Path
) -> None:
    for file in write_idx_folder(tmp_path / "idx", few).iterdir():
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert_loads(tmp_path / "idx", few)


def test_what_is_missing_is_named(few: Arrays, tmp_path: Path) -> None:
    (write_idx_folder(tmp_path, few) / IDX_NAMES["x_test"]).unlink()
    with pytest.raises(FileNotFoundError, match=IDX_NAMES["x_test"]):
        load_mnist(tmp_path)
    few = {name: array for name, array in few.items() if name != "x_test"}
    assert_refused(write_npz(tmp_path / "set.npz", few), "x_test")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("x_train", lambda good: good + b"\0"),
        ("x_train", lambda good: as_idx(np.zeros(3, np.uint8)) + bytes(9)),
        ("y_test", lambda good: as_idx(np.zeros((2, 28, 28), np.uint8))),
        ("y_test", lambda good: b"\0\0\x0d\1" + good[4:]),  # of floats
        ("y_train", lambda good: b"\x1f\x8b" + good),  # no gzip, though it begins so
    ],
)
def test_a_damaged_idx_file_is_refused(
    few: Arrays, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    file = write_idx_folder(tmp_path, few) / IDX_NAMES[name]
    file.write_bytes(damage(file.read_bytes()))
    assert_refused(tmp_path, file.name)


@pytest.mark.parametrize(
    "changed",
    [
        {"x_train": np.zeros((3, 14, 56), np.uint8)},
        {"x_train": np.zeros((3, 784), np.uint8)},
        {"x_train": np.zeros((3, 28, 28), np.float32)},
        {"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)},
        {"x_test": np.zeros((5, 28, 28), np.uint8)},
        {"y_train": np.zeros(2, np.uint8)},
        {"y_train": np.array([5, 0, 4])},
        {"y_test": np.zeros((2, 1), np.uint8)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    few: Arrays, tmp_path: Path, changed: Arrays
) -> None:
    part = next(iter(changed))[2:]  # it does not matter which of the two is wrong
    assert_refused(write_npz(tmp_path / "set.npz", few | changed), part)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"label,pixel0,pixel1\n5,0,0\n", "CSV"),
        (gzip.compress(b"", mtime=0), "gzip"),
        (as_idx(np.zeros((3, 28, 28), np.uint8)), "IDX"),
        (b"", "damaged"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_kind(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    assert_refused(tmp_path / "set.npz", kind)


class LeavesAMark:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_nothing_is_unpickled(few: Arrays, tmp_path: Path) -> None:
    evil = np.array([LeavesAMark(tmp_path / "mark")], object)
    assert_refused(write_npz(tmp_path / "set.npz", few | {"x_train": evil}))
    (tmp_path / "set.npz").write_bytes(pickle.dumps(evil))
    assert_refused(tmp_path / "set.npz")
    assert not (tmp_path / "mark").exists()


def test_a_file_with_one_array_as_kmnist_publishes_them_gets_advice(
    few: Arrays, tmp_path: Path
) -> None:
    np.savez_compressed(tmp_path / "kmnist-train-imgs.npz", few["x_train"])
    assert_refused(tmp_path / "kmnist-train-imgs.npz", "arr_0", "np.savez")
