from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store.bench import bench_store

# The high-water mark of this process alone: ru_maxrss would begin with that of the parent.
PEAK = """
import re, sys
from pathlib import Path
from store.bench import _scan_store, _write_store
path, rows = Path(sys.argv[1]), int(sys.argv[2])
_write_store(path, 9000, rows)
_scan_store(path)
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize("rows", [8_000, pytest.param(60_000, marks=pytest.mark.slow)])
def test_writing_and_scanning_take_little_memory(path: Path, fast_folder: Path, rows: int) -> None:
    target = path if rows > 10_000 else fast_folder / path.name
    command = [sys.executable, "-c", PEAK, str(target), str(rows)]
    kilobytes = int(subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path.cwd()).stdout)
    assert kilobytes < 300 * 1024 + 4 * 9000


def test_bench_measures_both_formats(fast_folder: Path) -> None:
    found = bench_store(fast_folder, k=64, rows=2000, repeats=1, ids=3000, gathered=50)
    assert found.keys() >= {"scan_ratio", "write_ratio", "gather_ratio", "open_seconds"}
    assert found["formats"].keys() == {"zarr", "h5"}
    assert all(value > 0 for result in found["formats"].values() for value in result.values())
    assert list(fast_folder.iterdir()) == []
