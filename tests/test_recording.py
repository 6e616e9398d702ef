"""Nothing that was recorded is lost: not by a stop, not by a second writer."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mnist_tutorial import results
from mnist_tutorial.experiments.recording import describe_machine, record

SEEDS = [{"seed": seed} for seed in range(4)]
ABOUT = {"recipe": {"epochs": 5, "augmentation": {"shift": 0.08}}}


def entry(seed: int) -> dict[str, Any]:
    return {"seed": seed, "correct": 9950, "digits": 10000}


def test_a_stopped_recording_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    tried = []

    def run(seed: int) -> dict[str, Any]:
        tried.append(seed)
        if tried == [0, 1]:
            raise KeyboardInterrupt
        return entry(seed)

    folder = tmp_path / "made" / "if it is missing"
    with pytest.raises(KeyboardInterrupt):
        record("first", ABOUT, SEEDS, run, folder)
    assert results.load("first", folder)["runs"] == [entry(0)]
    for _ in range(2):
        recorded = record("first", ABOUT, SEEDS, run, folder)
        assert recorded == results.load("first", folder)
        assert recorded == {"name": "first", **ABOUT, "runs": [*map(entry, range(4))]}
    assert tried == [0, 1, 1, 2, 3]


def test_a_recording_that_was_cut_anywhere_is_completed(tmp_path: Path) -> None:
    expected = record("first", ABOUT, SEEDS[:2], entry, tmp_path)
    path = tmp_path / "first.jsonl"
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        assert record("first", ABOUT, SEEDS[:2], entry, tmp_path) == expected
        assert path.read_bytes() == whole


def test_runs_with_one_seed_are_told_apart_by_what_else_they_have(
    tmp_path: Path,
) -> None:
    keys: list[dict[str, Any]] = [
        {"changes": {"epochs": n}, "seed": seed} for n in (5, 6) for seed in (0, 1)
    ]
    did: list[dict[str, Any]] = []

    def run(**key: Any) -> dict[str, Any]:
        did.append(key)
        return entry(key["seed"])

    record("first", ABOUT, keys[:3], run, tmp_path)
    runs = record("first", ABOUT, keys, run, tmp_path)["runs"]
    assert did == keys
    assert runs == [key | entry(key["seed"]) for key in keys]


def test_another_machine_may_go_on_but_another_recipe_may_not(tmp_path: Path) -> None:
    record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    with pytest.raises(ValueError, match=r"first\.jsonl.*'epochs': 5"):
        record("first", {"recipe": {"epochs": 6}}, SEEDS, entry, tmp_path)
    on_another_machine = ABOUT | {"machine": describe_machine()}
    recorded = record("first", on_another_machine, SEEDS[:2], entry, tmp_path)
    assert recorded == {"name": "first", **ABOUT, "runs": [entry(0), entry(1)]}


def test_what_another_records_during_a_run_is_kept_and_not_recorded_twice(
    tmp_path: Path,
) -> None:
    def run(seed: int) -> dict[str, Any]:
        record("first", ABOUT, [{"seed": 3}, {"seed": 0}], entry, tmp_path)
        return entry(seed)

    runs = record("first", ABOUT, SEEDS[:2], run, tmp_path)["runs"]
    assert [run["seed"] for run in runs] == [3, 0, 1]


def test_two_processes_at_once_lose_nothing_and_record_nothing_twice(
    tmp_path: Path,
) -> None:
    code = """
from pathlib import Path
from mnist_tutorial.experiments.recording import record

keys, about = [{"seed": seed} for seed in range(150)], {"recipe": {}}
input("ready")
record("first", about, keys, lambda seed: {"correct": 1, "digits": 1}, Path())
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout and process.stdout.read(5) == b"ready"
    for process in processes:  # both begin at once
        assert process.stdin and process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    runs = results.load("first", tmp_path)["runs"]
    assert sorted(run["seed"] for run in runs) == list(range(150))
