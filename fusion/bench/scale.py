"""How collections grow: made-up rows of several sizes; each step in a process of its own, its seconds and memory."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.options import Progress, silent
from fusion.errors import ConfigError

if TYPE_CHECKING:
    from store import Rows

__all__ = ["bench_scale"]

_BATCH = 16_384
_GROUP = 1_000
_TEST_OF = 50
_CLASSES = 8
_NAMES = "one", "two"


def bench_scale(
    rows: Sequence[int] = (100_000, 1_000_000),
    *,
    k: int = 64,
    sample: float = 0.01,
    part_rows: int | None = None,
    folder: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write two collections of each size, open, scan and link them, and train on a sample of one.

    Parameters
    ----------
    rows : sequence of int >= 1000
        Rows of each of the two; every size by itself.
    k : int >= 1
        Weights of a functa.
    sample : float, 0 < sample <= 1
        Share of the training groups that is trained on; groups have 1,000 rows, and one in fifty is tested on.
    part_rows : int, optional
        Of the collections; 65536 when not given.
    folder : path, optional
        Where to write about ``10 k`` bytes a row, in a folder that is removed again; None = the system's.
    progress : callable, optional
        Called with what is measured, the place of the size, and how many there are.

    Returns
    -------
    dict
        ``sizes``: for each number of rows the steps ``write`` (of one collection, with publishing its parts),
        ``open`` (compares each part with the manifest), ``find`` (opens, and finds one row by its ID), ``scan`` (reads
        all functas, checked), ``link`` (both, by ID, and saves the table) and ``train``; each with ``seconds``,
        ``microseconds_per_row``, ``peak_bytes`` of its process (NaN where the system does not tell) and ``load``.
        ``growth``: microseconds a row at the largest size over those at the smallest. ``bytes_per_row``: on disk.

    Raises
    ------
    ConfigError
        A size below 1,000 rows.

    See Also
    --------
    functa bench scale : The command that prints this; docs/scaling.md.
    """
    wrong = [size for size in rows if size < _GROUP]
    if wrong or not rows:
        raise ConfigError(f"rows is {wrong[0] if wrong else 'empty'}; expected {_GROUP:,} or more. Give a larger size.")
    report = progress or silent
    sizes: dict[int, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="functa-bench-", dir=folder) as name:
        for number, size in enumerate(sorted(set(rows))):
            place = Path(name) / str(size)
            place.mkdir()
            sizes[size] = {}
            for step in STEPS:
                report(f"{step} {size:,}", number, len(set(rows)))
                sizes[size][step] = _apart(step, place, size, k, sample, part_rows)
            stored = sum(file.stat().st_size for file in (place / "one.functas").rglob("*") if file.is_file())
            shutil.rmtree(place)
    first, last = sizes[min(sizes)], sizes[max(sizes)]
    growth = {step: last[step]["microseconds_per_row"] / first[step]["microseconds_per_row"] for step in STEPS}
    return {"sizes": sizes, "growth": growth, "bytes_per_row": stored / max(sizes), "k": k, "sample": sample}


def _apart(step: str, *given: Any) -> dict[str, float]:
    # memory of a step is that of its process, so each has one of its own
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, step, *given).result()


def _measured(step: str, place: Path, rows: int, k: int, sample: float, part_rows: int | None) -> dict[str, float]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    seconds = STEPS[step](place, rows, k, sample, part_rows)
    return {
        "seconds": seconds,
        "microseconds_per_row": 1e6 * seconds / rows,
        "peak_bytes": _peak_bytes(),
        "load": load,
    }


def _peak_bytes() -> float:
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    except OSError:
        return float("nan")
    return 1024.0 * int(found[1]) if found else float("nan")


def _write(place: Path, rows: int, k: int, sample: float, part_rows: int | None) -> float:
    """Write both; the second begins with the middle, so that no row stands in the same place in both."""
    del sample
    from store import create_store

    taken = 0.0
    for name, first in zip(_NAMES, (0, rows // 2), strict=True):
        begin, made = time.perf_counter(), 0.0
        with create_store(
            place / f"{name}.functas",
            modality=name,
            layout=[("w", (k,), 0)],
            encoder={"name": name},
            state={"start": np.zeros(k, np.float32)},
            part_rows=part_rows,
        ) as store:
            making = _made_up(rows, k, first)
            while True:
                before = time.perf_counter()
                batch = next(making, None)
                made += time.perf_counter() - before
                if batch is None:
                    break
                store.append(batch)
        taken += time.perf_counter() - begin - made
    return taken / len(_NAMES)


def _made_up(rows: int, k: int, first: int) -> Iterator[Rows]:
    """Make rows whose ID tells label, split and group, and whose functa tells something of the label."""
    from store import Rows

    for start in range(0, rows, _BATCH):
        numbers = (np.arange(start, min(start + _BATCH, rows)) + first) % rows
        random = np.random.default_rng(start)
        classes, groups = numbers % _CLASSES, numbers // _GROUP
        functas = random.standard_normal((len(numbers), k), np.float32)
        functas[:, 0] += classes
        yield Rows.build(
            [f"sample-{number:010d}" for number in numbers.tolist()],
            functas,
            labels=[f"class-{number}" for number in classes.tolist()],
            splits=["train" if number % _TEST_OF else "test" for number in groups.tolist()],
            groups=[f"group-{number:07d}" for number in groups.tolist()],
            psnr=functas[:, -1] + 30,
        )


def _open(place: Path, *given: Any) -> float:
    del given
    from store import open_store

    begin = time.perf_counter()
    with open_store(place / "one.functas"):
        return time.perf_counter() - begin


def _find(place: Path, rows: int, *given: Any) -> float:
    del given
    from store import open_store

    begin = time.perf_counter()
    with open_store(place / "one.functas") as store:
        store.get(f"sample-{rows // 2:010d}")
        return time.perf_counter() - begin


def _scan(place: Path, *given: Any) -> float:
    del given
    from store import open_store

    begin = time.perf_counter()
    with open_store(place / "one.functas") as store:
        for _ in store.iter_blocks():
            pass
    return time.perf_counter() - begin


def _link(place: Path, *given: Any) -> float:
    del given
    from fusion.linking import link_to_file

    begin = time.perf_counter()
    link_to_file([place / f"{name}.functas" for name in _NAMES], place / "link.parquet")
    return time.perf_counter() - begin


def _train(place: Path, rows: int, k: int, sample: float, part_rows: int | None) -> float:
    del rows, k, part_rows
    from fusion.models.training import train

    begin = time.perf_counter()
    train(place / "one.functas", place / "model", preset="fast", sample=sample)
    return time.perf_counter() - begin


STEPS = {"write": _write, "open": _open, "find": _find, "scan": _scan, "link": _link, "train": _train}
