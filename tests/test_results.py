import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mnist_tutorial import results

SEEDS = [{"seed": seed} for seed in range(9)]
ABOUT = {
    "recipe": {"epochs": 5, "augmentation": {"shift": 0.08}},
    "machine": {"cores": 2},
}


def entry(seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "correct": 9950,
        "digits": 10000,
        "wall_seconds": 60.5,
        "history": {"loss": [0.1]},
    }


def whole(**changed: Any) -> dict[str, Any]:
    return {"name": "first", **ABOUT, "runs": [entry(0)]} | changed


def write(folder: Path, content: Any) -> Path:
    path = folder / "first.json"
    path.write_text(
        content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
    )
    return path


class Runs:
    """Stands for the trainings: notes the seeds, and can be stopped at one of them."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.seeds: list[int] = []

    def __call__(self, seed: int) -> dict[str, Any]:
        self.seeds.append(seed)
        if seed == self.stop_at:
            raise KeyboardInterrupt
        return entry(seed)


def test_what_is_recorded_can_be_loaded(tmp_path: Path) -> None:
    recorded = results.record("first", ABOUT, SEEDS[:3], entry, tmp_path)
    assert recorded == whole(runs=[entry(0), entry(1), entry(2)])
    assert results.load("first", tmp_path) == recorded
    one_number_a_line = (
        json.dumps(recorded, indent=1) + "\n"
    )  # so that a difference is readable
    assert (tmp_path / "first.json").read_text(encoding="utf-8") == one_number_a_line


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    results.record("first", ABOUT, SEEDS[:1], entry, tmp_path / "new" / "results")
    assert results.load("first", tmp_path / "new" / "results") == whole()


def test_a_stopped_recording_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    stopped, resumed, finished = Runs(stop_at=1), Runs(), Runs()
    with pytest.raises(KeyboardInterrupt):
        results.record("first", ABOUT, SEEDS[:3], stopped, tmp_path)
    assert results.load("first", tmp_path) == whole()
    results.record("first", ABOUT, SEEDS[:3], resumed, tmp_path)
    recorded = results.record("first", ABOUT, SEEDS[:3], finished, tmp_path)
    assert (stopped.seeds, resumed.seeds, finished.seeds) == ([0, 1], [1, 2], [])
    assert (
        recorded
        == results.load("first", tmp_path)
        == whole(runs=[entry(0), entry(1), entry(2)])
    )


def test_the_file_is_whole_after_every_seed(tmp_path: Path) -> None:
    seen = []

    def run(seed: int) -> dict[str, Any]:
        if seed > 0:
            seen.append(
                [run["seed"] for run in results.load("first", tmp_path)["runs"]]
            )
        return entry(seed)

    results.record("first", ABOUT, SEEDS[:4], run, tmp_path)
    assert seen == [[0], [0, 1], [0, 1, 2]]
    assert [file.name for file in tmp_path.iterdir()] == ["first.json"]


def test_runs_with_one_seed_are_told_apart_by_what_else_they_have(
    tmp_path: Path,
) -> None:
    runs = [
        {"changes": {"epochs": epochs}, "seed": seed}
        for epochs in (5, 6)
        for seed in (0, 1)
    ]
    did: list[dict[str, Any]] = []

    def run(seed: int, changes: dict[str, int]) -> dict[str, Any]:
        did.append({"changes": changes, "seed": seed})
        return entry(seed)

    results.record("first", ABOUT, runs[:3], run, tmp_path)
    recorded = results.record("first", ABOUT, runs, run, tmp_path)
    assert (
        did
        == runs
        == [{key: run[key] for key in ("changes", "seed")} for run in recorded["runs"]]
    )


def test_runs_of_another_recipe_are_not_mixed_in(tmp_path: Path) -> None:
    results.record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    before = (tmp_path / "first.json").read_bytes()
    runs = Runs()
    with pytest.raises(ValueError, match=r"first\.json.*'epochs': 5"):
        results.record(
            "first", {**ABOUT, "recipe": {"epochs": 6}}, SEEDS[:2], runs, tmp_path
        )
    assert (runs.seeds, (tmp_path / "first.json").read_bytes()) == ([], before)


def test_another_machine_may_go_on(tmp_path: Path) -> None:
    results.record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    recorded = results.record(
        "first", {**ABOUT, "machine": {"cores": 4}}, SEEDS[:2], entry, tmp_path
    )
    assert [run["seed"] for run in recorded["runs"]] == [0, 1]


def test_two_processes_at_once_lose_nothing_and_do_little_twice(tmp_path: Path) -> None:
    code = f"""
import random, sys, time
from pathlib import Path
from mnist_tutorial import results

def run(seed):
    print(seed)
    time.sleep(random.random() / 100)
    return {{"correct": 1, "digits": 1, "wall_seconds": 1.0, "history": {{}}}}

keys = [{{"seed": seed}} for seed in range(60)]
results.record("first", {{"recipe": {{}}, "machine": {{}}}}, keys, run, Path({str(tmp_path)!r}))
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    did = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    seeds = [run["seed"] for run in results.load("first", tmp_path)["runs"]]
    assert sorted(seeds) == list(range(60))
    assert sum(map(len, did)) < 3 * 60, "what another has recorded is not done again"
    assert [file.name for file in tmp_path.iterdir()] == ["first.json"]


def test_what_another_records_during_a_run_is_kept_and_not_recorded_twice(
    tmp_path: Path,
) -> None:
    def run(seed: int) -> dict[str, Any]:
        results.record("first", ABOUT, [{"seed": 5}, {"seed": 0}], entry, tmp_path)
        return entry(seed)

    recorded = results.record("first", ABOUT, SEEDS[:2], run, tmp_path)
    assert recorded["runs"] == [entry(5), entry(0), entry(1)]
    assert recorded == results.load("first", tmp_path)


def test_the_lock_of_a_process_that_was_killed_is_removed(tmp_path: Path) -> None:
    lock = tmp_path / "first.json.lock"
    lock.touch()
    long_ago = time.time() - 11
    os.utime(lock, (long_ago, long_ago))
    results.record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["first.json"]


def refuse_locks(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Refuse to make a lock so many times, as Windows does while the old one is being removed."""
    left, make = iter(range(times)), os.open

    def refuse(path: Path, *arguments: int) -> int:
        if str(path).endswith(".lock") and next(left, None) is not None:
            raise PermissionError(13, "Permission denied")
        return make(path, *arguments)

    monkeypatch.setattr(os, "open", refuse)


def test_a_lock_that_is_just_being_removed_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(monkeypatch, times=3)
    assert results.record("first", ABOUT, SEEDS[:1], entry, tmp_path) == whole()


def test_where_no_lock_may_be_made_the_recording_ends_with_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(monkeypatch, times=10**9)
    clock = iter(range(0, 100, 4))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(PermissionError):
        results.record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_old_file_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    results.record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    (tmp_path / "old.json").hardlink_to(tmp_path / "first.json")
    results.record("first", ABOUT, SEEDS[:2], entry, tmp_path)
    assert results.load("old", tmp_path) == whole()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path,
) -> None:
    results.record("first", ABOUT, SEEDS[:1], entry, tmp_path)
    with pytest.raises(TypeError, match="JSON serializable"):
        results.record(
            "first",
            ABOUT,
            SEEDS[:2],
            lambda seed: entry(seed) | {"date": object()},
            tmp_path,
        )
    assert results.load("first", tmp_path) == whole()
    assert [file.name for file in tmp_path.iterdir()] == ["first.json"]


@pytest.mark.parametrize(
    "just_right",
    [{"correct": 0}, {"correct": 10000}, {"wall_seconds": 0}, {"wall_seconds": 0.5}],
)
def test_numbers_at_their_ends_are_right(
    tmp_path: Path, just_right: dict[str, float]
) -> None:
    write(tmp_path, whole(runs=[entry(0) | just_right]))
    assert results.load("first", tmp_path)["runs"][0].items() >= just_right.items()


def test_what_names_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^name must be a string, got 3"):
        results.load(3, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^folder must be a string or a Path, got 3"):
        results.load("first", 3)  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match=r"^name must be one that a file can have, got "
    ):
        results.load("a\0b", tmp_path)


def test_a_missing_result_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"'second'.*: none\."):
        results.load("second", tmp_path)
    (tmp_path / "third.json").touch()
    write(tmp_path, whole())
    with pytest.raises(FileNotFoundError, match=r"'second'.*first, third"):
        results.load("second", tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "JSON"),
        (json.dumps(whole())[:-20], "JSON"),
        ([], "name, recipe, machine and runs"),
        ({"name": "first"}, "name, recipe, machine and runs"),
        (whole(runs=[]), r"runs must be a list.*\[\]"),
        (whole(runs={}), r"runs must be a list.*\{\}"),
        (whole(runs=[5]), "each run must have .*5"),
        (whole(runs=[entry(0) | {"correct": 10001}]), "0 to 10000.*10001"),
        (whole(runs=[entry(0) | {"correct": -1}]), "0 to 10000.*-1"),
        *[
            (
                whole(runs=[entry(0), entry(1) | {key: wrong}]),
                f"each run must have .*{key}",
            )
            for key, wrong in [
                ("seed", "0"),
                ("correct", 0.99),
                ("digits", None),
                ("wall_seconds", "60"),
                ("history", []),
            ]
        ],
        *[
            (
                whole(runs=[entry(0) | {"wall_seconds": wrong}]),
                f"wall_seconds must be 0 or more, found {wrong}",
            )
            for wrong in (-0.1, math.inf, math.nan)
        ],
        *[
            (
                whole(runs=[entry(0) | {"history": {"loss": wrong}}]),
                "loss must be a list of numbers, found ",
            )
            for wrong in (0.1, "1", {"1": 2}, [0.1, None], [True])
        ],
    ],
)
def test_a_damaged_result_is_refused(
    tmp_path: Path, content: Any, expected: str
) -> None:
    path = write(tmp_path, content)
    damaged = path.read_bytes()
    for read in (
        results.load,
        lambda name, folder: results.record(name, ABOUT, SEEDS[:2], entry, folder),
    ):
        with pytest.raises(ValueError, match=expected) as error:
            read("first", tmp_path)
        assert str(path) in str(error.value)
    assert path.read_bytes() == damaged
