"""Load the digits: MNIST from inside the package, or any set in its form (chapter: loading)."""

import gzip
import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_tutorial import checks

Bytes: TypeAlias = NDArray[np.uint8]
MNIST = Path(__file__).parent / "assets" / "mnist.npz"
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
LARGEST = (
    2**30
)  # bytes of one array: more than any set in this form has, and little enough for any memory
CHUNK = (
    2**24
)  # bytes read at a time, so that a false header cannot ask for more memory than the file fills


def load_mnist(
    path: str | Path | None = None,
) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """Return ``(x_train, y_train), (x_test, y_test)``, the digits and their labels.

    Images are uint8 of shape (n, 28, 28), 0 for paper and 255 for ink; labels are uint8 of shape (n,).
    Without `path` this is MNIST itself, 60,000 and 10,000 digits, from the package: no network is used.

    path: another set in MNIST's form: an .npz file with arrays x_train, y_train, x_test and y_test, or a
    folder with the four IDX files (train-images-idx3-ubyte and so on, plain or .gz).

    Raises FileNotFoundError if a file is missing, and ValueError if one is damaged or not in this form.
    Chapter: loading.
    """
    path = MNIST if path is None else checks.path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    arrays = (
        _read_idx_folder(path) if path.is_dir() else read_npz(path, ARRAYS, np.uint8)
    )
    for name, array in arrays.items():
        side = (28, 28) if name.startswith("x") else ()
        if array.size == 0 or array.ndim != 1 + len(side) or array.shape[1:] != side:
            wanted = "(n, 28, 28)" if side else "(n,)"
            raise ValueError(
                f"{path}: {name} must have shape {wanted}, with n above 0, found {array.shape}."
            )
    for images, labels in (("x_train", "y_train"), ("x_test", "y_test")):
        if len(arrays[images]) != len(arrays[labels]):
            raise ValueError(
                f"{path}: {images} has {len(arrays[images])} images but {labels} has {len(arrays[labels])} "
                "labels; there must be one label for each image."
            )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def read_npz(
    path: Path, names: Sequence[str], dtype: DTypeLike
) -> dict[str, NDArray[Any]]:
    """Read the arrays of these names and this dtype from an npz file, without unpickling anything.

    Raises FileNotFoundError if there is no such file, and ValueError if it is damaged or holds other arrays.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    damage = (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
    )
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
            missing = [
                name for name in names if f"{name}.npy" not in archive.namelist()
            ]
            if missing:
                raise ValueError(
                    f"{path}: expected the arrays {', '.join(names)}; {', '.join(missing)} not found."
                )
            return {
                name: _read_npy(archive, name, path, np.dtype(dtype)) for name in names
            }
        except damage as error:
            raise ValueError(
                f"{path}: damaged, or not an .npz file ({error!s:.200})."
            ) from error


def _read_npy(
    archive: zipfile.ZipFile, name: str, path: Path, wanted: np.dtype[Any]
) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        try:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError(
                    "of another version than NumPy writes for plain arrays"
                )
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        except (
            Exception
        ) as error:  # the parser of the header raises errors of many types
            raise ValueError(
                f"{path}: {name} is not a NumPy array ({error!s:.200})."
            ) from error
        if dtype != wanted or fortran_order:
            order = "Fortran" if fortran_order else "C"
            raise ValueError(
                f"{path}: {name} must be {wanted} in C order, found {dtype} in {order} order."
            )
        return _read_exactly(file, shape, f"{path}: {name}", wanted)


def _read_idx_folder(folder: Path) -> dict[str, Bytes]:
    return {
        name: _read_idx(_find_idx(folder, f"{kind}-{what}", dimensions), dimensions)
        for name, kind, what, dimensions in (
            ("x_train", "train", "images", 3),
            ("y_train", "train", "labels", 1),
            ("x_test", "t10k", "images", 3),
            ("y_test", "t10k", "labels", 1),
        )
    }


def _find_idx(folder: Path, stem: str, dimensions: int) -> Path:
    names = [
        f"{stem}{mark}idx{dimensions}-ubyte{gz}" for mark in "-." for gz in ("", ".gz")
    ]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{folder}: found none of {', '.join(names)}.")


def _read_idx(path: Path, dimensions: int) -> Bytes:
    """Read one IDX file: a big-endian header (magic number, then each dimension), then the bytes."""
    magic = 0x0800 + dimensions  # 08 says uint8; so 2051 for images and 2049 for labels
    length = 4 * (1 + dimensions)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(length)
            if len(header) < length:
                raise ValueError(
                    f"{path}: truncated: the header has {length} bytes, found {len(header)}."
                )
            found, *shape = (int(number) for number in np.frombuffer(header, ">u4"))
            if found != magic:
                raise ValueError(
                    f"{path}: the magic number must be {magic}, found {found}."
                )
            return _read_exactly(
                cast("IO[bytes]", file), tuple(shape), str(path), np.dtype(np.uint8)
            )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path}: damaged or truncated gzip file ({error!s:.200})."
        ) from error


def _read_exactly(
    file: IO[bytes], shape: tuple[int, ...], name: str, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Read the bytes of an array of this shape, and make sure that the file ends there."""
    if (
        min(shape, default=1) < 0
        or math.prod(max(length, 1) for length in shape) * dtype.itemsize > LARGEST
    ):
        raise ValueError(
            f"{name}: the header promises the shape {shape}; expected at most {LARGEST:,} bytes."
        )
    size = math.prod(shape) * dtype.itemsize
    content = bytearray()
    while len(content) <= size and (
        piece := file.read(min(CHUNK, size + 1 - len(content)))
    ):
        content += piece
    if len(content) != size:
        found = f"{len(content)} bytes" if len(content) < size else "more"
        raise ValueError(
            f"{name}: the header promises {size} bytes (shape {tuple(shape)}), found {found}."
        )
    return np.frombuffer(content, dtype).reshape(shape)
