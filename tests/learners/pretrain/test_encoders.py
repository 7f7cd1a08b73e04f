"""Encoders: where their statistics come from, and that a masked autoencoder's encoder sees all of a picture."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from pathei.learners.pretrain.config import SCALES  # noqa: E402
from pathei.learners.pretrain.encoders import calibrate, layers_of_picture, new_image_encoder, pooled  # noqa: E402


def test_calibration_takes_the_statistics_of_what_is_shown_and_leaves_the_weights() -> None:
    torch.manual_seed(0)
    encoder = new_image_encoder(SCALES["tiny"]).eval()
    weights = {name: one.clone() for name, one in encoder.named_parameters()}
    pictures = torch.rand(8, 3, 56, 56) * 2 - 1
    calibrate(encoder, [pictures[:4], pictures[4:]])
    assert not encoder.training
    assert all(torch.equal(one, weights[name]) for name, one in encoder.named_parameters())
    first = encoder.embedder.embedder
    seen = first.convolution(pictures)
    torch.testing.assert_close(first.normalization.running_mean, seen.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert first.normalization.momentum == 0.1


def test_an_encoder_without_batch_normalisation_stays_as_it_is() -> None:
    encoder = new_image_encoder(SCALES["tiny"]._replace(convolutional=False)).eval()
    weights = {name: one.clone() for name, one in encoder.state_dict().items()}
    pictures = torch.rand(2, 3, 56, 56)
    calibrate(encoder, [pictures])
    assert all(torch.equal(one, weights[name]) for name, one in encoder.state_dict().items())
    layers = layers_of_picture(encoder, pictures)
    assert layers.shape == (2, 3 * 96)
    assert pooled(encoder, pictures).shape == (2, 96)
