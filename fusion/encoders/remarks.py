"""What the sizes that an encoder takes from its first sample do to the others, told from a look at some of them."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from fusion.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fusion.datasets.base import Sample
    from fusion.modalities import Modality

_SAMPLES, _SECONDS = 256, 1.5


def remarks_on(modality: Modality, samples: Iterable[Sample]) -> tuple[str, ...]:
    """Read and prepare some samples, and say what is worth knowing before all are fitted.

    Parameters
    ----------
    modality : Modality
        With all sizes known.
    samples : iterable of Sample
        The first 256 are looked at, or as many as can be in a second and a half; all, where the modality says so.
    """
    most, limit = (None, float("inf")) if modality.looks_at_all else (_SAMPLES, _SECONDS)
    begin, measured, failed, seen = time.perf_counter(), [], [], 0
    for sample in islice(samples, most):
        seen += 1
        try:
            raw = sample.raw
            modality.prepare(raw)
            measured.append(modality.measured(raw))
        except SampleError as error:
            failed.append(f"{sample.id}: {error}")
        except Exception as error:  # noqa: BLE001 - encoding names it, under its ID
            failed.append(f"{sample.id}: {type(error).__name__}: {error}")
        if time.perf_counter() - begin > limit:
            break
    said = modality.remarks(measured) if measured else ()
    return (*said, f"{len(failed)} of {seen} samples looked at cannot be used, first {failed[0]}") if failed else said
