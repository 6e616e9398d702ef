"""The temperature that calibrates the network that comes with the package."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from mnist_tutorial.backend import keras
from mnist_tutorial.evaluation import negative_log_likelihood
from mnist_tutorial.experiments.run import Digits, run
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.files import replacing


def record_temperature(
    variant: Variant,
    train_data: Digits,
    validation_data: Digits,
    about: dict[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Train once, fit the temperature on other digits, and write temperature.json.

    Of all temperatures, logits divided by this one have the smallest negative
    log-likelihood (Guo et al., On calibration of modern neural networks, 2017). The
    file is one JSON object: what other records say of the recipe, `runs` with the one
    run, and the negative log-likelihood before and after the division.
    """
    model, entry = run(variant, train_data, validation_data)
    del entry["answers"]  # only the answers to the test digits are studied
    x, labels = validation_data[0], validation_data[1].argmax(axis=1)
    network = keras.Model(model.inputs, model.get_layer("logits").output)
    logits = network.predict(x, batch_size=500, verbose=0).astype(np.float64)

    def loss(temperature: float) -> float:
        return negative_log_likelihood(softmax(logits / temperature, axis=1), labels)

    temperature = round(float(minimize_scalar(loss, bounds=(0.1, 10)).x), 2)
    recorded = about | {
        "temperature": temperature,
        "negative_log_likelihood": {"before": loss(1.0), "after": loss(temperature)},
        "runs": [{"seed": variant.seed, **entry}],
    }
    with replacing(folder / "temperature.json") as unfinished:
        unfinished.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    return recorded
