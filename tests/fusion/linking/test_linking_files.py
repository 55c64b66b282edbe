from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.linked_stores import write_store

from fusion import link
from fusion.errors import ConfigError, DataError
from fusion.features.source import opened_source
from fusion.linking import read_link

HOSTILE = (
    "<script>alert(1)</script>",
    "\"quoted\", 'and', more",
    "\N{GRINNING FACE}" * 3,
    "x" * 300,
    "line\nbreak\r!",
    "NA",
)


@pytest.fixture
def table(tmp_path):
    rows = [(f"{label[:50]} {number}", label, "train", "NaN") for label in HOSTILE for number in range(2)]
    (tmp_path / "stores").mkdir()
    write_store(tmp_path / "stores" / "a.zarr", rows)
    write_store(tmp_path / "stores" / "b.zarr", rows[1:])
    return link([tmp_path / "stores" / "a.zarr", tmp_path / "stores" / "b.zarr"], how="outer")


@pytest.mark.parametrize("name", ["link.parquet", "link.csv"])
def test_what_was_written_is_read(table, tmp_path, name):
    found = read_link(table.save(tmp_path / name))
    assert found.frame.equals(table.frame)
    assert set(found.column("label")) == set(HOSTILE)
    assert found.summary == table.summary
    assert str(found) == str(table)


@pytest.mark.parametrize("name", ["link.parquet", "link.csv"])
def test_stores_are_found_when_all_moved(table, tmp_path, name):
    table.save(tmp_path / name)
    moved = tmp_path.with_name(f"{tmp_path.name}-{name}-moved")
    tmp_path.rename(moved)
    path = Path(read_link(moved / name).stores["a"].path)
    assert path == moved / "stores" / "a.zarr"
    assert path.exists()


def test_other_suffixes_are_refused(table, tmp_path):
    with pytest.raises(ConfigError, match=r"suffix '.xlsx'; a link table is written as .parquet or .csv"):
        table.save(tmp_path / "link.xlsx")
    with pytest.raises(DataError, match=r"cannot be written: No such file"):
        table.save(tmp_path / "no" / "link.csv")


def test_files_that_are_no_link_tables(table, tmp_path):
    with pytest.raises(DataError, match="there is no link table at"):
        read_link(tmp_path / "link.parquet")
    table.frame.to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(DataError, match="does not name its stores"):
        read_link(tmp_path / "plain.parquet")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="cannot be read"):
        read_link(tmp_path / "x.parquet")


def test_a_csv_that_lost_its_other_half(table, tmp_path):
    path = table.save(tmp_path / "link.csv")
    path.write_text(path.read_text().replace('"a"', '"z"', 1))
    with pytest.raises(DataError, match="lacks the columns 'a'; expected link_id, split, label, group, a, b"):
        read_link(path)
    (tmp_path / "link.csv.json").unlink()
    with pytest.raises(DataError, match=r"link.csv.json, which names the stores of a link table, cannot be read"):
        read_link(path)


def test_items_twice_are_refused(table, tmp_path):
    path = table.save(tmp_path / "link.csv")
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    with pytest.raises(DataError, match="has items without an ID of their own; expected each link_id once"):
        read_link(path)


@pytest.mark.slow
@pytest.mark.parametrize("on", ["id", "group", "label"])
def test_a_million_ids(tmp_path, on):
    """Ten seconds of one core and 2 GB, in a process of its own."""
    count = 1_000_000
    rows = [
        (f"recording-{n:07d}", f"class-{n % 27}", "test" if n % 400 < 100 else "train", f"g{n // 100}")
        for n in range(count)
    ]
    for number, name in enumerate("ab"):
        write_store(tmp_path / f"{name}.zarr", rows, shuffle=number).close()
    code = (
        "import resource, sys, time; from fusion import link; begin = time.process_time();"
        "table = link(sys.argv[2:], on=sys.argv[1]);"
        "print(len(table), time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", code, on, tmp_path / "a.zarr", tmp_path / "b.zarr"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=280)
    matched, seconds, kibibytes = done.stdout.split()
    assert int(matched) == count
    assert float(seconds) < 10
    assert int(kibibytes) < 2_000_000


def test_a_store_that_was_moved_is_found_at_its_new_place(table, tmp_path):
    table.save(tmp_path / "link.parquet")
    (tmp_path / "stores" / "a.zarr").rename(tmp_path / "moved.zarr")
    found = read_link(tmp_path / "link.parquet")
    with pytest.raises(DataError, match=r"a\.zarr"), opened_source(found):
        pass
    with opened_source(found.with_stores({"a": tmp_path / "moved.zarr"})) as source:
        assert list(source.stores) == ["a", "b"]
    with pytest.raises(ConfigError, match="a store is given for c; the table has a, b"):
        found.with_stores({"c": tmp_path / "moved.zarr"})
