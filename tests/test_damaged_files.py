"""Files that are cut or have a byte changed: an error, and no wrong number.

`python tests/faults/bad_input.py` does it at every byte, or at `places` of them where a
file is large.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from test_data import write_idx_folder, write_npz

from mnist_tutorial import load_mnist, models, results, weights
from mnist_tutorial.experiments.ensemble import keep_probabilities
from mnist_tutorial.pictures import read_picture

INK = np.zeros((2, 28, 28), np.uint8)
INK[:, 8:20, 12:15] = 200
LABELS = np.array([1, 7], np.uint8)
SET = {"x_train": INK, "y_train": LABELS, "x_test": INK[:1], "y_test": LABELS[:1]}


class Kind(NamedTuple):
    """How a kind of file is written and read; whether no changed byte escapes it."""

    write: Callable[[Path], Path]
    read: Callable[[Path], Any]
    has_sum: bool
    places: int = 10**6  # at most so many are tried: fewer where a file is large


def write_picture(path: Path) -> Path:
    enlarged = np.kron(INK[0], np.ones((2, 2), np.uint8))
    Image.fromarray(255 - enlarged).save(path)
    return path


def write_idx_gz(folder: Path) -> Path:
    write_idx_folder(folder, SET, compressed=True, name="{0}.gz")
    return folder / "train-images-idx3-ubyte.gz"


def write_weights(folder: Path) -> Path:
    weights.save(models.build_cnn(), folder / "own.weights.h5")
    return folder / "own.weights.h5"


def write_probabilities(folder: Path) -> Path:
    keep_probabilities(np.full((3, 10), 0.1, np.float32), 0, folder)
    return folder / "ensemble.npz"


KINDS = {
    "npz": Kind(lambda folder: write_npz(folder / "set.npz", SET), load_mnist, True),
    "idx": Kind(
        lambda folder: write_idx_folder(folder, SET) / "t10k-images-idx3-ubyte",
        lambda path: load_mnist(path.parent),
        has_sum=False,
    ),
    "idx.gz": Kind(write_idx_gz, lambda path: load_mnist(path.parent), has_sum=True),
    "png": Kind(lambda folder: write_picture(folder / "one.png"), read_picture, True),
    "jpeg": Kind(lambda folder: write_picture(folder / "one.jpg"), read_picture, False),
    "weights.h5": Kind(
        write_weights, lambda path: weights.load(path).get_weights(), True, places=100
    ),
    "ensemble.npz": Kind(
        write_probabilities, lambda path: results.load_probabilities(path.parent), True
    ),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.array_equal(one, other))


def faults_of_damage(kind: Kind, folder: Path, most: int) -> Iterator[str]:
    """Cut a file, or change a bit of it, at so many places; yield "" or the fault."""
    path = kind.write(folder)
    good, expected = path.read_bytes(), kind.read(path)
    count = min(len(good), most, kind.places)
    for place in np.unique(np.linspace(0, len(good) - 1, count).astype(int)):
        flipped = bytes([good[place] ^ 1 << int(place) % 8])
        changed = good[:place] + flipped + good[place + 1 :]
        for what, damaged in (("cut", good[:place]), ("changed", changed)):
            path.write_bytes(damaged)
            try:
                found = kind.read(path)
            except (ValueError, OSError) as error:
                named = path.name in str(error)
                yield "" if named else f"names no file: {error}"
            except Exception as error:
                yield f"{what} at byte {place}: {type(error).__name__}: {error}"
            else:
                may_differ = what == "changed" and not kind.has_sum
                right = may_differ or same(found, expected)
                yield "" if right else f"{what} at byte {place}, and read as another"


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_is_cut_or_changed_is_refused_or_read_as_it_was(
    name: str, tmp_path: Path
) -> None:
    most = 6 if name == "weights.h5" else 100
    assert set(faults_of_damage(KINDS[name], tmp_path, most)) == {""}


@pytest.mark.parametrize("shape", [(10**8, 28, 28), (0, 10**30), (-2, 28, 28)])
def test_an_array_that_promises_what_is_not_there_is_refused(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    header = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    others = {name: array for name, array in SET.items() if name != "x_train"}
    path = write_npz(tmp_path / "set.npz", others)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", header.getvalue())
    with pytest.raises(ValueError, match=r"set\.npz"):
        load_mnist(path)
