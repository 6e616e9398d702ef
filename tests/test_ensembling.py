import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mnist_tutorial import ensembling, models, training
from mnist_tutorial.ensembling import (
    Member,
    average,
    draw_ensembles,
    majority_vote,
    train_members,
)

RECIPE = training.Recipe(epochs=1, batch_size=16)
DIGITS = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the members with seeds 0 and 1 are."""
    folder = tmp_path_factory.mktemp("members")
    members = list(train_members(RECIPE, [0, 1], folder, digits=DIGITS))
    assert [(member.seed, member.error) for member in members] == [(0, ""), (1, "")]
    return folder


def weights(path: Path) -> list[NDArray[np.float32]]:
    return models.load_cnn(path).get_weights()


def same(first: list[NDArray[np.float32]], second: list[NDArray[np.float32]]) -> bool:
    return all((one == other).all() for one, other in zip(first, second, strict=True))


# Training


TRAIN_ALONE = """
import sys
from mnist_tutorial import load_mnist, prepare, training
(x, y), _ = load_mnist()
recipe = training.Recipe(epochs=1, batch_size=16, seed=1)
model, _ = training.train(recipe, *prepare(x[:32], y[:32]), verbose=0)
training.save_weights(model, sys.argv[1])
"""


def test_a_member_is_the_network_that_its_seed_gives_without_an_executor(
    folder: Path, tmp_path: Path
) -> None:
    # In a new process: one that has trained before once came to other last bits.
    alone = tmp_path / "alone.weights.h5"
    subprocess.run([sys.executable, "-c", TRAIN_ALONE, alone], check=True)
    assert same(weights(folder / "seed_1.weights.h5"), weights(alone))
    assert not same(weights(folder / "seed_0.weights.h5"), weights(alone))
    assert sorted(path.name for path in folder.iterdir()) == [
        "recipe.json",
        "seed_0.weights.h5",
        "seed_1.weights.h5",
    ]


def test_what_is_there_is_not_trained_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    monkeypatch.setattr(
        ensembling, "_train_elsewhere", lambda recipe, *_: trained.append(recipe.seed)
    )
    members = train_members(RECIPE, [0, 7, 1], folder, digits=DIGITS)
    assert next(members) == Member(0, folder / "seed_0.weights.h5")
    assert trained == []
    assert [member.seed for member in members] == [1, 7]
    assert trained == [7]


def test_each_is_yielded_when_it_is_ready_and_a_failure_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(recipe: training.Recipe, path: Path, digits: int) -> None:
        if recipe.seed == 1:
            raise RuntimeError("the disk is full")
        path.touch()

    monkeypatch.setattr(ensembling, "_train_elsewhere", train)
    for executor in (None, AtOnce()):
        members = []
        for member in train_members(
            RECIPE, range(3), tmp_path / type(executor).__name__, executor
        ):
            assert member.path.exists() == (not member.error)
            members.append((member.seed, member.error))
        assert sorted(members) == [(0, ""), (1, "the disk is full"), (2, "")]


class AtOnce(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except RuntimeError as error:
            future.set_exception(error)
        return future


def test_who_stops_asking_has_no_more_members_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    class OneAtATime(Executor):
        def __init__(self) -> None:
            self.futures: list[Future[Any]] = []

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.futures.append(Future())
            if len(self.futures) == 1:
                self.futures[0].set_result(None)
            started.set()
            return self.futures[-1]

    executor = OneAtATime()
    members = train_members(RECIPE, range(3), tmp_path, executor)
    assert not started.is_set()
    assert next(members).seed == 0
    members.close()  # type: ignore[attr-defined]
    assert [future.cancelled() for future in executor.futures] == [False, True, True]


def test_a_member_that_cannot_be_trained_says_why(tmp_path: Path) -> None:
    with pytest.raises(
        RuntimeError, match=r"seed 4 was not trained.*There is no folder"
    ):
        ensembling._train_elsewhere(
            training.Recipe(epochs=1, batch_size=8, seed=4),
            tmp_path / "none" / "a.weights.h5",
            8,
        )


def test_a_training_ends_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from mnist_tutorial import ensembling, training; "
        "ensembling._train_elsewhere(training.Recipe(epochs=1000), "
        f"Path({str(tmp_path / 'a.weights.h5')!r}), 60_000)"
    )
    asking = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        (training_pid,) = wait_for(lambda: children(asking.pid))
    finally:
        asking.kill()
        asking.wait()
    wait_for(lambda: not is_running(training_pid))


def children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def is_running(pid: int) -> bool:
    return (
        psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    )


def wait_for(condition: Any) -> Any:
    for _ in range(1200):
        if value := condition():
            return value
        time.sleep(0.1)
    raise TimeoutError("two minutes have passed")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"recipe": training.Recipe(epochs=2)},
            "(?s)holds members of another recipe.*'batch_size': 16",
        ),
        ({"digits": 33}, "holds members of another recipe.*'digits': 32"),
        ({"digits": 0}, "digits must be a whole number from 1 to 60000, got 0"),
        ({"digits": 1e4}, "got 10000.0"),
        ({"seeds": [0, -1]}, "seed must be .*-1"),
    ],
)
def test_bad_input_is_refused_at_once(
    folder: Path, changed: dict[str, Any], expected: str
) -> None:
    arguments: dict[str, Any] = {
        "recipe": RECIPE,
        "seeds": [0],
        "folder": folder,
        "digits": DIGITS,
    } | changed
    with pytest.raises(ValueError, match=expected):
        train_members(**arguments)


def test_a_damaged_note_is_named(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(ValueError, match=r"recipe\.json is damaged"):
        train_members(RECIPE, [0], tmp_path)


# A cluster


@pytest.fixture
def client() -> Iterator[Client]:
    random_state = random.getstate()
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
    random.setstate(random_state)


def test_a_killed_worker_costs_no_member(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    workers = set(client.run(os.getpid).values())
    members = train_members(
        RECIPE, range(2), tmp_path, client.get_executor(), digits=DIGITS
    )

    def kill() -> None:
        victim = wait_for(lambda: [pid for pid in workers if children(pid)])[0]
        psutil.Process(victim).kill()

    killer = threading.Thread(target=kill)
    killer.start()
    finished = list(members)
    killer.join()
    assert sorted((member.seed, member.error) for member in finished) == [
        (0, ""),
        (1, ""),
    ]
    assert set(client.run(os.getpid).values()) != workers, "one of them was killed"
    for seed in (0, 1):
        name = f"seed_{seed}.weights.h5"
        assert same(weights(tmp_path / name), weights(folder / name))


def test_a_pool_whose_worker_was_killed_says_so_and_a_second_call_trains_the_rest(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProcessPoolExecutor(1) as pool:
        pool.submit(os.getpid).result()
        (worker,) = pool._processes
        threading.Timer(0.5, psutil.Process(worker).kill).start()
        members = list(train_members(RECIPE, [0, 1], tmp_path, pool, digits=DIGITS))
    assert all("terminated" in member.error for member in members)
    (tmp_path / "seed_0.weights.h5").write_bytes(
        (folder / "seed_0.weights.h5").read_bytes()
    )
    again = list(train_members(RECIPE, [0, 1], tmp_path, digits=DIGITS))
    assert [(member.seed, member.error) for member in again] == [(0, ""), (1, "")]
    assert same(
        weights(tmp_path / "seed_1.weights.h5"), weights(folder / "seed_1.weights.h5")
    )


# What the members say


def test_what_a_member_says_is_kept_at_its_place_and_replaced_when_said_again(
    tmp_path: Path,
) -> None:
    said = np.random.default_rng(0).random((3, 4, 10), dtype=np.float32)
    for place, probabilities in ((0, said[0]), (1, said[1]), (1, said[2])):
        ensembling.keep_probabilities(probabilities, place, tmp_path)
    kept = ensembling.load_probabilities(tmp_path)
    np.testing.assert_array_equal(
        kept, said[[0, 2]].astype(np.float16).astype(np.float32), strict=True
    )
    ensembling.keep_probabilities(
        said[1], 0, tmp_path
    )  # as a second process does that began at the same time
    kept = ensembling.load_probabilities(tmp_path)
    np.testing.assert_array_equal(
        kept, said[[1, 2]].astype(np.float16).astype(np.float32), strict=True
    )
    with pytest.raises(ValueError, match="holds 2 members; expected the 3 before"):
        ensembling.keep_probabilities(said[0], 3, tmp_path)


# Answering together

PROBABILITIES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(2, 4)),
    elements=st.floats(0, 1, width=32),
    unique=True,
)


def test_average_and_vote_of_three_worked_out_by_hand() -> None:
    members = np.array(
        [
            [[0.6, 0.4, 0.0], [0.5, 0.3, 0.2]],
            [[0.6, 0.4, 0.0], [0.2, 0.5, 0.3]],
            [[0.0, 0.9, 0.1], [0.1, 0.2, 0.7]],
        ]
    )
    np.testing.assert_allclose(
        average(members), [[0.4, 1.7 / 3, 0.1 / 3], [0.8 / 3, 1 / 3, 0.4]]
    )
    assert majority_vote(members).tolist() == [0, 2], (
        "two of three; one vote each: the highest average"
    )


@given(PROBABILITIES)
def test_the_vote_goes_to_a_class_that_no_other_beats(
    probabilities: NDArray[np.float32],
) -> None:
    votes = np.apply_along_axis(
        np.bincount, 0, probabilities.argmax(axis=2), minlength=probabilities.shape[2]
    )
    winners = majority_vote(probabilities)
    np.testing.assert_array_equal(
        votes[winners, range(len(winners))], votes.max(axis=0)
    )
    np.testing.assert_allclose(
        average(probabilities), probabilities.mean(axis=0), rtol=1e-5
    )


@pytest.mark.parametrize("function", [average, majority_vote])
@pytest.mark.parametrize("shape", [(3, 10), (0, 4, 10), (2, 0, 10), (2, 4, 10, 1)])
def test_probabilities_of_another_shape_are_refused(
    function: Any, shape: tuple[int, ...]
) -> None:
    with pytest.raises(
        ValueError, match=r"shape \(members, n, classes\).*got .*" + str(shape[-1])
    ):
        function(np.zeros(shape))


# The gain by number of members


def some_members(count: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=50)
    return ((random.random((count, 50, 3)) + 0.4 * np.eye(3)[labels]) / 1.4).astype(
        np.float32
    ), labels


def test_every_draw_is_an_ensemble_of_that_size_and_its_errors_are_its_own() -> None:
    probabilities, labels = some_members(4)
    possible = {
        int((average(probabilities[list(chosen)]).argmax(axis=1) != labels).sum())
        for chosen in combinations(range(4), 2)
    }
    drawn = draw_ensembles(probabilities, labels, size=2, draws=200, seed=0)
    assert set(drawn.errors.tolist()) == possible
    assert len(drawn.errors) == 200
    again = draw_ensembles(probabilities, labels, size=2, draws=200, seed=0)
    np.testing.assert_array_equal(drawn.errors, again.errors)


def test_the_standard_error_of_single_members_is_the_usual_one() -> None:
    probabilities, labels = some_members(12)
    errors = (probabilities.argmax(axis=2) != labels).sum(axis=1)
    drawn = draw_ensembles(probabilities, labels, size=1, draws=50_000, seed=0)
    assert drawn.errors.mean() == pytest.approx(errors.mean(), rel=0.01)
    assert drawn.standard_error == pytest.approx(
        errors.std(ddof=1) / np.sqrt(12), rel=0.05
    )


@pytest.mark.parametrize(
    ("size", "draws"), [(0, 100), (4, 100), (5, 100), (2, 0), (3, 1)]
)
def test_ensembles_that_cannot_be_drawn_are_refused(size: int, draws: int) -> None:
    with pytest.raises(
        ValueError, match=r"(size must be .* from 1 to 3|draws must be ).*got"
    ):
        draw_ensembles(*some_members(4), size=size, draws=draws, seed=0)
