"""Train the members of an ensemble, each in a process of its own, over any executor."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from mnist_tutorial.files import replacing
from mnist_tutorial.recipe import Recipe
from mnist_tutorial.scalars import Positive, Seed


class Member(NamedTuple):
    """One network of an ensemble: its seed, its weights file, and its error, if any."""

    seed: Seed
    path: Path
    error: str = ""


def train_members(
    recipe: Recipe,
    seeds: Iterable[Any],  # weights_path checks that each is a Seed
    folder: str | Path,
    executor: Executor | None = None,
    digits: Positive = 60_000,
) -> Iterator[Member]:
    """Train one network per seed; yield each as soon as its weights are in `folder`.

    executor: what trains them; its machines must share the folder. By default they are
    trained here, one after the other. digits: the number of training digits to use.

    Weights that are in the folder already are yielded at once, so a second call trains
    only what is missing. A member that fails is yielded with its error, and the others
    go on. Raises ValueError if the folder holds members of another recipe.
    """
    folder = claim(Path(folder).resolve(), recipe, digits)
    members = [Member(seed, weights_path(folder, seed)) for seed in seeds]
    ready = [member for member in members if member.path.exists()]
    executor = executor or ThreadPoolExecutor(1)
    futures = {}
    try:
        for member in members:
            if member not in ready:
                task = (replace(recipe, seed=member.seed), member.path, digits)
                futures[executor.submit(train_in_new_process, *task)] = member
        yield from ready
        for future in as_completed(futures):
            error = future.exception()
            text = "" if error is None else str(error) or repr(error)
            yield futures[future]._replace(error=text)
    finally:
        for future in futures:
            future.cancel()  # a caller who stops wants no more members


def train_in_new_process(recipe: Recipe, path: Path, digits: Positive) -> None:
    """Train one member in a new process, and wait for it.

    In an executor's worker, other threads may draw from Python's random numbers, so the
    same seed could give other weights. Raises RuntimeError if the process fails.
    """
    task = to_json({"recipe": asdict(recipe), "path": str(path), "digits": digits})
    command = [sys.executable, "-m", "mnist_tutorial.members", task]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        raise RuntimeError(f"The member with seed {recipe.seed} failed: {last[0]}")


def weights_path(folder: Path, seed: Seed) -> Path:
    """Name the file of the member with this seed."""
    return folder / f"seed_{seed}.weights.h5"


def claim(folder: Path, recipe: Recipe, digits: Positive) -> Path:
    """Note in a folder which recipe its members have, or check that it is this one."""
    wanted = to_json({**asdict(recipe), "seed": None, "digits": digits})
    path = folder / "recipe.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with replacing(path) as unfinished:
            unfinished.write_text(wanted, encoding="utf-8")
    found = path.read_text(encoding="utf-8")
    if found != wanted:
        raise ValueError(
            f"{folder} holds members of another recipe, {found:.500}; choose another."
        )
    return folder


def to_json(content: dict[str, object]) -> str:
    """Return JSON, with NumPy's numbers written as Python's."""
    return json.dumps(content, default=lambda number: number.item(), sort_keys=True)


def main(task: str) -> None:
    """Train the member that the task describes; the new process runs this."""
    # Imported here, so that a worker, which only waits, does not start TensorFlow.
    from mnist_tutorial import load_mnist, prepare, training, weights

    options = json.loads(task)
    recipe, digits = Recipe(**options["recipe"]), options["digits"]
    path = weights.check_path(options["path"])
    (x_train, y_train), _ = load_mnist()
    x_train, y_train = prepare(x_train[:digits], y_train[:digits])
    model = training.build(recipe)
    training.fit(recipe, model, training.batches(recipe, x_train, y_train), verbose=0)
    weights.save(model, path)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:  # its last line becomes the member's error
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
