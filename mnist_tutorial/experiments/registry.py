"""Every recorded experiment, and the command that repeats it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_tutorial import load_mnist, prepare, results, weights
from mnist_tutorial.backend import keras
from mnist_tutorial.experiments import ensemble, search
from mnist_tutorial.experiments.article import AS_MEANT, TODAY
from mnist_tutorial.experiments.calibration import run_and_calibrate
from mnist_tutorial.experiments.few_labels import STEPS_TOGETHER, run_with_few_labels
from mnist_tutorial.experiments.one_page import RANGES, run_on_arrays
from mnist_tutorial.experiments.recording import describe_machine, record
from mnist_tutorial.experiments.run import Run, run
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.files import replacing
from mnist_tutorial.members import weights_path


class Experiment(NamedTuple):
    """A recipe, what tells its runs apart, what scores them, and what a run does."""

    recipe: Variant
    keys: Sequence[dict[str, Any]]  # {"seed": 0}; "changes" to the recipe, or an arm
    run: Callable[..., Run] = run
    scored_on: str = "test"  # or "validation": the last 10,000 training digits


def seeds(count: int, *arms: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the keys of this many runs, or of this many of each arm."""
    return [{**arm, "seed": seed} for seed in range(count) for arm in arms or [{}]]


def candidates(changes: search.Changes) -> list[dict[str, Any]]:
    """Return the keys of a search: for each change its number of seeds."""
    return [
        {"changes": change, "seed": seed} for change, n in changes for seed in range(n)
    ]


def labelled(count: int, *arms: bool) -> list[dict[str, Any]]:
    """Return the keys of five runs of each arm: without pseudo-labels, or with them."""
    return seeds(5, *({"labels": count, "pseudo_labels": arm} for arm in arms))


ARTICLE = Variant(
    batch_size=64,
    learning_rate=1e-3,
    schedule="constant",
    label_smoothing=0.0,
    normalization="none",
    augmentation=AS_MEANT,
    augmenter="ImageDataGenerator",
)
MEANT = replace(ARTICLE, normalization="article")
ONE_PAGE = replace(
    ARTICLE,
    normalization="article, momentum 0.9",  # 0.99 is too slow for a short training
    augmentation=RANGES,
    augmenter="keras.layers",
)
HALVED: dict[str, Any] = {"schedule": "halved each epoch"}
FEW = Variant(epochs=1, label_smoothing=0.0)  # an epoch is a network's steps
TOGETHER = partial(run_with_few_labels, steps=STEPS_TOGETHER, together=True)
DEEP = Variant(network="deep", epochs=10)

# A recipe and its seeds are committed before their first test score.
EXPERIMENTS = {
    "search": Experiment(
        search.SEARCH_START, candidates(search.SEARCH), scored_on="validation"
    ),
    "article-2017": Experiment(ARTICLE, seeds(5)),  # as it ran, without normalization
    "article-today": Experiment(replace(ARTICLE, augmentation=TODAY), seeds(5)),
    "article-meant": Experiment(MEANT, seeds(5)),
    "article-meant-today": Experiment(replace(MEANT, augmentation=TODAY), seeds(5)),
    # At first with the article's constant learning rate. The second attempt takes the
    # schedule with fewer errors in the validation digits.
    "one-page-first": Experiment(ONE_PAGE, seeds(5), run_on_arrays),
    "one-page-search": Experiment(
        ONE_PAGE, candidates([({}, 3), (HALVED, 3)]), run_on_arrays, "validation"
    ),
    "one-page": Experiment(replace(ONE_PAGE, **HALVED), seeds(5), run_on_arrays),
    "tutorial": Experiment(Variant(), seeds(10)),  # the search's winner
    "tutorial-short": Experiment(Variant(epochs=4), seeds(5)),  # see SEARCH
    "tutorial-long": Experiment(Variant(epochs=24), seeds(5)),
    **{
        f"ablation-{name}": Experiment(recipe, seeds(5), scored_on="validation")
        for name, recipe in search.ABLATIONS.items()
    },
    "twins": Experiment(DEEP, candidates(search.TWINS), scored_on="validation"),
    "ensemble": Experiment(
        DEEP, seeds(10, *({"changes": changes} for changes in ensemble.DESIGNS))
    ),
    # It sees as many pictures in as many steps as in `tutorial`, all in one epoch,
    # since they are augmented beforehand.
    "distilled": Experiment(
        Variant(epochs=1, label_smoothing=0.0, augmentation=None),
        seeds(10),
        ensemble.run_with_members,
    ),
    "pseudo-labelling-first": Experiment(
        FEW, labelled(1000, False, True), run_with_few_labels
    ),
    # The second attempt. Without pseudo-labels nothing is changed, so for 1,000 labels
    # that arm is in the first record. For 100 and 5,000 labels nothing was tried out.
    "pseudo-labelling": Experiment(FEW, labelled(1000, True), TOGETHER),
    "pseudo-labelling-100": Experiment(FEW, labelled(100, False, True), TOGETHER),
    "pseudo-labelling-5000": Experiment(FEW, labelled(5000, False, True), TOGETHER),
    # The network that comes with the package has seen every training digit, so its
    # recipe is trained once more without the validation digits.
    "temperature": Experiment(
        Variant(epochs=24), seeds(1), run_and_calibrate, "validation"
    ),
}


def reproduce(name: str, folder: Path = results.RESULTS) -> dict[str, Any]:
    """Train a named recipe with each of its seeds; record each result at once.

    A second call resumes where the first stopped. "tutorial-long" also writes the
    first network's weights to `weights` beside `folder`; "ensemble" writes all answers
    to `folder`, and all weights to `members` beside it. Raises ValueError for an
    unknown name.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"name must be one of {', '.join(EXPERIMENTS)}, got {name!r}.")
    experiment = EXPERIMENTS[name]
    train_data, test_data = digits(experiment.scored_on)
    recipe = asdict(experiment.recipe)
    del recipe["seed"]  # it is each run's own
    machine = describe_machine()
    about = {"scored_on": experiment.scored_on, "machine": machine, "recipe": recipe}

    def one(seed: int, changes: Any = None, **arm: Any) -> dict[str, Any]:
        recipe = replace(experiment.recipe, seed=seed, **(changes or {}))
        model, entry = experiment.run(recipe, train_data, test_data, **arm)
        if experiment.scored_on == "validation":
            del entry["answers"]  # only the answers to the test digits are studied
        if name == "tutorial-long" and seed == 0:
            path = folder.parent / "weights" / f"{name}.npz"
            entry["weights_sha256"] = keep_weights(model, path)
        if name == "ensemble":
            place = list(experiment.keys).index({"changes": changes, "seed": seed})
            members = folder.with_name("members") / recipe.network
            members.mkdir(parents=True, exist_ok=True)
            weights.save(model, weights_path(members, seed))
            said = model.predict(test_data[0], batch_size=500, verbose=0)
            ensemble.keep_probabilities(said, place, folder)
        return entry

    return record(name, about, experiment.keys, one, folder)


def digits(scored_on: str) -> Any:
    """Load the digits to train with and those to score."""
    (x_train, y_train), (x_test, y_test) = load_mnist()
    if scored_on == "validation":
        x_test, y_test = x_train[-10_000:], y_train[-10_000:]
        x_train, y_train = x_train[:-10_000], y_train[:-10_000]
    return prepare(x_train, y_train), prepare(x_test, y_test)


def keep_weights(model: keras.Model, path: Path) -> str:
    """Write a network's weights as float16; return the file's SHA-256 checksum.

    Normalization's four numbers per channel stay float32: a variance can be too small.
    """
    arrays = {weight.path: weight.numpy() for weight in model.weights}
    half = {k: v.astype(np.float16) for k, v in arrays.items() if "norm" not in k}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished:
        np.savez(unfinished, **(arrays | half))
    return hashlib.sha256(path.read_bytes()).hexdigest()
