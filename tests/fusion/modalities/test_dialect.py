"""Lines above the names of a table: comments are skipped and told, the names may stand in one, others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.made_walks import require_same, samples, walks, written

from fusion.datasets import ColumnTable, FileTable, SensorTable
from fusion.errors import DataError
from fusion.modalities.dialect import told_dialect


@pytest.fixture
def plain(tmp_path: Path) -> str:
    return written(tmp_path / "plain.csv", walks("ab")).read_text()


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ("# made by X, firmware 2\n", "1 line above the names skipped, as comments"),
        ("% device\n\n// it's \"new\n", "3 lines above the names skipped, as comments"),
        ("sep=,\n", "1 line above the names skipped, as comments"),
    ],
)
def test_comments_above_the_names_are_skipped_and_told(tmp_path: Path, plain: str, above: str, told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(above + plain)
    require_same(samples(path), samples(tmp_path / "plain.csv"))
    assert told in SensorTable(path).reading.remarks


@pytest.mark.parametrize("mark", ["#", "# ", "% "])
def test_names_may_stand_in_the_last_comment(tmp_path: Path, plain: str, mark: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# rate 50\n" + mark + plain)
    require_same(samples(path), samples(tmp_path / "plain.csv"))
    assert SensorTable(path).columns.id == ("id",)


def test_a_column_named_like_a_comment_is_a_column(tmp_path: Path) -> None:
    walks("ab").rename_axis("#").to_csv(tmp_path / "t.csv")
    walks("ab").to_csv(tmp_path / "plain.csv", index=False)
    require_same(samples(tmp_path / "t.csv"), samples(tmp_path / "plain.csv"))
    assert SensorTable(tmp_path / "t.csv").reading.left_out == {"#": "it counts rows"}
    (tmp_path / "t.csv").write_text("%fat,age,label\n12.5,40,x\n13.5,41,y\n")
    assert told_dialect(tmp_path / "t.csv").names == ("%fat", "age", "label")


def test_no_row_of_words_is_lost_below_names_in_a_comment(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("#id,sex,label\nann,f,x\nbob,m,y\n")
    assert [sample.id for sample in ColumnTable(tmp_path / "t.csv")] == ["ann", "bob"]
    (tmp_path / "t.csv").write_text("# people, 2024, all\nid,sex,label\nann,f,x\nbob,m,y\n")
    assert [sample.id for sample in ColumnTable(tmp_path / "t.csv")] == ["ann", "bob"]


def test_a_first_line_of_excel_names_the_separator(tmp_path: Path, plain: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\n" + plain.replace(",", ";"))
    require_same(samples(path), samples(tmp_path / "plain.csv"))


def test_comments_of_a_list_of_files_are_skipped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("# scans, 2024\npath,label\na.png,x\nb.png,y\n")
    dataset = FileTable(path, modality="image")
    assert [(sample.id, sample.label) for sample in dataset] == [("a.png", "x"), ("b.png", "y")]
    assert "1 line above the names skipped, as comments" in dataset.notes
    path.write_text("#path,label\na.png,x\nb.png,y\n")
    assert [sample.id for sample in FileTable(path, modality="image")] == ["a.png", "b.png"]


def test_other_lines_above_the_names_are_refused_with_advice(tmp_path: Path, plain: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Device: Shimmer\nRate: 50\n" + plain)
    message = r"line 3 has 7 columns; expected 1, .*\('Device: Shimmer'\).* or delete what stands above the names"
    with pytest.raises(DataError, match=message):
        samples(path)
    path.write_text(plain + "# end\n")
    with pytest.raises(DataError, match=r"line 1202 has 1 columns; .*Complete or delete it"):
        samples(path)


def test_lines_are_counted_from_the_first_of_the_file(tmp_path: Path, plain: str) -> None:
    path = tmp_path / "t.csv"
    lines = plain.splitlines()
    path.write_text("\n".join(["# one", "# two", *lines[:101], lines[0], *lines[101:]]) + "\n")
    with pytest.raises(DataError, match=r"line 104 \(row 101\) repeats the header"):
        samples(path)
