"""The networks: their layers, shapes and parameters, worked out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from mnist_tutorial import models
from mnist_tutorial.augmentation import with_augmentation
from mnist_tutorial.backend import keras
from mnist_tutorial.experiments.article import build_article_cnn
from mnist_tutorial.experiments.variants import build_strided_cnn

BUILDERS = [models.build_cnn, models.build_deep_cnn]
BUILDERS += [build_strided_cnn, build_article_cnn]


def test_each_layer_has_the_shape_and_the_parameters_worked_out_by_hand() -> None:
    model = models.build_cnn()
    described = models.describe(model)
    assert described == [
        ("conv_1", (26, 26, 32), (3 * 3 * 1 + 1) * 32),
        ("relu_1", (26, 26, 32), 0),
        ("conv_2", (24, 24, 32), (3 * 3 * 32 + 1) * 32),
        ("pool_2", (12, 12, 32), 0),
        ("norm_2", (12, 12, 32), 4 * 32),
        ("relu_2", (12, 12, 32), 0),
        ("conv_3", (10, 10, 64), (3 * 3 * 32 + 1) * 64),
        ("relu_3", (10, 10, 64), 0),
        ("conv_4", (8, 8, 64), (3 * 3 * 64 + 1) * 64),
        ("pool_4", (4, 4, 64), 0),
        ("norm_4", (4, 4, 64), 4 * 64),
        ("relu_4", (4, 4, 64), 0),
        ("flatten", (1024,), 0),
        ("dense_5", (512,), (1024 + 1) * 512),
        ("norm_5", (512,), 4 * 512),
        ("relu_5", (512,), 0),
        ("dropout", (512,), 0),
        ("logits", (10,), (512 + 1) * 10),
        ("softmax", (10,), 0),
    ]
    assert model.count_params() == sum(count for *_, count in described) == 597_354
    plain = models.build_cnn(normalize=False)
    assert models.describe(plain) == [row for row in described if "norm" not in row[0]]
    assert plain.count_params() == 594_922


@pytest.mark.parametrize("build", [models.build_cnn, models.build_deep_cnn])
def test_dropout_switches_off_the_fraction_asked_for(
    build: Callable[..., keras.Model],
) -> None:
    features = np.ones((1, 100_000), np.float32)
    for dropout in (0, 0.5):
        dropped = build(dropout=dropout).get_layer("dropout")(features, training=True)
        assert np.mean(np.equal(dropped, 0)) == pytest.approx(dropout, abs=0.01)


@pytest.mark.parametrize("build", BUILDERS)
def test_a_network_is_the_same_when_keras_puts_the_channels_first(
    build: Callable[..., keras.Model],
) -> None:
    images = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    expected = build()
    keras.config.set_image_data_format("channels_first")
    try:
        model = build()
        model.set_weights(expected.get_weights())
        model = with_augmentation(model, {"rotation": 8}, seed=0)
        np.testing.assert_array_equal(model(images), expected(images))
    finally:
        keras.config.set_image_data_format("channels_last")
