"""Every function through which a user's input enters, given what it does not expect.

What is accepted gives an answer of the documented form, to which its annotation holds
it. What is refused raises an error that names the argument or the file, or one that
NumPy, SciPy, Keras or TensorFlow document.
`python tests/faults/bad_input.py` drives the same table with 100,000 examples.
"""

import datetime
import io
import math
import os
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mnist_tutorial
from mnist_tutorial import (
    attribution,
    convolution,
    data,
    ensembling,
    evaluation,
    interpretation,
    members,
    models,
    pictures,
    preprocessing,
    pseudo_labelling,
    results,
    training,
    visualization,
    weights,
)
from mnist_tutorial.__main__ import main
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.recipe import Recipe

PACKAGE = Path(mnist_tutorial.__file__).parent
OURS = (TypeError, ValueError, OSError)
THEIRS: Any = (*OURS, IndexError, OverflowError, MemoryError, RuntimeWarning)
THEIRS += (tensorflow.errors.OpError,)

# What somebody may give

HUGE: list[Any] = [2**31, 2**32, 2**63, 2**64, 10**400]
HUGE += [1e38, 1e308, 5e-324, math.nan, math.inf]
HUGE += [-number for number in HUGE]
NUMBERS = st.one_of(st.integers(-20, 300), st.sampled_from(HUGE), st.floats())
ODD = [None, True, False, 1j, ..., object(), int, len, datetime.date(2017, 4, 1)]
ODD += [np.datetime64("NaT", "s"), np.timedelta64(3, "s"), np.str_("3"), Path("x")]
ODD += [np.bool_(True), np.int8(-3), np.uint64(2**64 - 1), np.float16("nan")]
# No separators, so that none is a folder elsewhere.
WORDS = st.text(st.characters(exclude_characters="/\\.:"), max_size=5)
TEXTS = WORDS | st.sampled_from(["", ".", "a\0b", "\ud800", "x" * 300, "no/such", "~"])
SCALARS = st.one_of(NUMBERS, st.sampled_from(ODD), TEXTS, st.binary(max_size=5))
LISTS = st.lists(st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=4)
DICTS = st.dictionaries(TEXTS, SCALARS, max_size=2)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=3)
ARRAYS = hnp.arrays(hnp.scalar_dtypes(), SHAPES)
ANYTHING = st.one_of(SCALARS, LISTS, DICTS, ARRAYS)

DTYPES = ["?", "i1", "u1", "i8", "u8", ">i4", "f2", "f4", ">f8", "c8", "O", "S3", "U3"]
PARTS: Any = [None, (..., None), slice(0), (..., slice(0)), 0, slice(1)]


@st.composite
def with_wrong_number(draw: st.DrawFn, good: Any) -> Any:
    """A good array with one number that should not be there."""
    changed = good.copy()
    wrong = [-1, 2, 10, 200, math.nan, math.inf][: 6 if good.dtype.kind == "f" else 4]
    place = draw(st.integers(0, good.size - 1))
    changed.flat[place] = np.array(draw(st.sampled_from(wrong))).astype(good.dtype)
    return changed


def spoiled(good: Any) -> st.SearchStrategy[Any]:
    """A good array with another dtype or shape, or with a wrong number."""
    others = [np.zeros(good.shape, dtype) for dtype in DTYPES]
    others += [good[part] for part in PARTS]
    others += [good.T, good.tolist(), np.concatenate([good, good]), good[..., 1:]]
    return st.sampled_from(others) | with_wrong_number(good)


# What is good, and what is right

LAYERS = [
    keras.layers.Conv2D(2, 3, strides=3, name="conv_1"),
    keras.layers.Activation("relu", name="relu_1"),
    keras.layers.Flatten(),
    keras.layers.Dense(10, name="logits"),
    keras.layers.Activation("softmax", name="softmax"),
]
MODEL = keras.Sequential([keras.Input((28, 28, 1)), *LAYERS])
RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (2, 28, 28), np.uint8)
X, Y = (BYTES[..., None] / 255).astype(np.float32), np.eye(10, dtype=np.float32)
LABELS = np.array([3, 0, 3, 9, 1, 0])
ROWS = np.full((6, 10), 0.1)
A, B = AB = RANDOM.random((2, 6)) < 0.5
MEMBERS = RANDOM.random((3, 6, 10)).astype(np.float32)
GRID = RANDOM.normal(size=(3, 5, 4))
RECIPE = Recipe(epochs=1, batch_size=2)
PART = pseudo_labelling.Part(X, Y[:2], 0.5)
STEPS: dict[str, Any] = {"stride": [1, 2], "padding": ["valid", "same"]}
POOL: dict[str, Any] = {"pool_size": [1, 2], "strides": [1, 2]}
CURVE = {"one": {"loss": [2.0]}}
MIX = {"steps": 2, "seed": 0}
MANY = {"size": [1, 2], "samples": 20, "seed": 0}
ONE = {"layer": "logits", "units": np.array([[3], [1]]), "steps": 1, "size": 1}
SCORED = {"probabilities": ROWS, "labels": LABELS}
PAIR = {"label": 1, "rival": 2}
PAIRS = {"labels": LABELS[:2], "rivals": LABELS[2:4], "steps": 1}
OF_RELU: dict[str, Any] = {"model": MODEL, "layer": ["relu_1", "logits"]}
NOWHERE = TEXTS.filter(lambda text: not os.path.exists(text))  # noqa: PTH110 (a Path may raise)
COMMANDS = """\
predict X
predict --weights X no.png
evaluate --weights no.weights.h5 --data X
train --weights X --data no.npz
train --weights own.weights.h5 --data X
train --weights own.weights.h5 --data no.npz --epochs X
train --weights own.weights.h5 --data no.npz --seed X
reproduce X
X""".splitlines()


def command(words: str, text: str) -> int | str | None:
    """Run a command line with this text in the place of X; return its exit status."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            return main([text if word == "X" else word for word in words.split()])
        except SystemExit as stop:
            return stop.code


def train(**arguments: Any) -> Any:
    return training.train(RECIPE, **arguments, verbose=0)


# Good arguments of each function; a list holds several.
CASES: dict[Callable[..., Any], dict[str, Any]] = {
    command: {"words": st.sampled_from(COMMANDS), "text": NOWHERE},
    data.load_mnist: {"path": "no.npz"},
    preprocessing.add_channel: {"images": BYTES, "data_format": "channels_first"},
    preprocessing.scale_pixels: {"images": BYTES},
    preprocessing.one_hot: {"labels": LABELS},
    preprocessing.prepare: {"images": BYTES, "labels": LABELS[:2]},
    pictures.center_digit: {"picture": np.pad(BYTES[0, :6, :6], 9)},
    pictures.read_picture: {"path": "no.png"},
    convolution.convolve2d: {"image": GRID[0], "kernel": GRID[1, :2, :2], **STEPS},
    convolution.relu: {"numbers": GRID},
    convolution.max_pool2d: {"images": GRID[..., None], **POOL},
    convolution.softmax: {"logits": GRID},
    Recipe: asdict(Recipe()),
    RandomAffine: {"rotation": 8, "shift": 0.1, "shear": 0, "seed": [0, None]},
    evaluation.confusion_matrix: {"labels": LABELS, "predicted": LABELS[::-1]},
    evaluation.hardest_digits: {"answers": LABELS[None], "labels": LABELS},
    evaluation.mean_interval: {"values": GRID[0, 0], "confidence": 0.95},
    evaluation.proportion_interval: {"correct": 5, "digits": [6, 7], "confidence": 0.5},
    evaluation.mcnemar: {"correct_a": A, "correct_b": B},
    evaluation.difference_intervals: {"correct_a": AB, "correct_b": ~AB},
    evaluation.reliability: {**SCORED, "bins": 2},
    evaluation.brier_score: SCORED,
    evaluation.negative_log_likelihood: SCORED,
    ensembling.average: {"probabilities": MEMBERS},
    ensembling.majority_vote: {"probabilities": MEMBERS},
    ensembling.sample_ensembles: {"probabilities": MEMBERS, "labels": LABELS, **MANY},
    ensembling.jackknife: {"estimates": GRID[0, 0]},
    # Nothing is trained before the first member is asked for.
    members.train_members: {"recipe": RECIPE, "seeds": [[0]], "folder": "members"},
    results.load_probabilities: {"folder": Path("no")},
    results.load: {"name": "no", "folder": Path()},
    pseudo_labelling.sample_labelled: {"labels": LABELS, "count": 4, "seed": 0},
    pseudo_labelling.choose_confident: {"probabilities": MEMBERS[0], "threshold": 0.5},
    pseudo_labelling.mixed_batches: {"parts": [[PART, PART]], "batch_size": 4, **MIX},
    weights.check_path: {"path": "own.weights.h5"},
    weights.save: {"model": MODEL, "path": "no/own.weights.h5"},
    weights.load: {"path": "no.weights.h5"},
    models.build_cnn: {"dropout": 0.2, "normalize": True},
    train: {"x_train": X, "y_train": Y[:2], "validation_data": (X, Y[:2])},
    training.evaluate: {"model": MODEL, "x": X, "y": Y[:2]},
    interpretation.feature_maps: {**OF_RELU, "images": X},
    interpretation.top_activations: {"maps": GRID[..., None], "filter": 0, "count": 2},
    interpretation.receptive_field: {**OF_RELU, "row": 0, "column": 1},
    interpretation.maximize_activation: {"model": MODEL, "start": X, **ONE},
    attribution.margin: {"model": MODEL, "images": X, **PAIR},
    attribution.occlusion_map: {"model": MODEL, "image": X[0], **PAIR, "size": 5},
    attribution.integrated_gradients: {"model": MODEL, "images": X, **PAIRS},
    attribution.ablate_filters: {**OF_RELU, "images": X, "filters": LABELS[4:5]},
    visualization.draw_digits: {"images": BYTES, "titles": LABELS[:2], "columns": 2},
    visualization.draw_maps: {"maps": GRID, "titles": [None, "abc"], "columns": 2},
    visualization.draw_augmented: {"originals": BYTES, "augmented": BYTES[:, None]},
    visualization.draw_stack: {"layers": [models.describe(MODEL)]},
    visualization.draw_learning_curves: {"histories": CURVE, "measure": "loss"},
}
# What an answer must be, where the annotation does not say enough.
RIGHT: dict[Callable[..., Any], Any] = {
    command: lambda result, **others: result == 2,
    preprocessing.scale_pixels: lambda result, images: np.all(
        np.rint(result * 255) == images
    ),
    preprocessing.one_hot: lambda result, labels: np.all(result == Y[labels]),
    training.evaluate: lambda result, x, y, **others: (
        0 <= result.errors <= result.digits == len(x) == len(y)
    ),
    pseudo_labelling.sample_labelled: lambda result, labels, count, **others: (
        len(result[0]) == count
        and sorted(np.concatenate(result)) == list(range(len(labels)))
    ),
}
SLOW = ["models", "training", "interpretation", "attribution", "visualization"]
SLOW += ["augmentation", "pseudo_labelling", "weights", "test_bad_input"]


def examples(function: Callable[..., Any], most: int) -> int:
    """Say how many examples a function gets, if most get so many."""
    slow = function.__module__.split(".")[-1] in SLOW
    return max(2, most // 20 if slow else most)


def takes_years(value: Any) -> bool:
    """Tell a count that is good, but that no test can wait for."""
    return isinstance(value, int | np.integer) and bool(value > 1000)


def calls(arguments: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of which one, or each, is not what it should be."""
    good, bad = {}, {}
    for name, value in arguments.items():
        values = value if isinstance(value, list) else [value]
        good[name] = st.sampled_from(values)
        bad[name] = ANYTHING
        if name in ("steps", "samples"):
            bad[name] = ANYTHING.filter(lambda value: not takes_years(value))
        if isinstance(value, np.ndarray):
            bad[name] |= spoiled(value)
        elif isinstance(value, st.SearchStrategy):
            good[name] = bad[name] = value
    wrong = [*(good | {name: bad[name]} for name in arguments), bad]
    return st.one_of(*map(st.fixed_dictionaries, wrong))


def fault(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """Say what is wrong with what comes out: nothing, if it is right or refused."""
    try:
        with np.errstate(all="ignore"):
            result = function(**arguments)
            right = function not in RIGHT or RIGHT[function](result, **arguments)
        return "" if right else f"a wrong answer: {result!r:.300}"
    except Exception as error:
        last, text = traceback.extract_tb(error.__traceback__)[-1], str(error)
        ours = Path(last.filename).parent == PACKAGE and "raise" in (last.line or "")
        if ours or "Type-check error" in text:  # a plural may be named by its singular
            named = any(name.rstrip("s") in text for name in (*arguments, "file"))
            fine = isinstance(error, OURS) and (named or isinstance(error, OSError))
        else:
            fine = isinstance(error, THEIRS)
        if fine and "checking the return value" not in text:
            return ""
        where = f"{Path(last.filename).name}:{last.lineno}"
        return f"{type(error).__name__} at {where}: {text[:300]}"


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # long names
@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_what_comes_out_is_right_or_an_error_that_names_what_was_wrong(
    function: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    @settings(max_examples=examples(function, 72), suppress_health_check=[*HealthCheck])
    @given(calls(CASES[function]))
    def drive(arguments: dict[str, Any]) -> None:
        assert not (found := fault(function, arguments)), found

    drive()
