"""keras.io's "Simple MNIST convnet", rewritten from its description: score and time.

Run it:  python tests/benchmarks/keras_io.py
It writes mnist_tutorial/assets/results/keras-io.jsonl, seed by seed; a second call goes
on where the first was stopped.
"""

import datetime
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import load_mnist, prepare, training
from mnist_tutorial.backend import keras
from mnist_tutorial.experiments.recording import describe_machine, record
from mnist_tutorial.recipe import Recipe

layers = keras.layers
RECIPE: dict[str, Any] = {
    "epochs": 15,
    "batch_size": 128,
    "optimizer": "adam",
    "dropout": 0.5,
    "validation_split": 0.1,
}


def train(
    seed: int, x_train: NDArray[np.float32], y_train: NDArray[np.float32]
) -> keras.Model:
    """Train it on the first nine tenths of the digits, as the example does."""
    keras.utils.set_random_seed(seed)
    stack = [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(RECIPE["dropout"]),
        layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential(stack)
    model.compile(
        loss="categorical_crossentropy",
        optimizer=RECIPE["optimizer"],
        metrics=["accuracy"],
        jit_compile=False,  # quicker here, as for the book's own network
    )
    kept = round(len(x_train) * (1 - RECIPE["validation_split"]))
    recipe = Recipe(batch_size=RECIPE["batch_size"], augmentation=None, seed=seed)
    dataset = training.batches(recipe, x_train[:kept], y_train[:kept])
    model.fit(dataset, epochs=RECIPE["epochs"], shuffle=False, verbose=0)
    return model


def main() -> None:
    (x_train, y_train), (x_test, y_test) = (prepare(*digits) for digits in load_mnist())

    def run(seed: int) -> dict[str, Any]:
        start = time.perf_counter()
        model = train(seed, x_train, y_train)
        wall_seconds = time.perf_counter() - start
        answers = model.predict(x_test, verbose=0).argmax(axis=1)
        return {
            "correct": int((answers == y_test.argmax(axis=1)).sum()),
            "digits": len(x_test),
            "wall_seconds": round(wall_seconds, 1),
            "date": datetime.date.today().isoformat(),
            "history": {},
            "answers": "".join(map(str, answers)),
        }

    about = {"recipe": RECIPE, "scored_on": "test", "machine": describe_machine()}
    seeds = [{"seed": seed} for seed in range(5)]
    for entry in record("keras-io", about, seeds, run)["runs"]:
        correct, wall_seconds = entry["correct"], entry["wall_seconds"]
        print(f"seed {entry['seed']}: {correct:,} correct, {wall_seconds} s")


if __name__ == "__main__":
    main()
