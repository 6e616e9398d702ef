import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import models, training
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras
from mnist_tutorial.preprocessing import prepare
from mnist_tutorial.training import Recipe, Score, evaluate, save_weights, train

Digits = tuple[NDArray[np.float32], NDArray[np.float32]]
History = dict[str, list[float]]

RECIPE = Recipe(epochs=2, batch_size=22, learning_rate=0.002, seed=3)


class Witness(keras.callbacks.Callback):
    """Notes what the training does, and can press Ctrl-C in it."""

    def __init__(self, interrupt_in: str = "") -> None:
        super().__init__()
        self.interrupt_in = interrupt_in
        self.learning_rates: list[float] = []
        self.layers: list[Any] = []
        self.weights: list[NDArray[np.float32]] = []

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.layers = model.layers
        if self.interrupt_in == "set_model":
            raise KeyboardInterrupt

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.learning_rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.interrupt_in == f"epoch {epoch + 1}":
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def training_digits(mnist: dict[str, NDArray[np.uint8]]) -> Digits:
    return prepare(mnist["x_train"][:200], mnist["y_train"][:200])


@pytest.fixture(scope="module")
def validation_digits(mnist: dict[str, NDArray[np.uint8]]) -> Digits:
    return prepare(mnist["x_train"][-50:], mnist["y_train"][-50:])


@pytest.fixture(scope="module")
def trained(
    training_digits: Digits, validation_digits: Digits
) -> tuple[keras.Model, History, Witness]:
    witness = Witness()
    model, history = train(
        RECIPE, *training_digits, validation_digits, [witness], verbose=0
    )
    return model, history, witness


def weights_differ(first: keras.Model, second: keras.Model) -> bool:
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return any((one != other).any() for one, other in pairs)


# The recipe


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("epochs", [0, -1, 1.5, "5", True, None], "from 1 to"),
        ("batch_size", [0, -64, 0.5, "64", True, None], "from 1 to"),
        ("seed", [-1, 2**32, 0.5, "0", False, None], "0 to 4294967295"),
        (
            "learning_rate",
            [0, -1e-3, float("inf"), float("nan"), "0.1", None],
            "above 0",
        ),
        ("network", ["resnet", "", None], "cnn, deep"),
        ("schedule", ["linear", "", None], "constant, cosine"),
        ("optimizer", ["adamw", "", None], "adam, sgd"),
        ("augmenter", ["none", "", None], "RandomAffine, ImageDataGenerator"),
        ("ema", [1, -0.1, float("nan"), "0.9", None], "up to, not including, 1"),
        (
            "label_smoothing",
            [1, -0.1, float("nan"), "0.1", None],
            "up to, not including, 1",
        ),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(
    name: str, values: list[Any], expected: str
) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"{name} .*{expected}") as error:
            Recipe(**{name: value})
        assert repr(value) in str(error.value)


def test_the_least_and_the_greatest_values_make_a_recipe() -> None:
    for seed in (0, 2**32 - 1):
        assert (
            Recipe(
                epochs=1,
                batch_size=1,
                learning_rate=1e-9,
                schedule="constant",
                seed=seed,
            ).seed
            == seed
        )


def test_a_recipe_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = 6  # type: ignore[misc]


def test_a_range_that_is_not_named_is_zero_whoever_augments() -> None:
    ranges = Recipe(augmentation={"rotation": 10}).augmentation
    assert ranges == {"rotation": 10, "shift": 0, "shear": 0, "zoom": 0}


def test_a_recipe_builds_the_network_that_it_names() -> None:
    deep = training.build(Recipe(network="deep", dropout=0.4))
    assert (deep.name, deep.count_params(), deep.get_layer("dropout").rate) == (
        "deep_cnn",
        299_626,
        0.4,
    )
    plain = training.build(
        Recipe(normalization="article", dropout=0.3, pooling="strides")
    )
    assert (plain.name, plain.count_params(), plain.get_layer("dropout").rate) == (
        "cnn",
        601_578,
        0.3,
    )
    assert "pool_2" not in [layer.name for layer in plain.layers]


# Training


def test_training_learns(trained: tuple[keras.Model, History, Witness]) -> None:
    _, history, _ = trained
    assert history["loss"][1] < 0.8 * history["loss"][0]
    assert history["accuracy"][1] > 0.5


def test_the_history_has_a_number_for_each_epoch_and_measure(
    trained: tuple[keras.Model, History, Witness],
) -> None:
    _, history, _ = trained
    assert {name: len(values) for name, values in history.items()} == {
        "loss": 2,
        "accuracy": 2,
        "val_loss": 2,
        "val_accuracy": 2,
    }


def test_the_model_returned_is_the_one_that_was_trained_and_validated(
    trained: tuple[keras.Model, History, Witness], validation_digits: Digits
) -> None:
    model, history, witness = trained
    assert [layer.name for layer in model.layers] == [
        layer.name for layer in models.build_cnn().layers
    ]
    x, y = validation_digits
    assert evaluate(model, x, y).accuracy == pytest.approx(history["val_accuracy"][-1])
    smooth = (1 - RECIPE.label_smoothing) * y + RECIPE.label_smoothing / 10
    surprise = -(np.log(model.predict(x, verbose=0)) * smooth).sum(axis=1)
    assert surprise.mean() == pytest.approx(history["val_loss"][-1], rel=1e-4)
    assert witness.layers[-1] is model
    assert isinstance(witness.layers[0], RandomAffine)
    assert RECIPE.augmentation is not None
    assert RECIPE.augmentation.items() <= witness.layers[0].get_config().items()
    assert witness.layers[0].seed == RECIPE.seed


def test_the_cosine_schedule_rises_for_a_tenth_and_falls_to_0(
    trained: tuple[keras.Model, History, Witness],
) -> None:
    _, _, witness = trained
    rising, falling = (
        [0, 1 / 2],
        [(1 + np.cos(np.pi * step / 18)) / 2 for step in range(18)],
    )
    np.testing.assert_allclose(
        witness.learning_rates, 0.002 * np.array(rising + falling), rtol=1e-5
    )


def test_the_same_seed_gives_the_same_network(
    trained: tuple[keras.Model, History, Witness],
    training_digits: Digits,
    validation_digits: Digits,
) -> None:
    model, history, _ = trained
    again, history_again = train(RECIPE, *training_digits, validation_digits, verbose=0)
    assert not weights_differ(model, again)
    assert history_again == history


def test_ctrl_c_keeps_what_was_learned(
    training_digits: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = Witness(interrupt_in="epoch 2")
    recipe = Recipe(
        epochs=3,
        batch_size=100,
        learning_rate=0.002,
        schedule="constant",
        augmentation=None,
        seed=4,
    )
    model, history = train(recipe, *training_digits, callbacks=[witness], verbose=0)
    assert "Stopped in epoch 2 of 3" in capsys.readouterr().out
    assert [len(values) for values in history.values()] == [1, 1]
    assert witness.learning_rates == pytest.approx([0.002, 0.002])
    assert witness.layers == model.layers
    for kept, learned in zip(model.get_weights(), witness.weights, strict=True):
        np.testing.assert_array_equal(kept, learned)
    keras.utils.set_random_seed(4)
    assert weights_differ(model, models.build_cnn())


def test_ctrl_c_before_the_first_step_keeps_the_first_weights(
    training_digits: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = Recipe(
        epochs=2, normalization="none", dropout=0.4, augmentation=None, seed=5
    )
    model, history = train(
        recipe, *training_digits, callbacks=[Witness("set_model")], verbose=0
    )
    assert "Stopped in epoch 1 of 2" in capsys.readouterr().out
    assert history == {}
    assert (model.count_params(), model.get_layer("dropout").rate) == (594_922, 0.4)
    keras.utils.set_random_seed(5)
    assert not weights_differ(model, models.build_cnn("none"))
    keras.utils.set_random_seed(6)
    assert weights_differ(model, models.build_cnn("none"))


def sorted_rows(array: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = array.reshape(len(array), -1)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("augmenter", training.AUGMENTERS)
def test_each_epoch_has_every_digit_once_with_its_label_in_another_order(
    training_digits: Digits, augmenter: str
) -> None:
    recipe = Recipe(batch_size=64, augmentation=None, augmenter=augmenter, seed=7)
    dataset = training.batches(recipe, *training_digits)
    assert (len(dataset), dataset.options().autotune.enabled) == (4, False)
    epochs = [[tuple(map(np.asarray, batch)) for batch in dataset] for _ in range(2)]
    for epoch in epochs:
        assert [len(x) for x, _ in epoch] == [64, 64, 64, 8]
    labelled = [
        np.concatenate(
            [
                np.concatenate(part).reshape(200, -1)
                for part in zip(*epoch, strict=True)
            ],
            axis=1,
        )
        for epoch in epochs
    ]
    everything = np.concatenate(
        [array.reshape(200, -1) for array in training_digits], axis=1
    )
    assert not (labelled[0] == everything).all()
    assert not (labelled[0] == labelled[1]).all()
    for rows in labelled:
        np.testing.assert_array_equal(sorted_rows(rows), sorted_rows(everything))


@pytest.mark.filterwarnings(
    "ignore:Please import `affine_transform`:DeprecationWarning"
)  # within Keras
def test_the_old_generator_augments_as_the_recipe_says(training_digits: Digits) -> None:
    ranges = {"rotation": 8.0, "shift": 0.08, "shear": 17.0, "zoom": 0.08}
    recipe = Recipe(
        batch_size=200, augmentation=ranges, augmenter="ImageDataGenerator", seed=7
    )
    ((x, _),) = training.batches(recipe, *training_digits)
    keras.utils.set_random_seed(0)
    flow = keras.src.legacy.preprocessing.image.ImageDataGenerator(
        rotation_range=8,
        width_shift_range=0.08,
        height_shift_range=0.08,
        shear_range=17,
        zoom_range=0.08,
    ).flow(*training_digits, batch_size=200, seed=7)
    np.testing.assert_array_equal(np.asarray(x), next(flow)[0])
    assert training._with_augmentation(keras.Sequential(), recipe).layers == []


def test_sgd_goes_a_step_down_the_slope_with_nesterovs_momentum() -> None:
    optimizer = training._optimizer(
        Recipe(optimizer="sgd", learning_rate=0.1, schedule="constant"), steps=9
    )
    weight = keras.Variable(1.0)
    optimizer.apply([keras.ops.convert_to_tensor(2.0)], [weight])
    assert float(weight) == pytest.approx(1 - 0.1 * 2 * (1 + 0.9)), (
        "once, and once more along the momentum"
    )


def test_label_smoothing_and_the_average_of_the_weights_reach_the_training(
    training_digits: Digits,
    trained: tuple[keras.Model, History, Witness],
    validation_digits: Digits,
) -> None:
    smooth = dataclasses.replace(RECIPE, label_smoothing=0.3)
    _, history = train(smooth, *training_digits, verbose=0)
    assert history["loss"][0] != trained[1]["loss"][0]
    averaging = dataclasses.replace(RECIPE, ema=0.5, schedule="constant")
    witness = Witness()
    averaged, history = train(
        averaging, *training_digits, validation_digits, [witness], verbose=0
    )
    plain, _ = train(
        dataclasses.replace(averaging, ema=0.0), *training_digits, verbose=0
    )
    assert weights_differ(averaged, plain)
    assert evaluate(averaged, *validation_digits).accuracy == pytest.approx(
        history["val_accuracy"][-1]
    )


# Scoring


def test_every_digit_is_scored() -> None:
    reads_the_first_ten_pixels = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, use_bias=False),
        ]
    )
    reads_the_first_ten_pixels.set_weights([np.eye(784, 10)])
    answers, labels = np.arange(1001) % 10, np.arange(1001) % 10
    labels[[0, 500, 1000]] = 9
    x = np.zeros((1001, 28, 28, 1), np.float32)
    x[np.arange(1001), 0, answers, 0] = 1
    score = evaluate(
        reads_the_first_ten_pixels, x, np.eye(10, dtype=np.float32)[labels]
    )
    assert score == Score(errors=3, digits=1001)
    assert score.accuracy == pytest.approx(998 / 1001)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(52, 10_000), "52 errors in 10,000 digits: accuracy 99.48%"),
        (Score(1_234, 10_000), "1,234 errors in 10,000 digits: accuracy 87.66%"),
        (Score(0, 5), "0 errors in 5 digits: accuracy 100.00%"),
    ],
)
def test_a_score_says_errors_digits_and_accuracy(score: Score, text: str) -> None:
    assert str(score) == text


# The weights file


class CannotBeSaved(keras.layers.Dense):
    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        raise OSError("the disk is full")


def test_a_failing_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "digits.weights.h5"
    path.write_bytes(b"the old weights")
    model = keras.Sequential([keras.Input((3,)), CannotBeSaved(2)])
    with pytest.raises(OSError, match="the disk is full"):
        save_weights(model, path)
    assert path.read_bytes() == b"the old weights"
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_replaces_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "digits.weights.h5"
    path.write_bytes(b"the old weights")
    model = models.build_cnn()
    save_weights(model, str(path))
    assert not weights_differ(models.load_cnn(path), model)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "error", "parts"),
    [
        ("digits.h5", ValueError, [".weights.h5", "digits.h5"]),
        ("digits.weights.h5.old", ValueError, [".weights.h5", "digits.weights.h5.old"]),
        (
            "no/such/digits.weights.h5",
            FileNotFoundError,
            ["no/such", "digits.weights.h5"],
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_early(
    tmp_path: Path, name: str, error: type[Exception], parts: list[str]
) -> None:
    for refuse in (
        lambda: training.check_weights_path(tmp_path / name),
        lambda: save_weights(keras.Sequential(), tmp_path / name),
    ):
        with pytest.raises(error) as caught:
            refuse()
        assert all(part in str(caught.value) for part in parts)
    assert not any(tmp_path.iterdir())
