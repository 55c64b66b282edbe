from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_table import made_table

from fusion.reproduction.markdown import section_of, write_section


def test_a_section_has_every_figure_and_no_markup_of_its_values() -> None:
    lines = section_of(replace(made_table(), pictures={"Curve": "made.png"})).splitlines()
    assert "| a \\| b &lt;c> | 0.500 | 0.250 to 0.750 | 0.600 | 21.0 |  | 1,200 / 300 | 3 |" in lines
    assert "| other | 0.100 |  |  |  |  | 10 / 5 | 1 |" in lines
    assert "| leak? | none \\| found | ok |" in lines
    assert "| shuffled | above chance | **failed** |" in lines
    assert "![Curve](images/made.png)" in lines
    assert any(line.startswith("`functa reproduce made` (4 s on ") for line in lines)


def test_sections_stand_beside_each_other_and_are_replaced_in_place(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "results.md"
    for name in ("first", "second"):
        write_section(page, made_table(name=name))
    write_section(page, made_table(name="first", measured=0.9))
    text = page.read_text()
    assert text.startswith("# Results\n")
    assert text.index("<!-- first -->") < text.index("<!-- second -->")
    assert (text.count("| 0.900 |"), text.count("| 0.500 |")) == (1, 1)
