"""Numbers to predict, and labels that are numbers, as tables, lists and readings write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fusion.datasets import ColumnTable, FileTable, SensorTable, VectorTable
from fusion.datasets.targets import COMMAS_TOLD, number_of, numbers_with_commas
from fusion.errors import SampleError


def lines(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_decimal_comma_holds_for_targets_and_labels_too(tmp_path: Path) -> None:
    table = lines(tmp_path / "t.csv", "id;x;z;level", *(f"p{n};{n},5;{n % 7},25;{n * 2},75" for n in range(30)))
    numbers = [number * 2 + 0.75 for number in range(30)]
    told = ColumnTable(table, target="level")
    assert [sample.target for sample in told] == numbers
    assert COMMAS_TOLD not in told.notes
    labelled = ColumnTable(table, label="level")
    assert [float(str(sample.label)) for sample in labelled] == numbers
    assert COMMAS_TOLD in labelled.notes
    vectors = lines(tmp_path / "v.csv", "id;e0;e1;label;target", "a;0,5;1,5;0,25;7,5")
    (vector,) = VectorTable(vectors, target="target")
    assert (vector.label, vector.target) == ("0.25", 7.5)


def test_a_list_of_files_with_decimal_commas_has_numbers(tmp_path: Path) -> None:
    listed = lines(tmp_path / "f.csv", "path;label;target", *(f"{n}.png;{n},5;{n},25" for n in range(12)))
    files = FileTable(listed, modality="image")
    assert [(sample.label, sample.target) for sample in files] == [(f"{n}.5", n + 0.25) for n in range(12)]
    assert COMMAS_TOLD in files.notes


def test_readings_labelled_with_decimal_commas_have_numbers(tmp_path: Path) -> None:
    rows = (f"r{n // 20};{n % 20 / 10:.1f};{n % 7}.5;{n // 20}.25".replace(".", ",") for n in range(80))
    dataset = SensorTable(lines(tmp_path / "t.csv", "id;time;ax;hr", *rows), label="hr")
    assert [sample.label for sample in dataset] == ["0.25", "1.25", "2.25", "3.25"]
    assert COMMAS_TOLD in dataset.notes


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["0,5", "1,5", None, "NA"], True),
        (["0,5"] * 9 + ["high"], True),
        (["0,5", "walk", "sit"], False),
        (["1", "2", "3"], False),
        (["1.234", "5.678"], False),
        ([], False),
    ],
)
def test_labels_are_numbers_with_commas_where_nearly_all_are(labels: list[str | None], expected: object) -> None:
    assert numbers_with_commas([labels], ",") is expected
    assert not numbers_with_commas([labels], ".")


def test_a_number_is_what_a_column_of_numbers_would_read() -> None:
    assert [number_of(text) for text in ("1,5", "1_000", "inf", "1e3")] == [None, None, None, 1000.0]
    assert [number_of(text, ",") for text in ("1,5", "1.234", "1.5")] == [1.5, None, 1.5]


def test_a_target_that_is_missing_is_none_and_a_bad_one_fails_its_row(tmp_path: Path) -> None:
    cells = ["1.5", "NA", "null", "", "?", "inf", "1,234"]
    rows = [f'r{n},{n},{n % 3},"{cell}"' for n, cell in enumerate(cells)]
    samples = list(ColumnTable(lines(tmp_path / "t.csv", "id,x,y,level", *rows), target="level", missing="?"))
    assert [sample.target for sample in samples] == [1.5, *[None] * 6]
    for sample in samples[:5]:
        assert sample.raw.numbers["y"] >= 0
    for sample, cell in zip(samples[5:], cells[5:], strict=True):
        with pytest.raises(SampleError, match=f"its target is '{cell}'; expected a finite number, or nothing"):
            _ = sample.raw
    listed = lines(tmp_path / "f.csv", "path,target", "a.png,NaN", "b.png,high")
    nothing, wrong = FileTable(listed, modality="image")
    assert (nothing.target, wrong.target) == (None, None)
    with pytest.raises(SampleError, match="its target is 'high'"):
        _ = wrong.raw


def test_what_stands_for_an_empty_cell_is_no_label(tmp_path: Path) -> None:
    table = lines(tmp_path / "t.csv", "id,x,label", "a,1,walk", "b,2,?")
    assert [sample.label for sample in ColumnTable(table, missing="?")] == ["walk", None]
