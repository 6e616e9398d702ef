"""Train several networks, each in its own process, and let them answer together (chapter: ensembling)."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import checks, data, preprocessing, results, training

Floats = NDArray[np.floating]
Integers = NDArray[np.intp]


class Member(NamedTuple):
    """One network of an ensemble: its seed, the file of its weights, and what went wrong, if anything."""

    seed: int
    path: Path
    error: str = ""


class Ensembles(NamedTuple):
    """The errors of each ensemble drawn, and the standard error of their mean."""

    errors: Integers
    standard_error: float


def train_members(
    recipe: training.Recipe,
    seeds: Iterable[int],
    folder: str | Path,
    executor: Executor | None = None,
    digits: int = 60_000,
) -> Iterator[Member]:
    """Train one network a seed, and yield each as soon as its weights are in `folder`.

    executor: where the members are trained; None for one after the other here. On another machine the
    folder must be the same one. digits: how many training digits they see, the first of the 60,000.

    A seed whose weights are in the folder already is yielded at once, so a second call trains what is
    missing. A member that fails is yielded with its error, and the others go on. Each is trained in a
    process of its own, since an executor's worker may draw from Python's random numbers meanwhile, and the
    same seed would then give other weights. Raises TypeError, or ValueError if the folder holds members of
    another recipe, or if a seed or the number of digits makes no sense. Chapters: ensembling, scaling_out.
    """
    checks.kind("recipe", recipe, training.Recipe, "a Recipe")
    seeds = [checks.seed(seed) for seed in checks.items("seeds", seeds)]
    folder = checks.path(folder, "folder").resolve()
    checks.kind("executor", executor, (Executor, type(None)), "an Executor or None")
    digits = checks.whole_number("digits", digits, 1, 60_000)
    tasks = {seed: replace(recipe, seed=seed) for seed in seeds}
    _claim(folder, recipe, digits)
    return _train_members(tasks, folder, executor, digits)


def weights_path(folder: Path, seed: int) -> Path:
    """Name the file in which `train_members` keeps the member with this seed."""
    return folder / f"seed_{seed}.weights.h5"


def keep_probabilities(
    probabilities: Floats, place: int, folder: Path = results.RESULTS
) -> None:
    """Keep what the member at this place of the recorded ensemble says: (n, classes), stored as float16.

    What is kept of the others stays. Raises ValueError if those before it are not there.
    """
    path = folder / "ensemble.npz"
    said = probabilities[None].astype(np.float16)
    with results.alone(path):
        kept = (
            load_probabilities(folder).astype(np.float16) if path.exists() else said[:0]
        )
        if len(kept) < place:
            raise ValueError(
                f"{path} holds {len(kept)} members; expected the {place} before this one."
            )
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            probabilities=np.concatenate([kept[:place], said, kept[place + 1 :]]),
        )
        results.write_whole(path, buffer.getvalue())


def load_probabilities(folder: Path = results.RESULTS) -> Floats:
    """Return what each member of the recorded ensemble says of each test digit: (members, 10000, 10).

    The members are in the order of the runs in `results.load("ensemble")`. Raises TypeError,
    FileNotFoundError, or ValueError if the file is damaged. Chapter: ensembling.
    """
    path = checks.path(folder, "folder") / "ensemble.npz"
    probabilities = data.read_npz(path, ["probabilities"], np.float16)["probabilities"]
    try:
        return _members(probabilities).astype(np.float32)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def average(probabilities: Floats) -> Floats:
    """Average what the members say: (members, n, classes) to (n, classes). Chapter: ensembling.

    Raises TypeError, or ValueError if the shape is another one or a number is no probability.
    """
    return _members(probabilities).mean(axis=0, dtype=np.float64)


def majority_vote(probabilities: Floats) -> Integers:
    """Let each member vote for its likeliest class; return the winners, (members, n, classes) to (n,).

    Of classes with equally many votes the one with the higher average probability wins. Raises TypeError,
    or ValueError if the shape is another one or a number is no probability. Chapter: ensembling.
    """
    probabilities = _members(probabilities)
    votes = (probabilities == probabilities.max(axis=2, keepdims=True)).sum(axis=0)
    return np.asarray((votes + average(probabilities) / 2).argmax(axis=1))


def draw_ensembles(
    probabilities: Floats, labels: Integers, size: int, draws: int, seed: int
) -> Ensembles:
    """Draw ensembles of `size` from the members, average each, and count its errors.

    probabilities: (members, n, classes); labels: (n,). The ensembles share members, so their mean is less
    certain than it looks: its standard error comes from leaving out one member after the other, that is,
    all draws that hold it. Raises TypeError, or ValueError if `size` is not from 1 to the number of members
    less one, or if there are too few draws to leave each member out. Source: Efron and Stein, The jackknife
    estimate of variance, 1981. Chapter: ensembling.
    """
    probabilities = _members(probabilities)
    members, digits, classes = probabilities.shape
    labels = checks.array_like("labels", labels, (digits,), "iu")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels must be from 0 to {classes - 1}, got {labels.min()} to {labels.max()}."
        )
    checks.whole_number("size", size, 1, members - 1)
    checks.whole_number("draws", draws, 1, 100_000)
    random = np.random.default_rng(checks.seed(seed))
    drawn = np.zeros((draws, members), bool)
    for row in drawn:
        row[random.choice(members, size, replace=False)] = True
    if drawn.all(axis=0).any():
        raise ValueError(
            f"draws must be so many that each member is left out of some, got {draws!r}."
        )
    sums = np.tensordot(
        drawn.astype(np.float32), probabilities.astype(np.float32), axes=1
    )
    errors = (sums.argmax(axis=2) != labels).sum(axis=1)
    without = np.array([errors[~drawn[:, member]].mean() for member in range(members)])
    variance = (members - 1) / members * ((without - without.mean()) ** 2).sum()
    return Ensembles(errors, float(np.sqrt(variance)))


def _members(probabilities: Floats) -> Floats:
    array = checks.array_like(
        "probabilities", probabilities, ("members", "n", "classes"), "iuf"
    )
    return checks.shares("probabilities", array)


def _claim(folder: Path, recipe: training.Recipe, digits: int) -> None:
    """Note in the folder what its members are, or see that it is the same."""
    wanted = {key: value for key, value in asdict(recipe).items() if key != "seed"} | {
        "digits": digits
    }
    path = folder / "recipe.json"
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path} is damaged, not readable as JSON ({error})."
            ) from error
        if found != wanted:
            raise ValueError(
                f"{folder} holds members of another recipe, {found}. Give another folder, or the same recipe."
            )
    elif folder.is_file():
        raise ValueError(f"{folder} is a file; expected a folder for the members.")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        results.write_whole(path, json.dumps(wanted).encode())


def _train_members(
    tasks: dict[int, training.Recipe],
    folder: Path,
    executor: Executor | None,
    digits: int,
) -> Iterator[Member]:
    members = {seed: Member(seed, weights_path(folder, seed)) for seed in tasks}
    missing = {
        seed: member for seed, member in members.items() if not member.path.exists()
    }
    yield from (member for seed, member in members.items() if seed not in missing)
    if executor is None:
        for seed, member in missing.items():
            try:
                _train_elsewhere(tasks[seed], member.path, digits)
            except Exception as problem:
                member = member._replace(error=str(problem))
            yield member
        return
    futures = {
        executor.submit(_train_elsewhere, tasks[seed], member.path, digits): member
        for seed, member in missing.items()
    }
    try:
        for future in as_completed(futures):
            error = future.exception()
            yield futures[future]._replace(
                error="" if error is None else str(error) or repr(error)
            )
    finally:
        for future in futures:
            future.cancel()  # who stops asking wants no more members


def _train_elsewhere(recipe: training.Recipe, path: Path, digits: int) -> None:
    """Train one member in a new process; it ends when this one does, even by a signal."""
    task = json.dumps({"recipe": asdict(recipe), "path": str(path), "digits": digits})
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_tutorial.ensembling", task],
        stdin=subprocess.PIPE,  # which closes when this process ends, however it ends
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = said.strip().splitlines()[-1:] or [
            f"it ended with status {process.returncode}"
        ]
        raise RuntimeError(
            f"The member with seed {recipe.seed} was not trained: {last[0]}"
        )


def _main(task: str) -> None:
    """Train the member that the task describes: what the new process does."""

    def end_with_parent() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    options = json.loads(task)
    path, digits = training.check_weights_path(options["path"]), options["digits"]
    (x_train, y_train), _ = data.load_mnist()
    prepared = preprocessing.prepare(x_train[:digits], y_train[:digits])
    model, history = training.train(
        training.Recipe(**options["recipe"]), *prepared, verbose=0
    )
    if len(history.get("loss", [])) < options["recipe"]["epochs"]:
        raise KeyboardInterrupt  # half-trained is not trained
    training.save_weights(model, path)


if __name__ == "__main__":
    _main(sys.argv[1])
