"""Record each run as a line of JSON, and go on where a recording was stopped."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Iterable
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
    """Do each run that is not recorded yet, and write it down as soon as it is done.

    about: what all runs share, `recipe` among it. keys: what tells each run from the
    others, {"seed": 0} for one. run: takes that and returns the rest. Two calls at once
    share a file; what the other has recorded meanwhile is not done again. Raises
    ValueError if the runs recorded under this name had another recipe.
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
    """Append a line of JSON; cut off what a stopped writer left unfinished."""
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(entry).encode() + b"\n")


def describe_machine() -> dict[str, Any]:
    """Name the processor, its cores, and the versions that a result was made with."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    versions = {
        name: importlib.metadata.version(name)
        for name in ("keras", "tensorflow", "numpy")
    }
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
    }
