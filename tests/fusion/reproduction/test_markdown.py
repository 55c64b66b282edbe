from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers.made_table import made_table

from fusion.reproduction.markdown import section_of, write_section


def test_a_section_has_every_figure_and_no_markup_of_its_values() -> None:
    lines = section_of(replace(made_table(), pictures={"Curve": "made.png"})).splitlines()
    assert "| a \\| b &lt;c> | 0.500 | 0.250 to 0.750 | 0.600 | 21.0 |  | 1,200 / 300 | 3 |" in lines
    assert "| other | 0.100 |  |  |  |  | 10 / 5 | 1 |" in lines
    assert "| leak? | none \\| found | ok |" in lines
    assert "| shuffled | above chance | **failed** |" in lines
    assert "![Curve](images/made.png)" in lines
    assert any(line.startswith("`functa reproduce made` (4 s on ") for line in lines)


def test_a_control_that_wins_is_told_first() -> None:
    rows = [replace(row, control=control) for row in made_table().results[:2] for control in (True, False)]
    winning, losing, other = (
        replace(made_table(), results=results) for results in ((rows[0], rows[3]), (rows[1], rows[2]), (rows[0],))
    )
    line = "**A control is ahead: a \\| b &lt;c> reaches 0.500, the best row of functas (other) 0.100.**"
    assert section_of(winning).splitlines()[2] == line
    assert "ahead" not in section_of(losing) + section_of(other)


def test_sections_stand_beside_each_other_and_are_replaced_in_place(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "results.md"
    for name in ("first", "second"):
        write_section(page, made_table(name=name))
    write_section(page, made_table(name="first", measured=0.9))
    text = page.read_text()
    assert text.startswith("# Results\n")
    assert text.index("<!-- first -->") < text.index("<!-- second -->")
    assert (text.count("| 0.900 |"), text.count("| 0.500 |")) == (1, 1)


def test_the_summary_holds_the_claimed_rows_of_every_paper_table(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    write_section(page, replace(made_table(name="first"), title="First (paper, Table 9)"))
    write_section(page, made_table(name="second"))
    write_section(page, replace(made_table(name="first", measured=0.9), title="First (paper, Table 9)"))
    summary = page.read_text().partition("<!-- summary -->")[2].partition("<!-- end summary -->")[0]
    assert [line for line in summary.splitlines() if line][2:] == [
        "| First (paper, Table 9) | a \\| b &lt;c> | 0.600 | 0.900 | 0.250 to 0.750 |"
    ]


def test_a_page_without_a_summary_gets_none(tmp_path: Path) -> None:
    page = tmp_path / "mine.md"
    page.write_text("# Mine\n")
    write_section(page, made_table())
    assert page.read_text().startswith("# Mine\n\n<!-- made -->\n## Title\n")
