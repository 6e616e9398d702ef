"""A recipe: everything that decides how a network is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mnist_tutorial.scalars import AboveZero, Fraction, Number, Positive, Seed


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is trained, by default as in the book."""

    network: Literal["cnn", "deep"] = "cnn"  # the book's network, or a deeper one
    epochs: Positive = 5  # passes over the training digits
    batch_size: Positive = 128  # digits per step
    learning_rate: AboveZero = 6e-3  # the peak of the schedule
    label_smoothing: Fraction = 0.1  # of each label, spread over all ten classes
    dropout: Fraction = 0.2  # of the features in front of the last layer
    # RandomAffine's ranges, or None for the digits as they are.
    augmentation: Mapping[str, Number] | None = field(
        default_factory=lambda: {
            "rotation": 12,
            "shift": 0.06,
            "shear": 17,
            "zoom": 0.12,
        }
    )
    seed: Seed = 0  # of initial weights, order of digits, dropout and augmentation
