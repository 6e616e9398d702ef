"""The temperature that calibrates the network that comes with the package."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from mnist_tutorial.backend import keras
from mnist_tutorial.evaluation import negative_log_likelihood
from mnist_tutorial.experiments.run import Digits, Run, run
from mnist_tutorial.experiments.variants import Variant


def run_and_calibrate(
    variant: Variant, train_data: Digits, validation_data: Digits
) -> Run:
    """Train once, and fit the temperature on other digits; return what `run` does.

    Of all temperatures, logits divided by this one have the smallest negative
    log-likelihood (Guo et al., On calibration of modern neural networks, 2017). The
    run's line also holds the likelihood before and after the division.
    """
    model, entry = run(variant, train_data, validation_data)
    x, labels = validation_data[0], validation_data[1].argmax(axis=1)
    network = keras.Model(model.inputs, model.get_layer("logits").output)
    logits = network.predict(x, batch_size=500, verbose=0).astype(np.float64)

    def loss(temperature: float) -> float:
        return negative_log_likelihood(softmax(logits / temperature, axis=1), labels)

    temperature = round(float(minimize_scalar(loss, bounds=(0.1, 10)).x), 2)
    return model, entry | {
        "temperature": temperature,
        "negative_log_likelihood": {"before": loss(1.0), "after": loss(temperature)},
    }
