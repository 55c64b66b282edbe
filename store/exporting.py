"""Writes the usable rows of a store for other programs; the file appears under its name only when it is complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from store import files
from store.arrow import to_arrow
from store.errors import StoreError
from store.formats import SUFFIXES
from store.frames import beside, to_frame
from store.functa_store import FunctaStore
from store.maintenance import convert
from store.opening import open_store

Format = Literal["npz", "parquet", "hdf5", "zarr", "h5ad", "fit-a-nef"]


def export(path: str | Path, target: str | Path, format: Format | None = None) -> int:  # noqa: A002 - as in the command
    """Write the usable rows of a store to a file.

    Parameters
    ----------
    path : path-like or URL
    target : path-like
        Nothing may exist there.
    format : {"npz", "parquet", "hdf5", "zarr", "h5ad", "fit-a-nef"}, optional
        Follows from the suffix when not given. ``"hdf5"`` and ``"zarr"`` make another functa store, which plain h5py
        and zarr read too. ``"fit-a-nef"`` is HDF5 as the readers of that project expect it: ``params``,
        ``param_config``, ``labels``. ``"h5ad"`` is AnnData's, and needs that package.

    Returns
    -------
    int
        Rows that were written.

    Raises
    ------
    StoreError
        The format is not known, the target exists or cannot be written.
    """
    end = Path(target)
    chosen = format or _BY_SUFFIX.get(end.suffix)
    if chosen in ("hdf5", "zarr"):
        if SUFFIXES.get(end.suffix) != chosen:
            raise StoreError(f"{end} has suffix {end.suffix!r}, which does not fit format {chosen!r}")
        return convert(path, target)
    if chosen not in _WRITERS:
        known = ", ".join([*_WRITERS, "hdf5", "zarr"])
        raise StoreError(
            f"cannot export to {end}: format {chosen!r} is not one of {known}. Name one, or use its suffix"
        )
    with open_store(path) as store, _appearing(end) as partial:
        _WRITERS[chosen](store, partial)
        return len(store)


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    if target.exists():
        raise StoreError(f"{target} exists already. Choose another path")
    try:
        with files.whole_file(target) as partial:
            yield partial
            if target.exists():
                raise StoreError(f"{target} exists already: it was made meanwhile. Choose another path")
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}") from error


def _about(store: FunctaStore) -> str:
    return json.dumps(store.header.to_json())


def _write_npz(store: FunctaStore, path: Path) -> None:
    """Write arrays that ``np.load`` reads without pickle; labels are strings, "" where there is none."""
    own: dict[str, Any] = {f"state_{name}": values for name, values in store.state.items()}
    own["header"] = np.array(_about(store))
    arrays = {
        name: np.array(["" if value is None else value for value in values], dtype=str)
        if values.dtype == object
        else values
        for name, values in beside(store.to_numpy(), own).items()
    }
    everything: dict[str, Any] = {**arrays, **own}
    with path.open("wb") as file:
        np.savez(file, **everything)


def _write_parquet(store: FunctaStore, path: Path) -> None:
    """Write one row group per block; the functa is a fixed-size list, the header stands in the schema's metadata."""
    import pyarrow.parquet as pq

    schema = to_arrow(store.read([])).schema
    schema = schema.with_metadata({**(schema.metadata or {}), b"functa_header": _about(store).encode()})
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for rows in store.iter_blocks():
            writer.write_table(to_arrow(rows).cast(schema))


def _write_h5ad(store: FunctaStore, path: Path) -> None:
    """Write an AnnData file: functas as ``X``, one variable for each value, the other columns as observations."""
    try:
        import anndata  # type: ignore[import-untyped,unused-ignore]
        import pandas as pd
    except ImportError as error:
        raise StoreError("writing .h5ad needs the package anndata: pip install 'functa-fusion[anndata]'") from error

    rows = store.read()
    observations = to_frame(rows, functas=False)
    for name in observations.columns:
        if observations[name].dtype == object:
            observations[name] = observations[name].fillna("").astype(str)
    variables = pd.DataFrame({"array": _arrays_of(store)}, index=[f"functa_{i}" for i in range(store.k)])
    about = {"functa_header": _about(store)}
    anndata.AnnData(rows.functas, obs=observations, var=variables, uns=about).write_h5ad(path)


def _arrays_of(store: FunctaStore) -> list[str]:
    """Name the array of the layout that each value belongs to; "" where there is none."""
    names = [""] * store.k
    for name, shape, offset in store.header.layout:
        size = int(np.prod(shape))
        names[offset : offset + size] = [name] * size
    return names


def _write_fit_a_nef(store: FunctaStore, path: Path) -> None:
    """Write what ``fit_a_nef`` loads: flat parameters, their names and shapes as JSON, and label numbers.

    Notes
    -----
    ``SignalTrainer.save`` and ``.load`` of fit-a-nef (Papa et al., "How to Train Neural Field Representations", 2024).
    """
    import h5py

    names = sorted({label for label in store.read(functas=False).labels if label is not None})
    codes = {name: code for code, name in enumerate(names)} | {None: -1}
    with h5py.File(path, "w") as file:
        parameters = file.create_dataset("params", (len(store), store.k), "<f4")
        labels = file.create_dataset("labels", (len(store), 1), "<i4")
        start = 0
        for rows in store.iter_blocks():
            parameters[start : start + len(rows)] = rows.functas
            labels[start : start + len(rows), 0] = [codes[label] for label in rows.labels]
            start += len(rows)
        config = file.create_dataset("param_config", (1,), h5py.string_dtype())
        config[0] = json.dumps([[name, shape] for name, shape, _ in store.header.layout])
        file["label_names"] = json.dumps(names)
        file["ids"] = store.ids.astype(h5py.string_dtype())


_WRITERS: dict[str, Callable[[FunctaStore, Path], None]] = {
    "npz": _write_npz,
    "parquet": _write_parquet,
    "h5ad": _write_h5ad,
    "fit-a-nef": _write_fit_a_nef,
}
_BY_SUFFIX = {".npz": "npz", ".parquet": "parquet", ".h5ad": "h5ad", ".zarr": "zarr", ".h5": "hdf5", ".hdf5": "hdf5"}
