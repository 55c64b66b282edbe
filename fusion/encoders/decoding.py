"""From a stored functa back to data, and beside its original."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.frame import samples_of
from fusion.datasets.open import open_dataset
from fusion.encoders.encoder import encoder_of
from fusion.encoders.likeness import Likeness
from fusion.errors import ConfigError, DataError
from fusion.inr.metrics import psnr
from fusion.modalities import source_hash
from store import Status, open_store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from fusion.datasets.base import Dataset, Sample
    from fusion.encoders.encoder import Encoder
    from fusion.modalities import Scaling
    from store import FunctaStore, Header, Rows


def decode(
    store: str | Path,
    sample_id: str,
    out: str | Path,
    *,
    scale: float = 1.0,
    compare: str | Path | None = None,
    source: str | Path | None = None,
) -> dict[str, Any]:
    """Write one sample decoded from its functa, and on request a picture of it beside the original.

    Parameters
    ----------
    store : path
    sample_id : str
    out : path
        Its suffix names the format: ``.csv`` for sensors.
    scale : float > 0
        Resolution, as a multiple of the original's.
    compare : path, optional
        PNG to draw; needs `source`.
    source : path, optional
        Folder or archive of the data set that the store was made from.

    Returns
    -------
    dict
        ``id``, ``out``, ``shape``, ``psnr`` (stored, in dB), and with `compare` its path, ``psnr_decoded``,
        ``psnr_channels`` (against each channel's own range in the sample) and ``notes``.

    Raises
    ------
    DataError
        When the sample has failed, has no functa, or is not in `source`.
    """
    if compare is not None and source is None:
        raise ConfigError("comparing needs the original: give the data set that the store was made from with --source")
    with open_store(store) as opened:
        stored = _Stored.of(opened, sample_id)
    decoded = stored.decoded(scale)
    stored.encoder.config.modality.write(decoded, Path(out))
    result = {"id": sample_id, "out": str(out), "shape": list(decoded.shape), "psnr": stored.psnr}
    if compare is not None and source is not None:
        measured, likeness, same = _compare({sample_id: stored}, source, {sample_id: Path(compare)}, scale)[sample_id]
        notes = [] if likeness.note is None else [likeness.note]
        if not same:
            notes.insert(0, f"the data of {sample_id} in {source} are not those that the functa was fitted to")
        told = {"psnr_decoded": measured, "psnr_channels": likeness.psnr, "notes": notes}
        result |= {"compare": str(compare), **told}
    return result


def compare_samples(store: str | Path, source: str | Path, pictures: Mapping[str, Path]) -> dict[str, float]:
    """Draw several samples beside their originals, opening the data set once.

    Parameters
    ----------
    store, source : path
        As for `decode`.
    pictures : mapping of str to Path
        PNG to draw, by ID.

    Returns
    -------
    dict of str to float
        Measured PSNR in dB, by ID.

    Raises
    ------
    DataError
        When a sample has no functa or is not in `source`.
    """
    with open_store(store) as opened:
        stored = {sample_id: _Stored.of(opened, sample_id) for sample_id in pictures}
    return {sample_id: measured for sample_id, (measured, *_) in _compare(stored, source, pictures, 1.0).items()}


def samples_behind(header: Header, source: str | Path | Dataset, ids: Collection[str]) -> Iterator[Sample]:
    """Find samples of a store in the data that it was made from, in their order, reading no further than the last.

    A video is read while it is prepared, and an archive is unpacked no longer than it is open: use each sample before
    the next.

    Parameters
    ----------
    header : Header
        Of the store.
    source : path or Dataset
    ids : collection of str

    Raises
    ------
    DataError
        When one is not there, after the others.
    """
    wanted = set(ids)
    with _opened(header, source) as opened:
        for sample in opened:
            if sample.id in wanted:
                wanted.remove(sample.id)
                yield sample
                if not wanted:
                    return
    missing = next(sample_id for sample_id in ids if sample_id in wanted)
    told = source if isinstance(source, str | Path) else "the source"
    raise DataError(f"{told} has no sample {missing!r}; expected the data set that the store was made from")


def is_encoded(prepared: NDArray[Any], row: Rows) -> bool:
    """Tell whether a prepared sample is the one that a row was encoded from."""
    return bool(np.array_equal(source_hash(prepared), row.source_hash[0]))


def _opened(header: Header, source: str | Path | Dataset) -> AbstractContextManager[Dataset]:
    if not isinstance(source, str | Path):
        return nullcontext(samples_of(source))
    options = header.conventions.get("reader", {})
    return open_dataset(header.dataset, source, modality=header.modality, options=options)


@dataclass(frozen=True, eq=False)
class _Stored:
    """A row with all that decodes it."""

    header: Header
    encoder: Encoder
    row: Rows

    @classmethod
    def of(cls, store: FunctaStore, sample_id: str) -> _Stored:
        row = store.get(sample_id)
        if row.status[0] == Status.FAILED:
            raise DataError(f"sample {sample_id!r} has no functa: it failed with {row.errors[0]!r}")
        return cls(store.header, encoder_of(store), row)

    @property
    def psnr(self) -> float:
        return float(self.row.psnr[0])

    def decoded(self, scale: float = 1.0) -> NDArray[np.float32]:
        return self.encoder.decode(self.row.functas[0], scale)


def _compare(
    stored: Mapping[str, _Stored], source: str | Path, pictures: Mapping[str, Path], scale: float
) -> dict[str, tuple[float, Likeness, bool]]:
    measured = {}
    for sample in samples_behind(next(iter(stored.values())).header, source, stored):
        measured[sample.id] = _draw(stored[sample.id], sample, pictures[sample.id], scale)
    return measured


def _draw(stored: _Stored, sample: Sample, picture: Path, scale: float) -> tuple[float, Likeness, bool]:
    """Draw a sample; give PSNR, likeness, and whether its data are those that were encoded."""
    modality = stored.encoder.config.modality
    original = modality.prepare(sample.raw)
    decoded, scaling = stored.decoded(), stored.encoder.scaling
    measured, likeness = (
        _psnr_between(original, decoded, scaling),
        Likeness.of(original, decoded, modality.channel_names),
    )
    title = f"{sample.id}: {stored.row.labels[0] or 'no label'}, {measured:.1f} dB"
    fine = stored.decoded(scale)
    modality.plot_scaled(original, fine, picture, title, scaling=scaling, titles=likeness.titles())
    return measured, likeness, is_encoded(original, stored.row)


def _psnr_between(original: NDArray[Any], decoded: NDArray[Any], scaling: Scaling) -> float:
    # Limits are reapplied, not the clipping of what the network gave: the stored PSNR does not clip either.
    fitted = (decoded - scaling.low) / scaling.span
    return float(psnr(np.mean((scaling.normalise(original) - fitted) ** 2)))
