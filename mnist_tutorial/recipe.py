"""A recipe: all that decides how a network is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mnist_tutorial.scalars import Fraction, Number, Positive, Seed


@dataclass(frozen=True)
class Recipe:
    """All that decides how a network is trained; the defaults are the book's recipe."""

    network: Literal["cnn", "deep"] = "cnn"  # build_cnn or build_deep_cnn
    epochs: Positive = 5  # passes over the training digits
    batch_size: Positive = 128  # digits per step
    # Adam's highest: it rises in the first tenth of the steps and falls along a cosine.
    learning_rate: Number = 6e-3
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
    # For the initial weights, the order of the digits, dropout and augmentation.
    seed: Seed = 0

    def __post_init__(self) -> None:
        rate = self.learning_rate
        if not 0 < rate <= 1000:
            raise ValueError(f"learning_rate must be above 0, up to 1000, got {rate}.")
