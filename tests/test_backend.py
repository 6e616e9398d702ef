import os
import subprocess
import sys

import pytest

from mnist_tutorial.backend import _stderr_held_back


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )


def test_loading_digits_starts_neither_keras_nor_tensorflow() -> None:
    finished = run_python(
        "import sys, mnist_tutorial; mnist_tutorial.prepare(*mnist_tutorial.load_mnist()[1]);"
        "print({'keras', 'tensorflow', 'matplotlib', 'PIL'} & sys.modules.keys())"
    )
    assert (finished.stdout, finished.stderr, finished.returncode) == ("set()\n", "", 0)


def test_building_a_network_prints_nothing() -> None:
    finished = run_python(
        "import numpy; from mnist_tutorial import models; models.build_cnn()(numpy.zeros((1, 28, 28, 1)))"
    )
    assert (finished.stdout, finished.stderr, finished.returncode) == ("", "", 0)


def test_what_is_printed_during_the_import_is_held_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with _stderr_held_back():
        os.write(2, b"a start-up message\n")
    os.write(2, b"printed afterwards\n")
    assert capfd.readouterr().err == "printed afterwards\n"


def test_an_error_during_the_import_lets_the_text_through(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ImportError, match="no such library"), _stderr_held_back():
        os.write(2, b"the reason\n")
        raise ImportError("no such library")
    os.write(2, b"printed afterwards\n")
    assert sorted(capfd.readouterr().err.splitlines()) == [
        "printed afterwards",
        "the reason",
    ]
