"""Members of an ensemble per hour: here one by one, and on two Dask workers.

Run it with nothing else running:  python tests/benchmarks/scaling.py
It writes mnist_tutorial/assets/results/scaling.json.
"""

import json
import os
import tempfile
import time
from contextlib import ExitStack

from distributed import Client, LocalCluster

from mnist_tutorial import results
from mnist_tutorial.experiments.recording import describe_machine
from mnist_tutorial.members import train_members
from mnist_tutorial.recipe import Recipe

RECIPE = Recipe(epochs=1)
DIGITS, MEMBERS, ROUNDS = 20_000, 4, 2
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def members_per_hour(workers: int, threads: int) -> float:
    """Train the members; 0 workers: one by one; 0 threads: TensorFlow's own choice."""
    for name in THREADS:
        os.environ.pop(name, None)
        if threads:
            os.environ[name] = str(threads)
    with ExitStack() as stack:
        folder, executor = stack.enter_context(tempfile.TemporaryDirectory()), None
        if workers:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0"
            )
            client = stack.enter_context(Client(stack.enter_context(cluster)))
            executor = client.get_executor()
        start = time.perf_counter()
        members = list(train_members(RECIPE, range(MEMBERS), folder, executor, DIGITS))
        seconds = time.perf_counter() - start
    assert not any(member.error for member in members), members
    return round(3600 * MEMBERS / seconds, 1)


def main() -> None:
    ways = {
        "one process, TensorFlow's threads": (0, 0),
        "two workers, one thread each": (2, 1),
        "two workers, TensorFlow's threads": (2, 0),
    }
    measured: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, (workers, threads) in ways.items():
            measured[way].append(members_per_hour(workers, threads))
            print(f"{way}: {measured[way][-1]} members per hour", flush=True)
    machine = describe_machine()
    content = {"machine": machine, "digits": DIGITS, "members_per_hour": measured}
    text = json.dumps(content, indent=1) + "\n"
    (results.RESULTS / "scaling.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
