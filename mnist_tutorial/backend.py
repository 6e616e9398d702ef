"""Import Keras without TensorFlow's start-up messages, and with its faster convolutions.

TensorFlow writes several lines to file descriptor 2 (stderr) from C++ before any log level can act.
In a notebook they are noise for the reader. This module is the one place that imports Keras first;
everything else says ``from mnist_tutorial.backend import keras``.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Send file descriptor 2 to a temporary file; print what it caught only if an error is raised."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            if failed:
                caught.seek(0)
                sys.stderr.write(caught.read().decode(errors="replace"))


# TensorFlow leaves its faster convolutions off on processors without AVX-512, unless it is asked before.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

with _stderr_held_back():
    import keras
    import tensorflow

    # Without this call the first operation would print a line about CUDA.
    tensorflow.config.list_physical_devices()

__all__ = ["keras", "tensorflow"]
