"""Measures a store beside raw numpy arrays on the same disk, in the same run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.opening import create_store, open_store
from store.rows import Rows

SUFFIXES = (".zarr", ".h5")
_BATCH = 256
_SCANS = 3


def bench_store(
    folder: str | Path | None = None,
    *,
    k: int = 9000,
    rows: int = 60_000,
    repeats: int = 5,
    ids: int = 1_000_000,
    gathered: int = 1024,
) -> dict[str, Any]:
    """Write, scan, gather and open stores of both formats, and the same with numpy.

    Parameters
    ----------
    folder : path-like, optional
        Where to write, made if it is not there; a temporary folder when not given. Needs about ``8 * k * rows`` bytes.
    k, rows : int
        Size of the store that is written, scanned and gathered from.
    repeats : int
        The medians of so many runs count.
    ids : int
        Rows, of k = 16, of the store that is opened.
    gathered : int
        Random IDs that are read at once.

    Returns
    -------
    dict
        ``scan_ratio`` and ``write_ratio``: speed of the slower format over the speed of numpy. ``gather_ratio``: time
        of the slower format over the time of numpy. ``open_seconds``: of the slower format. ``formats``: the same for
        each, with the seconds behind them, and ``blocks_ratio``.

    Notes
    -----
    numpy writes with fsync what ``np.save`` writes. A scan reads all functas into one array: ``np.array`` of
    ``np.load(mmap_mode="r")``, and ``store.read()``. ``blocks_ratio`` compares reading block by block into memory
    that is used again, where numpy only copies and the store also computes every row's checksum. Files come from
    the page cache. Scans take turns, three of each in a run: whoever meets memory that the system had given back,
    or cannot give in large pages, takes two to ten times as long, numpy too, so only medians of many tell. Between
    runs files are emptied and not deleted: without a journal, ext4 looks at each inode deleted in the last minutes
    before it makes a new file, 0.5 ms a file, which is no property of either format.
    """
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        formats = {suffix[1:]: _measure(root, suffix, k, rows, repeats, gathered) for suffix in SUFFIXES}
        for suffix in SUFFIXES:
            formats[suffix[1:]]["open_seconds"] = _opening(root / f"ids{suffix}", ids, repeats)
    return {
        "scan_ratio": min(result["scan_ratio"] for result in formats.values()),
        "write_ratio": min(result["write_ratio"] for result in formats.values()),
        "gather_ratio": max(result["gather_ratio"] for result in formats.values()),
        "open_seconds": max(result["open_seconds"] for result in formats.values()),
        "k": k,
        "rows": rows,
        "formats": formats,
    }


def _measure(root: Path, suffix: str, k: int, rows: int, repeats: int, gathered: int) -> dict[str, float]:
    results: dict[str, list[float]] = {}
    for repeat in range(repeats):
        for name, seconds in _once(root, suffix, k, rows, gathered, repeat):
            results.setdefault(name, []).append(seconds)
    middle = {f"{name}_seconds": median(values) for name, values in results.items()}
    return middle | {
        "scan_ratio": middle["numpy_scan_seconds"] / middle["scan_seconds"],
        "blocks_ratio": middle["numpy_blocks_seconds"] / middle["blocks_seconds"],
        "write_ratio": middle["numpy_write_seconds"] / middle["write_seconds"],
        "gather_ratio": middle["gather_seconds"] / middle["numpy_gather_seconds"],
    }


def _once(root: Path, suffix: str, k: int, rows: int, gathered: int, repeat: int) -> Iterator[tuple[str, float]]:
    raw, path = root / f"raw{repeat}.npy", root / f"store{repeat}{suffix}"
    yield "numpy_write", _timed(partial(_write_raw, raw, k, rows))
    _empty(raw)  # so that the store finds memory and disk as numpy did
    yield "write", _timed(partial(_write_store, path, k, rows))
    _write_raw(raw, k, rows)
    for _ in range(_SCANS):
        yield "numpy_scan", _timed(lambda: np.array(np.load(raw, mmap_mode="r")))
        yield "scan", _timed(lambda: open_store(path).read())
    yield "numpy_blocks", _timed(partial(_scan_raw, raw, open_store(path).header.block_rows))
    yield "blocks", _timed(partial(_scan_store, path))
    yield from _gathering(raw, path, np.random.default_rng(repeat).choice(rows, min(gathered, rows), replace=False))
    _empty(raw)
    _empty(path)


def _timed(action: Callable[[], object]) -> float:
    begin = perf_counter()
    action()
    return perf_counter() - begin


def _batches(k: int, rows: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    values = np.random.default_rng(0).random((_BATCH, k), dtype=np.float32)
    for start in range(0, rows, _BATCH):
        values[:, 0] = start
        yield start, values[: min(_BATCH, rows - start)]


def _write_raw(path: Path, k: int, rows: int) -> None:
    """Write what ``np.save`` writes, in slices, so that the whole need not fit into memory, and fsync."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, k)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _, values in _batches(k, rows):
            values.tofile(file)
        file.flush()
        os.fsync(file.fileno())


def _write_store(path: Path, k: int, rows: int) -> None:
    state = {"start": np.zeros(k, np.float32)}
    with create_store(path, modality="sensor", layout=[("w", (k,), 0)], encoder={}, state=state) as store:
        for start, values in _batches(k, rows):
            store.append(Rows.build([f"sample-{i:08d}" for i in range(start, start + len(values))], values))


def _scan_raw(path: Path, block: int) -> None:
    matrix = np.load(path, mmap_mode="r")
    for start in range(0, len(matrix), block):
        np.array(matrix[start : start + block])


def _scan_store(path: Path) -> None:
    for _ in open_store(path).iter_blocks():
        pass


def _gathering(raw: Path, path: Path, wanted: NDArray[np.int64]) -> Iterator[tuple[str, float]]:
    matrix, store = np.load(raw, mmap_mode="r"), open_store(path)
    ids = [f"sample-{i:08d}" for i in wanted]
    store.read(ids[:1])
    matrix[wanted[:1]]
    yield "numpy_gather", _timed(lambda: matrix[wanted])
    yield "gather", _timed(lambda: store.read(ids))


def _opening(path: Path, ids: int, repeats: int) -> float:
    """Time opening a store until it can say how many rows it has and whether it holds an ID."""
    _write_store(path, 16, ids)
    seconds = []
    for _ in range(repeats):
        begin = perf_counter()
        store = open_store(path)
        if len(store) != ids or f"sample-{ids - 1:08d}" not in store:
            raise AssertionError
        seconds.append(perf_counter() - begin)
    _empty(path)
    return median(seconds)


def _empty(path: Path) -> None:
    """Give the space of files back; they are deleted at the end, see the notes of :func:`bench_store`."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            os.truncate(file, 0)
