from __future__ import annotations

from pathlib import Path

from helpers.made_functas import functa_rows, stored

from store.html import facts_html, table_html


def test_every_text_is_escaped_and_numbers_are_written_for_readers() -> None:
    shown = facts_html("<title>", {"<name>": "<value>", "rows": 1234, "share": 0.5}, ["<note>"])
    assert "<title>" not in shown
    assert "&lt;name&gt;</th><td>&lt;value&gt;" in shown
    assert "1,234" in shown
    assert "0.500" in shown
    assert shown.endswith("<p>note: &lt;note&gt;</p>")
    assert table_html("t", ("<a>",), [("<b>",)]).count("&lt;") == 2


def test_a_store_shows_what_it_holds(tmp_path: Path) -> None:
    with stored(tmp_path / "s.zarr", functa_rows()) as store:
        shown = store._repr_html_()
    assert "s.zarr" in shown
    assert f"<th>rows</th><td>{len(functa_rows())}</td>" in shown
    assert "train" in shown
