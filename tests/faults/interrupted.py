"""Kill recordings, trainings and ensembles at random moments, twenty times, and see that nothing is lost.

python tests/faults/interrupted.py

After each kill every file is whole or absent, and what was there before is there still. At the end each work
is finished and compared with the same work that nobody disturbed. Takes some minutes.
"""

import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mnist_tutorial import models, results
from mnist_tutorial.backend import keras

KILLS = 20
RECIPE = "training.Recipe(epochs=1, batch_size=16, augmentation=None)"
WORKS = {
    "reproduce": f"""
from mnist_tutorial import data, recipes, training
(x, y), (x_test, y_test) = data.load_mnist()
data.load_mnist = lambda: ((x[:64], y[:64]), (x_test[:50], y_test[:50]))
recipes.EXPERIMENTS["tiny"] = recipes.Experiment({RECIPE}, recipes.seeds(4))
recipes.reproduce("tiny", folder)
""",
    "train": f"""
from mnist_tutorial import data, preprocessing, training
(x, y), _ = data.load_mnist()
model, _ = training.train({RECIPE}, *preprocessing.prepare(x[:64], y[:64]), verbose=0)
training.save_weights(model, folder / "trained.weights.h5")
""",
    "ensemble": f"""
from mnist_tutorial import ensembling, training
for member in ensembling.train_members({RECIPE}, range(2), folder, digits=64):
    assert not member.error, member.error
""",
}


def start(work: str, folder: Path) -> subprocess.Popen[bytes]:
    code = f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{WORKS[work]}"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)


def finish(work: str, folder: Path) -> float:
    begin = time.perf_counter()
    status = start(work, folder).wait()
    assert status == 0, f"{work} ended with {status}"
    return time.perf_counter() - begin


def content(folder: Path) -> dict[str, Any]:
    """What the files hold, as far as it must be the same in each run; damaged files raise."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.weights.h5")):
        if (
            path.name.count(".") == 2
        ):  # not one that a killed process was writing, under a name of its own
            found[path.name] = models.load_cnn(path).get_weights()
    if (folder / "tiny.json").exists():
        runs = results.load("tiny", folder)["runs"]
        kept = ("seed", "correct", "answers", "history")
        found["runs"] = sorted(json.dumps([run[key] for key in kept]) for run in runs)
    return found


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and one and isinstance(one[0], np.ndarray):
        return all((a == b).all() for a, b in zip(one, other, strict=True))
    return bool(one == other)


def main() -> None:
    keras.utils.disable_interactive_logging()
    random.seed(0)
    with tempfile.TemporaryDirectory() as temporary:
        undisturbed, disturbed = (
            Path(temporary, "undisturbed"),
            Path(temporary, "disturbed"),
        )
        seconds = {}
        for work in WORKS:
            for folder in (undisturbed / work, disturbed / work):
                folder.mkdir(parents=True)
            seconds[work] = finish(work, undisturbed / work)
            print(f"{work}: {seconds[work]:.0f} s undisturbed", flush=True)
        kills = survived = 0
        for work in itertools.cycle(WORKS):
            before = content(disturbed / work)
            process = start(work, disturbed / work)
            time.sleep(random.uniform(0.3, 1) * seconds[work])
            if (
                process.poll() is not None
            ):  # too late, perhaps since the machine has less to do: begin anew
                seconds[work] *= 0.8
                shutil.rmtree(disturbed / work)
                (disturbed / work).mkdir()
                continue
            process.kill()
            process.wait()
            expected, found = content(undisturbed / work), content(disturbed / work)
            whole = all(
                set(value) <= set(expected[name])
                if name == "runs"
                else same(value, expected[name])
                for name, value in found.items()
            ) and all(
                set(value) <= set(found.get(name, ()))
                if name == "runs"
                else name in found
                for name, value in before.items()
            )
            kills, survived = kills + 1, survived + whole
            print(
                f"kill {kills}, {work}: {'whole' if whole else 'DAMAGED'}", flush=True
            )
            if kills == KILLS:
                break
        for work in WORKS:
            finish(work, disturbed / work)
            expected, found = content(undisturbed / work), content(disturbed / work)
            equal = expected.keys() == found.keys() and all(
                same(expected[key], found[key]) for key in expected
            )
            print(
                f"{work}: finished, {'the same as undisturbed' if equal else 'ANOTHER RESULT'}"
            )
            survived -= 0 if equal else KILLS
    print(f"{max(survived, 0)} of {KILLS} kills survived")
    sys.exit(survived != KILLS)


if __name__ == "__main__":
    main()
