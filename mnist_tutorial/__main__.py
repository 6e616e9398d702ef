"""The command line (``mnist-tutorial --help``)."""

import argparse
import errno
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnist_tutorial.convolution import softmax
from mnist_tutorial.data import load_mnist
from mnist_tutorial.pictures import center_digit, read_picture
from mnist_tutorial.preprocessing import add_channel, prepare, scale_pixels

EXAMPLES = """\
examples:
  mnist-tutorial predict photo.jpg scan.png             read digits in pictures
  mnist-tutorial train --weights digits.weights.h5      train for five epochs
  mnist-tutorial evaluate --weights digits.weights.h5   score on test digits
"""
# The error of printing when whoever reads has read enough; the second is Windows's.
NO_READER = (errno.EPIPE, errno.EINVAL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        status = options.run(options)
        print(end="", flush=True)
    except OSError as error:
        if error.filename or error.errno not in NO_READER:
            return fail(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, ImportError) as error:
        return fail(error)
    except KeyboardInterrupt:
        print("mnist-tutorial: stopped; what was written is kept.", file=sys.stderr)
        return 130
    return status or 0


def fail(error: Exception | str) -> int:
    """Print what went wrong; return the exit status."""
    print(f"mnist-tutorial: error: {error}", file=sys.stderr)
    return 2


# Keras is imported late: help and wrong paths need not wait for it.


def train(options: argparse.Namespace) -> None:
    (x_train, y_train), _ = load_mnist(options.data)
    from mnist_tutorial import training, weights
    from mnist_tutorial.recipe import Recipe

    path = weights.check_path(options.weights)
    recipe = Recipe(epochs=options.epochs, seed=options.seed)
    model, history = training.train(recipe, *prepare(x_train, y_train))
    epochs = len(history.get("loss", []))
    if epochs or not path.exists():  # a whole file is worth more than part of an epoch
        weights.save(model, path)
        print(f"Weights written to {path}")
    if epochs < recipe.epochs:
        raise KeyboardInterrupt


def evaluate(options: argparse.Namespace) -> None:
    _, (x_test, y_test) = load_mnist(options.data)
    from mnist_tutorial import training

    print(training.evaluate(network(options), *prepare(x_test, y_test)))


def predict(options: argparse.Namespace) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # old code pages lack the bar's sign
        sys.stdout.reconfigure(errors="replace")
    digits, status = {}, 0
    for path in options.images:
        try:
            digits[path] = center_digit(read_picture(path))
        except (ValueError, OSError) as error:
            status = fail(error if path in str(error) else f"{path}: {error}")
    if not digits:
        return status
    from mnist_tutorial import export
    from mnist_tutorial.doubt import LIMITS, doubt

    model, temperature, limits = network(options), 1.0, LIMITS
    if options.weights:
        limits = export.limits(model, temperature)
    else:
        temperature = export.temperature()
    x = add_channel(scale_pixels(np.stack(list(digits.values()))))
    read = export.up_to_logits(model).predict(x, verbose=0)
    for (path, digit), logits in zip(digits.items(), read, strict=True):
        probabilities = softmax(logits / temperature)
        print(f"{path}: {probabilities.argmax()}")
        for label, probability in enumerate(probabilities):
            bar = "█" * round(40 * float(probability))
            print(f"  {label} {probability:7.2%} {bar}".rstrip())
        if sentence := doubt(digit, logits, probabilities, limits):
            print(f"  {sentence}")
    return status


def network(options: argparse.Namespace) -> Any:
    from mnist_tutorial import weights

    return (
        weights.load(options.weights) if options.weights else weights.load_pretrained()
    )


def reproduce(options: argparse.Namespace) -> None:
    from mnist_tutorial.experiments import registry

    for run in registry.reproduce(options.name)["runs"]:
        correct, digits = f"{run['correct']:,}", f"{run['digits']:,}"
        seconds = f"{run['wall_seconds']:.0f} s"
        print(f"seed {run['seed']}: {correct} of {digits} correct, {seconds}")


def export(options: argparse.Namespace) -> None:
    from mnist_tutorial import export, weights

    draw, playground = Path(options.folder, "draw"), Path(options.folder, "playground")
    for folder in (draw, playground):
        folder.mkdir(exist_ok=True)
    model = weights.load_pretrained()
    export.export_javascript(model, draw / "weights.js")
    export.export_samples(model, draw / "samples.js")
    export.export_digits(playground / "digits.js")
    print(f"Written: weights.js, samples.js and digits.js in {draw} and {playground}")


def between(least: int, most: int) -> Callable[[str], int]:
    """Make a type of argument: a whole number in this range."""

    def whole_number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected {least} to {most}, got {text}")
        return int(text)

    return whole_number


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    layout: Any = {
        "epilog": EXAMPLES,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }
    whole = argparse.ArgumentParser(
        prog="mnist-tutorial",
        description="Train the book's network, score it, and let it read digits.",
        **layout,
    )
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        name = run.__name__
        command = commands.add_parser(name, help=text, description=text, **layout)
        command.set_defaults(run=run)
        return command

    command = add(train, "train the network and write its weights")
    text = "the file to write, whose name ends in .weights.h5"
    command.add_argument("--weights", required=True, metavar="FILE", help=text)
    text = "passes over the training digits (default: %(default)s)"
    command.add_argument("--epochs", type=between(1, 1000), default=5, help=text)
    text = "another seed gives another network (default: %(default)s)"
    command.add_argument("--seed", type=between(0, 2**32 - 1), default=0, help=text)
    data = "an .npz file or a folder of IDX files to use instead of MNIST"
    command.add_argument("--data", metavar="PATH", help=data)

    own = "weights written by train, to use instead of the book's own"
    command = add(evaluate, "score weights on every test digit")
    command.add_argument("--data", metavar="PATH", help=data)
    command.add_argument("--weights", metavar="FILE", help=own)

    command = add(predict, "read the digit in each picture")
    text = "a picture of one digit: PNG, JPEG, GIF, BMP or WEBP"
    command.add_argument("images", nargs="+", metavar="IMAGE", help=text)
    command.add_argument("--weights", metavar="FILE", help=own)

    command = add(reproduce, "record a result seed by seed; resume where it stopped")
    text = "the recipe's name, such as tutorial; an unknown name lists them all"
    command.add_argument("name", metavar="NAME", help=text)

    command = add(export, "write the scripts that the live pages need")
    text = "where to write draw/ and playground/ (default: %(default)s)"
    folder = "book/_extra"
    command.add_argument(
        "folder", nargs="?", default=folder, metavar="FOLDER", help=text
    )
    return whole


if __name__ == "__main__":
    sys.exit(main())
