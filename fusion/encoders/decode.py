"""From a stored functa back to data, and beside its original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.open import open_dataset
from fusion.encoders.kinds import config_from_dict, state_from_arrays
from fusion.encoders.rows import decode_row
from fusion.errors import ConfigError, DataError
from fusion.inr.metrics import psnr
from store import Status, open_store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.modalities import Modality, Scaling
    from store import Header


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
        ``id``, ``out``, ``shape``, ``psnr`` (stored, in dB), and with `compare` its path and ``psnr_decoded``.

    Raises
    ------
    DataError
        When the sample has failed, has no functa, or is not in `source`.
    """
    if compare is not None and source is None:
        raise ConfigError("comparing needs the original: give the data set that the store was made from with --source")
    with open_store(store) as opened:
        row = opened.get(sample_id)
        config = config_from_dict(opened.header.encoder)
        state = state_from_arrays(config, opened.state)
        header = opened.header
    if row.status[0] == Status.FAILED:
        raise DataError(f"sample {sample_id!r} has no functa: it failed with {row.errors[0]!r}")
    decoded = decode_row(row.functas[0], config, state, scale)
    config.modality.write(decoded, Path(out))
    result = {"id": sample_id, "out": str(out), "shape": list(decoded.shape), "psnr": float(row.psnr[0])}
    if compare is not None and source is not None:
        original = _original(header, source, sample_id, config.modality)
        at_grid = decoded if scale == 1.0 else decode_row(row.functas[0], config, state)
        measured = _psnr_between(original, at_grid, state.scaling)
        title = f"{sample_id}: {row.labels[0] or 'no label'}, {measured:.1f} dB"
        config.modality.plot(original, decoded, Path(compare), title)
        result |= {"compare": str(compare), "psnr_decoded": measured}
    return result


def _original(header: Header, source: str | Path, sample_id: str, modality: Modality) -> NDArray[np.float32]:
    options = header.conventions.get("reader", {})
    with open_dataset(header.dataset, source, modality=header.modality, options=options) as opened:
        for sample in opened:
            if sample.id == sample_id:
                # A video is read while it is prepared, and an archive is unpacked no longer than it is open.
                return modality.prepare(sample.raw)
    raise DataError(f"{source} has no sample {sample_id!r}; expected the data set that the store was made from")


def _psnr_between(original: NDArray[Any], decoded: NDArray[Any], scaling: Scaling) -> float:
    # Limits are reapplied, not the clipping of what the network gave: the stored PSNR does not clip either.
    fitted = (decoded - scaling.low) / scaling.span
    return float(psnr(np.mean((scaling.normalise(original) - fitted) ** 2)))
