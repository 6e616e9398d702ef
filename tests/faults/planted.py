"""Plant bugs in a copy of the project, one at a time, and see that the tests find each of them.

python tests/faults/planted.py [NAME ...]

A bug is looked for by the tests of its own module alone, which must pass without it: run `pytest` first.
All bugs take about half an hour on two cores. A name is that of a module, or "files" for the
damage to files that are no code; without names all are planted.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """What is changed in which file, and the tests that must find it."""

    file: str
    tests: str
    old: str = ""  # nothing: one bit of the byte in the middle of the file
    new: str = ""


BUGS = {
    "models": [
        (
            "BatchNormalization(momentum=momentum, name=name)",
            "BatchNormalization(name=name)",
        ),
        ('if "norm" in key else', 'if "none" in key else'),
        (
            'results.load("tutorial-long")["runs"][0]',
            'results.load("tutorial-long")["runs"][1]',
        ),
        ("BatchNormalization(momentum=0.9, name=", "BatchNormalization(name="),
        ('convolve(128, 5, "same")', 'convolve(128, 5, "valid")'),
        ("if count != len(model.layers)", "if count < len(model.layers)"),
    ],
    "augmentation": [
        (
            "[x_from_x, x_from_y, x_start, y_from_x, y_from_y, y_start, zero, zero]",
            "[y_from_y, y_from_x, y_start, x_from_y, x_from_x, x_start, zero, zero]",
        ),
        ("(width - 1) / 2, (height - 1) / 2", "width / 2, height / 2"),
        ("slant = (rotation + shear)", "slant = (rotation - shear)"),
        ("self.shift * height * row_shift", "self.shift * width * row_shift"),
        (
            '"column_zoom": 1 + self.zoom * column_zoom',
            '"column_zoom": 1 + self.zoom * row_zoom',
        ),
        ("-1, 1, seed=self.seed_generator", "-1, 1, seed=self.seed"),
    ],
    "training": [
        ("keras.utils.set_random_seed(recipe.seed)", "keras.utils.set_random_seed(0)"),
        (
            "CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)",
            "CategoricalCrossentropy()",
        ),
        ("momentum=0.9, nesterov=True", "momentum=0.9"),
        ("warmup = steps // 10", "warmup = steps // 10 + 1"),
        (
            "callbacks=[*average, history, *callbacks]",
            "callbacks=[history, *callbacks]",
        ),
        (
            "shuffle(len(x_train), seed=recipe.seed)",
            "shuffle(len(x_train), seed=recipe.seed, reshuffle_each_iteration=False)",
        ),
        ("return build_deep_cnn(recipe.dropout)", "return build_deep_cnn()"),
    ],
    "interpretation": [
        ("(before - after)", "(after - before)"),
        (
            "np.arange(steps, dtype=np.float32) + 0.5",
            "np.arange(steps, dtype=np.float32)",
        ),
        ("np.argsort(-flat.max(axis=1)", "np.argsort(-flat.mean(axis=1)"),
        ("last * stride + np.array(window) - 1", "last * stride + np.array(window)"),
        ("reach = size * (1 - step / steps)", "reach = size"),
        ("sum(axis=(1, 2, 3), keepdims=True)", "sum(keepdims=True)"),
    ],
    "runs": [
        ('"correct": after_epoch.correct[-1]', '"correct": max(after_epoch.correct)'),
        ("- start - after_epoch.seconds", "- start"),
        ("x[hidden[chosen]]", "x[chosen]"),
        ("truth[chosen]", "truth[: len(chosen)]"),
        (
            "probabilities[np.arange(len(self.labels)), self.labels]",
            "probabilities.max(axis=1)",
        ),
        (
            "steps = -(-len(train_data[0]) // recipe.batch_size)",
            "steps = len(train_data[0]) // recipe.batch_size",
        ),
    ],
    "recipes": [
        ("seed=seed, **(changes or {})", "**(changes or {})"),
        ('experiment.keys[0]["seed"]', 'experiment.keys[-1]["seed"]'),
        (
            "            x_train[:-10000],\n            x_train[-10000:],",
            "            x_train[10000:],\n            x_train[:10000],",
        ),
        ('schedule="constant",\n    label_smoothing=0.0,', 'schedule="constant",'),
        (
            'training.Recipe(pooling="strides"), seeds(5), "validation"',
            'training.Recipe(pooling="strides"), seeds(5)',
        ),
        ('list(experiment.keys).index({"changes": changes, "seed": seed})', "seed"),
    ],
    "ensembling": [
        ("replace(recipe, seed=seed) for seed in seeds", "recipe for seed in seeds"),
        ("votes + average(probabilities) / 2", "votes"),
        ("size, replace=False", "size"),
        ("(members - 1) / members *", "1 / members *"),
        ("errors[~drawn[:, member]]", "errors[drawn[:, member]]"),
        ("said, kept[place + 1 :]]", "said]"),
    ],
    "pseudo_labelling": [
        (">= threshold", "> threshold"),
        (
            "probabilities[chosen].argmax(axis=1)",
            "probabilities.argmax(axis=1)[: len(chosen)]",
        ),
        ("seed=seed + number", "seed=seed"),
        ("each, replace=False", "each"),
        ("default_rng(checks.seed(seed))", "default_rng(0)"),
        (
            "seed=seed + number).repeat()",
            "seed=seed + number, reshuffle_each_iteration=False).repeat()",
        ),
    ],
    "export": [
        ("np.sqrt(variance + norm.epsilon)", "np.sqrt(variance)"),
        ("(bias - mean) * scale + beta", "bias * scale + beta - mean"),
        (
            'scale.astype("<f4").tobytes() + bias',
            'bias.astype("<f4").tobytes() + scale',
        ),
        ("[:SAMPLES] for digit", "[-SAMPLES:] for digit"),
        (".T.ravel()", ".ravel()"),
        (
            "np.quantile(answer.max(axis=1), SHARE)",
            "np.quantile(answer.max(axis=1), 1 - SHARE)",
        ),
    ],
    "visualization": [
        ("np.abs(values.astype(float)).max()", "values.astype(float).max()"),
        ('[ORANGE, "white", BLUE]', '[BLUE, "white", ORANGE]'),
        ('cmap="gray_r"', 'cmap="gray"'),
        ("range(1, len(history[key]) + 1)", "range(len(history[key]))"),
        ("-(-len(maps) // columns)", "len(maps) // columns + 1"),
        ("*sides, channels = shape", "channels, *sides = shape"),
    ],
}
FILES = [
    Fault("book/loading.ipynb", "book/loading.ipynb", "1,797 errors", "1,796 errors"),
    Fault(
        "mnist_tutorial/assets/results/tutorial.json",
        "tests/test_recipes.py",
        '"seed": 0,\n   "correct": 9964',
        '"seed": 0,\n   "correct": 9965',
    ),
    Fault(
        "mnist_tutorial/assets/results/tutorial.json",
        "tests/test_recipes.py",
        '6"\n  },\n  {\n   "seed": 1,',
        '5"\n  },\n  {\n   "seed": 1,',
    ),
    Fault("mnist_tutorial/assets/mnist.npz", "tests/test_data.py"),
    Fault("mnist_tutorial/assets/weights/tutorial-long.npz", "tests/test_models.py"),
    Fault("book/_extra/draw/weights.js", "tests/test_export.py"),
]
FAULTS = {
    module: [
        Fault(f"mnist_tutorial/{module}.py", f"tests/test_{module}.py", *change)
        for change in changes
    ]
    for module, changes in BUGS.items()
} | {"files": FILES}


def damaged(content: bytes, fault: Fault) -> bytes:
    if not fault.old:
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    if (times := content.count(fault.old.encode())) != 1:
        sys.exit(
            f"{fault.file} holds {fault.old!r} {times} times; a bug is planted where it stands once."
        )
    return content.replace(fault.old.encode(), fault.new.encode())


def is_found(fault: Fault, copy: Path) -> bool:
    file = copy / fault.file
    content = file.read_bytes()
    file.write_bytes(damaged(content, fault))
    pytest = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        fault.tests,
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ended = subprocess.run(
        pytest, cwd=copy, env=environment, capture_output=True, text=True
    )
    file.write_bytes(content)
    if ended.returncode not in (0, 1):
        sys.exit(f"{fault.tests} could not be run:\n{ended.stdout}{ended.stderr}")
    return ended.returncode == 1


def main(names: list[str]) -> None:
    if unknown := set(names) - FAULTS.keys():
        sys.exit(
            f"There are no bugs for {', '.join(unknown)}; there are for: {', '.join(FAULTS)}."
        )
    faults = [fault for name in names or FAULTS for fault in FAULTS[name]]
    for fault in faults:
        damaged(
            (PROJECT / fault.file).read_bytes(), fault
        )  # says now, not in half an hour, what is gone
    found = 0
    with tempfile.TemporaryDirectory() as temporary:
        for part in ("book", "mnist_tutorial", "tests"):
            shutil.copytree(PROJECT / part, Path(temporary, part))
        shutil.copy(PROJECT / "pyproject.toml", temporary)
        for fault in faults:
            result = is_found(fault, Path(temporary))
            found += result
            print(
                f"{fault.file}: {fault.old or 'a bit'!r} -> {fault.new!r}:",
                "found" if result else "NOT FOUND",
                flush=True,
            )
    print(f"{found} of {len(faults)} planted bugs found")
    sys.exit(found != len(faults))


if __name__ == "__main__":
    main(sys.argv[1:])
