"""The members of the recorded ensemble, and a network that learns from them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from jaxtyping import Float32

from mnist_tutorial import results, training
from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.experiments.run import Digits, Run, run_on_batches
from mnist_tutorial.experiments.variants import Variant
from mnist_tutorial.files import replacing
from mnist_tutorial.members import train_members
from mnist_tutorial.preprocessing import add_channel, scale_pixels
from mnist_tutorial.pseudo_labelling import Part, mixed_batches
from mnist_tutorial.recipe import Recipe
from mnist_tutorial.scalars import Whole

MEMBERS = results.RESULTS.with_name("members")  # their weights; not in git
MEMBER = Recipe(network="deep", epochs=10)
# For each of the two networks the candidate with the fewest validation errors, 35 and
# 36; with one seed each, that says little. There are two because networks of different
# designs were expected to err in different places. (They hardly do.)
DESIGNS: list[dict[str, Any]] = [{"epochs": 6}, {"network": "cnn"}]
TEACHERS = range(2, 7)  # seeds; not all weights of the first two were kept
COPIES = 5  # of each digit for the teachers: one for each of the book's epochs


def keep_probabilities(
    probabilities: Float32[np.ndarray, "n 10"], place: Whole, folder: Path
) -> None:
    """Store a member's probabilities for the test digits as float16, at its place."""
    path = folder / "ensemble.npz"
    with FileLock(f"{path}.lock"):
        kept = list(results.load_probabilities(folder)) if path.exists() else []
        if len(kept) < place:
            raise ValueError(
                f"{path} holds {len(kept)} members; expected {place} first."
            )
        kept[place : place + 1] = [probabilities]
        with replacing(path) as unfinished:
            np.savez_compressed(unfinished, probabilities=np.array(kept, np.float16))


def run_with_members(variant: Variant, train_data: Digits, test_data: Digits) -> Run:
    """Train on the members' mean probabilities for augmented digits, not on labels.

    Five members of each design teach; missing members are trained first. All seeds
    share one file with the augmented digits and the probabilities, which is written if
    it is missing. Sources: Hinton et al., 2015; for teachers and student that see the
    same augmented pictures, Beyer et al., 2022.
    """
    lesson = MEMBERS / "lesson.npz"
    if not lesson.exists():
        write_lesson(train_data[0], lesson)
    with np.load(lesson) as arrays:
        x = add_channel(scale_pixels(arrays["pictures"]))
        part = Part(x, arrays["answers"].astype(np.float32), 1)
    steps = COPIES * -(-len(train_data[0]) // variant.batch_size)
    dataset = mixed_batches([part], variant.batch_size, steps, variant.seed)
    return run_on_batches(variant, dataset, test_data)


def write_lesson(x: Float32[np.ndarray, "n 28 28 1"], lesson: Path) -> None:
    """Augment the digits several times, and write the members' mean answers."""
    teachers: list[tuple[Recipe, Path]] = []
    for changes in DESIGNS:
        recipe = replace(MEMBER, **changes)
        for member in train_members(recipe, TEACHERS, MEMBERS / recipe.network):
            if member.error:
                raise OSError(member.error)
            teachers.append((recipe, member.path))
    augment = RandomAffine(**(Recipe().augmentation or {}), seed=0)
    batches = [x[start : start + 500] for start in range(0, len(x), 500)]
    changed = [
        augment(batch, training=True) for _ in range(COPIES) for batch in batches
    ]
    pictures = np.round(255 * np.concatenate(changed)[..., 0]).astype(np.uint8)
    x = add_channel(scale_pixels(pictures))
    answers = np.zeros((len(x), 10), np.float32)
    for recipe, path in teachers:
        teacher = training.build(recipe)
        teacher.load_weights(path)
        answers += teacher.predict(x, batch_size=500) / len(teachers)
    with replacing(lesson) as unfinished:
        np.savez(unfinished, pictures=pictures, answers=answers.astype(np.float16))
