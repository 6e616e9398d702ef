"""The command line: what it prints, writes and returns, and what it refuses."""

import importlib.metadata
import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mnist_tutorial import models, prepare, results, training
from mnist_tutorial import weights as weights_module
from mnist_tutorial.__main__ import main
from mnist_tutorial.pictures import center_digit, read_picture
from mnist_tutorial.recipe import Recipe

Arrays = dict[str, NDArray[np.uint8]]
Capture = pytest.CaptureFixture[str]
COMMANDS = ["train", "evaluate", "predict", "reproduce", "export"]
TRAIN = "train --weights own.weights.h5"
TINY = ["--data", "tiny.npz"]
EVALUATE = [sys.executable, "-m", "mnist_tutorial", "evaluate", *TINY]


@pytest.fixture(scope="module")
def tiny(mnist: Arrays) -> Arrays:
    return {name: array[:100] for name, array in mnist.items()}


@pytest.fixture
def folder(tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with all that a command can be given, good and bad."""
    monkeypatch.chdir(tmp_path)
    np.savez("tiny.npz", **tiny)
    large = np.kron(255 - tiny["x_test"][0], np.ones((4, 4), np.uint8))
    Image.fromarray(large).save("seven.png")
    Image.fromarray(large).convert("RGB").save("other.jpg", quality=95)
    Image.new("L", (40, 40), "white").save("blank.png")
    Path("text.png").write_text("no picture", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)])
def test_help_shows_examples(command: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(name in shown for name in ("mnist-tutorial predict", *command))


def test_the_script_runs_the_same_command() -> None:
    scripts = importlib.metadata.entry_points(group="console_scripts")
    assert scripts["mnist-tutorial"].load() is main


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with other environment variables."""
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.usefixtures("folder")
def test_trained_weights_are_those_of_the_recipe_and_can_be_scored(
    tiny: Arrays, capsys: Capture
) -> None:
    assert main(f"{TRAIN} --data tiny.npz --epochs 1 --seed 7".split()) == 0
    assert "own.weights.h5" in capsys.readouterr().out
    digits = prepare(tiny["x_train"], tiny["y_train"])
    expected, _ = training.train(Recipe(epochs=1, seed=7), *digits, verbose=0)
    model = weights_module.load("own.weights.h5")
    pairs = zip(model.get_weights(), expected.get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)

    assert main(["evaluate", "--weights", "own.weights.h5", *TINY]) == 0
    score = training.evaluate(model, *prepare(tiny["x_test"], tiny["y_test"]))
    assert capsys.readouterr().out == f"{score}\n"


@pytest.mark.usefixtures("folder")
def test_predict_prints_ten_bars_for_each_picture(capsys: Capture) -> None:
    model = models.build_cnn()
    logits = model.get_layer("logits")
    logits.set_weights([50 * weight for weight in logits.get_weights()])
    weights_module.save(model, "sure.weights.h5")
    digit = center_digit(read_picture("seven.png"))
    probabilities = model(digit[None, ..., None].astype(np.float32) / 255).numpy()[0]
    assert 0.1 < probabilities.max() < 1

    pictures = ["seven.png", "other.jpg"]
    assert main(["predict", "--weights", "sure.weights.h5", *pictures]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[::11] == [f"{name}: {probabilities.argmax()}" for name in pictures]
    assert len(lines) == 22
    for label, (line, p) in enumerate(zip(lines[1:11], probabilities, strict=True)):
        digit_shown, percent, *_ = line.split()
        assert int(digit_shown) == label
        assert float(percent.rstrip("%")) == pytest.approx(100 * p, abs=0.006)
        assert line.count("█") == pytest.approx(40 * p, abs=0.51)


@pytest.mark.usefixtures("folder")
def test_a_picture_that_cannot_be_read_keeps_no_answer_from_the_others(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In an old code page, which has no sign for a bar, too.
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert main(["predict", "seven.png", "text.png", "blank.png", "other.jpg"]) == 2
    stdout.seek(0)
    answers = [line for line in stdout.read().splitlines() if ": " in line]
    assert answers == ["seven.png: 7", "other.jpg: 7"]
    errors = capsys.readouterr().err.splitlines()
    assert [error.count("mnist-tutorial: error: ") for error in errors] == [1, 1]
    assert "text.png" in errors[0] and "blank.png" in errors[1]


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("predict --weights missing.weights.h5 seven.png", "missing.weights.h5"),
        ("predict missing.png", "missing.png"),
        ("evaluate --data missing.npz", "missing.npz"),
        ("train --weights own.h5 --data tiny.npz", "own.h5"),
        ("train --weights no/own.weights.h5 --data tiny.npz", "no"),
        ("train --weights text.png/own.weights.h5 --data tiny.npz", "text.png"),
        ("export no/such", "no/such"),
        ("reproduce best", "'best'"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_used_ends_with_status_2_and_one_line_before_any_work(
    command: str, named: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "fit", lambda *_, **__: pytest.fail("it trains"))
    assert main(command.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith("mnist-tutorial: error: ")
    assert named in shown.err
    assert not Path("own.weights.h5").exists()


@pytest.mark.parametrize("command", ["", f"{TRAIN} --epochs 0", f"{TRAIN} --seed -1"])
def test_an_incomplete_or_wrong_command_shows_its_usage(
    command: str, capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(command.split())
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("usage: mnist-tutorial")


def test_reproduce_prints_each_recorded_run(capsys: Capture) -> None:
    assert main(["reproduce", "tutorial"]) == 0  # all of it is recorded
    lines = capsys.readouterr().out.splitlines()
    for line, entry in zip(lines, results.load("tutorial")["runs"], strict=True):
        expected = f"seed {entry['seed']}: {entry['correct']:,} of 10,000 correct, "
        assert line.startswith(expected)


def test_ctrl_c_writes_what_was_learned_but_replaces_nothing_by_part_of_an_epoch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    path = folder / "own.weights.h5"
    for older, epochs, written in ((False, 0, True), (True, 0, False), (True, 2, True)):
        if older:
            path.write_text("older")
        stopped = models.build_cnn(), {"loss": [0.5] * epochs}
        monkeypatch.setattr(training, "train", lambda *_, end=stopped: end)
        assert main([*TRAIN.split(), *TINY, "--epochs", "3"]) == 130
        assert (path.read_bytes() != b"older") == written
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_a_reader_who_has_read_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["predict", "seven.png"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="the shell is not a POSIX one")
def test_without_stderr_and_with_channels_first_the_right_score_is_printed(
    folder: Path, tiny: Arrays
) -> None:
    settings = {"image_data_format": "channels_first", "backend": "tensorflow"}
    (folder / "keras.json").write_text(json.dumps(settings))
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *EVALUATE]
    finished = run(command, KERAS_HOME=str(folder))
    digits = prepare(tiny["x_test"], tiny["y_test"])
    score = training.evaluate(weights_module.load_pretrained(), *digits)
    assert (finished.stdout, finished.returncode) == (f"{score}\n", 0)


@pytest.mark.skipif(bool(importlib.util.find_spec("torch")), reason="it is installed")
@pytest.mark.usefixtures("folder")
def test_a_backend_that_is_not_installed_is_named_in_one_line() -> None:
    finished = run(EVALUATE, KERAS_BACKEND="torch")
    assert (finished.returncode, finished.stderr.count("\n")) == (2, 1)
    assert finished.stderr.startswith("mnist-tutorial: error: torch ")
