import itertools
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from mnist_tutorial import models, results, training
from mnist_tutorial.backend import keras

ORDERS = {
    "book": """conv_1 relu_1 conv_2 pool_2 norm_2 relu_2
        conv_3 relu_3 conv_4 pool_4 norm_4 relu_4
        flatten dense_5 norm_5 relu_5 dropout logits softmax""",
    "article": """conv_1 relu_1 norm_1 conv_2 pool_2 relu_2 norm_2
        conv_3 relu_3 norm_3 conv_4 pool_4 relu_4
        flatten norm_4 dense_5 relu_5 norm_5 dropout logits softmax""",
    "none": """conv_1 relu_1 conv_2 pool_2 relu_2
        conv_3 relu_3 conv_4 pool_4 relu_4
        flatten dense_5 relu_5 dropout logits softmax""",
}
KINDS = {
    "conv": keras.layers.Conv2D,
    "relu": keras.layers.Activation,
    "norm": keras.layers.BatchNormalization,
    "pool": keras.layers.MaxPooling2D,
    "flatten": keras.layers.Flatten,
    "dense": keras.layers.Dense,
    "dropout": keras.layers.Dropout,
    "logits": keras.layers.Dense,
    "softmax": keras.layers.Activation,
}


@pytest.fixture(scope="module")
def digits(mnist: dict[str, NDArray[np.uint8]]) -> NDArray[np.float32]:
    return mnist["x_test"][:16, ..., None].astype(np.float32) / np.float32(255)


def with_random_weights(normalization: str = "book") -> keras.Model:
    """A network in which no weight is 0 and no normalization leaves its input as it is."""
    generator = np.random.default_rng(0)
    model = models.build_cnn(normalization)
    for variable in model.weights:
        low, high = (0.5, 2) if "variance" in variable.path else (-0.1, 0.1)
        variable.assign(generator.uniform(low, high, variable.shape))
    return model


@pytest.mark.parametrize(
    ("normalization", "parameters"),
    [("none", 594_922), ("article", 601_578), ("book", 597_354)],
)
def test_the_parameter_count_is_the_one_worked_out_by_hand(
    normalization: str, parameters: int
) -> None:
    model = models.build_cnn(normalization)
    assert model.count_params() == parameters
    assert sum(count for _, _, count in models.describe(model)) == parameters


def test_strides_take_the_place_of_pooling() -> None:
    described = {
        name: shape
        for name, shape, _ in models.describe(models.build_cnn(pooling="strides"))
    }
    assert described.keys() == set(ORDERS["book"].split()) - {"pool_2", "pool_4"}
    assert (described["conv_2"], described["conv_4"]) == ((12, 12, 32), (4, 4, 64))
    assert models.build_cnn(pooling="strides").count_params() == 597_354


@pytest.mark.parametrize("normalization", ORDERS)
def test_the_layers_stand_in_the_documented_order(normalization: str) -> None:
    layers = models.build_cnn(normalization).layers
    assert [layer.name for layer in layers] == ORDERS[normalization].split()
    for layer in layers:
        assert type(layer) is KINDS[layer.name.split("_")[0]]


def test_each_layer_has_the_shape_and_the_parameters_worked_out_by_hand() -> None:
    described = {
        name: (shape, count)
        for name, shape, count in models.describe(models.build_cnn())
    }
    assert described == {
        "conv_1": ((26, 26, 32), (3 * 3 * 1 + 1) * 32),
        "relu_1": ((26, 26, 32), 0),
        "conv_2": ((24, 24, 32), (3 * 3 * 32 + 1) * 32),
        "pool_2": ((12, 12, 32), 0),
        "norm_2": ((12, 12, 32), 4 * 32),
        "relu_2": ((12, 12, 32), 0),
        "conv_3": ((10, 10, 64), (3 * 3 * 32 + 1) * 64),
        "relu_3": ((10, 10, 64), 0),
        "conv_4": ((8, 8, 64), (3 * 3 * 64 + 1) * 64),
        "pool_4": ((4, 4, 64), 0),
        "norm_4": ((4, 4, 64), 4 * 64),
        "relu_4": ((4, 4, 64), 0),
        "flatten": ((1024,), 0),
        "dense_5": ((512,), (1024 + 1) * 512),
        "norm_5": ((512,), 4 * 512),
        "relu_5": ((512,), 0),
        "dropout": ((512,), 0),
        "logits": ((10,), (512 + 1) * 10),
        "softmax": ((10,), 0),
    }


def test_the_deep_network_has_the_shapes_and_the_parameters_worked_out_by_hand() -> (
    None
):
    model = models.build_deep_cnn()
    described = {name: (shape, count) for name, shape, count in models.describe(model)}
    with_parameters = {
        name: described[name] for name in described if described[name][1]
    }
    assert with_parameters == {
        "conv_1": ((26, 26, 32), (3 * 3 * 1 + 1) * 32),
        "conv_2": ((24, 24, 32), (3 * 3 * 32 + 1) * 32),
        "norm_2": ((12, 12, 32), 4 * 32),
        "conv_3": ((10, 10, 64), (3 * 3 * 32 + 1) * 64),
        "norm_3": ((10, 10, 64), 4 * 64),
        "conv_4": ((10, 10, 64), (3 * 3 * 64 + 1) * 64),
        "norm_4": ((5, 5, 64), 4 * 64),
        "conv_5": ((5, 5, 128), (3 * 3 * 64 + 1) * 128),
        "norm_5": ((5, 5, 128), 4 * 128),
        "conv_6": ((3, 3, 128), (3 * 3 * 128 + 1) * 128),
        "norm_6": ((3, 3, 128), 4 * 128),
        "logits": ((10,), (1152 + 1) * 10),
    }
    assert model.count_params() == 299_626
    for before, after in itertools.pairwise(described):
        assert (before.replace("norm", "relu") == after) == before.startswith("norm")
    assert list(described)[-4:] == ["flatten", "dropout", "logits", "softmax"]
    assert models.build_deep_cnn(0.4).get_layer("dropout").rate == 0.4


@pytest.mark.parametrize(
    ("build", "share"),
    [
        (models.build_cnn, 0.1),
        (lambda: models.build_cnn("article"), 0.01),
        (models.build_deep_cnn, 0.1),
    ],
    ids=["book", "article", "deep"],
)
def test_a_step_moves_the_running_means_by_the_documented_share(
    build: Callable[[], keras.Model], share: float
) -> None:
    norms = [
        layer
        for layer in build().layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for norm in norms:
        norm(np.ones((2, *norm.input.shape[1:]), np.float32), training=True)
        np.testing.assert_allclose(norm.moving_mean, share, rtol=1e-4)
    assert len(norms) >= 3


def test_the_logits_are_what_softmax_takes(digits: NDArray[np.float32]) -> None:
    model = with_random_weights()
    logits = keras.Model(model.inputs[0], model.get_layer("logits").output)(digits)
    assert np.min(logits) < 0, "logits are no probabilities yet"
    np.testing.assert_allclose(
        model(digits), scipy.special.softmax(logits, axis=1), atol=1e-6
    )


@pytest.mark.parametrize("normalization", ["none", "article"])
def test_activating_before_pooling_as_the_article_does_gives_the_same(
    digits: NDArray[np.float32], normalization: str
) -> None:
    model = with_random_weights(normalization)
    articles_order = ORDERS[normalization].replace("pool_2 relu_2", "relu_2 pool_2")
    articles_order = articles_order.replace("pool_4 relu_4", "relu_4 pool_4")
    assert articles_order != ORDERS[normalization]
    output = reduce(
        lambda x, name: model.get_layer(name)(x), articles_order.split(), digits
    )
    np.testing.assert_array_equal(model(digits), output)


def test_relu_makes_negative_numbers_0(digits: NDArray[np.float32]) -> None:
    model = with_random_weights()
    for name in ("relu_1", "relu_2", "relu_3", "relu_4", "relu_5"):
        layer = model.get_layer(name)
        before, after = keras.Model(model.inputs[0], [layer.input, layer.output])(
            digits
        )
        assert np.min(before) < 0
        np.testing.assert_array_equal(after, np.maximum(before, 0))


@pytest.mark.parametrize("pooling", ["mean", "", None, 2])
def test_an_unknown_pooling_is_refused(pooling: Any) -> None:
    with pytest.raises(
        ValueError, match="pooling must be one of max, strides"
    ) as error:
        models.build_cnn(pooling=pooling)
    assert repr(pooling) in str(error.value)


@pytest.mark.parametrize("dropout", [0, 0.2, 0.5])
def test_dropout_switches_off_the_share_asked_for(dropout: float) -> None:
    features = np.ones((1, 100_000), np.float32)
    dropped = models.build_cnn(dropout=dropout).get_layer("dropout")(
        features, training=True
    )
    assert np.mean(np.equal(dropped, 0)) == pytest.approx(dropout, abs=0.01)


@pytest.mark.parametrize("normalization", ["batch", "", None])
def test_an_unknown_normalization_is_refused(normalization: Any) -> None:
    with pytest.raises(
        ValueError, match=r"normalization .*book, article, none"
    ) as error:
        models.build_cnn(normalization)
    assert repr(normalization) in str(error.value)


@pytest.mark.parametrize("dropout", [-0.1, 1, 1.5, float("nan"), True, "0.2", None])
def test_a_dropout_that_is_no_share_is_refused(dropout: Any) -> None:
    with pytest.raises(ValueError, match=r"dropout .*0 .*1") as error:
        models.build_cnn(dropout=dropout)
    assert repr(dropout) in str(error.value)


# Weights from a file


@pytest.mark.parametrize("normalization", models.NORMALIZATIONS)
def test_weights_come_back_from_their_file(normalization: str, tmp_path: Path) -> None:
    model = with_random_weights(normalization)
    path = tmp_path / "digits.weights.h5"
    training.save_weights(model, path)
    for file in (path, str(path)):
        for stored, loaded in zip(
            model.get_weights(),
            models.load_cnn(file, normalization).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(loaded, stored, strict=True)


@pytest.mark.parametrize(
    ("written", "read"), list(itertools.permutations(models.NORMALIZATIONS, 2))
)
def test_the_weights_of_another_network_are_refused(
    written: str, read: str, tmp_path: Path
) -> None:
    model = models.build_cnn(written)
    training.save_weights(model, tmp_path / "other.weights.h5")
    model.save_weights(tmp_path / "by_keras.weights.h5")  # which notes no sum
    for name in ("other", "by_keras"):
        with pytest.raises(ValueError, match=rf"{name}\.weights\.h5.*another network"):
            models.load_cnn(tmp_path / f"{name}.weights.h5", read)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_truncated_weights_file_is_refused(
    weights: Path, tmp_path: Path, share: float
) -> None:
    content = weights.read_bytes()
    (tmp_path / "cut.weights.h5").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"cut\.weights\.h5 is damaged"):
        models.load_cnn(tmp_path / "cut.weights.h5")


def test_damage_to_the_structure_of_a_weights_file_is_refused_or_harmless(
    weights: Path, tmp_path: Path
) -> None:
    content, stored = weights.read_bytes(), models.load_cnn(weights).get_weights()
    path, refused = tmp_path / "bad.weights.h5", 0
    for place in range(0, 2100, 100):
        path.write_bytes(content[:place] + b"\xff" * 100 + content[place + 100 :])
        try:
            loaded = models.load_cnn(path).get_weights()
        except ValueError as error:
            assert f"{path} is damaged" in str(error)
            refused += 1
        else:
            assert all(
                np.array_equal(one, other)
                for one, other in zip(loaded, stored, strict=True)
            )
    assert refused > 0


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.weights\.h5"):
        models.load_cnn(tmp_path / "no.weights.h5")


def test_a_weights_file_of_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.keras").touch()
    with pytest.raises(ValueError, match=r"\.weights\.h5.*model\.keras"):
        models.load_cnn(tmp_path / "model.keras")


# The recorded weights


def test_recorded_weights_come_back_as_float16_and_normalizations_as_float32(
    tmp_path: Path,
) -> None:
    model = with_random_weights()
    sha256 = models.save_recorded(model, tmp_path / "new" / "kept.npz")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["kept.npz"]
    kept = models._load_recorded(
        tmp_path / "new" / "kept.npz", {"weights_sha256": sha256}
    )
    for before, after in zip(model.weights, kept.weights, strict=True):
        dtype = np.float32 if "norm" in before.path else np.float16
        np.testing.assert_array_equal(after.numpy(), before.numpy().astype(dtype))
    assert models.save_recorded(model, tmp_path / "again.npz") == sha256


def test_damaged_or_missing_recorded_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    run = {"weights_sha256": models.save_recorded(models.build_cnn(), path)}
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"kept\.npz is damaged"):
        models._load_recorded(path, run)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"kept\.npz"):
        models._load_recorded(path, run)


def test_the_pretrained_network_gives_its_recorded_answers_to_all_test_digits(
    mnist: dict[str, NDArray[np.uint8]],
) -> None:
    run = results.load("tutorial-long")["runs"][0]
    x_test = mnist["x_test"][..., None].astype(np.float32) / np.float32(255)
    answers = (
        models.load_pretrained()
        .predict(x_test, batch_size=500, verbose=0)
        .argmax(axis=1)
    )
    assert "".join(map(str, answers)) == run["answers"]
    assert (answers == mnist["y_test"]).sum() == run["correct"]
