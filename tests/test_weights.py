"""Weights in files: written whole, read as they were, refused if they are others'."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import models, results, weights
from mnist_tutorial.backend import keras


def test_weights_come_back_from_their_file_which_replaces_the_old_one(
    tmp_path: Path,
) -> None:
    path, model = tmp_path / "own.weights.h5", models.build_cnn()
    for variable in model.weights:
        variable.assign(np.random.default_rng(0).uniform(size=variable.shape))
    path.write_bytes(b"the old weights")
    weights.save(model, str(path))
    assert list(tmp_path.iterdir()) == [path]
    loaded = weights.load(str(path))
    for stored, read in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(read.numpy(), stored.numpy(), strict=True)


FULL_DISK = """
import resource, sys
from mnist_tutorial import models, weights
model = models.build_cnn()
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
try:
    weights.save(model, sys.argv[1])
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_full_disk_is_said_in_a_sentence_and_leaves_the_old_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.weights.h5"
    path.write_bytes(b"the old weights")
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    (sentence,) = done.stdout.splitlines()
    assert str(path) in sentence
    assert path.read_bytes() == b"the old weights"
    assert list(tmp_path.iterdir()) == [path]


def test_the_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    plain = models.build_cnn(normalize=False)
    layers = [*models.build_cnn().layers, keras.layers.Dense(10)]
    longer = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    for model in (models.build_deep_cnn(), plain, longer):
        weights.save(model, tmp_path / "other.weights.h5")
        model.save_weights(tmp_path / "by_keras.weights.h5")  # which notes no checksum
        for name in ("other", "by_keras"):
            with pytest.raises(ValueError, match=f"{name}.*another network"):
                weights.load(tmp_path / f"{name}.weights.h5")


# The weights that come along


def test_the_pretrained_network_gives_its_recorded_answers_to_all_test_digits(
    mnist: dict[str, NDArray[np.uint8]],
) -> None:
    run = results.load("tutorial-long")["runs"][0]
    x_test = mnist["x_test"][..., None].astype(np.float32) / np.float32(255)
    model = weights.load_pretrained()
    answers = model.predict(x_test, batch_size=500, verbose=0).argmax(axis=1)
    assert "".join(map(str, answers)) == run["answers"]
    assert (answers == mnist["y_test"]).sum() == run["correct"]


def test_damaged_pretrained_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(weights.PRETRAINED.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "bad.npz").write_bytes(content)
    monkeypatch.setattr(weights, "PRETRAINED", tmp_path / "bad.npz")
    with pytest.raises(ValueError, match=r"bad\.npz is damaged"):
        weights.load_pretrained()
