from __future__ import annotations

from pathlib import Path

import pytest
from running import Functa


def test_link_tells_what_it_matched(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    other = tmp_path / "again.zarr"
    assert functa("store", "merge", har_store, "--out", other).code == 0
    out = tmp_path / "link.parquet"
    document = functa("link", har_store, other, "--on", "id", "--out", out, "--json").json
    assert document["rows"] == document["matched"] == 36
    assert document["left_over"] == {"har": 0, "again": 0}
    assert document["conflicts"] == 0
    assert out.exists()
    shown = functa("link", har_store, other, "--on", "label", "--out", tmp_path / "link.csv")
    assert "36 in all 2 stores" in shown.out
    assert "note: joined by label" in shown.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--on", "position"), 2, "on is 'position'; expected one of id, group, table, label"),
        (("--on", "table"), 2, "a join by table needs a table of pairs"),
        (("--on", "id", "--how", "cross"), 2, "how is 'cross'; expected one of inner, left, outer"),
        (("--on", "label", "--labels", "nothing"), 2, "label map 'nothing' is neither a .csv nor a .toml file"),
    ],
)
def test_wrong_joins_are_one_line(
    functa: Functa, har_store: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    outcome = functa("link", har_store, f"b={har_store}", *arguments, "--out", tmp_path / "link.csv")
    assert outcome.code == code
    assert message in outcome.error_line()
    assert not (tmp_path / "link.csv").exists()
