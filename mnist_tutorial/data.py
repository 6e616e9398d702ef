"""Load MNIST from inside the package, or another data set of the same form."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8

MNIST = Path(__file__).parent / "assets" / "mnist.npz"
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
GZIP = b"\x1f\x8b"
KINDS = {  # the first bytes of files that are often passed by mistake
    GZIP: "a gzip file, which has to be unpacked first",
    b"\x93NUMPY": "a single NumPy array",
    b"\x80": "a pickle",
    b"\x89HDF": "an HDF5 file",
    b"\x00\x00\x08": "a single IDX file",
}


def load_mnist(
    path: str | Path | None = None,
) -> tuple[
    tuple[UInt8[np.ndarray, "train 28 28"], UInt8[np.ndarray, "train"]],
    tuple[UInt8[np.ndarray, "test 28 28"], UInt8[np.ndarray, "test"]],
]:
    """Load digits and their labels: ``(x_train, y_train), (x_test, y_test)``.

    A pixel is 0 for paper and 255 for ink. Without `path`, MNIST itself is read from
    the package, 60,000 and 10,000 digits; nothing is downloaded. `path` names another
    data set of the same form: an .npz file with arrays of these four names, or a folder
    with the four IDX files, gzipped or not. Raises FileNotFoundError if a file is
    missing, and ValueError if one is damaged or has another form.
    """
    path = MNIST if path is None else Path(path)
    if path.is_dir():
        arrays = {name: read_idx(find_idx(path, IDX_FILES[name])) for name in IDX_FILES}
    else:
        arrays = read_npz(path, *IDX_FILES)
    for name, array in arrays.items():
        count = arrays["y_" + name[2:]].size
        shape = (count, 28, 28) if name.startswith("x") else (count,)
        if array.dtype != np.uint8 or array.shape != shape or count == 0:
            raise ValueError(
                f"{path}: {name} must be uint8 of shape {shape}, with a label for each "
                f"image, found {array.dtype} of shape {array.shape}."
            )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def read_npz(path: Path, *names: str) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Read the arrays of these names from an .npz file; nothing in it is executed."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = arrays.files
            if set(names) <= set(found):
                # NumPy returns bytes for an entry that is not an array.
                return {name: np.asarray(arrays[name]) for name in names}
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(
            f"{path} is {kind_of(path)}; expected an .npz file with the arrays "
            f"{', '.join(names)}, or a folder with the four IDX files."
        ) from error
    raise ValueError(
        f"{path} holds the arrays {', '.join(found)}; expected {', '.join(names)} in "
        "one file. If each has a file of its own, read them with np.load and save them "
        "together with np.savez."
    )


def kind_of(path: Path) -> str:
    """Say what kind of file this is, judging by its first bytes."""
    with path.open("rb") as file:
        start = file.read(100)
    for first_bytes, kind in KINDS.items():
        if start.startswith(first_bytes):
            return kind
    if start and start.decode("ascii", "replace").replace("\n", " ").isprintable():
        return "a text file, such as a CSV file, which holds no arrays"
    return "damaged, or not an .npz file"


def find_idx(folder: Path, name: str) -> Path:
    """Find an IDX file in a folder, or one level below, where unpackers may put it."""
    names = {name, name.replace("-idx", ".idx")}
    names |= {f"{each}.gz" for each in names}
    for path in [*sorted(folder.glob("*")), *sorted(folder.glob("*/*"))]:
        if path.name in names and path.is_file():
            return path
    raise FileNotFoundError(f"{folder}: found none of {', '.join(sorted(names))}.")


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """Read an IDX file: a magic number, the length of each axis, then the bytes.

    The magic number is 0x0800 (for bytes) plus the number of axes. It and the lengths
    are 32-bit integers, most significant byte first (`>u4`).
    """
    content = path.read_bytes()
    axes = 3 if "idx3" in path.name else 1
    try:
        if content.startswith(GZIP):  # whatever the name says
            content = gzip.decompress(content)
        magic, *shape = np.frombuffer(content, ">u4", count=1 + axes).tolist()
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is damaged or truncated: {error}.") from error
    pixels = np.frombuffer(content, np.uint8, offset=4 * (1 + axes))
    if magic != 0x0800 + axes or len(pixels) != math.prod(shape):
        raise ValueError(
            f"{path}: expected the magic number {0x0800 + axes} and as many bytes as "
            f"the shape says; found {magic}, {shape} and {len(pixels):,} bytes."
        )
    return pixels.reshape(shape).copy()  # a copy can be written to
