from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.made_table import made_table
from helpers.running import Functa

from fusion.reproduction import TABLES


def test_a_report_is_one_page_beside_the_model_or_where_it_is_asked_for(
    functa: Functa, har_model: Path, tmp_path: Path
) -> None:
    outcome = functa("report", har_model, "--out", tmp_path / "page.html", "--json")
    assert outcome.code == 0, outcome.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert outcome.json == {"report": str(tmp_path / "page.html"), "bytes": len(page.encode()), "notes": []}
    assert page.count("data:image/svg+xml;base64,") >= 2
    assert "<script" not in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report", "nowhere"), "nowhere"),
        (("reproduce", "uci-har", "--data", "nowhere"), "nowhere holds no uci-har data; expected activity_labels.txt"),
        (("reproduce", "table-3", "--data", "."), "table 'table-3' is not known; expected one of ablation, cifar10"),
    ],
)
def test_what_cannot_be_reported_or_reproduced_is_one_line(
    functa: Functa, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    outcome = functa(*arguments, cwd=tmp_path)
    assert outcome.code in (1, 2)
    assert message in outcome.error_line()


@pytest.mark.slow
def test_a_store_that_was_moved_is_told_and_can_be_given(
    functa: Functa, har: Path, har_store: Path, tmp_path: Path
) -> None:
    store, model = shutil.copytree(har_store, tmp_path / "s.zarr"), tmp_path / "m"
    assert functa("train", store, "--model", model, "--rounds", 2, "--threads", 1).code == 0
    moved = store.rename(tmp_path / "moved.zarr")
    outcome = functa("report", model, "--source", har)
    assert outcome.code == 0
    assert f"the store of sensor is not at {store} any more" in outcome.error_line()
    assert "--store sensor=PATH" in outcome.error_line()
    outcome = functa("report", model, "--source", har, "--store", f"sensor={moved}")
    assert (outcome.code, outcome.err) == (0, "")
    assert "the original beside its reconstruction" in (model / "report.html").read_text(encoding="utf-8")
    assert "functa train" in (model / "report.html").read_text(encoding="utf-8")
    assert functa("report", model, "--store", "camera=x").code == 2
    assert functa("report", model, "--store", "x").code == 2


def test_a_source_of_a_modality_that_the_model_lacks(functa: Functa, har_model: Path, har: Path) -> None:
    outcome = functa("report", har_model, "--source", f"camera={har}")
    assert outcome.code == 2
    assert "sources are given for camera; the model has sensor" in outcome.error_line()


def test_a_table_is_printed_given_as_a_document_and_put_on_a_page(
    functa: Functa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLES, "made", "helpers.made_table:made_table")
    page = tmp_path / "results.md"
    outcome = functa("reproduce", "made", "--data", tmp_path, "--out", tmp_path / "out", "--page", page, "--json")
    assert outcome.json == made_table().to_dict() | {"extra": {"folder": str(tmp_path / "out")}}
    assert "<!-- end made -->" in page.read_text()
    printed = functa("reproduce", "made", "--data", tmp_path).out
    assert all(found in printed for found in ("0.500", "0.250 to 0.750", "above chance", "failed", "Nothing but all"))


def test_all_tables_are_tried_and_those_without_data_are_told(
    functa: Functa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in TABLES if name != "uci-har"]:
        monkeypatch.delitem(TABLES, name)
    monkeypatch.setitem(TABLES, "made", "helpers.made_table:made_table")
    outcome = functa("reproduce", "all", "--data", tmp_path, "--out", tmp_path / "out", "--json")
    assert outcome.code == 1
    assert [table["name"] for table in outcome.json["tables"]] == ["made"]
    assert list(outcome.json["failed"]) == ["uci-har"]
    assert "functa: uci-har: " in outcome.err
    assert "holds no uci-har data" in outcome.err
