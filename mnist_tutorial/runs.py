"""One recorded run: train, score the test digits, and say on which machine (chapter: evaluation)."""

import datetime
import importlib.metadata
import io
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import preprocessing, results, training
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.pseudo_labelling import (
    Part,
    choose_confident,
    draw_labelled,
    mixed_batches,
)

Digits = tuple[NDArray[np.float32], NDArray[np.float32]]
Run = tuple[keras.Model, dict[str, Any]]

# Pseudo-labelling with few labels: set before any score, but for the number of steps.
THRESHOLD = 0.95  # FixMatch's
THRESHOLDS = (
    0.5,
    0.8,
    0.9,
    0.95,
    0.99,
    0.999,
)  # what is counted, to see what other thresholds would give
LABELLED_SHARE = 0.25  # of each batch; the rest are pseudo-labels
COPIES = 5  # of each digit, that the teachers of `run_with_teachers` answer to: one for each epoch of `run`
STEPS = (
    400,
    400,
    800,
)  # of each network in turn: all but the first learn from pseudo-labels


def run(recipe: training.Recipe, train_data: Digits, test_data: Digits) -> Run:
    """Train once; return the network and the record of it, an entry of `runs` as in `results.load`."""
    return run_on_batches(recipe, training.batches(recipe, *train_data), test_data)


def run_on_batches(
    recipe: training.Recipe, dataset: tensorflow.data.Dataset, test_data: Digits
) -> Run:
    """Train once on a data set of batches, as `training.fit` takes it; return what `run` does."""
    after_epoch = _ScoreAfterEpoch(*test_data)
    start = time.perf_counter()
    model, history = training.fit(recipe, dataset, callbacks=[after_epoch])
    seconds = time.perf_counter() - start - after_epoch.seconds
    if len(after_epoch.correct) < recipe.epochs:
        raise KeyboardInterrupt  # a run that was stopped, be it while it was scored, is not a result
    scores: dict[str, list[Any]] = {
        "test_correct": after_epoch.correct,
        "test_loss": after_epoch.loss,
    }
    history = {
        key: [round(value, 5) for value in values]
        for key, values in {**history, **scores}.items()
    }
    return model, {
        "correct": after_epoch.correct[-1],
        "digits": len(test_data[0]),
        "wall_seconds": round(seconds, 1),
        "date": datetime.date.today().isoformat(),
        "history": history,
        "answers": "".join(str(label) for label in after_epoch.answers),
    }


def run_with_few_labels(
    recipe: training.Recipe,
    train_data: Digits,
    test_data: Digits,
    labels: int,
    pseudo_labels: bool,
    steps: Sequence[int] = STEPS,
    together: bool = False,
) -> Run:
    """Train with the labels of only so many training digits; with or without pseudo-labels for the others.

    Both arms know the same labels, which the seed draws, and do the same number of steps in all. With
    pseudo-labels a first network labels the others, a second one learns from what the first was sure of
    and labels them again, and so on; the last is scored. steps: of each network in turn. together: each
    has other first weights, and all so far label together, by their mean answer; otherwise each has the same
    first weights, and the one before labels alone. Returns what `run` does; with pseudo-labels the record
    holds `rounds`: for each of THRESHOLDS how many of them were `chosen` and how many of these `wrong`.
    """
    x, y = train_data
    truth = y.argmax(axis=1)
    known, hidden = draw_labelled(truth, labels, recipe.seed)
    labelled = Part(x[known], y[known], 1)

    def learn(number: int, steps: int, *parts: Part) -> Run:
        seed = recipe.seed + 1000 * number if together else recipe.seed
        dataset = mixed_batches(parts, recipe.batch_size, steps, seed)
        return run_on_batches(replace(recipe, seed=seed), dataset, test_data)

    if not pseudo_labels:
        return learn(0, sum(steps), labelled)
    model, entry = learn(0, steps[0], labelled)
    seconds, rounds, answers = entry["wall_seconds"], [], []
    for number, its_steps in enumerate(steps[1:], start=1):
        start = time.perf_counter()
        answers.append(model.predict(x[hidden], batch_size=500, verbose=0))
        probabilities = np.mean(answers, axis=0) if together else answers[-1]
        rounds.append(
            [
                _count(probabilities, truth[hidden], threshold)
                for threshold in THRESHOLDS
            ]
        )
        chosen, sure_of = choose_confident(probabilities, THRESHOLD)
        seconds += time.perf_counter() - start
        sure = Part(
            x[hidden[chosen]], preprocessing.one_hot(sure_of), 1 - LABELLED_SHARE
        )
        model, entry = learn(
            number, its_steps, labelled._replace(share=LABELLED_SHARE), sure
        )
        seconds += entry["wall_seconds"]
    return model, entry | {"wall_seconds": round(seconds, 1), "rounds": rounds}


def run_with_test_images(
    recipe: training.Recipe, train_data: Digits, test_data: Digits
) -> Run:
    """Train, let the network label the test digits, and train a new one on them too, in as many steps.

    A quarter of each batch are test digits with the ten probabilities that the first network gave them, as
    in the 2017 article's notebook. Returns what `run` does, of the second network, and in the record
    `correct_before`, of the first. What it counts is no test score: the test digits were learned from.
    """
    model, before = run(recipe, train_data, test_data)
    x_test, _ = test_data
    practised = Part(x_test, model.predict(x_test, batch_size=500, verbose=0), 0.25)
    steps = -(-len(train_data[0]) // recipe.batch_size)
    dataset = mixed_batches(
        [Part(*train_data, 0.75), practised], recipe.batch_size, steps, recipe.seed
    )
    model, after = run_on_batches(recipe, dataset, test_data)
    return model, after | {"correct_before": before["correct"]}


def run_with_teachers(
    recipe: training.Recipe,
    train_data: Digits,
    test_data: Digits,
    teachers: Sequence[tuple[training.Recipe, Path]],
    lesson: Path,
) -> Run:
    """Train on what several trained networks say of augmented training digits, instead of on labels.

    teachers: the recipe and the weights file of each. lesson: the file that keeps the augmented digits and
    the teachers' mean answers for other seeds; it is written if it is not there. Returns what `run` does.
    Sources: Hinton et al., 2015; that the teachers answer to the very pictures that the student sees,
    Beyer et al., 2022.
    """
    if not lesson.exists():
        _write_lesson(train_data[0], teachers, lesson)
    with np.load(lesson) as arrays:
        x = preprocessing.add_channel(preprocessing.scale_pixels(arrays["pictures"]))
        part = Part(x, arrays["answers"].astype(np.float32), 1)
    steps = COPIES * -(-len(train_data[0]) // recipe.batch_size)
    return run_on_batches(
        recipe, mixed_batches([part], recipe.batch_size, steps, recipe.seed), test_data
    )


def _write_lesson(
    x: NDArray[np.float32],
    teachers: Sequence[tuple[training.Recipe, Path]],
    lesson: Path,
) -> None:
    augment = RandomAffine(**(training.Recipe().augmentation or {}), seed=0)
    batches = [x[start : start + 500] for start in range(0, len(x), 500)]
    changed = [
        augment(batch, training=True) for _ in range(COPIES) for batch in batches
    ]
    pictures = np.round(255 * np.concatenate(changed)[..., 0]).astype(np.uint8)
    x = preprocessing.add_channel(preprocessing.scale_pixels(pictures))
    answers = np.zeros((len(x), 10), np.float32)
    for taught, path in teachers:
        teacher = training.build(taught)
        teacher.load_weights(path)
        answers += teacher.predict(x, batch_size=500) / len(teachers)
    content = io.BytesIO()
    np.savez(content, pictures=pictures, answers=answers.astype(np.float16))
    results.write_whole(lesson, content.getvalue())


def _count(
    probabilities: NDArray[np.float32], truth: NDArray[np.intp], threshold: float
) -> dict[str, float]:
    chosen, answers = choose_confident(probabilities, threshold)
    wrong = int((answers != truth[chosen]).sum())
    return {"threshold": threshold, "chosen": len(chosen), "wrong": wrong}


def describe_machine() -> dict[str, Any]:
    """Name the processor, the number of cores and the versions that a result was made with."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in lines
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    versions = {
        name: importlib.metadata.version(name)
        for name in ("keras", "tensorflow", "numpy")
    }
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
        self.loss: list[float] = []
        self.answers = np.zeros(len(x), int)
        self.seconds = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        start = time.perf_counter()
        probabilities = self.model.predict(self.x, batch_size=500, verbose=0)
        self.answers = probabilities.argmax(axis=1)
        of_the_label = probabilities[np.arange(len(self.labels)), self.labels]
        self.loss.append(float(-np.log(np.maximum(of_the_label, 1e-7)).mean()))
        self.correct.append(int((self.answers == self.labels).sum()))
        self.seconds += time.perf_counter() - start
