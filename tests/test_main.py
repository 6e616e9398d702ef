import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mnist_tutorial import models, recipes, training
from mnist_tutorial.__main__ import main
from mnist_tutorial.pictures import center_digit
from mnist_tutorial.preprocessing import prepare

Arrays = dict[str, NDArray[np.uint8]]
COMMANDS = ["train", "evaluate", "predict", "reproduce", "export"]


def run_module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_tutorial", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment
    )


@pytest.fixture(scope="module")
def tiny(mnist: Arrays) -> Arrays:
    return {name: array[:100] for name, array in mnist.items()}


@pytest.fixture
def folder(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The current folder, with all that a command can be given, good and bad."""
    monkeypatch.chdir(tmp_path)
    np.savez("tiny.npz", **tiny)
    large = np.kron(255 - tiny["x_test"][0], np.ones((4, 4), np.uint8))
    Image.fromarray(large).save("seven.png")
    Image.fromarray(large).convert("RGB").save("seven.jpg", quality=95)
    Image.new("L", (40, 40), "white").save("blank.png")
    Path("text.png").write_text("no picture", encoding="utf-8")
    Path("damaged.weights.h5").write_bytes(b"no weights")
    return tmp_path


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)])
def test_help_shows_examples(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0
    assert "examples:\n  mnist-tutorial predict photo.jpg scan.png" in shown
    assert all(name in shown for name in command or COMMANDS)


def test_the_module_runs_as_a_command() -> None:
    finished = run_module("--help")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("usage: mnist-tutorial")


def test_the_script_runs_the_same_command() -> None:
    (script,) = importlib.metadata.entry_points(
        group="console_scripts", name="mnist-tutorial"
    )
    assert script.load() is main


def test_trained_weights_are_scored_and_read_digits(
    folder: Path, tiny: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    train = [
        "train",
        "--weights",
        "own.weights.h5",
        "--data",
        "tiny.npz",
        "--epochs",
        "1",
        "--seed",
        "7",
    ]
    assert main(train) == 0
    assert "Weights written to own.weights.h5" in capsys.readouterr().out
    recipe = training.Recipe(epochs=1, seed=7)
    expected, _ = training.train(
        recipe, *prepare(tiny["x_train"], tiny["y_train"]), verbose=0
    )
    model = models.load_cnn("own.weights.h5")
    for stored, trained in zip(
        model.get_weights(), expected.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(stored, trained)

    assert main(["evaluate", "--weights", "own.weights.h5", "--data", "tiny.npz"]) == 0
    score = training.evaluate(model, *prepare(tiny["x_test"], tiny["y_test"]))
    assert capsys.readouterr().out == f"{score}\n"

    assert main(["predict", "--weights", "own.weights.h5", "seven.png"]) == 0
    assert capsys.readouterr().out.startswith("seven.png: ")


def test_predict_prints_ten_bars_for_each_picture(
    folder: Path, weights: Path, tiny: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    model = models.load_cnn(weights)
    model.get_layer("logits").set_weights(
        [50 * weight for weight in model.get_layer("logits").get_weights()]
    )
    training.save_weights(model, "sure.weights.h5")
    digit = np.asarray(Image.open("seven.png"))
    probabilities = model(
        center_digit(digit)[None, ..., None].astype(np.float32) / 255
    ).numpy()[0]
    assert 0.1 < probabilities.max() < 1

    assert (
        main(["predict", "--weights", "sure.weights.h5", "seven.png", "seven.jpg"]) == 0
    )
    said = capsys.readouterr().out.splitlines()
    lines = [line for line in said if not re.match("  [A-Z]", line)]  # no doubts
    assert len(lines) == 22
    assert lines[0] == f"seven.png: {probabilities.argmax()}"
    assert lines[11] == f"seven.jpg: {probabilities.argmax()}"
    for label, (line, probability) in enumerate(
        zip(lines[1:11], probabilities, strict=True)
    ):
        digit_shown, percent, *bar = line.split()
        assert int(digit_shown) == label
        assert float(percent.rstrip("%")) == pytest.approx(100 * probability, abs=0.006)
        assert len("".join(bar)) == pytest.approx(40 * probability, abs=0.51)
        assert set("".join(bar)) <= {"█"}


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("predict --weights WEIGHTS text.png", ["text.png", "PNG or JPEG"]),
        (
            "predict --weights WEIGHTS blank.png",
            ["blank.png: ", "No ink stands out"],
        ),
        ("predict --weights WEIGHTS missing.png", ["no file missing.png"]),
        (
            "predict --weights missing.weights.h5 seven.png",
            ["no weights file missing.weights.h5"],
        ),
        ("predict --weights own.h5 seven.png", ["own.h5"]),
        (
            "predict --weights damaged.weights.h5 seven.png",
            ["damaged.weights.h5 is damaged"],
        ),
        (
            "predict --weights seven.png seven.png",
            ["must end in .weights.h5", "seven.png"],
        ),
        (
            "evaluate --weights missing.weights.h5 --data tiny.npz",
            ["no weights file missing.weights.h5"],
        ),
        ("evaluate --weights WEIGHTS --data missing.npz", ["missing.npz"]),
        ("evaluate --weights WEIGHTS --data seven.png", ["seven.png", ".npz"]),
        (
            "train --weights own.h5 --data tiny.npz",
            ["must end in .weights.h5", "own.h5"],
        ),
        ("train --weights no/own.weights.h5 --data tiny.npz", ["no folder no"]),
        ("train --weights own.weights.h5 --data missing", ["missing"]),
        (
            "train --weights own.weights.h5 --data tiny.npz --epochs 0",
            ["epochs", "got 0"],
        ),
        (
            "train --weights own.weights.h5 --data tiny.npz --seed -1",
            ["seed", "got -1"],
        ),
        ("export no/such", ["no folder no/such", "weights.js"]),
        ("reproduce best", ["'best'", "tutorial-long"]),
    ],
)
def test_what_cannot_be_used_ends_with_status_2_and_one_line(
    folder: Path,
    weights: Path,
    command: str,
    parts: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(command.replace("WEIGHTS", str(weights)).split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith("mnist-tutorial: error: ")
    assert all(part in shown.err for part in parts)
    assert not Path("own.weights.h5").exists()


def test_what_cannot_be_read_keeps_no_other_picture_from_being_read(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", "--weights", str(weights), "blank.png", "seven.png"]
    assert main(command) == 2
    shown = capsys.readouterr()
    assert shown.out.startswith("seven.png: ")
    assert "blank.png: No ink stands out" in shown.err


def test_a_terminal_without_a_sign_for_bars_gets_the_numbers(folder: Path) -> None:
    finished = run_module("predict", "seven.png", PYTHONIOENCODING="cp1252")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("seven.png: 7\n  0 ")
    assert "7  9" in finished.stdout


def test_the_exit_status_reaches_the_shell(folder: Path) -> None:
    finished = run_module("predict", "--weights", "own.weights.h5", "text.png")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("mnist-tutorial: error: text.png")


@pytest.mark.parametrize(
    "command", ["", "learn", "train", "predict --weights own.weights.h5"]
)
def test_an_incomplete_command_shows_its_usage(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(command.split())
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("usage: mnist-tutorial")


def test_reproduce_prints_each_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [{"seed": 3, "correct": 9_951, "digits": 10_000, "wall_seconds": 81.6}]
    monkeypatch.setattr(recipes, "reproduce", lambda name: {"name": name, "runs": runs})
    assert main(["reproduce", "first"]) == 0
    assert capsys.readouterr().out == "seed 3: 9,951 of 10,000 correct, 82 s\n"


def test_ctrl_c_ends_a_recording_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press_ctrl_c(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipes, "reproduce", press_ctrl_c)
    assert main(["reproduce", "first"]) == 130
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("older", "epochs", "written"),
    [(True, 0, False), (False, 0, True), (True, 2, True)],
)
def test_ctrl_c_in_training_writes_what_was_learned_but_replaces_nothing_by_part_of_an_epoch(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    older: bool,
    epochs: int,
    written: bool,
) -> None:
    if older:
        (folder / "own.weights.h5").write_text("older")
    stopped = models.build_cnn(), {"loss": [0.5] * epochs}
    monkeypatch.setattr(training, "train", lambda *_: stopped)
    arguments = ["--weights", "own.weights.h5", "--data", "tiny.npz", "--epochs", "3"]
    assert main(["train", *arguments]) == 130
    assert ((folder / "own.weights.h5").read_bytes() != b"older") == written
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_without_weights_the_network_that_comes_along_reads_and_is_scored(
    tiny: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    model = models.load_pretrained()
    assert main(["evaluate", "--data", "tiny.npz"]) == 0
    assert (
        capsys.readouterr().out
        == f"{training.evaluate(model, *prepare(tiny['x_test'], tiny['y_test']))}\n"
    )
    assert main(["predict", "seven.png"]) == 0
    assert capsys.readouterr().out.startswith("seven.png: 7\n")


@pytest.mark.usefixtures("folder")
def test_export_writes_what_the_page_has(capsys: pytest.CaptureFixture[str]) -> None:
    Path("page").mkdir()
    assert main(["export", "page"]) == 0
    assert "page/weights.js" in capsys.readouterr().out.replace("\\", "/")
    committed = Path(__file__).parent.parent / "book" / "_extra" / "draw" / "samples.js"
    assert Path("page/samples.js").read_bytes() == committed.read_bytes()
    assert Path("page/weights.js").stat().st_size > 1_000_000
