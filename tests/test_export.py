import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import doubt, export, models
from mnist_tutorial.backend import keras
from mnist_tutorial.experiments import article, variants
from mnist_tutorial.weights import load_pretrained

PAGE = Path(__file__).parent.parent / "book" / "_extra" / "draw"
Arrays = dict[str, NDArray[np.uint8]]


def content_of(path: Path) -> dict[str, Any]:
    """Read the object that a written file assigns."""
    found = re.fullmatch(
        r"// .*\n\(window\.mnistDraw = .*\)\.\w+ = (\{.*\});\n",
        path.read_text(encoding="utf-8"),
    )
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


@pytest.fixture(scope="module")
def shaken() -> keras.Model:
    """An untrained network whose normalization does something."""
    keras.utils.set_random_seed(0)
    model = models.build_cnn()
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.startswith("norm"):
            layer.set_weights(
                [
                    rng.uniform(0.5, 2, weight.shape)
                    if low
                    else rng.normal(0, 0.3, weight.shape)
                    for weight, low in zip(
                        layer.get_weights(), (True, False, False, True), strict=True
                    )
                ]
            )
    return model


@pytest.fixture(scope="module")
def pretrained() -> keras.Model:
    return load_pretrained()


@pytest.fixture(scope="module")
def written(
    pretrained: keras.Model, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What is written for the network that comes with the package."""
    path = tmp_path_factory.mktemp("page") / "weights.js"
    export.export_javascript(pretrained, path)
    return content_of(path)


def numbers_of(content: dict[str, Any]) -> bytes:
    return zlib.decompress(base64.b64decode(content["data"]))


def test_the_page_has_the_network_that_comes_with_the_package(
    written: dict[str, Any],
) -> None:
    committed = content_of(PAGE / "weights.js")
    assert committed["layers"] == written["layers"]
    assert committed["temperature"] == written["temperature"]
    assert numbers_of(committed) == numbers_of(written)
    assert committed["limits"] == pytest.approx(
        written["limits"], abs=0.0011
    )  # the last digit may turn
    assert pytest.approx(written["limits"], abs=0.011) == doubt.LIMITS


def test_the_file_holds_the_rounded_weights(
    written: dict[str, Any], pretrained: keras.Model
) -> None:
    numbers, offset = numbers_of(written), 0
    shapes = {
        layer["parameters"]: layer["shape"]
        for layer in written["layers"]
        if "parameters" in layer
    }
    for name, (weights, scale, bias) in export.quantize(pretrained).items():
        assert tuple(shapes[name]) == weights.shape
        for expected, dtype in ((scale, "<f4"), (bias, "<f4"), (weights, "i1")):
            found = np.frombuffer(numbers, dtype, expected.size, offset)
            np.testing.assert_array_equal(found, expected.ravel())
            offset += found.nbytes
    assert offset == len(numbers)


def test_each_weight_is_rounded_by_half_a_step_at_most(shaken: keras.Model) -> None:
    folded = export.fold(shaken)
    for name, (weights, scale, bias) in export.quantize(shaken).items():
        exact, factor, exact_bias = folded[name]
        np.testing.assert_array_equal(bias, exact_bias)
        error = np.abs(weights * scale - exact * factor)
        assert (error <= 0.501 * scale).all()
        largest = np.abs(weights.astype(int)).reshape(-1, weights.shape[-1]).max(axis=0)
        assert (largest == 127).all()


def test_rounding_changes_no_answer_to_a_test_digit(
    pretrained: keras.Model, mnist: Arrays
) -> None:
    x = mnist["x_test"][..., None] / np.float32(255)
    answers = [
        export.up_to_logits(model).predict(x, batch_size=500, verbose=0).argmax(axis=1)
        for model in (pretrained, export.rounded(pretrained))
    ]
    np.testing.assert_array_equal(*answers)


def test_what_the_front_page_loads_stays_small() -> None:
    assert (PAGE / "weights.js").stat().st_size < 720_000
    assert sum(file.stat().st_size for file in PAGE.iterdir()) < 820_000


def test_folding_changes_no_logit(shaken: keras.Model, mnist: Arrays) -> None:
    folded = models.build_cnn(normalize=False)
    for name, (weights, scale, bias) in export.fold(shaken).items():
        folded.get_layer(name).set_weights([weights * scale, bias])
    x = mnist["x_test"][:50, ..., None] / np.float32(255)
    answers = [
        keras.Model(model.inputs, model.get_layer("logits").output).predict(
            x, verbose=0
        )
        for model in (shaken, folded)
    ]
    np.testing.assert_allclose(
        answers[1], answers[0], atol=1e-4 * np.abs(answers[0]).max()
    )


def test_a_negative_scale_is_refused(shaken: keras.Model) -> None:
    model = models.build_cnn()
    gamma, *others = model.get_layer("norm_4").get_weights()
    gamma[7] = -1
    model.get_layer("norm_4").set_weights([gamma, *others])
    with pytest.raises(ValueError, match=r"norm_4 .* channel 7"):
        export.fold(model)


def test_normalization_after_relu_is_refused() -> None:
    with pytest.raises(ValueError, match=r"norm_1 .* conv_1: relu_1"):
        export.fold(article.build_article_cnn())


def test_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r'build_cnn\(\).*"conv_1"'):
        export.fold(
            keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
        )
    with pytest.raises(
        ValueError, match='"pool_2"'
    ):  # though all its shapes are the same
        export.fold(variants.build_strided_cnn())


def test_the_same_network_gives_the_same_file(
    shaken: keras.Model, tmp_path: Path
) -> None:
    for name in ("first.js", "second.js"):
        export.export_javascript(shaken, tmp_path / name)
    assert (tmp_path / "first.js").read_bytes() == (tmp_path / "second.js").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first.js", "second.js"]


def test_a_file_is_written_whole_or_not_at_all(
    shaken: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.js"
    path.write_text("before")

    def write_a_little(self: Path, content: str, encoding: str, newline: str) -> None:
        with self.open("w", encoding=encoding, newline=newline) as file:
            file.write(content[:100])
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "write_text", write_a_little)
    with pytest.raises(OSError, match="full"):
        export.export_javascript(shaken, path)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["weights.js"]


def test_a_missing_folder_is_named(shaken: keras.Model, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        export.export_javascript(shaken, tmp_path / "absent" / "weights.js")


def test_one_digit_of_a_hundred_is_below_each_limit(
    shaken: keras.Model, mnist: Arrays
) -> None:
    x = mnist["x_train"][50_000:52_000, ..., None] / np.float32(255)
    limits = export.limits(shaken, 0.5)
    logits = export.up_to_logits(export.rounded(shaken)).predict(x, verbose=0)
    exponentials = np.exp(logits / 0.5)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    for found, limit in (
        (logits, limits["logit"]),
        (probabilities, limits["probability"]),
    ):
        below = [np.mean(found.max(axis=1) < limit + way) for way in (-0.001, 0.001)]
        assert below[0] <= 0.01 <= below[1]


def test_the_samples_are_one_test_digit_of_each_class_and_all_that_are_misread(
    pretrained: keras.Model, mnist: Arrays, tmp_path: Path
) -> None:
    export.export_samples(pretrained, tmp_path / "samples.js")
    assert (tmp_path / "samples.js").read_bytes() == (PAGE / "samples.js").read_bytes()
    content = content_of(PAGE / "samples.js")
    labels = np.array(content["labels"])
    np.testing.assert_array_equal(labels[:10], range(10))
    pixels = np.frombuffer(base64.b64decode(content["pixels"]), np.uint8).reshape(
        -1, 28, 28
    )
    x = mnist["x_test"][..., None] / np.float32(255)
    answers = pretrained.predict(x, batch_size=500, verbose=0).argmax(axis=1)
    misread = answers != mnist["y_test"]
    np.testing.assert_array_equal(pixels[10:], mnist["x_test"][misread])
    np.testing.assert_array_equal(labels[10:], mnist["y_test"][misread])
