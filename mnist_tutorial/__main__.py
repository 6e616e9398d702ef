"""The command line: train, evaluate, predict, reproduce, export (``mnist-tutorial --help``)."""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mnist_tutorial.data import load_mnist
from mnist_tutorial.pictures import center_digit, read_picture
from mnist_tutorial.preprocessing import add_channel, prepare, scale_pixels

EXAMPLES = """\
examples:
  mnist-tutorial predict photo.jpg scan.png               read digits with the network that comes along
  mnist-tutorial train --weights digits.weights.h5        train for five epochs, write the weights
  mnist-tutorial evaluate --weights digits.weights.h5     score them on the 10,000 test digits
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 2 for what cannot be used, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except (ValueError, TypeError, OSError) as error:
        print(f"mnist-tutorial: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "mnist-tutorial: stopped; what was written so far is kept.", file=sys.stderr
        )
        return 130


def _train(options: argparse.Namespace) -> None:
    (x_train, y_train), _ = load_mnist(options.data)
    from mnist_tutorial import (
        training,
    )  # here, since --help and a wrong path need not wait for Keras

    training.check_weights_path(options.weights)
    recipe = training.Recipe(epochs=options.epochs, seed=options.seed)
    model, history = training.train(recipe, *prepare(x_train, y_train))
    epochs = len(history.get("loss", []))
    # A file that is there is worth more than part of an epoch.
    if epochs or not Path(options.weights).exists():
        training.save_weights(model, options.weights)
        print(f"Weights written to {options.weights}")
    if epochs < recipe.epochs:
        raise KeyboardInterrupt


def _evaluate(options: argparse.Namespace) -> None:
    _, (x_test, y_test) = load_mnist(options.data)
    from mnist_tutorial import training

    print(training.evaluate(_network(options), *prepare(x_test, y_test)))


def _predict(options: argparse.Namespace) -> int:
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # an old code page has no sign for a bar: no reason to fail
        sys.stdout.reconfigure(errors="replace")
    from mnist_tutorial import export
    from mnist_tutorial.backend import keras
    from mnist_tutorial.doubt import LIMITS, doubt

    model = _network(options)
    outputs = [model.get_layer(name).output for name in ("logits", "softmax")]
    read = keras.Model(model.inputs, outputs)
    limits = export.limits(model) if options.weights else LIMITS
    refused = 0
    for path in options.images:
        try:
            digit = center_digit(read_picture(path))
        except (ValueError, OSError) as error:  # and the others are read all the same
            named = str(error) if str(path) in str(error) else f"{path}: {error}"
            print(f"mnist-tutorial: error: {named}", file=sys.stderr)
            refused += 1
            continue
        x = add_channel(scale_pixels(digit[None]))
        (logits,), (probabilities,) = read.predict(x, verbose=0)
        print(f"{path}: {probabilities.argmax()}")
        for label, probability in enumerate(probabilities):
            print(
                f"  {label} {probability:7.2%} {'█' * round(40 * float(probability))}".rstrip()
            )
        if said := doubt(digit, logits, probabilities, limits):
            print(f"  {said}")
    return 2 if refused else 0


def _network(options: argparse.Namespace) -> Any:
    from mnist_tutorial import models

    return (
        models.load_cnn(options.weights)
        if options.weights
        else models.load_pretrained()
    )


def _reproduce(options: argparse.Namespace) -> None:
    from mnist_tutorial import recipes

    for entry in recipes.reproduce(options.name)["runs"]:
        print(
            f"seed {entry['seed']}: {entry['correct']:,} of {entry['digits']:,} correct, "
            f"{entry['wall_seconds']:.0f} s"
        )


def _export(options: argparse.Namespace) -> None:
    from mnist_tutorial import export, models

    folder = Path(options.folder)
    export.export_javascript(models.load_pretrained(), folder / "weights.js")
    export.export_samples(folder / "samples.js")
    print(f"Written: {folder / 'weights.js'} and {folder / 'samples.js'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mnist-tutorial",
        description="Train the book's network, score it, and let it read digits.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=EXAMPLES,
            formatter_class=parser.formatter_class,
        )
        command.set_defaults(run=run)
        return command

    train = add("train", _train, "train the network and write its weights")
    train.add_argument(
        "--weights",
        required=True,
        metavar="FILE",
        help="where to write them; must end in .weights.h5",
    )
    train.add_argument(
        "--epochs",
        type=int,
        default=5,
        help="passes over the training digits (default: %(default)s)",
    )
    train.add_argument(
        "--seed",
        type=int,
        default=0,
        help="another seed, another network (default: %(default)s)",
    )

    evaluate = add("evaluate", _evaluate, "score weights on every test digit")
    for command in (train, evaluate):
        command.add_argument(
            "--data",
            metavar="PATH",
            help="an .npz file or a folder of IDX files instead of MNIST",
        )

    predict = add("predict", _predict, "read the digit in each picture")
    predict.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="a picture of one digit: PNG, JPEG, GIF, BMP or WEBP",
    )
    for command in (evaluate, predict):
        command.add_argument(
            "--weights",
            metavar="FILE",
            help="weights written by train, instead of those that come along",
        )

    reproduce = add(
        "reproduce",
        _reproduce,
        "record a result, seed by seed, and show it; goes on where it was stopped",
    )
    reproduce.add_argument(
        "name",
        metavar="NAME",
        help="the recipe's name, such as tutorial; a name that is none shows them all",
    )

    export = add(
        "export",
        _export,
        "write what the page that reads drawn digits needs, as JavaScript",
    )
    export.add_argument(
        "folder",
        nargs="?",
        default="book/_extra/draw",
        metavar="FOLDER",
        help="where to write weights.js and samples.js (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
