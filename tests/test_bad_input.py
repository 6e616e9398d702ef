"""Every function through which something of a user's enters is given what it does not expect.

What comes out must be a right answer, or an error of a documented type that the package itself raises.
`python tests/faults/bad_input.py` drives the same table with 100,000 examples.
"""

import datetime
import io
import json
import math
import os
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mnist_tutorial
from mnist_tutorial import (
    convolution,
    data,
    ensembling,
    evaluation,
    export,
    interpretation,
    models,
    pictures,
    preprocessing,
    pseudo_labelling,
    results,
    training,
    visualization,
)
from mnist_tutorial.__main__ import main
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras

PACKAGE = Path(mnist_tutorial.__file__).parent
ERRORS = (TypeError, ValueError, FileNotFoundError)

# What somebody may give

HUGE = [2**31, 2**32, 2**63, 2**64, 10**400, 1e38, 1e308, 5e-324, math.nan, math.inf]
NUMBERS = st.one_of(
    st.integers(-20, 300),
    st.sampled_from([*HUGE, *(-number for number in HUGE)]),
    st.floats(),
)
ODD = [
    None,
    True,
    False,
    1j,
    ...,
    object(),
    int,
    len,
    datetime.date(2017, 4, 1),
    np.datetime64("NaT", "s"),
    Path("x"),
]
ODD += [
    np.timedelta64(3, "s"),
    np.str_("3"),
    np.bool_(True),
    np.int8(-3),
    np.uint64(2**64 - 1),
    np.float16("nan"),
]
WORDS = st.text(
    st.characters(exclude_characters="/\\.:"), max_size=5
)  # so that none is a folder elsewhere
TEXTS = st.one_of(
    WORDS, st.sampled_from(["", ".", "a\0b", "\ud800", "x" * 300, "no/such", "~"])
)
SCALARS = st.one_of(NUMBERS, st.sampled_from(ODD), TEXTS, st.binary(max_size=5))
LISTS = st.one_of(
    st.lists(SCALARS, max_size=4),
    st.lists(st.lists(SCALARS, max_size=3), max_size=3),
    st.dictionaries(TEXTS, SCALARS, max_size=2),
    st.sets(st.integers(0, 9), max_size=3),
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=3)
ARRAYS = st.one_of(
    hnp.arrays(hnp.scalar_dtypes(), SHAPES),
    hnp.arrays(object, SHAPES, elements=SCALARS),
)
ANYTHING = st.deferred(lambda: st.one_of(SCALARS, LISTS, ARRAYS))

DTYPES = [
    "?",
    "i1",
    "u1",
    "i8",
    "u8",
    ">i4",
    "f2",
    "f4",
    ">f8",
    "c8",
    "O",
    "M8[D]",
    "m8[s]",
    "S3",
    "U3",
]
RESHAPED: list[Callable[[Any], Any]] = [
    lambda array: array[None],
    lambda array: array[..., None],
    lambda array: array[:0],
    lambda array: array[..., :0],
    lambda array: array[0],
    lambda array: array[:1],
    lambda array: array[..., 1:],
    lambda array: array.T,
    lambda array: array.ravel(),
    lambda array: np.concatenate([array, array]),
]


PLACES = st.integers(0, 10**6)


@st.composite
def with_wrong_number(draw: st.DrawFn, good: Any) -> Any:
    """A good array, or the same as lists, with one value that should not be there."""
    as_lists = draw(st.booleans())
    changed = good.astype(
        object if as_lists else draw(st.sampled_from(["f2", "f4", "f8", "i8", "u8"]))
    )
    try:
        with np.errstate(all="ignore"):
            changed.flat[draw(PLACES) % good.size] = draw(
                SCALARS if as_lists else NUMBERS
            )
    except (TypeError, ValueError, OverflowError):
        changed.flat[0] = 200  # for what this dtype cannot hold
    return changed.tolist() if as_lists else changed


def spoiled(good: Any) -> st.SearchStrategy[Any]:
    """A good array with another dtype, another shape, or one number that should not be there."""
    others = [np.zeros(good.shape, dtype) for dtype in DTYPES] + [
        reshape(good) for reshape in RESHAPED
    ]
    return st.one_of(st.sampled_from(others), with_wrong_number(good))


# What is good, and what is right


class Case(NamedTuple):
    """A function, good arguments (a list holds several), and whether a result can be right."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    is_right: Callable[..., Any] = lambda result, **arguments: has_no_nan(result)
    share: float = (
        1  # of the examples that most functions get: less for those that are slow
    )


def has_no_nan(result: Any) -> bool:
    if isinstance(result, (tuple, list)):
        return all(has_no_nan(part) for part in result)
    return not isinstance(result, (float, np.ndarray)) or not np.isnan(result).any()


def convolves(result: Any, image: Any, kernel: Any, stride: Any, padding: Any) -> bool:
    image, kernel = image.astype(np.float64), kernel.astype(np.float64)
    expected = convolution.convolve2d(image, kernel, stride, padding)
    scale = np.abs(image).max() * np.abs(kernel).sum()
    return np.allclose(
        result / (scale or 1),
        expected / (scale or 1),
        atol=1e-2 if result.itemsize == 2 else 1e-5,
    )


def is_softmax(result: Any, logits: Any) -> bool:
    equal_to_the_largest = logits == logits.max(axis=-1, keepdims=True)
    right = (np.abs(result.sum(axis=-1) - 1) < 1e-3).all() and (result >= 0).all()
    return bool(
        right
        and (result.max(axis=-1, keepdims=True) - result)[equal_to_the_largest].max()
        < 1e-3
    )


layers = keras.layers
MODEL = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(2, 3, strides=3, name="conv_1"),
        layers.Activation("relu", name="relu_1"),
        layers.Flatten(),
        layers.Dense(10, name="logits"),
        layers.Activation("softmax", name="softmax"),
    ]
)
RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (2, 28, 28), np.uint8)
IMAGES = (BYTES[..., None] / 255).astype(np.float32)
LABELS = np.array([3, 0, 3, 9, 1, 0])
ONE_HOT = np.eye(10, dtype=np.float32)
ROWS = np.full((6, 10), 0.1)
CORRECT = RANDOM.random((2, 6)) < 0.5
MEMBERS = RANDOM.random((3, 6, 10)).astype(np.float32)
GRID = RANDOM.normal(size=(3, 5, 4))
PART = pseudo_labelling.Part(IMAGES, ONE_HOT[:2], 0.5)
RECIPE = training.Recipe(epochs=1, batch_size=2)
LAYERS = [("conv_1", (26, 26, 32), 320), ("logits", (10,), 5130)]
HISTORIES = {"one": {"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]}}
DIGITS = {"x": IMAGES, "y": ONE_HOT[:2]}
PROBABILITIES = {"probabilities": ROWS, "labels": LABELS}
RECIPE_FIELDS = asdict(training.Recipe())
LOOK = {"model": MODEL, "images": IMAGES}

CASES = {
    "load_mnist": Case(
        lambda path: data.load_mnist("no.npz" if path is None else path),
        {"path": "no.npz"},
    ),
    "add_channel": Case(
        preprocessing.add_channel,
        {"images": BYTES, "data_format": "channels_first"},
        lambda result, images, data_format: np.array_equal(
            result.ravel(), images.ravel(), equal_nan=True
        ),
    ),
    "scale_pixels": Case(
        preprocessing.scale_pixels,
        {"images": BYTES},
        lambda result, images: np.array_equal(np.rint(result * 255), images),
    ),
    "one_hot": Case(
        preprocessing.one_hot,
        {"labels": LABELS},
        lambda result, labels: np.array_equal(result, labels[:, None] == np.arange(10)),
    ),
    "from_one_hot": Case(
        preprocessing.from_one_hot,
        {"rows": ONE_HOT},
        lambda result, rows: np.array_equal(np.eye(10)[result], rows),
    ),
    "prepare": Case(
        preprocessing.prepare,
        {"images": BYTES, "labels": LABELS[:2]},
        lambda result, images, labels: result[0].shape == (len(labels), 28, 28, 1),
    ),
    "center_digit": Case(
        pictures.center_digit,
        {"picture": np.pad(BYTES[0, :6, :6], 9)},
        lambda result, picture: (
            (result.dtype, result.shape, result.max()) == (np.uint8, (28, 28), 255)
        ),
    ),
    "read_picture": Case(pictures.read_picture, {"path": "no.png"}),
    "convolve2d": Case(
        convolution.convolve2d,
        {
            "image": GRID[0],
            "kernel": GRID[1, :2, :2],
            "stride": [1, 2],
            "padding": ["valid", "same"],
        },
        convolves,
    ),
    "relu": Case(
        convolution.relu,
        {"numbers": GRID},
        lambda result, numbers: (result == numbers * (numbers > 0)).all(),
    ),
    "max_pool2d": Case(
        convolution.max_pool2d,
        {
            "images": GRID[..., None],
            "size": [1, 2],
            "stride": [1, 2],
            "padding": ["valid", "same"],
        },
        lambda result, images, **others: np.isin(result, images).all(),
    ),
    "softmax": Case(convolution.softmax, {"logits": GRID}, is_softmax),
    "Recipe": Case(
        training.Recipe,
        RECIPE_FIELDS,
        lambda result, **fields: json.dumps(asdict(result), allow_nan=False),
    ),
    "RandomAffine": Case(
        RandomAffine,
        {"rotation": 8, "shift": 0.1, "shear": 0, "zoom": 0.1, "seed": [0, None]},
        lambda result, **ranges: has_no_nan(list(result.get_config().values())),
        share=0.2,
    ),
    "confusion_matrix": Case(
        evaluation.confusion_matrix,
        {"labels": LABELS, "predicted": LABELS[::-1]},
        lambda result, labels, predicted: result.sum() == len(labels),
    ),
    "hardest_digits": Case(
        evaluation.hardest_digits,
        {"answers": np.stack([LABELS, LABELS[::-1]]), "labels": LABELS},
        lambda result, answers, labels: (
            result[1].sum() == (np.asarray(answers) != np.asarray(labels)).sum()
        ),
    ),
    "mean_interval": Case(
        evaluation.mean_interval,
        {"values": RANDOM.normal(size=5), "confidence": 0.95},
        lambda result, **others: (
            -math.inf < result.low <= result.mean <= result.high < math.inf
        ),
    ),
    "proportion_interval": Case(
        evaluation.proportion_interval,
        {"correct": 5, "digits": [6, 7], "confidence": 0.95},
        lambda result, correct, digits, confidence: (
            0 <= result[0] <= correct / digits <= result[1] <= 1
        ),
    ),
    "mcnemar": Case(
        evaluation.mcnemar, {"correct_a": CORRECT[0], "correct_b": CORRECT[1]}
    ),
    "bootstrap_difference": Case(
        evaluation.bootstrap_difference,
        {"correct_a": CORRECT, "correct_b": CORRECT[:1], "samples": 3, "seed": 0},
        lambda result, **others: (np.abs(result) <= 1).all(),
    ),
    "reliability": Case(evaluation.reliability, {**PROBABILITIES, "bins": 2}),
    "brier_score": Case(
        evaluation.brier_score,
        PROBABILITIES,
        lambda result, **others: 0 <= result <= 2.01,
    ),
    "negative_log_likelihood": Case(evaluation.negative_log_likelihood, PROBABILITIES),
    "average": Case(
        ensembling.average,
        {"probabilities": MEMBERS},
        lambda result, **others: (result <= 1.001).all(),
    ),
    "majority_vote": Case(
        ensembling.majority_vote,
        {"probabilities": MEMBERS},
        lambda result, probabilities: (result < np.shape(probabilities)[2]).all(),
    ),
    "draw_ensembles": Case(
        ensembling.draw_ensembles,
        {
            "probabilities": MEMBERS,
            "labels": LABELS,
            "size": [1, 2],
            "draws": [20, 30],
            "seed": 0,
        },
        lambda result, labels, **others: (
            has_no_nan(result) and (result.errors <= len(labels)).all()
        ),
    ),
    "train_members": Case(  # nothing is trained before the first member is asked for
        ensembling.train_members,
        {
            "recipe": RECIPE,
            "seeds": [[0], [range(2)]],
            "folder": "members",
            "executor": [None, ThreadPoolExecutor(1)],
            "digits": 10,
        },
        share=0.5,
    ),
    "load_probabilities": Case(ensembling.load_probabilities, {"folder": Path("no")}),
    "draw_labelled": Case(
        pseudo_labelling.draw_labelled,
        {"labels": LABELS, "count": 4, "seed": 0},
        lambda result, labels, **others: (
            sorted(np.concatenate(result)) == list(range(len(labels)))
        ),
    ),
    "choose_confident": Case(
        pseudo_labelling.choose_confident,
        {"probabilities": MEMBERS[0], "threshold": 0.5},
    ),
    "mixed_batches": Case(
        pseudo_labelling.mixed_batches,
        {"parts": [[PART, PART]], "batch_size": 4, "steps": 2, "seed": 0},
        lambda result, steps, **others: len(result) == steps,
        share=0.05,
    ),
    "Part": Case(
        lambda x, y, share: pseudo_labelling.mixed_batches(
            [pseudo_labelling.Part(x, y, share)], 2, 1, 0
        ),
        {**DIGITS, "share": 1},
        lambda result, **others: len(result) == 1,
        share=0.1,
    ),
    "results": Case(results.load, {"name": "no", "folder": Path()}),
    "check_weights_path": Case(training.check_weights_path, {"path": "own.weights.h5"}),
    "save_weights": Case(
        training.save_weights, {"model": MODEL, "path": "no/own.weights.h5"}, share=0.1
    ),
    "load_cnn": Case(
        models.load_cnn, {"path": "no.weights.h5", "normalization": "book"}
    ),
    "build_cnn": Case(
        models.build_cnn,
        {"normalization": "book", "dropout": 0.2, "pooling": "max"},
        lambda result, **others: isinstance(result, keras.Model),
        share=0.02,
    ),
    "build_deep_cnn": Case(
        models.build_deep_cnn,
        {"dropout": 0.2},
        lambda result, **others: isinstance(result, keras.Model),
        share=0.02,
    ),
    "train": Case(
        lambda validation_data, **others: training.train(
            **others, validation_data=validation_data, verbose=0
        ),
        {
            "recipe": RECIPE,
            "x_train": IMAGES,
            "y_train": ONE_HOT[:2],
            "validation_data": (IMAGES, ONE_HOT[:2]),
        },
        lambda result, **others: has_no_nan(list(result[1].values())),
        share=0.02,
    ),
    "evaluate": Case(
        training.evaluate,
        {"model": MODEL, **DIGITS},
        lambda result, x, y, **others: (
            0 <= result.errors <= result.digits == len(x) == len(y)
        ),
        share=0.1,
    ),
    "fold": Case(export.fold, {"model": MODEL}),
    "export_javascript": Case(
        export.export_javascript, {"model": MODEL, "path": "no/weights.js"}, share=0.1
    ),
    "export_samples": Case(export.export_samples, {"path": "no/samples.js"}, share=0.1),
    "feature_maps": Case(
        interpretation.feature_maps, {**LOOK, "layer": "relu_1"}, share=0.1
    ),
    "strongest": Case(
        interpretation.strongest, {"maps": GRID[..., None], "number": 0, "count": 2}
    ),
    "receptive_field": Case(
        interpretation.receptive_field,
        {"model": MODEL, "layer": "conv_1", "row": 0, "column": 1},
        share=0.5,
    ),
    "ascend": Case(
        interpretation.ascend,
        {
            "model": MODEL,
            "start": IMAGES,
            "layer": ["logits", "softmax"],
            "units": np.array([[3], [1]]),
            "steps": 1,
            "size": 1,
        },
        share=0.02,
    ),
    "margin": Case(interpretation.margin, {**LOOK, "label": 1, "rival": 2}, share=0.1),
    "occlusion_map": Case(
        interpretation.occlusion_map,
        {
            "model": MODEL,
            "image": IMAGES[0],
            "label": 1,
            "rival": 2,
            "size": 5,
            "fill": 0,
        },
        share=0.05,
    ),
    "integrated_gradients": Case(
        interpretation.integrated_gradients,
        {**LOOK, "labels": LABELS[:2], "rivals": LABELS[2:4], "steps": 1},
        share=0.02,
    ),
    "switch_off": Case(
        interpretation.switch_off,
        {**LOOK, "layer": "relu_1", "numbers": [[0, 1]], "values": [0, np.zeros(2)]},
        share=0.1,
    ),
    "draw_digits": Case(
        visualization.draw_digits,
        {
            "images": BYTES,
            "titles": [None, LABELS[:2]],
            "columns": 2,
            "rows_labelled": [[], ["one"]],
        },
        share=0.05,
    ),
    "draw_maps": Case(
        visualization.draw_maps,
        {"maps": GRID, "titles": [None, "abc"], "columns": 2},
        share=0.05,
    ),
    "draw_augmented": Case(
        visualization.draw_augmented,
        {"originals": BYTES, "augmented": BYTES[:, None]},
        share=0.05,
    ),
    "draw_stack": Case(visualization.draw_stack, {"layers": [LAYERS]}, share=0.1),
    "draw_learning_curves": Case(
        visualization.draw_learning_curves,
        {"histories": HISTORIES, "measure": "loss"},
        share=0.1,
    ),
}


NOWHERE = TEXTS.filter(lambda text: not os.path.exists(text))  # noqa: PTH110 (a Path may raise here)
COMMANDS = [
    "predict X",
    "predict --weights X no.png",
    "evaluate --weights no.weights.h5 --data X",
    "train --weights X --data no.npz",
    "train --weights own.weights.h5 --data X",
    "train --weights own.weights.h5 --data no.npz --epochs X",
    "train --weights own.weights.h5 --data no.npz --seed X",
    "reproduce X",
    "X",
]


def command(words: str, text: str) -> int | str | None:
    """Run a command line with this text in the place of X; return its exit status."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            return main([text if word == "X" else word for word in words.split()])
        except SystemExit as stop:
            return stop.code


CASES["command"] = Case(
    command,
    {"words": st.sampled_from(COMMANDS), "text": NOWHERE},
    lambda result, words, text: result == 2,
)


def values_of(good: Any) -> st.SearchStrategy[Any]:
    if isinstance(good, st.SearchStrategy):
        return good
    return st.sampled_from(good) if isinstance(good, list) else st.just(good)


def spoiled_values_of(good: Any) -> st.SearchStrategy[Any]:
    if isinstance(good, st.SearchStrategy):
        return good
    arrays = [
        one
        for one in (good if isinstance(good, list) else [good])
        if isinstance(one, np.ndarray)
    ]
    return st.one_of(*(spoiled(one) for one in arrays), ANYTHING)


def calls(arguments: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of which one, or each, is not what it should be."""
    good = {name: values_of(value) for name, value in arguments.items()}
    bad = {name: spoiled_values_of(value) for name, value in arguments.items()}
    one_bad = (good | {name: bad[name]} for name in arguments)
    return st.one_of(*map(st.fixed_dictionaries, one_bad), st.fixed_dictionaries(bad))


def foreign(error: Exception) -> str:
    """Say what is wrong with an error: nothing, if it has a documented type and the package raises it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = Path(last.filename).parent == PACKAGE and (last.line or "").startswith(
        "raise"
    )
    if type(error) in ERRORS and ours and 0 < len(str(error)) < 1000:
        return ""
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:300]}"


def fault(case: Case, arguments: dict[str, Any]) -> str:
    """Say what is wrong with what comes out: nothing, if it is right or an error of the package's own."""
    try:
        result = case.function(**arguments)
    except Exception as error:
        return foreign(error)
    return (
        "" if case.is_right(result, **arguments) else f"a wrong answer: {result!r:.300}"
    )


@pytest.mark.filterwarnings(
    "ignore::hypothesis.errors.HypothesisWarning"
)  # of long descriptions
@pytest.mark.parametrize("name", CASES)
def test_what_comes_out_is_right_or_an_error_of_the_packages_own(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES[name]

    @settings(
        max_examples=max(3, int(55 * case.share)),
        suppress_health_check=list(HealthCheck),
    )
    @given(calls(case.arguments))
    def drive(arguments: dict[str, Any]) -> None:
        found = fault(case, arguments)
        assert not found, found

    drive()


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize("value", [10**5000, nested(500)], ids=["digits", "lists"])
def test_what_cannot_be_printed_is_refused_too(value: Any) -> None:
    with pytest.raises(ValueError, match="epochs must be a whole number"):
        training.Recipe(epochs=value)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (BYTES[..., None], "images must be floats.*uint8"),
        (IMAGES[..., 0], "expected ndim=4, found ndim=3"),
        (IMAGES[0, 0], "expected ndim=4, found ndim=2"),
    ],
)
def test_the_augmentation_layer_takes_float_images_with_channels_only(
    images: Any, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        RandomAffine()(images, training=True)
