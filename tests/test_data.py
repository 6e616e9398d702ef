"""Digits from the package and from files: the right bytes, or an error that helps."""

import gzip
import hashlib
import io
import pickle
import struct
import zipfile
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


def as_npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


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


def write_npz_of_bytes(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def load(path: str | Path) -> Arrays:
    (x_train, y_train), (x_test, y_test) = load_mnist(path)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def assert_same(found: Arrays, expected: Arrays) -> None:
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def assert_refused(path: Path, *parts: str) -> None:
    with pytest.raises(ValueError) as error:
        load_mnist(path)
    assert all(part in str(error.value) for part in (str(path), *parts)), error.value


def test_mnist_has_the_documented_shapes_and_dtypes(mnist: Arrays) -> None:
    assert {name: (str(array.dtype), array.shape) for name, array in mnist.items()} == {
        "x_train": ("uint8", (60000, 28, 28)),
        "y_train": ("uint8", (60000,)),
        "x_test": ("uint8", (10000, 28, 28)),
        "y_test": ("uint8", (10000,)),
    }


@pytest.mark.parametrize("name", OFFICIAL_MD5)
def test_each_array_has_the_official_md5_sum(mnist: Arrays, name: str) -> None:
    assert hashlib.md5(as_idx(mnist[name])).hexdigest() == OFFICIAL_MD5[name]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_file_is_read(
    few: Arrays, tmp_path: Path, save: Callable[..., None]
) -> None:
    save(tmp_path / "set.npz", **few)
    assert_same(load(tmp_path / "set.npz"), few)
    assert_same(load(str(tmp_path / "set.npz")), few)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("folder", ["", "{0}/", "{0}.gz/"])
def test_a_folder_of_idx_files_is_read_whatever_unpackers_made_of_it(
    few: Arrays, tmp_path: Path, compressed: bool, folder: str
) -> None:
    for name in ("{0}", "{0}.gz"):  # .gz may stay after unpacking, or be lost before
        path = tmp_path / f"as {name}"
        assert_same(load(write_idx_folder(path, few, compressed, folder + name)), few)


def test_names_with_a_dot_as_older_copies_have_them_are_found(
    few: Arrays, tmp_path: Path
) -> None:
    write_idx_folder(tmp_path, few)
    for file in list(tmp_path.iterdir()):
        file.rename(tmp_path / file.name.replace("-idx", ".idx"))
    assert_same(load(tmp_path), few)


@pytest.mark.parametrize("name", ["set.npz", "folder", "a\0b"])
def test_a_missing_path_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=name):
        load_mnist(tmp_path / name)


@pytest.mark.parametrize("name", IDX_NAMES.values())
def test_a_missing_idx_file_is_named(few: Arrays, tmp_path: Path, name: str) -> None:
    (write_idx_folder(tmp_path, few) / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load_mnist(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("x_train", lambda good: good + b"\0"),
        ("x_train", lambda good: as_idx(np.zeros(3, np.uint8)) + bytes(9)),
        ("y_test", lambda good: as_idx(np.zeros((2, 28, 28), np.uint8))),
        ("y_test", lambda good: b"\0\0\x0d\1" + good[4:]),  # of floats
        ("x_train", lambda good: good[:4] + b"\xff" * 12),
        ("y_train", lambda good: b"\x1f\x8b" + good),  # no gzip, though it begins so
    ],
)
def test_a_damaged_idx_file_is_refused(
    few: Arrays, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    file = write_idx_folder(tmp_path, few) / IDX_NAMES[name]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError) as error:
        load_mnist(tmp_path)
    assert str(file) in str(error.value)


@pytest.mark.parametrize(
    "write", [lambda path, arrays: write_idx_folder(path, arrays), write_npz]
)
@pytest.mark.parametrize(
    "changed",
    [
        {"x_train": np.zeros((3, 14, 56), np.uint8)},
        {"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)},
        {"y_train": np.zeros(2, np.uint8)},
        {"x_test": np.zeros((5, 28, 28), np.uint8)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    few: Arrays,
    tmp_path: Path,
    write: Callable[[Path, Arrays], Path],
    changed: Arrays,
) -> None:
    part = next(iter(changed))[2:]  # it does not matter which of the two is wrong
    assert_refused(write(tmp_path / "set.npz", few | changed), part)


@pytest.mark.parametrize(
    "changed",
    [
        {"y_train": np.array([5, 0, 4])},
        {"x_train": np.zeros((3, 28, 28), np.float32)},
        {"x_test": np.zeros((2, 28, 28), np.int8)},
        {"x_train": np.zeros((3, 784), np.uint8)},
        {"y_test": np.zeros((2, 1), np.uint8)},
        {"x_train": np.uint8(5)},
    ],
)
def test_an_npz_array_of_another_form_is_refused(
    few: Arrays, tmp_path: Path, changed: Arrays
) -> None:
    assert_refused(write_npz(tmp_path / "set.npz", few | changed), *changed)


def test_labels_without_a_length_are_refused(few: Arrays, tmp_path: Path) -> None:
    assert_refused(write_npz(tmp_path / "set.npz", few | {"y_train": np.uint8(5)}))


@pytest.mark.parametrize("name", IDX_NAMES)
def test_a_missing_npz_array_is_named(few: Arrays, tmp_path: Path, name: str) -> None:
    others = {key: array for key, array in few.items() if key != name}
    assert_refused(write_npz(tmp_path / "set.npz", others), name)


def test_a_file_with_one_array_as_kmnist_publishes_them_gets_advice(
    few: Arrays, tmp_path: Path
) -> None:
    np.savez_compressed(tmp_path / "kmnist-train-imgs.npz", few["x_train"])
    assert_refused(tmp_path / "kmnist-train-imgs.npz", "arr_0", "np.savez")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"label,pixel0,pixel1\n5,0,0\n", "CSV"),
        (pickle.dumps([1, 2]), "pickle"),
        (gzip.compress(pickle.dumps([1, 2])), "gzip"),
        (as_npy(np.zeros((3, 28, 28), np.uint8)), "single NumPy array"),
        (as_idx(np.zeros((3, 28, 28), np.uint8)), "IDX"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"", "damaged"),
    ],
    ids=lambda part: (
        part if isinstance(part, str) else ""
    ),  # gzip's bytes hold the time
)
def test_a_file_of_another_kind_is_called_by_its_kind(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    assert_refused(tmp_path / "set.npz", kind, "expected an .npz file")


class LeavesAMark:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize(
    "wrap", [lambda thing: as_npy(np.array([thing], object)), pickle.dumps]
)
def test_nothing_is_unpickled(
    few: Arrays, tmp_path: Path, wrap: Callable[[object], bytes]
) -> None:
    mark = tmp_path / "mark"
    evil = wrap(LeavesAMark(mark))
    np.load(io.BytesIO(evil), allow_pickle=True)
    assert mark.exists(), "the pickle leaves its mark where it is read"
    mark.unlink()
    members = {name: as_npy(array) for name, array in few.items()} | {"x_train": evil}
    assert_refused(write_npz_of_bytes(tmp_path / "set.npz", members))
    assert not mark.exists()
