"""Kill recordings, trainings and ensembles at random moments; nothing may be lost.

python tests/faults/interrupted.py

After each of twenty kills every file is whole or absent, and what was there before is
there still. At the end each work is finished and compared with the same work that
nobody disturbed. Takes some minutes.
"""

import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mnist_tutorial import results, weights

KILLS = 20
START = """
import sys
from pathlib import Path
from mnist_tutorial import load_mnist, members, prepare, training, weights
from mnist_tutorial.experiments import registry
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.recipe import Recipe

folder = Path(sys.argv[1])
tiny = {"epochs": 1, "batch_size": 16, "augmentation": None}
(x, y), (x_test, y_test) = load_mnist()
"""
WORKS = {
    "reproduce": """
registry.load_mnist = lambda: ((x[:64], y[:64]), (x_test[:50], y_test[:50]))
registry.EXPERIMENTS["tiny"] = registry.Experiment(Variant(**tiny), registry.seeds(4))
registry.reproduce("tiny", folder)
""",
    "train": """
model, _ = training.train(Recipe(**tiny), *prepare(x[:64], y[:64]), verbose=0)
weights.save(model, folder / "trained.weights.h5")
""",
    "ensemble": """
for member in members.train_members(Recipe(**tiny), range(2), folder, digits=64):
    assert not member.error, member.error
""",
}


def start(work: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", START + WORKS[work], str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def finish(work: str, folder: Path) -> float:
    begin = time.perf_counter()
    status = start(work, folder).wait()
    assert status == 0, f"{work} ended with {status}"
    return time.perf_counter() - begin


def content(folder: Path) -> dict[str, str]:
    """Say what the files hold that must be the same each time; damaged files raise."""
    found = {
        path.name: weights.checksum(weights.load(path))
        for path in folder.glob("*.weights.h5")
        if path.name.count(".") == 2  # others are what a killed process was writing
    }
    begun = any(b"\n" in path.read_bytes() for path in folder.glob("*.jsonl"))
    for run in results.load("tiny", folder)["runs"] if begun else ():
        kept = [run[key] for key in ("correct", "answers", "history")]
        found[f"seed {run['seed']}"] = json.dumps(kept)
    return found


def main() -> None:
    random.seed(0)
    folder = Path(tempfile.mkdtemp())
    seconds, expected = {}, {}
    for work in WORKS:
        for place in ("undisturbed", "disturbed"):
            (folder / place / work).mkdir(parents=True)
        seconds[work] = finish(work, folder / "undisturbed" / work)
        expected[work] = content(folder / "undisturbed" / work)
        print(f"{work}: {seconds[work]:.0f} s undisturbed", flush=True)
    kills = 0
    for work in itertools.cycle(WORKS):
        disturbed = folder / "disturbed" / work
        before = content(disturbed)
        process = start(work, disturbed)
        time.sleep(random.uniform(0.3, 1) * seconds[work])
        if process.poll() is not None:  # too late, or all was there: begin again
            disturbed.rename(Path(tempfile.mkdtemp(dir=folder), work))
            disturbed.mkdir()
            seconds[work] *= 0.8
            continue
        process.kill()
        process.wait()
        found = content(disturbed)
        assert before.items() <= found.items() <= expected[work].items(), found
        kills += 1
        print(f"kill {kills}, {work}: whole", flush=True)
        if kills == KILLS:
            break
    for work in WORKS:
        finish(work, folder / "disturbed" / work)
        assert content(folder / "disturbed" / work) == expected[work]
        print(f"{work}: finished, the same as undisturbed")


if __name__ == "__main__":
    main()
