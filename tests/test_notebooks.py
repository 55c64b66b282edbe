"""The notebooks of examples/: short, without output of somebody's machine, and every cell runs."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from helpers.running import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
SMALL = {
    "own_sensor_data": {"people": 8, "seconds": 24, "rounds": 5},
    "store_to_scikit_learn": {"people": 8, "windows": 2},
    "two_views_fused": {"people": 4, "held_out": 1, "windows": 1},
}


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_what_it_is_and_keeps_no_output(path: Path) -> None:
    assert "".join(cells(path, "markdown")[0]["source"]).startswith("# ")
    code = cells(path, "code")
    assert code[0]["metadata"]["tags"] == ["parameters"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    names: dict[str, Any] = {}
    with contextlib.chdir(tmp_path), mpl.rc_context({"backend": "agg"}):
        for cell in cells(path, "code"):
            exec(compile("".join(cell["source"]), path.name, "exec"), names)  # noqa: S102
            if cell["metadata"].get("tags") == ["parameters"]:
                assert set(SMALL[path.stem]) <= set(names)
                names |= SMALL[path.stem]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_in_jupyter(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(path, as_version=4)
    first = next(cell for cell in book.cells if "# parameters" in cell.source)
    first.source = "\n".join(f"{name} = {value}" for name, value in SMALL[path.stem].items())
    nbclient.NotebookClient(book, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = json.dumps(book)
    assert "<table>" in shown
    assert "image/png" in shown
