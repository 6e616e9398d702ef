"""Training by a recipe, and scoring."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import training, weights
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras
from mnist_tutorial.preprocessing import prepare
from mnist_tutorial.recipe import Recipe
from mnist_tutorial.training import History, Score, evaluate, train

Digits = tuple[NDArray[np.float32], NDArray[np.float32]]

RECIPE = Recipe(epochs=2, batch_size=22, learning_rate=0.002, seed=3)


class Witness(keras.callbacks.Callback):
    """Notes what the training does, and can press Ctrl-C in it."""

    def __init__(self, interrupt_in: int | None = None) -> None:
        super().__init__()
        self.interrupt_in = interrupt_in
        self.learning_rates: list[float] = []
        self.layers: list[Any] = []
        self.weights: list[NDArray[np.float32]] = []

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.layers = model.layers

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.learning_rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.interrupt_in == epoch + 1:
            raise KeyboardInterrupt


class Trained(NamedTuple):
    model: keras.Model
    history: History
    witness: Witness
    checkpoint: Path


@pytest.fixture(scope="module")
def train_data(mnist: dict[str, NDArray[np.uint8]]) -> Digits:
    return prepare(mnist["x_train"][:200], mnist["y_train"][:200])


@pytest.fixture(scope="module")
def validation_data(mnist: dict[str, NDArray[np.uint8]]) -> Digits:
    return prepare(mnist["x_train"][-50:], mnist["y_train"][-50:])


@pytest.fixture(scope="module")
def trained(
    train_data: Digits, validation_data: Digits, tmp_path_factory: Any
) -> Trained:
    path, witness = tmp_path_factory.mktemp("kept") / "kept.weights.h5", Witness()
    keep = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    callbacks = [witness, keep]
    result = train(RECIPE, *train_data, validation_data, callbacks, verbose=0)
    return Trained(*result, witness, path)


def same_weights(first: keras.Model, second: keras.Model) -> bool:
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


# Training


def test_training_learns(trained: Trained) -> None:
    history = trained.history
    assert history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in history.values()} == {2}
    assert history["loss"][1] < 0.8 * history["loss"][0]
    assert history["accuracy"][1] > 0.5


def test_the_model_returned_is_the_one_that_was_trained_and_validated(
    trained: Trained, validation_data: Digits
) -> None:
    (x, y), history = validation_data, trained.history
    accuracy = evaluate(trained.model, x, y).accuracy
    assert accuracy == pytest.approx(history["val_accuracy"][-1])
    smooth = (1 - RECIPE.label_smoothing) * y + RECIPE.label_smoothing / 10
    loss = -(np.log(trained.model.predict(x, verbose=0)) * smooth).sum(axis=1).mean()
    assert loss == pytest.approx(history["val_loss"][-1], rel=1e-4)


def test_the_recipes_augmentation_stands_in_front_of_the_network(
    trained: Trained,
) -> None:
    augment, model = trained.witness.layers
    assert model is trained.model
    assert isinstance(augment, RandomAffine)
    assert (augment.ranges, augment.seed) == (RECIPE.augmentation, RECIPE.seed)


def test_the_learning_rate_rises_for_a_tenth_and_falls_along_a_cosine(
    trained: Trained,
) -> None:
    falling = [(1 + np.cos(np.pi * step / 18)) / 2 for step in range(18)]
    expected = 0.002 * np.array([0, 1 / 2, *falling])
    np.testing.assert_allclose(trained.witness.learning_rates, expected, rtol=1e-5)


def test_the_seed_decides_the_network(
    trained: Trained, train_data: Digits, validation_data: Digits
) -> None:
    again, history = train(RECIPE, *train_data, validation_data, verbose=0)
    assert same_weights(again, trained.model)
    assert history == trained.history
    first, *others = (training.build(Recipe(seed=seed)) for seed in (3, 3, 4))
    assert [same_weights(first, other) for other in others] == [True, False]


def test_a_file_that_a_callback_kept_loads(trained: Trained) -> None:
    assert same_weights(weights.load(trained.checkpoint), trained.model)


@pytest.mark.parametrize("epoch", [1, 2])
def test_ctrl_c_keeps_what_was_learned(
    epoch: int, train_data: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = Witness(interrupt_in=epoch)
    recipe = Recipe(epochs=3, batch_size=100, augmentation=None, seed=4)
    model, history = train(recipe, *train_data, callbacks=[witness], verbose=0)
    assert f"Stopped in epoch {epoch} of 3" in capsys.readouterr().out
    assert [len(values) for values in history.values()] == [[], [1, 1]][epoch - 1]
    assert witness.layers == model.layers, "nothing in front of the network"
    learned = witness.weights or training.build(recipe).get_weights()
    for kept, expected in zip(model.get_weights(), learned, strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_each_epoch_has_every_digit_once_with_its_label_in_another_order(
    train_data: Digits,
) -> None:
    def rows(digits: Any) -> list[bytes]:
        return [x.tobytes() + y.tobytes() for x, y in zip(*digits, strict=True)]

    def epoch(dataset: Any) -> list[bytes]:
        return rows(np.concatenate(part) for part in zip(*dataset, strict=True))

    datasets = [
        training.batches(Recipe(batch_size=64, seed=seed), *train_data)
        for seed in (7, 7, 8)
    ]
    first, again, other = map(epoch, datasets)
    second = epoch(datasets[0])
    assert len(datasets[0]) == 4
    assert sorted(first) == sorted(second) == sorted(rows(train_data))
    assert first == again
    assert first not in (second, other)


# Scoring


def test_every_digit_is_scored() -> None:
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, use_bias=False)]
    reads_the_first_ten_pixels = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    reads_the_first_ten_pixels.set_weights([np.eye(784, 10)])
    answers, labels = np.arange(1001) % 10, np.arange(1001) % 10
    labels[[0, 500, 1000]] = 9
    x = np.zeros((1001, 28, 28, 1), np.float32)
    x[np.arange(1001), 0, answers, 0] = 1
    y = np.eye(10, dtype=np.float32)[labels]
    score = evaluate(reads_the_first_ten_pixels, x, y)
    assert score == Score(errors=3, digits=1001)
    assert score.accuracy == pytest.approx(998 / 1001)
    assert str(score) == "3 errors in 1,001 digits: accuracy 99.70%"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda x: 255 * x, "0.0 to 255.0"),
        (lambda x: 2 * x - 1, "-1.0 to 1.0"),
        (lambda x: np.where(x == x.max(), np.nan, x), "nan"),
        (lambda x: x[:0], "none"),
    ],
)
def test_pixels_outside_0_to_1_are_refused_with_what_was_found(
    change: Any, found: str, train_data: Digits, trained: Trained
) -> None:
    x, y = train_data
    wrong = change(x), y[: len(change(x))]
    with pytest.raises(ValueError, match=f"x_train.*{found}"):
        train(RECIPE, *wrong, verbose=0)
    with pytest.raises(ValueError, match=f"validation_data.*{found}"):
        train(RECIPE, *train_data, wrong, verbose=0)
    with pytest.raises(ValueError, match=f"x .*{found}"):
        evaluate(trained.model, *wrong)
