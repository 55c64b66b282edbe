from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from helpers.made_samples import MadeSamples, given

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoder import Encoder
from fusion.encoders.learning import learn_encoder
from fusion.encoders.rows import encode_samples
from fusion.errors import SampleError
from fusion.modalities import source_hash
from store import Status


@pytest.fixture
def encoder(made: MadeSamples, config: FunctaConfig) -> Encoder:
    return learn_encoder(replace(config, initialisation="random"), made.samples[:24])


def raises(error: Exception) -> object:
    raise error


def test_rows_stand_in_the_order_of_the_samples_under_their_names(encoder: Encoder, made: MadeSamples) -> None:
    samples = made.samples[5:9][::-1]
    rows = encode_samples(encoder, samples).rows
    assert rows.ids.tolist() == [sample.id for sample in samples]
    assert (rows.status == Status.OK).all()
    assert rows.functas.shape == (4, encoder.config.k)
    assert (rows.steps == 3).all()


def test_a_row_does_not_depend_on_the_samples_beside_it(encoder: Encoder, made: MadeSamples) -> None:
    together = encode_samples(encoder, made.samples[:6]).rows
    alone = encode_samples(encoder, made.samples[3:4]).rows
    np.testing.assert_array_equal(together.functas[3], alone.functas[0])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SampleError("read", "cut short"), "read: cut short"),
        (PermissionError(13, "Permission denied"), "read: PermissionError: [Errno 13] Permission denied"),
        (ZeroDivisionError("of a plug-in"), "read: ZeroDivisionError: of a plug-in"),
    ],
)
def test_a_sample_that_cannot_be_read_is_a_failed_row_with_the_reason(
    encoder: Encoder, made: MadeSamples, error: Exception, reason: str
) -> None:
    bad = replace(made.samples[1], load=partial(raises, error))
    rows = encode_samples(encoder, [made.samples[0], bad, made.samples[2]]).rows
    assert rows.status.tolist() == [Status.OK, Status.FAILED, Status.OK]
    assert rows.errors.tolist() == ["", reason, ""]
    assert np.isnan(rows.functas[1]).all()


def test_what_is_stored_is_not_fitted_again(encoder: Encoder, made: MadeSamples) -> None:
    known = {sample.id: source_hash(np.float32(sample.raw)).tobytes() for sample in made.samples[:3]}
    other = replace(made.samples[2], load=partial(given, made.samples[2].raw + 1))
    found = encode_samples(encoder, [*made.samples[:2], other], known=known)
    assert (len(found.rows), found.unchanged, found.changed) == (0, 2, ("w02",))
    again = encode_samples(encoder, [other], known=known, reencode=True)
    assert (again.rows.ids.tolist(), again.changed) == (["w02"], ())


def test_no_samples_are_no_rows(encoder: Encoder) -> None:
    assert encode_samples(encoder, []).rows.functas.shape == (0, encoder.config.k)
