"""Tables as anybody may write them, drawn at random, and the samples that are in them.

A table is first made as plain values, then written by a writer of its own: with other names, blanks, an order of
columns, a running number, a unit of time, a separator and a decimal mark.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

EPOCH = 1_714_564_800
WORDS = [
    "NA",
    "null",
    "None",
    "nan",
    "N/A",
    "1",
    "01",
    "1.0",
    "true",
    "walk",
    "Ünï",
    "a b",
    "x,y",
    "a;b",
    '"q"',
    "-",
    "007",
]
CHANNELS = ["ax", "ay", "az", "gyro x", "Temp", "t2", "élan"]
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
DATES = {"iso": "%Y-%m-%dT%H:%M:%S.%fZ", "day": "%d/%m/%Y %H:%M:%S.%f", "month": "%m/%d/%Y %I:%M:%S.%f %p"}
DAMAGES = ["header", "short", "long"]


@dataclass(frozen=True)
class Recording:
    """Rows that belong together: whole multiples of 1/rate from a beginning."""

    name: str
    label: str
    group: str
    values: np.ndarray


@dataclass(frozen=True)
class Made:
    """A table, and how it is written."""

    recordings: list[Recording]
    channels: list[str]
    rate: float
    writer: str
    unit: str
    since: int
    time: str
    order: list[int]
    numbered: str | None
    blanks: bool
    decimal: str
    separator: str
    above: str
    part_bytes: int
    damage: str | None
    options: dict[str, Any] = field(default_factory=dict)


words = st.sampled_from(WORDS) | st.text("abÄ1 _-", min_size=1, max_size=6).map(str.strip).filter(bool)


@st.composite
def tables(draw: st.DrawFn) -> Made:
    """Draw a table."""
    channels = draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4, unique=True))
    names = draw(st.lists(words, min_size=1, max_size=5, unique=True))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    recordings = [
        Recording(name, draw(words | st.just("")), draw(words | st.just("")), _values(draw, random, len(channels)))
        for name in names
    ]
    writer = draw(st.sampled_from(["csv", "tsv", "parquet", "npz"]))
    unit = draw(st.sampled_from([*UNITS, *DATES]))
    separator = {"csv": draw(st.sampled_from([",", ";", "|"])), "tsv": "\t"}.get(writer, ",")
    return Made(
        recordings=recordings,
        channels=channels,
        rate=draw(st.sampled_from([10, 25, 30, 50, 60, 64, 80, 100, 128, 200])),
        writer=writer,
        unit=unit,
        since=draw(st.sampled_from([EPOCH, EPOCH + 86_399] if unit != "s" else [0, 7, EPOCH])),
        time=draw(st.sampled_from(["time", "Timestamp", "datetime", "t", "Arrival_Time"])),
        order=draw(st.permutations(range(len(channels) + 4))),
        numbered=draw(st.sampled_from([None, "", "index", "Row"])),
        blanks=draw(st.booleans()),
        decimal=draw(st.sampled_from([".", ","])),
        separator=separator,
        above=draw(st.sampled_from(["", "# made\n", "% by, a; recorder\n\n", "//\n"])),
        part_bytes=draw(st.sampled_from([1 << 10, 1 << 12, 1 << 22])),
        damage=draw(st.sampled_from([None] * 6 + DAMAGES)),
    )


def _values(draw: st.DrawFn, random: np.random.Generator, channels: int) -> np.ndarray:
    values = random.normal(size=(draw(st.integers(3, 60)), channels)) * 10.0 ** draw(st.integers(-3, 4))
    return values.round(draw(st.integers(2, 6)))


def write(made: Made, folder: Path) -> Path:
    """Write a table; names the file."""
    columns = _columns(made)
    if made.numbered is not None:
        columns = {made.numbered: list(range(len(columns["id"])))} | columns
    path = folder / f"made.{made.writer}"
    if made.writer == "parquet":
        pq.write_table(
            pa.table({name or "__index_level_0__": cells for name, cells in columns.items()}), path, row_group_size=7
        )
    elif made.writer == "npz":
        np.savez(path, **{name or "Unnamed: 0": np.array(cells) for name, cells in columns.items()})
    else:
        _write_text(made, columns, path)
    return path


def _columns(made: Made) -> dict[str, list[Any]]:
    """Give the cells of all columns, in the order in which they are written."""
    columns: dict[str, list[Any]] = {name: [] for name in ("id", made.time, "label", "group", *made.channels)}
    for recording in made.recordings:
        count = len(recording.values)
        columns["id"] += [recording.name] * count
        columns["label"] += [recording.label] * count
        columns["group"] += [recording.group] * count
        columns[made.time] += [_time(made, row) for row in range(count)]
        for name, values in zip(made.channels, recording.values.T, strict=True):
            columns[name] += values.tolist()
    names = list(columns)
    return {names[place]: columns[names[place]] for place in made.order}


def _time(made: Made, row: int) -> Any:
    milliseconds = round(row * 1000 / made.rate)
    if made.unit in DATES:
        # Of a day above 12, so that only one order of day and month will do.
        moment = np.datetime64((made.since + 24 * 86_400) * 1000 + milliseconds, "ms")
        return moment.item().strftime(DATES[made.unit])
    if made.unit == "s":
        return round(made.since + milliseconds / 1000, 3)
    return (made.since * 1000 + milliseconds) * (UNITS[made.unit] // 1000)


def _write_text(made: Made, columns: dict[str, list[Any]], path: Path) -> None:
    rows = [list(columns), *([_cell(made, cell) for cell in row] for row in zip(*columns.values(), strict=True))]
    if made.blanks:
        rows = [[cell if _needs_quotes(cell) else f" {cell}  " for cell in row] for row in rows]
    if made.damage == "header" and len(rows) > 3:
        rows.insert(len(rows) // 2, rows[0])
    elif made.damage in ("short", "long"):
        rows[-1] = rows[-1][:-1] if made.damage == "short" else [*rows[-1], "1"]
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(made.above)
        csv.writer(file, delimiter=made.separator).writerows(rows)


def _cell(made: Made, cell: Any) -> str:
    return str(cell).replace(".", made.decimal) if isinstance(cell, float) else str(cell)


def _needs_quotes(cell: Any) -> bool:
    return any(mark in str(cell) for mark in ',;|"\t')
