"""What a person wants to know about a store at a glance."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.backend import Storage
from store.html import facts_html
from store.row_index import RowIndex
from store.rows import Status

PERCENTILES = (0, 5, 25, 50, 75, 95, 100)


def describe(backend: Storage, table: RowIndex) -> dict[str, Any]:
    """Gather counts, distributions and provenance, ready for JSON."""
    rows = table.usable()
    header, commit = backend.header.to_json(), table.commit
    psnr = table.column("psnr")[rows]
    return {
        "path": backend.location,
        "rows": len(rows),
        "modality": header["modality"],
        "k": header["k"],
        "dataset": header["dataset"],
        "splits": _counts(table, "split", rows),
        "classes": _counts(table, "label", rows),
        "groups": len(set(table.names("group", rows).tolist()) - {None}),
        **_psnr(psnr[np.isfinite(psnr)]),
        "low_psnr": int((table.column("status")[rows] == Status.LOW_PSNR).sum()),
        "failed": len(table.last_rows(Status.FAILED)),
        "rows_on_disk": commit.n_rows,
        "bytes": backend.nbytes(),
        "finished": commit.finished,
        "committed": commit.utc,
        "generation": commit.generation,
        "extra": {name: entry.kind for name, entry in commit.extra.items()},
        "fingerprint": backend.header.fingerprint,
        **{name: header[name] for name in ("schema_version", "block_rows", "encoder", "encoder_sha256")},
        **{name: header[name] for name in ("layout", "conventions", "seed", "versions", "created")},
    }


def described_html(told: dict[str, Any]) -> str:
    """Show in a notebook what `describe` gave."""
    facts = {
        "rows": told["rows"],
        "failed": told["failed"],
        "modality, numbers a row": f"{told['modality']}, {told['k']:,}",
        "data set": told["dataset"],
        **{name: ", ".join(f"{key} {count:,}" for key, count in told[name].items()) for name in ("splits", "classes")},
        "groups": told["groups"],
        "mean PSNR": "" if told["psnr_mean"] is None else f"{told['psnr_mean']:.1f} dB",
    }
    return facts_html(f"Store {told['path']}", {name: value for name, value in facts.items() if value != ""})


def _counts(table: RowIndex, path: str, rows: NDArray[np.intp]) -> dict[str, int]:
    counts = Counter(table.names(path, rows).tolist())
    return {name: counts[name] for name in sorted(counts, key=str) if name is not None}


def _psnr(values: NDArray[np.float32]) -> dict[str, Any]:
    if not len(values):
        return {"psnr_mean": None, "psnr_percentiles": {}}
    points = np.percentile(values.astype(np.float64), PERCENTILES)
    return {
        "psnr_mean": float(values.mean(dtype=np.float64)),
        "psnr_percentiles": {str(at): float(value) for at, value in zip(PERCENTILES, points, strict=True)},
    }
