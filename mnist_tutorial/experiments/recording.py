"""Record each run as a line of JSON, and resume a recording that was interrupted."""

import json
import os
import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from mnist_tutorial import results


def record(
    name: str,
    about: dict[str, Any],
    keys: Iterable[dict[str, Any]],
    run: Callable[..., dict[str, Any]],
    folder: Path = results.RESULTS,
) -> dict[str, Any]:
    """Do each run that is not recorded yet, and record it as soon as it is done.

    about: what all runs share, including `recipe`. keys: what tells the runs apart,
    such as {"seed": 0}. run: takes a key and returns the rest of the entry. Two calls
    may share a file at the same time; neither repeats what the other has recorded.
    Raises ValueError if the runs recorded under this name had another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    lock = FileLock(f"{path}.lock")
    with lock:
        if not path.exists() or b"\n" not in path.read_bytes():
            append(path, about)
    found = results.load(name, folder)["recipe"]
    if found != json.loads(json.dumps(about["recipe"])):
        raise ValueError(f"{path} holds another recipe, {found}; move it away first.")
    for key in keys:
        if not is_recorded(name, key, folder):
            entry = {**key, **run(**key)}
            with lock:
                if not is_recorded(name, key, folder):
                    append(path, entry)
    return results.load(name, folder)


def is_recorded(name: str, key: dict[str, Any], folder: Path) -> bool:
    """Tell whether a run is in the record."""
    return any(key.items() <= run.items() for run in results.load(name, folder)["runs"])


def append(path: Path, entry: dict[str, Any]) -> None:
    """Append a line of JSON; cut off a line that an interrupted writer left."""
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(entry).encode() + b"\n")


def describe_machine() -> dict[str, Any]:
    """Return the processor, its cores and the versions behind a result."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    versions = {name: version(name) for name in ("keras", "tensorflow", "numpy")}
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
    }
