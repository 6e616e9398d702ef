"""One recorded run: train, and score the test digits."""

import datetime
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from mnist_tutorial.backend import keras, tensorflow
from mnist_tutorial.experiments import variants
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.training import History

Digits = tuple[Float[np.ndarray, "_ 28 28 1"], Float[np.ndarray, "_ 10"]]
Run = tuple[keras.Model, dict[str, Any]]


def run(variant: Variant, train_data: Digits, test_data: Digits) -> Run:
    """Train once; return the network, and the run's line of the record."""
    return run_on_batches(variant, variants.batches(variant, *train_data), test_data)


def run_on_batches(
    variant: Variant, dataset: tensorflow.data.Dataset, test_data: Digits
) -> Run:
    """Train once on batches; return what `run` does."""

    def train(callback: keras.callbacks.Callback) -> tuple[keras.Model, History]:
        model = variants.build(variant)
        return model, variants.fit(variant, model, dataset, [callback])

    return scored(train, test_data)


def scored(
    train: Callable[[keras.callbacks.Callback], tuple[keras.Model, History]],
    test_data: Digits,
) -> Run:
    """Train with a callback that scores the test digits; return what `run` does."""
    start = time.perf_counter()
    after_epoch = ScoreAfterEpoch(*test_data)
    model, history = train(after_epoch)
    seconds = time.perf_counter() - start - after_epoch.seconds
    history |= after_epoch.history
    return model, {
        "correct": history["test_correct"][-1],
        "digits": len(test_data[0]),
        "wall_seconds": round(seconds, 1),
        "date": datetime.date.today().isoformat(),
        "history": {
            name: [round(value, 5) for value in values]
            for name, values in history.items()
        },
        "answers": "".join(map(str, after_epoch.answers)),
    }


class ScoreAfterEpoch(keras.callbacks.Callback):
    """Score the test digits after every epoch, for the record only."""

    def __init__(
        self, x: Float[np.ndarray, "n 28 28 1"], y: Float[np.ndarray, "n 10"]
    ) -> None:
        super().__init__()
        self.x, self.labels = x, y.argmax(axis=1)
        self.history: History = {"test_correct": [], "test_loss": []}
        self.seconds = 0.0  # that scoring took

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        start = time.perf_counter()
        probabilities = self.model.predict(self.x, batch_size=500, verbose=0)
        self.answers = probabilities.argmax(axis=1)
        of_the_label = probabilities[np.arange(len(self.labels)), self.labels]
        loss = -np.log(np.maximum(of_the_label, 1e-7)).mean()
        self.history["test_loss"].append(float(loss))
        self.history["test_correct"].append(int((self.answers == self.labels).sum()))
        self.seconds += time.perf_counter() - start
