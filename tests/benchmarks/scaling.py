"""Members of an ensemble an hour: one after the other here, and on two Dask workers; into scaling.json.

Run it with nothing else running:  python tests/benchmarks/scaling.py
"""

import json
import os
import tempfile
import time

from distributed import Client, LocalCluster

from mnist_tutorial import results, training
from mnist_tutorial.ensembling import train_members
from mnist_tutorial.runs import describe_machine

RECIPE = training.Recipe(epochs=1)
DIGITS, MEMBERS, ROUNDS = 20_000, 4, 2
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def members_per_hour(workers: int, threads: int) -> float:
    """Train the members; workers: 0 for none but this process; threads: 0 for TensorFlow's own choice."""
    for name in THREADS:
        os.environ.pop(name, None)
        if threads:
            os.environ[name] = str(threads)
    with tempfile.TemporaryDirectory() as folder:
        if not workers:
            start = time.perf_counter()
            members = list(train_members(RECIPE, range(MEMBERS), folder, digits=DIGITS))
        else:
            with (
                LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None
                ) as cluster,
                Client(cluster) as client,
            ):
                start = time.perf_counter()
                executor = client.get_executor()
                members = list(
                    train_members(RECIPE, range(MEMBERS), folder, executor, DIGITS)
                )
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
            print(f"{way}: {measured[way][-1]} members an hour", flush=True)
    content = {
        "machine": describe_machine(),
        "digits": DIGITS,
        "members_per_hour": measured,
    }
    results.write_whole(
        results.RESULTS / "scaling.json",
        (json.dumps(content, indent=1) + "\n").encode(),
    )


if __name__ == "__main__":
    main()
