"""TensorFlow starts late and in silence, and a real error gets through."""

import gc
import os
import subprocess
import sys

import pytest

from mnist_tutorial.backend import garbage_left, stderr_held_back


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )


def test_loading_digits_starts_neither_keras_nor_tensorflow() -> None:
    finished = run_python(
        "import sys, mnist_tutorial as mnist; mnist.prepare(*mnist.load_mnist()[1]);"
        "print({'keras', 'tensorflow', 'matplotlib', 'scipy', 'PIL'} & {*sys.modules})"
    )
    assert (finished.stdout, finished.stderr, finished.returncode) == ("set()\n", "", 0)


def test_building_a_network_prints_nothing() -> None:
    finished = run_python(
        "import numpy; from mnist_tutorial import models;"
        "models.build_cnn()(numpy.zeros((1, 28, 28, 1)))"
    )
    assert (finished.stdout, finished.stderr, finished.returncode) == ("", "", 0)


def test_garbage_is_collected_after_the_import_as_it_was_before() -> None:
    for collect in (gc.disable, gc.enable):
        collect()
        before = gc.isenabled()
        with garbage_left():
            assert not gc.isenabled()
        assert gc.isenabled() == before


def test_what_is_printed_during_the_import_is_held_back_unless_it_fails(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with stderr_held_back():
        os.write(2, b"a start-up message\n")
    os.write(2, b"printed afterwards\n")
    assert capfd.readouterr().err == "printed afterwards\n"
    with pytest.raises(ImportError, match="no such library"), stderr_held_back():
        os.write(2, b"the reason\n")
        raise ImportError("no such library")
    assert capfd.readouterr().err == "the reason\n"
