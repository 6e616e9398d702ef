import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from mnist_tutorial.members import Member, train_members
from mnist_tutorial.recipe import Recipe

RECIPE = Recipe(epochs=1, batch_size=16)
DIGITS = 32


def wait_for(condition: Callable[[], Any]) -> Any:
    for _ in range(1200):
        if value := condition():
            return value
        time.sleep(0.1)
    raise TimeoutError("two minutes have passed")


def kill_a_busy_one(workers: set[int]) -> threading.Thread:
    """Kill a worker that has begun with a member, and the member's process."""

    def begun() -> list[psutil.Process]:
        for worker in workers:
            with suppress(psutil.NoSuchProcess):  # it may have ended meanwhile
                process = psutil.Process(worker)
                if children := process.children():
                    return [process, *children]
        return []

    def kill() -> None:
        for process in wait_for(begun):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    return killer


# Killed workers; a cluster's is killed in the chapter scaling_out


def test_a_pool_whose_worker_was_killed_says_so_and_a_second_call_trains_the_member(
    tmp_path: Path,
) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        killer = kill_a_busy_one({pool.submit(os.getpid).result()})
        members = list(train_members(RECIPE, [0, 2], tmp_path, pool, DIGITS))
        killer.join()
    assert [member.seed for member in members if "terminated" in member.error] == [0, 2]
    assert {path.name for path in tmp_path.iterdir()} == {"recipe.json"}
    (member,) = train_members(RECIPE, [2], tmp_path, Instant(), DIGITS)
    assert member == Member(2, tmp_path / "seed_2.weights.h5")


def test_a_member_that_cannot_be_trained_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "none")
    (member,) = train_members(RECIPE, [4], tmp_path, digits=DIGITS)
    assert not member.path.exists()
    for words in ("seed 4 failed", "Error: ", "none"):
        assert words in member.error


# Which are trained, and when they come


class Instant(Executor):
    """Where members need no training: seed 1 fails, and seeds from 3 never come."""

    def __init__(self) -> None:
        self.futures: dict[int, Future[None]] = {}

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        recipe, path, _ = args
        future: Future[None] = Future()
        self.futures[recipe.seed] = future
        if recipe.seed == 1:
            future.set_exception(MemoryError())
        elif recipe.seed < 3:
            path.touch()
            future.set_result(None)
        return future


def test_each_comes_when_it_is_ready_and_a_failure_stops_no_other(
    tmp_path: Path,
) -> None:
    list(train_members(RECIPE, [2], tmp_path, Instant()))
    executor = Instant()
    members = train_members(RECIPE, range(3), tmp_path, executor)
    assert executor.futures == {}  # before anyone asks
    zero, one, two = (tmp_path / f"seed_{seed}.weights.h5" for seed in range(3))
    assert next(members) == Member(2, two)
    assert set(executor.futures) == {0, 1}  # while the caller looks at the first
    assert sorted(members) == [Member(0, zero), Member(1, one, "MemoryError()")]


def test_no_more_members_are_trained_for_a_caller_who_stops_asking(
    tmp_path: Path,
) -> None:
    executor = Instant()
    for member in train_members(RECIPE, [0, 3, 4], tmp_path, executor):
        assert member.seed == 0
        break
    cancelled = {seed: future.cancelled() for seed, future in executor.futures.items()}
    assert cancelled == {0: False, 3: True, 4: True}


@pytest.mark.parametrize(("epochs", "digits"), [(2, DIGITS), (1, DIGITS + 1)])
def test_members_of_another_recipe_are_not_mixed_in(
    tmp_path: Path, epochs: int, digits: int
) -> None:
    list(train_members(RECIPE, [0], tmp_path, Instant(), DIGITS))
    other = replace(RECIPE, epochs=epochs)
    with pytest.raises(ValueError, match="members of another recipe"):
        list(train_members(other, [0], tmp_path, Instant(), digits))
