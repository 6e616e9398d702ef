"""What the live pages get: the network in eight bits, samples to try, and digits."""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from mnist_tutorial import doubt, export, models, results
from mnist_tutorial.__main__ import main
from mnist_tutorial.backend import keras
from mnist_tutorial.experiments import article, variants
from mnist_tutorial.weights import load_pretrained

PAGES = Path(__file__).parent.parent / "book" / "_extra"
Arrays = dict[str, NDArray[np.uint8]]


def content_of(path: Path) -> Any:
    """Read what a written file assigns."""
    found = re.fullmatch(
        r"// .*\n\(window\.mnist.*\)\.\w+ = (.*);\n", path.read_text(encoding="utf-8")
    )
    assert found
    return json.loads(found[1])


def unpacked(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)


@pytest.fixture(scope="module")
def pretrained() -> keras.Model:
    return load_pretrained()


@pytest.fixture(scope="module")
def answers() -> NDArray[np.int64]:
    """What the network that comes with the package says to each test digit."""
    return np.array(list(results.load("tutorial-long")["runs"][0]["answers"]), int)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the command writes."""
    folder = tmp_path_factory.mktemp("pages")
    assert main(["export", str(folder)]) == 0
    return folder


def test_the_pages_have_what_the_command_writes(written: Path) -> None:
    new, old = (content_of(place / "draw/weights.js") for place in (written, PAGES))
    limits = new.pop("limits")
    assert limits == pytest.approx(old.pop("limits"), abs=0.0011)  # the last digit
    assert limits == pytest.approx(doubt.LIMITS, abs=0.011)
    np.testing.assert_array_equal(unpacked(new.pop("data")), unpacked(old.pop("data")))
    assert new == old
    new, old = (content_of(place / "draw/samples.js") for place in (written, PAGES))
    assert new == old
    digits = "playground/digits.js"
    new, old = (unpacked(content_of(place / digits)) for place in (written, PAGES))
    np.testing.assert_array_equal(new, old)


def test_rounding_changes_no_answer_to_a_test_digit(
    pretrained: keras.Model, answers: NDArray[np.int64], mnist: Arrays
) -> None:
    x = mnist["x_test"][..., None] / np.float32(255)
    network = export.up_to_logits(export.rounded(pretrained))
    said = network.predict(x, batch_size=500, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(said, answers)


def test_what_the_front_page_loads_stays_small() -> None:
    folder = PAGES / "draw"
    assert (folder / "weights.js").stat().st_size < 720_000
    assert sum(file.stat().st_size for file in folder.iterdir()) < 820_000


def test_folding_changes_no_logit(pretrained: keras.Model, mnist: Arrays) -> None:
    folded = models.build_cnn(normalize=False)
    for name, (weights, scale, bias) in export.fold(pretrained).items():
        folded.get_layer(name).set_weights([weights * scale, bias])
    x = mnist["x_test"][:50, ..., None] / np.float32(255)
    found, expected = (
        export.up_to_logits(model).predict(x, verbose=0)
        for model in (folded, pretrained)
    )
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_a_negative_scale_is_refused() -> None:
    model = models.build_cnn()
    gamma = np.ones(64)
    gamma[7] = -1
    model.get_layer("norm_4").gamma.assign(gamma)
    with pytest.raises(ValueError, match=r"norm_4 .* channel 7"):
        export.fold(model)


def test_one_digit_of_a_hundred_is_below_each_limit(
    pretrained: keras.Model, mnist: Arrays
) -> None:
    x = mnist["x_train"][50_000:52_000, ..., None] / np.float32(255)
    limits = export.limits(pretrained, 0.5)
    logits = export.up_to_logits(export.rounded(pretrained)).predict(x, verbose=0)
    found = {"logit": logits, "probability": softmax(logits / 0.5, axis=1)}
    for name, limit in limits.items():
        most = found[name].max(axis=1)
        below = [np.mean(most < limit + way) for way in (-0.001, 0.001)]
        assert below[0] <= 0.01 <= below[1]


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (article.build_article_cnn, "norm_1 .* conv_1: relu_1"),  # ReLU, normalization
        (models.build_deep_cnn, '"dense_5"'),
        (variants.build_strided_cnn, '"pool_2"'),  # though all its shapes are the same
    ],
)
def test_another_network_is_refused(build: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        export.fold(build())


def test_the_samples_are_one_test_digit_of_each_class_and_all_that_are_misread(
    written: Path, answers: NDArray[np.int64], mnist: Arrays
) -> None:
    content = content_of(written / "draw" / "samples.js")
    labels = np.array(content["labels"])
    np.testing.assert_array_equal(labels[:10], range(10))
    pixels = np.frombuffer(base64.b64decode(content["pixels"]), np.uint8)
    misread = answers != mnist["y_test"]
    expected = mnist["x_test"][misread].ravel()
    np.testing.assert_array_equal(pixels[10 * 28 * 28 :], expected)
    np.testing.assert_array_equal(labels[10:], mnist["y_test"][misread])


def test_the_playgrounds_digits_are_those_of_mnist(
    written: Path, mnist: Arrays
) -> None:
    content = unpacked(content_of(written / "playground" / "digits.js"))
    chosen = np.r_[:7000, 59_000:60_000]
    np.testing.assert_array_equal(content[:-8000], mnist["x_train"][chosen].ravel())
    np.testing.assert_array_equal(content[-8000:], mnist["y_train"][chosen])
