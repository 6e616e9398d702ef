"""The recipes whose results this book records, and one recorded run of a recipe (chapter: training)."""

import datetime
import importlib.metadata
import os
import platform
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import data, preprocessing, results, training
from mnist_tutorial.backend import keras

# name: (recipe, seeds). A recipe and its seeds are committed before their first test score.
RECIPES: dict[str, tuple[training.Recipe, range]] = {
    "first": (
        training.Recipe(),
        range(1),
    ),  # the landing page's: five epochs, as the article trains, with all defaults
}


def reproduce(name: str, folder: Path = results.RESULTS) -> dict[str, Any]:
    """Train a named recipe with each of its seeds and record the result after every one.

    Writes `folder`/`name`.json; a second call goes on where the first was stopped. Returns the whole
    result, as `results.load` does. Raises ValueError for an unknown name. Chapter: training.
    """
    if name not in RECIPES:
        raise ValueError(f"There is no recipe {name!r}; there are: {', '.join(RECIPES)}.")
    recipe, seeds = RECIPES[name]
    train_digits, test_digits = data.load_mnist()
    train_data, test_data = (
        preprocessing.prepare(*train_digits),
        preprocessing.prepare(*test_digits),
    )
    without_seed = {key: value for key, value in asdict(recipe).items() if key != "seed"}
    about = {"recipe": without_seed, "machine": describe_machine()}
    return results.record(
        name,
        about,
        seeds,
        lambda seed: run(replace(recipe, seed=seed), train_data, test_data),
        folder,
    )


def run(
    recipe: training.Recipe,
    train_data: tuple[NDArray[np.float32], NDArray[np.float32]],
    test_data: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> dict[str, Any]:
    """Train once and return the record of it: an entry of `runs`, as `results.load` describes it."""
    after_epoch = _ScoreAfterEpoch(*test_data)
    start = time.perf_counter()
    _, history = training.train(recipe, *train_data, callbacks=[after_epoch])
    seconds = time.perf_counter() - start - after_epoch.seconds
    if len(history.get("loss", [])) < recipe.epochs:
        raise KeyboardInterrupt  # a run that was stopped is not a result
    history = {name: [round(value, 5) for value in values] for name, values in history.items()}
    return {
        "seed": recipe.seed,
        "correct": after_epoch.correct[-1],
        "digits": len(test_data[0]),
        "wall_seconds": round(seconds, 1),
        "date": datetime.date.today().isoformat(),
        "history": {**history, "test_correct": after_epoch.correct},
        "answers": "".join(str(label) for label in after_epoch.answers),
    }


def describe_machine() -> dict[str, Any]:
    """Name the processor, the number of cores and the versions that a result was made with."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    processor = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
    versions = {name: importlib.metadata.version(name) for name in ("keras", "tensorflow", "numpy")}
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
    }


class _ScoreAfterEpoch(keras.callbacks.Callback):
    """Score the test digits after every epoch, for the record only, and keep the time that this takes."""

    def __init__(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
        super().__init__()
        self.x, self.labels = x, y.argmax(axis=1)
        self.correct: list[int] = []
        self.answers = np.zeros(len(x), int)
        self.seconds = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        start = time.perf_counter()
        self.answers = self.model.predict(self.x, batch_size=500, verbose=0).argmax(axis=1)
        self.correct.append(int((self.answers == self.labels).sum()))
        self.seconds += time.perf_counter() - start
