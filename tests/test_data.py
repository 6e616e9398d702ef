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
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tutorial import data, load_mnist

Arrays = dict[str, NDArray[Any]]

OFFICIAL_MD5 = {
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
    return (
        struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
        + array.tobytes()
    )


def as_npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def write_idx_folder(
    folder: Path, arrays: Arrays, mark: str = "-", compressed: bool = False
) -> Path:
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        file = folder / IDX_NAMES[name].replace("-idx", f"{mark}idx")
        if compressed:
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(as_idx(array)))
        else:
            file.write_bytes(as_idx(array))
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


def assert_refused(path: Path, *parts: object) -> None:
    with pytest.raises(ValueError) as error:
        load_mnist(path)
    for part in (path, *parts):
        assert str(part) in str(error.value)


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


@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_folder_of_idx_files_is_read(
    few: Arrays, tmp_path: Path, mark: str, compressed: bool
) -> None:
    assert_same(load(write_idx_folder(tmp_path, few, mark, compressed)), few)


@pytest.mark.parametrize("name", ["set.npz", "folder"])
def test_a_missing_path_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=name):
        load_mnist(tmp_path / name)


@pytest.mark.parametrize("path", [5, b"mnist.npz", ["mnist.npz"]])
def test_a_path_of_another_type_is_refused(path: Any) -> None:
    with pytest.raises(TypeError) as error:
        load_mnist(path)
    assert repr(path) in str(error.value)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"train-images-idx3-ubyte.*\.gz"
    ) as error:
        load_mnist(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("name", IDX_NAMES.values())
def test_a_missing_idx_file_is_named(few: Arrays, tmp_path: Path, name: str) -> None:
    (write_idx_folder(tmp_path, few) / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load_mnist(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage", "parts"),
    [
        ("x_train", lambda good: b"", ["16 bytes", "found 0"]),
        ("x_test", lambda good: good[:15], ["16 bytes", "found 15"]),
        ("y_train", lambda good: good[:7], ["8 bytes", "found 7"]),
        ("x_train", lambda good: good[:16], ["2352 bytes", "found 0 bytes"]),
        ("x_train", lambda good: good[:-1], ["2352 bytes", "found 2351 bytes"]),
        ("x_train", lambda good: good + b"\0", ["2352 bytes", "found more"]),
        ("y_test", lambda good: good[:-1], ["2 bytes", "found 1 bytes"]),
        (
            "x_train",
            lambda good: as_idx(np.zeros(3, np.uint8)) + bytes(9),
            ["2051", "found 2049"],
        ),
        (
            "y_test",
            lambda good: as_idx(np.zeros((2, 28, 28), np.uint8)),
            ["2049", "found 2051"],
        ),
        ("y_test", lambda good: b"\0\0\x0d\1" + good[4:], ["2049", "found 3329"]),
        (
            "x_train",
            lambda good: good[:4] + b"\xff" * 12,
            [f"{(2**32 - 1,) * 3}", "at most"],
        ),
    ],
)
def test_a_damaged_idx_file_is_refused(
    few: Arrays,
    tmp_path: Path,
    name: str,
    damage: Callable[[bytes], bytes],
    parts: list[str],
) -> None:
    file = write_idx_folder(tmp_path, few) / IDX_NAMES[name]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError) as error:
        load_mnist(tmp_path)
    for part in [str(file), *parts]:
        assert part in str(error.value)


@pytest.mark.parametrize("chunk", [1, 5, 6, 100])
def test_bytes_are_read_in_pieces_and_at_most_one_too_many(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(data, "CHUNK", chunk)
    assert data._read_exactly(
        io.BytesIO(bytes(range(6))), (2, 3), "it", np.dtype(np.uint8)
    ).tolist() == [
        [0, 1, 2],
        [3, 4, 5],
    ]
    too_long = io.BytesIO(bytes(100))
    with pytest.raises(ValueError, match=r"6 bytes .*found more"):
        data._read_exactly(too_long, (2, 3), "it", np.dtype(np.uint8))
    assert too_long.tell() == 7


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize("compressed", [False, True])
def test_an_idx_file_cut_anywhere_is_refused(
    few: Arrays, tmp_path: Path, name: str, compressed: bool
) -> None:
    file = write_idx_folder(tmp_path, few, compressed=compressed) / (
        name + ".gz" * compressed
    )
    good = file.read_bytes()
    for length in range(0, len(good), 1 + len(good) // 100):
        file.write_bytes(good[:length])
        with pytest.raises(ValueError) as error:
            load_mnist(tmp_path)
        assert str(file) in str(error.value), length


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"not gzip",
        lambda good: good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
    ],
    ids=["no gzip", "wrong checksum"],
)
def test_a_damaged_gzip_file_is_refused(
    few: Arrays, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = (
        write_idx_folder(tmp_path, few, compressed=True) / "train-images-idx3-ubyte.gz"
    )
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=f"{file.name}.*gzip"):
        load_mnist(tmp_path)


@pytest.mark.parametrize(
    "write", [lambda path, arrays: write_idx_folder(path, arrays), write_npz]
)
@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (
            {"x_train": np.zeros((3, 14, 56), np.uint8)},
            ["x_train must have shape (n, 28, 28),", "(3, 14, 56)"],
        ),
        (
            {"x_test": np.zeros((0, 28, 28), np.uint8)},
            ["x_test", "(n, 28, 28)", "(0, 28, 28)"],
        ),
        ({"y_test": np.zeros(0, np.uint8)}, ["y_test must have shape (n,),", "(0,)"]),
        ({"y_train": np.zeros(2, np.uint8)}, ["x_train has 3", "y_train has 2"]),
        ({"x_test": np.zeros((5, 28, 28), np.uint8)}, ["x_test has 5", "y_test has 2"]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    few: Arrays,
    tmp_path: Path,
    write: Callable[[Path, Arrays], Path],
    changed: Arrays,
    parts: list[str],
) -> None:
    assert_refused(write(tmp_path / "set.npz", few | changed), *parts)


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"y_train": np.array([5, 0, 4])}, ["y_train", "uint8", "int64 in C order"]),
        (
            {"x_train": np.zeros((3, 28, 28), np.float32)},
            ["x_train", "uint8", "float32 in C order"],
        ),
        ({"x_test": np.zeros((2, 28, 28), np.int8)}, ["x_test", "uint8", "int8"]),
        (
            {"x_test": np.asfortranarray(np.zeros((2, 28, 28), np.uint8))},
            ["x_test", "C order", "uint8 in Fortran order"],
        ),
        (
            {"x_train": np.zeros((3, 784), np.uint8)},
            ["x_train", "(n, 28, 28)", "(3, 784)"],
        ),
        ({"y_test": np.zeros((2, 1), np.uint8)}, ["y_test", "(n,)", "(2, 1)"]),
        ({"x_train": np.uint8(5)}, ["x_train", "(n, 28, 28)", "()"]),
        ({"y_train": np.uint8(5)}, ["y_train", "(n,)", "()"]),
    ],
)
def test_an_npz_array_of_another_form_is_refused(
    few: Arrays, tmp_path: Path, changed: Arrays, parts: list[str]
) -> None:
    assert_refused(write_npz(tmp_path / "set.npz", few | changed), *parts)


@pytest.mark.parametrize(
    "shape, fits", [((3,), True), ((3, 1), True), ((4,), False), ((0, 4), False)]
)
def test_an_array_has_at_most_as_many_bytes_as_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], fits: bool
) -> None:
    monkeypatch.setattr(data, "LARGEST", 6)
    np.savez(tmp_path / "small.npz", x=np.zeros(shape, np.float16))
    if fits:
        assert (
            data.read_npz(tmp_path / "small.npz", ["x"], np.float16)["x"].shape == shape
        )
    else:
        with pytest.raises(
            ValueError, match=r"promises the shape .* expected at most 6 bytes"
        ):
            data.read_npz(tmp_path / "small.npz", ["x"], np.float16)


@pytest.mark.parametrize("name", IDX_NAMES)
def test_a_missing_npz_array_is_named(few: Arrays, tmp_path: Path, name: str) -> None:
    others = {key: array for key, array in few.items() if key != name}
    assert_refused(write_npz(tmp_path / "set.npz", others), f"{name} not found")


@pytest.mark.parametrize(
    "content", [b"", b"no archive", as_npy(np.zeros((3, 28, 28), np.uint8))]
)
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    assert_refused(tmp_path / "set.npz", "not an .npz file")


@pytest.mark.parametrize(
    ("labels", "parts"),
    [
        (b"5 0 4", ["not a NumPy array"]),
        (as_npy(np.zeros(3, np.uint8))[:-1], ["3 bytes", "found 2 bytes"]),
        (as_npy(np.zeros(3, np.uint8)) + b"\0", ["3 bytes", "found more"]),
        (
            as_npy(np.zeros(3, np.uint8)).replace(b"(3,), } ", b"(-3,), }"),
            ["(-3,)", "expected"],
        ),
        (as_npy(np.zeros(3, np.uint8)).replace(b"}", b"{"), ["not a NumPy array"]),
        (as_npy(np.zeros(3, np.uint8)).replace(b"|u1", b",u1"), ["not a NumPy array"]),
        (
            as_npy(np.zeros(3, np.uint8)).replace(b"NUMPY\1", b"NUMPY\2"),
            ["not a NumPy array"],
        ),
    ],
)
def test_an_npz_member_that_is_no_whole_array_is_refused(
    few: Arrays, tmp_path: Path, labels: bytes, parts: list[str]
) -> None:
    members = {name: as_npy(array) for name, array in few.items()} | {"y_train": labels}
    assert_refused(write_npz_of_bytes(tmp_path / "set.npz", members), "y_train", *parts)


def test_a_cut_npz_file_is_refused(few: Arrays, tmp_path: Path) -> None:
    path = write_npz(tmp_path / "set.npz", few)
    good = path.read_bytes()
    for length in range(0, len(good), 1 + len(good) // 200):
        path.write_bytes(good[:length])
        assert_refused(path)


@given(drawn=st.data())
def test_a_changed_byte_in_an_npz_file_changes_no_digit(
    few: Arrays, tmp_path_factory: pytest.TempPathFactory, drawn: st.DataObject
) -> None:
    path = write_npz(tmp_path_factory.mktemp("changed") / "set.npz", few)
    content = bytearray(path.read_bytes())
    content[drawn.draw(st.integers(0, len(content) - 1))] = drawn.draw(
        st.integers(0, 255)
    )
    path.write_bytes(content)
    try:
        found = load(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert_same(found, few)


def test_an_npz_whose_directory_points_before_the_file_is_refused(
    few: Arrays, tmp_path: Path
) -> None:
    path = write_npz(tmp_path / "set.npz", few)
    content = bytearray(path.read_bytes())
    offset_of_directory = content.rfind(b"PK\5\6") + 16
    content[offset_of_directory : offset_of_directory + 4] = struct.pack("<I", 2**31)
    path.write_bytes(content)
    assert_refused(path, "not an .npz file")


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
    assert_refused(write_npz_of_bytes(tmp_path / "set.npz", members), "x_train")
    assert not mark.exists()
