"""Train with few labels, with pseudo-labels for the other digits and without."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Integer

from mnist_tutorial.experiments.run import Digits, Run, run_on_batches
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.preprocessing import one_hot
from mnist_tutorial.pseudo_labelling import (
    Part,
    choose_confident,
    mixed_batches,
    sample_labelled,
)
from mnist_tutorial.scalars import Positive

# All but the numbers of steps was fixed before any score.
THRESHOLD = 0.95  # FixMatch's
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)  # counted, to compare
LABELLED_FRACTION = 0.25  # of each batch; the rest are pseudo-labels
STEPS = (400, 400, 800)  # of each network in turn; the first has true labels only
STEPS_TOGETHER = (200, 200, 400, 800)


def run_with_few_labels(
    variant: Variant,
    train_data: Digits,
    test_data: Digits,
    labels: Positive,
    pseudo_labels: bool,
    steps: Sequence[int] = STEPS,
    together: bool = False,
) -> Run:
    """Train with few labels, with or without pseudo-labels for the other digits.

    Both arms know the same labels, which the seed chooses, and take as many steps in
    all. With pseudo-labels a first network labels the others, a second one learns from
    what the first is confident of and labels them again, and so on; the last one is
    scored. together: the networks start from different initial weights, and all trained
    so far label by their mean answer. Returns what `run` does, with `rounds`: for each
    of THRESHOLDS, how many pseudo-labels were `chosen` and how many of these are
    `wrong`.
    """
    x, y = train_data
    truth = y.argmax(axis=1)
    known, hidden = sample_labelled(truth, labels, variant.seed)

    def learn(number: int, steps: int, *parts: Part) -> Run:
        seed = variant.seed + 1000 * number if together else variant.seed
        dataset = mixed_batches(parts, variant.batch_size, steps, seed)
        return run_on_batches(replace(variant, seed=seed), dataset, test_data)

    labelled = Part(x[known], y[known], 1)
    if not pseudo_labels:
        return learn(0, sum(steps), labelled)
    model, entry = learn(0, steps[0], labelled)
    seconds, rounds, answers = entry["wall_seconds"], [], []
    for number, its_steps in enumerate(steps[1:], start=1):
        start = time.perf_counter()
        answers.append(model.predict(x[hidden], batch_size=500, verbose=0))
        said = np.mean(answers, axis=0) if together else answers[-1]
        rounds.append([count(said, truth[hidden], each) for each in THRESHOLDS])
        chosen, classes = choose_confident(said, THRESHOLD)
        seconds += time.perf_counter() - start
        pseudo = Part(x[hidden[chosen]], one_hot(classes), 1 - LABELLED_FRACTION)
        labelled = replace(labelled, fraction=LABELLED_FRACTION)
        model, entry = learn(number, its_steps, labelled, pseudo)
        seconds += entry["wall_seconds"]
    return model, entry | {"wall_seconds": round(seconds, 1), "rounds": rounds}


def count(
    probabilities: Float[np.ndarray, "n 10"],
    truth: Integer[np.ndarray, "n"],
    threshold: float,
) -> dict[str, float]:
    """Count the pseudo-labels that a threshold chooses, and those that are wrong."""
    chosen, classes = choose_confident(probabilities, threshold)
    wrong = int((classes != truth[chosen]).sum())
    return {"threshold": threshold, "chosen": len(chosen), "wrong": wrong}
