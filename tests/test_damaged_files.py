"""Files that are cut, have a byte changed, or hold far more than they should: an error, no wrong number.

`python tests/faults/bad_input.py` does it at every byte, or at `places` of them where a file is large.
"""

import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from test_bad_input import foreign
from test_data import as_idx, write_idx_folder, write_npz

from mnist_tutorial import (
    ensembling,
    load_mnist,
    models,
    pictures,
    results,
    training,
)

INK = np.zeros((2, 28, 28), np.uint8)
INK[:, 8:20, 12:15] = 200
LABELS = np.array([1, 7], np.uint8)
SET = {"x_train": INK, "y_train": LABELS, "x_test": INK[:1], "y_test": LABELS[:1]}
RUN = {
    "seed": 0,
    "correct": 9,
    "digits": 10,
    "wall_seconds": 1.5,
    "history": {"loss": [0.5]},
}


class Kind(NamedTuple):
    """A kind of file: how it is written and read, and whether it holds a sum that no changed byte escapes."""

    write: Callable[[Path], Path]
    read: Callable[[Path], Any]
    has_sum: bool
    places: int = 10**6  # at most so many are tried: fewer where a file is large


def write_picture(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        Image.fromarray(255 - np.kron(INK[0], np.ones((2, 2), np.uint8))).save(
            folder / name
        )
        return folder / name

    return write


def write_weights(folder: Path) -> Path:
    training.save_weights(models.build_cnn(), folder / "own.weights.h5")
    return folder / "own.weights.h5"


def write_recorded(folder: Path) -> Path:
    sha256 = models.save_recorded(models.build_cnn(), folder / "recorded.npz")
    (folder / "sum").write_text(sha256)
    return folder / "recorded.npz"


def read_recorded(path: Path) -> Any:
    run = {"weights_sha256": (path.parent / "sum").read_text()}
    return models._load_recorded(path, run).get_weights()


def write_result(folder: Path) -> Path:
    content = {"name": "first", "recipe": {}, "machine": {}, "runs": [RUN]}
    (folder / "first.json").write_text(json.dumps(content))
    return folder / "first.json"


def write_probabilities(folder: Path) -> Path:
    ensembling.keep_probabilities(np.full((3, 10), 0.1), 0, folder)
    return folder / "ensemble.npz"


KINDS = {
    "npz": Kind(
        lambda folder: write_npz(folder / "set.npz", SET), load_mnist, has_sum=True
    ),
    "idx": Kind(
        lambda folder: write_idx_folder(folder, SET) / "t10k-images-idx3-ubyte",
        lambda path: load_mnist(path.parent),
        has_sum=False,
    ),
    "idx.gz": Kind(
        lambda folder: (
            write_idx_folder(folder, SET, compressed=True)
            / "train-images-idx3-ubyte.gz"
        ),
        lambda path: load_mnist(path.parent),
        has_sum=True,
    ),
    "png": Kind(write_picture("one.png"), pictures.read_picture, has_sum=True),
    "jpeg": Kind(write_picture("one.jpg"), pictures.read_picture, has_sum=False),
    "weights.h5": Kind(
        write_weights,
        lambda path: models.load_cnn(path).get_weights(),
        has_sum=True,
        places=100,
    ),
    "recorded npz": Kind(write_recorded, read_recorded, has_sum=True, places=1000),
    "json": Kind(
        write_result, lambda path: results.load("first", path.parent), has_sum=False
    ),
    "ensemble.npz": Kind(
        write_probabilities,
        lambda path: ensembling.load_probabilities(path.parent),
        has_sum=True,
    ),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.array_equal(one, other))


def faults_of_damage(kind: Kind, folder: Path, most: int) -> Iterator[str]:
    """Cut a file and change a byte of it at so many places; yield "" or what is wrong with what comes out."""
    path = kind.write(folder)
    good, expected = path.read_bytes(), kind.read(path)
    count = min(len(good), most, kind.places)
    for place in np.unique(np.linspace(0, len(good) - 1, count).astype(int)):
        flipped = bytes([good[place] ^ 1 << int(place) % 8])
        for what, damaged in (
            ("cut", good[:place]),
            ("changed", good[:place] + flipped + good[place + 1 :]),
        ):
            path.write_bytes(damaged)
            try:
                found = kind.read(path)
            except Exception as error:
                words = foreign(error)
                yield (
                    words
                    if words or path.name in str(error)
                    else f"names no file: {error}"
                )
            else:
                right = same(found, expected) or (
                    what == "changed" and not kind.has_sum
                )
                yield (
                    ""
                    if right
                    else f"{what} at byte {place} of {len(good)}, and read as another"
                )


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_is_cut_or_changed_is_refused_or_read_as_it_was(
    name: str, tmp_path: Path
) -> None:
    kind = KINDS[name]
    assert set(
        faults_of_damage(kind, tmp_path, most=8 if name == "weights.h5" else 100)
    ) == {""}


# Files that promise more than there is, or than a memory holds


def npy_header(shape: tuple[int, ...], dtype: str) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def zip_of(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_bombs(folder: Path) -> None:
    """Write files of some kilobytes that would fill gigabytes, or stop a parser, if anybody believed them."""
    zeros = bytes(2**28)
    members = {
        f"{name}.npy": npy_header(array.shape, "|u1") + array.tobytes()
        for name, array in SET.items()
    }
    zip_of(
        folder / "promises.npz",
        {**members, "x_train.npy": npy_header((10**8, 28, 28), "|u1")},
    )
    zip_of(
        folder / "unpacks.npz",
        {**members, "x_train.npy": npy_header((2, 28, 28), "|u1") + zeros},
    )
    zip_of(
        folder / "empty.npz", {**members, "x_train.npy": npy_header((0, 10**30), "|u1")}
    )
    images = {
        "idx": struct.pack(">4I", 2051, *[2**32 - 1] * 3),
        "gz": as_idx(INK) + zeros,
    }
    for name, content in images.items():
        write_idx_folder(folder / name, SET)
        (folder / name / "train-images-idx3-ubyte").unlink()
        file = folder / name / ("train-images-idx3-ubyte" + ".gz" * (name == "gz"))
        file.write_bytes(gzip.compress(content, 1) if name == "gz" else content)
    zip_of(
        folder / "ensemble.npz",
        {"probabilities.npy": npy_header((10**9, 10**4, 10), "<f2")},
    )
    (folder / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    header = struct.pack(">2I5B", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(bytes(10**6)), b"IEND": b""}
    parts = [
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    ]
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


READ_BOMBS = """
import resource, sys
from pathlib import Path
import numpy as np
import PIL.Image, PIL.ImageOps
from mnist_tutorial import data, load_mnist, pictures, results

pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 2**27
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for read in (
    lambda: load_mnist("promises.npz"),
    lambda: load_mnist("unpacks.npz"),
    lambda: load_mnist("empty.npz"),
    lambda: load_mnist("idx"),
    lambda: load_mnist("gz"),
    lambda: data.read_npz(Path("ensemble.npz"), ["probabilities"], np.float16),
    lambda: results.load("deep", Path()),
    lambda: pictures.read_picture("huge.png"),
):
    try:
        print("read:", read())
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits the memory of a process"
)
def test_a_file_that_would_fill_the_memory_is_refused_within_128_mib(
    tmp_path: Path,
) -> None:
    write_bombs(tmp_path)
    command = [sys.executable, "-c", READ_BOMBS]
    finished = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    lines = finished.stdout.splitlines()
    assert (finished.returncode, len(lines)) == (0, 8), finished.stderr
    for line, name in zip(
        lines,
        ["promises", "unpacks", "empty", "idx", "gz", "ensemble", "deep", "huge"],
        strict=True,
    ):
        assert line.startswith("ValueError"), line
        assert name in line


def test_a_note_of_members_that_stops_the_parser_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text('{"a":' * 100_000)
    with pytest.raises(ValueError, match=r"recipe\.json is damaged"):
        ensembling.train_members(training.Recipe(), [0], tmp_path)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[["a pickle"]]], object), "not a NumPy array|float16"),
        (np.full((1, 2, 10), np.nan, np.float16), "finite"),
        (np.full((1, 2, 10), 2, np.float16), "from 0 to 1"),
        (np.full((2, 10), 0.5, np.float16), "shape"),
        (np.full((1, 2, 10), 0.5), "float16"),
    ],
)
def test_what_is_no_probability_is_refused(
    array: Any, expected: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "ensemble.npz", probabilities=array)
    with pytest.raises(ValueError, match=f"ensemble.npz.*({expected})"):
        ensembling.load_probabilities(tmp_path)
