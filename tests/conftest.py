"""What test modules share: MNIST, a few of its digits, a weights file, Hypothesis."""

import os

# Where tests run side by side, one thread each loses the least time. OpenBLAS is
# NumPy's: two of its threads that wait for each other on busy processors can take ten
# times as long as one. It asks when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in (
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "OPENBLAS_NUM_THREADS",
    ):
        os.environ.setdefault(name, "1")

from pathlib import Path

import numpy as np
import pytest
from browser import browser, fresh, origin, page, tab
from hypothesis import Phase, settings
from numpy.typing import NDArray

from mnist_tutorial import load_mnist

# The same examples in every run, and no time limit on one: a busy machine is no fault
# of the package.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
settings.load_profile("repeatable")

Arrays = dict[str, NDArray[np.uint8]]
__all__ = ["browser", "fresh", "origin", "page", "tab"]  # for tests that look at pages


@pytest.fixture(scope="session")
def mnist() -> Arrays:
    (x_train, y_train), (x_test, y_test) = load_mnist()
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


@pytest.fixture(scope="session")
def few(mnist: Arrays) -> Arrays:
    """A set in MNIST's format so small that each byte of its files can be damaged."""
    return {name: array[: 3 if "train" in name else 2] for name, array in mnist.items()}


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights file of an untrained network."""
    from mnist_tutorial import models
    from mnist_tutorial import weights as weights_module

    path = tmp_path_factory.mktemp("weights") / "untrained.weights.h5"
    weights_module.save(models.build_cnn(), path)
    return path
