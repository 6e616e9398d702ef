"""Import Keras without TensorFlow's start-up messages, with its faster convolutions.

TensorFlow writes several lines to file descriptor 2 (stderr) from C++ before any log
level can act. In a notebook they are noise for the reader. This module is the one place
that imports Keras first; everything else says ``from mnist_tutorial.backend import
keras``.
"""

import gc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """Discard what is written to file descriptor 2, unless an error is raised."""
    try:
        saved = os.dup(2)
    except OSError:  # there is none in a program without a terminal, such as IDLE
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except BaseException:
            caught.seek(0)
            os.write(saved, caught.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextmanager
def garbage_left() -> Iterator[None]:
    """Look for no garbage, now or later, among what is made here and stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


# TensorFlow leaves its faster convolutions off on processors without AVX-512, unless
# asked.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if sys.stderr:
    sys.stderr.flush()
# While it imports a module of ours, jaxtyping's hook gives compiled files another name;
# without this, 3,000 files of Keras and TensorFlow would be compiled again, in 5 s.
cache_from_source = "importlib._bootstrap_external.cache_from_source"
with (
    stderr_held_back(),
    patch(cache_from_source, importlib.util.cache_from_source),
    garbage_left(),  # which would take a fifth of the time, and more of each tracing
):
    try:
        import keras
        import tensorflow
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error.name} is not installed. Install it, or, if KERAS_BACKEND or "
            "~/.keras/keras.json makes Keras need it, name tensorflow there.",
            name=error.name,
        ) from None

    # Without this call the first operation would print a line about CUDA.
    tensorflow.config.list_physical_devices()

__all__ = ["keras", "tensorflow"]
