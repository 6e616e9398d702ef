"""Keep a trained network's weights in a file, and load them again."""

import hashlib
import io
from pathlib import Path

import h5py
import numpy as np

from mnist_tutorial import results
from mnist_tutorial.augmentation import with_augmentation
from mnist_tutorial.backend import keras
from mnist_tutorial.files import check_writable, replacing
from mnist_tutorial.models import build_cnn

PRETRAINED = Path(__file__).parent / "assets" / "weights" / "tutorial-long.npz"
CHECKSUM = "sha256"  # the attribute of a weights file that holds its checksum


def save(model: keras.Model, path: str | Path) -> None:
    """Write a network's weights to a .weights.h5 file, whole or not at all.

    Raises ValueError for another name, and OSError where no such file can be written.
    """
    path = check_path(path)
    with replacing(path) as unfinished:
        try:  # HDF5 crashes on a full disk, so see first whether there is room
            unfinished.write_bytes(bytes(4 * model.count_params() + 2**18))
        except OSError as error:
            raise OSError(f"{path} cannot be written: {error.strerror}.") from error
        model.save_weights(unfinished)
        with h5py.File(unfinished, "a") as file:
            file.attrs[CHECKSUM] = checksum(model)


def load(path: str | Path) -> keras.Model:
    """Build the book's network with weights from a file of `save` or of Keras.

    Only numbers are read, no code. A file that a callback such as `ModelCheckpoint`
    wrote during training holds the augmentation layer too. Raises FileNotFoundError, or
    ValueError if the file is damaged or holds the weights of another network.
    """
    path = check_name(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no weights file {path}.")
    model = build_cnn()
    try:
        with h5py.File(path) as file:
            count, stored = len(file["layers"]), file.attrs.get(CHECKSUM)
            augmented = "random_affine" in file["layers"]
        whole = with_augmentation(model, {}, seed=0) if augmented else model
        if count != len(whole.layers):  # Keras itself does not mind layers too many
            raise ValueError(f"expected {len(whole.layers)} layers, found {count}")
        whole.load_weights(path)
        if stored not in (None, checksum(model)):  # None in a file that Keras wrote
            raise ValueError("its numbers were changed after it was written")
    except Exception as error:  # readers of damaged files raise errors of many types
        raise ValueError(
            f"{path} is damaged, or holds the weights of another network: {error}"
        ) from error
    return model


def load_pretrained() -> keras.Model:
    """Build the book's network with the weights that come along, of `tutorial-long`.

    Raises ValueError if the file is not the one whose checksum was recorded.
    """
    content = PRETRAINED.read_bytes()
    recorded = results.load("tutorial-long")["runs"][0]["weights_sha256"]
    if hashlib.sha256(content).hexdigest() != recorded:
        raise ValueError(f"{PRETRAINED} is damaged; install the package again.")
    model = build_cnn()
    with np.load(io.BytesIO(content)) as arrays:
        for weight in model.weights:
            weight.assign(arrays[weight.path])
    return model


def check_name(path: str | Path) -> Path:
    """Return a weights file's path; raises ValueError if its name ends otherwise."""
    if not str(path).endswith(".weights.h5"):
        raise ValueError(f"A weights file's name must end in .weights.h5, got {path}.")
    return Path(path)


def check_path(path: str | Path) -> Path:
    """Return a path that weights can be written to; raises ValueError or OSError."""
    path = check_name(path)
    check_writable(path)
    return path


def checksum(model: keras.Model) -> str:
    """Return the SHA-256 checksum of all weights of a network, in their order."""
    return hashlib.sha256(
        b"".join(array.tobytes() for array in model.get_weights())
    ).hexdigest()
