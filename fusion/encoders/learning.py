"""What an encoder learns before the first fit, from training samples only: sizes, value scaling, what its kind adds.

Nothing here depends on the order of the samples: statistics are added up exactly, and the samples that a start is
learned from are those whose seeded hash is smallest.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.encoder import Encoder, EncoderConfig, encoder_class
from fusion.encoders.pool import Rescue, serially
from fusion.errors import DataError, OtherSourceError, SampleError
from fusion.modalities import ChannelStatistics, Modality, Scaling
from fusion.splits import seeded_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.pool import Mapper

_CHUNK = 256
SPARE = 8
_MAX_BYTES = 1 << 28
_FEW = 32


def learn_encoder(config: EncoderConfig, training: Iterable[Sample], mapper: Mapper = serially) -> Encoder:
    """Fill in the sizes left open, learn the scaling, and what the kind of encoder learns beside it.

    Parameters
    ----------
    config : EncoderConfig
        Of any kind.
    training : iterable of Sample
        Training samples, iterated more than once. Those that cannot be read are passed over; encoding reports them.
    mapper : Mapper
        Where the work is done.

    Raises
    ------
    DataError
        When no training sample can be used.
    """
    config = config.with_modality(resolve_modality(config.modality, training)).for_training(training)
    scaling = config.modality.fixed_scaling() or _learned_scaling(config.modality, training, mapper)
    return encoder_class(config.kind).learn(config, scaling, training, mapper)


def chunks(samples: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut an iterable into lists of at most `size` items."""
    iterator = iter(samples)
    while chunk := list(islice(iterator, size)):
        yield chunk


def resolve_modality(modality: Modality, training: Iterable[Sample]) -> Modality:
    """Fill in a modality's open sizes from the first training sample that can be used; DataError when none can.

    A modality that says so is given all of them.
    """
    if modality.looks_at_all:
        return modality.resolved_from(_readable(training))
    reasons = []
    for sample in training:
        try:
            return modality.resolved(sample.raw)
        except SampleError as error:
            reasons.append(f"{sample.id}: {error}")
        except (OSError, ValueError) as error:
            reasons.append(f"{sample.id}: {type(error).__name__}: {error}")
    if not reasons:
        raise DataError(
            "no training samples: the start and the value scaling are learned from rows of the training split"
        )
    raise DataError(f"none of {len(reasons)} training samples can be used; the first: {reasons[0]}")


def usable_arrays(samples: Iterable[Sample], modality: Modality) -> Iterator[NDArray[np.float32]]:
    """Read and prepare samples, passing over those that cannot be used; encoding reports them, under their IDs."""
    for sample in samples:
        try:
            yield modality.prepare(sample.raw)
        except OtherSourceError:
            raise
        except Exception:  # noqa: BLE001, S112 - encoding reports what is wrong with it, under its ID
            continue


def _readable(samples: Iterable[Sample]) -> Iterator[Any]:
    for sample in samples:
        try:
            yield sample.raw
        except OtherSourceError:
            raise
        except Exception:  # noqa: BLE001, S112 - encoding reports what is wrong with it, under its ID
            continue


def _statistics(samples: list[Sample], modality: Modality) -> ChannelStatistics | None:
    return ChannelStatistics.total(ChannelStatistics.of(prepared) for prepared in usable_arrays(samples, modality))


def _learned_scaling(modality: Modality, training: Iterable[Sample], mapper: Mapper) -> Scaling:
    rescue = Rescue(lambda chunk: [[sample] for sample in chunk], lambda *_: None)
    parts = mapper(partial(_statistics, modality=modality), chunks(training, _CHUNK), rescue)
    statistics = ChannelStatistics.total(part for part in parts if part is not None)
    if statistics is None:
        raise DataError(
            "no training sample can be used: none has the shape and the finite values that the first one has"
        )
    return modality.learned_scaling(statistics)


def values_to_learn_from(
    modality: Modality, scaling: Scaling, training: Iterable[Sample], count: int, seed: int
) -> NDArray[np.float32]:
    """Read the training samples whose seeded hash is smallest, those with it first.

    Returns
    -------
    NDArray, shape=(b, n, d_out)
        In [0, 1]; b is `count`, or fewer where there are fewer or where signals are so large that they filled memory.
    """
    count = min(count, max(_FEW, _MAX_BYTES // (4 * modality.points * modality.d_out)))
    candidates = nsmallest(count + SPARE, training, key=lambda sample: seeded_hash(sample.id, seed))
    values = [
        scaling.normalise(prepared).reshape(modality.points, modality.d_out)
        for prepared in islice(usable_arrays(candidates, modality), count)
    ]
    if not values:
        raise DataError(f"none of {len(candidates)} training samples chosen to learn the start from can be used")
    return np.stack(values)


def smallest_by_hash(samples: Iterable[Sample], count: int, seed: int) -> dict[str, list[Sample]]:
    """Choose up to `count` samples of each class by a seeded hash of their ID; unlabelled samples are one class.

    Returns
    -------
    dict of str to list of Sample
        Smallest hash first, so that the choice depends on the IDs alone and a larger count extends a smaller one.
    """
    kept: dict[str, list[tuple[bytes, Sample]]] = defaultdict(list)
    for sample in samples:
        ranked = kept[sample.label or ""]
        ranked.append((seeded_hash(sample.id, seed), sample))
        if len(ranked) >= 2 * count:
            _keep_smallest(ranked, count)
    for ranked in kept.values():
        _keep_smallest(ranked, count)
    return {label: [sample for _, sample in ranked] for label, ranked in kept.items()}


def _keep_smallest(ranked: list[tuple[bytes, Sample]], count: int) -> None:
    ranked.sort(key=lambda pair: pair[0])
    del ranked[count:]
