"""Recorded runs: what a recipe really scored, kept as JSON beside the package (chapter: training)."""

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mnist_tutorial import checks

RESULTS = Path(__file__).parent / "assets" / "results"
RUN: dict[str, Any] = {
    "seed": int,
    "correct": int,
    "digits": int,
    "wall_seconds": (int, float),
    "history": dict,
}


def load(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read a recorded result and check it.

    Returns a dict with `name`, `recipe`, `machine` and `runs`; `runs` is a list with an entry a seed:
    `seed`, `correct` (of `digits`), `wall_seconds` (training without scoring) and `history` (a list a
    measure, one number an epoch). Raises FileNotFoundError or ValueError. Chapter: training.
    """
    folder = checks.path(folder, "folder")
    path = checks.path(
        folder / f"{checks.kind('name', name, str, 'a string')}.json", "name"
    )
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(
            f"There is no recorded result {name!r}; recorded here: {known}."
        )
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: damaged, not readable as JSON ({error}).") from error
    _check(result, path)
    return result


def record(
    name: str,
    about: dict[str, Any],
    runs: Iterable[dict[str, Any]],
    run: Callable[..., dict[str, Any]],
    folder: Path = RESULTS,
) -> dict[str, Any]:
    """Do each run that is not recorded yet, and write the result after every one.

    about: what all runs share, `recipe` and `machine` among it. runs: what tells each run from the
    others, {"seed": 0} for one; it becomes part of its entry. run: takes that and returns the rest.
    A second call goes on where the first was stopped, and two calls at once share one file: what the other
    has recorded meanwhile is kept and not done again. Raises ValueError if what is recorded under this name
    had another recipe, for then the runs may not be mixed. Chapter: evaluation.
    """
    result: dict[str, Any] = {"name": name, **about, "runs": []}
    path = folder / f"{name}.json"
    folder.mkdir(parents=True, exist_ok=True)  # now, not after the first run
    if path.exists() and load(name, folder)["recipe"] != about["recipe"]:
        found = load(name, folder)["recipe"]
        raise ValueError(
            f"{path} holds another recipe, {found}. Move it away to record anew."
        )
    for key in runs:
        result = load(name, folder) if path.exists() else result
        if not _has(result, key):
            entry = {**key, **run(**key)}
            with alone(path):
                result = load(name, folder) if path.exists() else result
                if not _has(result, key):
                    result["runs"].append(entry)
                    write_whole(path, (json.dumps(result, indent=1) + "\n").encode())
    return result


def _has(result: dict[str, Any], key: dict[str, Any]) -> bool:
    return any(key.items() <= entry.items() for entry in result["runs"])


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let no other process add to a file for a few milliseconds. Raises PermissionError."""
    lock, patience = path.with_name(f"{path.name}.lock"), time.monotonic() + 10
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError) as error:
            # Windows says the second while the file is being removed, and everyone where none may be written.
            if isinstance(error, PermissionError) and time.monotonic() > patience:
                raise
            with suppress(FileNotFoundError, PermissionError):
                if (
                    time.time() - lock.stat().st_mtime > 10
                ):  # whoever made it was killed in these milliseconds
                    lock.unlink()
            time.sleep(0.01)
    try:
        yield
    finally:
        lock.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: whoever reads it meanwhile finds the old one."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _check(result: Any, path: Path) -> None:
    if (
        not isinstance(result, dict)
        or not {"name", "recipe", "machine", "runs"} <= result.keys()
    ):
        raise ValueError(
            f"{path}: expected an object with name, recipe, machine and runs."
        )
    if not isinstance(result["runs"], list) or not result["runs"]:
        raise ValueError(
            f"{path}: runs must be a list with an entry for each seed, got {result['runs']!r:.60}."
        )
    for run in result["runs"]:
        if not isinstance(run, dict) or not all(
            isinstance(run.get(key), kind) and not isinstance(run[key], bool)
            for key, kind in RUN.items()
        ):
            raise ValueError(
                f"{path}: each run must have {', '.join(RUN)}, found {run!r:.60}."
            )
        if not 0 <= run["correct"] <= run["digits"] or not run["digits"]:
            raise ValueError(
                f"{path}: correct must be 0 to {run['digits']}, found {run['correct']}."
            )
        if not 0 <= run["wall_seconds"] < math.inf:
            raise ValueError(
                f"{path}: wall_seconds must be 0 or more, found {run['wall_seconds']}."
            )
        for measure, values in run["history"].items():
            if not isinstance(values, list) or not all(
                type(value) in (int, float) for value in values
            ):
                raise ValueError(
                    f"{path}: {measure} must be a list of numbers, found {values!r:.60}."
                )
