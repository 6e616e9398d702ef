"""What each change in the lab gives, with the three seeds that a pair trains.

python tests/benchmarks/lab.py

It writes mnist_tutorial/assets/results/lab.jsonl, from which the page for teachers
prints its key, and goes on where it was stopped. It trains in one thread, since sums
that several threads share out come out a little differently on every machine.
"""

import ast
import json
import os
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

from mnist_tutorial import load_mnist, prepare
from mnist_tutorial.experiments.recording import describe_machine, record
from mnist_tutorial.recipe import Recipe
from mnist_tutorial.training import evaluate, train

LAB = Path(__file__).parents[2] / "book" / "lab.ipynb"
RECIPE = Recipe(epochs=3, batch_size=32)
LEARN, SCORE = slice(2000), slice(-5000, None)


def changes() -> list[dict[str, Any]]:
    """Read the changes from the table in the lab; the first is none."""
    cells = json.loads(LAB.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    rows = re.findall(r"^\| `(\w+)=(\S+)` \|", text, re.MULTILINE)
    return [{}, *({name: ast.literal_eval(value)} for name, value in rows)]


def main() -> None:
    (images, labels), _ = load_mnist()
    digits = prepare(images[LEARN], labels[LEARN])
    validation = prepare(images[SCORE], labels[SCORE])

    def run(changes: dict[str, Any], seed: int) -> dict[str, Any]:
        network, _ = train(replace(RECIPE, seed=seed, **changes), *digits, verbose=0)
        score = evaluate(network, *validation)
        print(f"{changes}, seed {seed}: {score}", flush=True)
        return {"correct": score.digits - score.errors, "digits": score.digits}

    keys = [{"changes": each, "seed": seed} for each in changes() for seed in range(3)]
    machine = describe_machine() | {"threads": 1}
    about = {"machine": machine, "recipe": asdict(RECIPE)}
    record("lab", about, keys, run)


if __name__ == "__main__":
    main()
