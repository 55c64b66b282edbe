"""What tables work out of their rows; the rows themselves are measured elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fusion.reproduction import TABLES, Study
from fusion.reproduction.study import Encoding
from fusion.reproduction.table import Result, Table

PIXEL = b"\x89PNG made"
ACCURACIES = np.linspace(0.2, 0.7, 6)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "data", tmp_path / "out")


def made(study: Study, name: str, monkeypatch: pytest.MonkeyPatch) -> Table:
    """Make a table whose rows are made up: accuracy and PSNR rise from row to row, a half layer takes half the time."""
    module = importlib.import_module(TABLES[name].partition(":")[0])
    numbers: Iterator[int] = iter(range(10_000))

    def row(study: Study, model: str, encoding: Encoding, *, name: str, **told: Any) -> Result:
        number = next(numbers)
        folder = study.place("models", name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "confusion.png").write_bytes(PIXEL)
        seconds = 10.0 if "half" in name else 20.0
        known = {key: told[key] for key in ("paper", "paper_psnr", "note") if told.get(key)}
        accuracy = float(ACCURACIES[number % len(ACCURACIES)])
        return Result(
            model,
            accuracy,
            None,
            psnr=10 + 20 * accuracy,
            seconds=seconds,
            rows_train=8,
            rows_test=4,
            stores={f"{name}.zarr": seconds / 2},
            **{"paper": None, **known},
        )

    replaced = {
        "functa_result": row,
        "fused_result": row,
        "kept_audit": lambda *_, **__: [],
        "shuffled_checks": lambda *_, **__: [],
        "control_results": lambda *_, **__: [],
    }
    for attribute, value in replaced.items():
        if hasattr(module, attribute):
            monkeypatch.setattr(module, attribute, value)
    monkeypatch.setattr(Study, "store", lambda self, name, encoding: (Path(f"{name}.zarr"), 1.0))
    table = function(module, name)(study)
    assert isinstance(table, Table)
    return table


def function(module: ModuleType, name: str) -> Any:
    return getattr(module, TABLES[name].partition(":")[2])


def write_clips(study: Study, count: int) -> None:
    for folder in ("meta", "audio"):
        (study.data / folder).mkdir(parents=True, exist_ok=True)
    head = "filename,fold,target,category,esc10,src_file,take"
    lines = [
        f"{number}.wav,{number % 5 + 1},{number % 2},class-{number % 2},True,{number},A" for number in range(count)
    ]
    (study.data / "meta" / "esc50.csv").write_text("\n".join([head, *lines]) + "\n")


def test_splits_of_videos_have_their_mean(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    table = made(study, "hmdb51", monkeypatch)
    assert [result.model.rpartition(", ")[2] for result in table.results[:4]] == [
        "mean of the splits",
        "split 1",
        "split 2",
        "split 3",
    ]
    mean = table.results[0]
    assert mean.measured == pytest.approx(np.mean(ACCURACIES[:3]))
    assert mean.interval is not None
    assert mean.interval[0] < mean.measured < mean.interval[1]
    assert (mean.paper, mean.paper_psnr) == (0.324, 62.77)
    assert table.seconds == 13 * 20
    both = [result for result in table.results if "early fusion" in result.model]
    assert both[0].measured == pytest.approx(np.mean([result.measured for result in both[1:]]))
    (picture,) = table.pictures.values()
    assert (study.folder / "pictures" / picture).read_bytes() == PIXEL


def test_half_layers_are_timed_against_full_ones(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clips(study, 2000)
    table = made(study, "ablation", monkeypatch)
    assert len(table.results) == 8
    assert set(table.extra["time_ratio"].values()) == {2.0}
    assert [result.paper for result in table.results[:2]] == [0.779, 0.652]
    assert "2.0x (images (CIFAR-10))" in table.differs


@pytest.mark.parametrize(("count", "title", "paper"), [(1999, "ESC-10", [None, None]), (2000, "ESC-50", [0.465, 0.36])])
def test_a_figure_of_esc50_stands_beside_all_of_its_clips_only(
    study: Study, monkeypatch: pytest.MonkeyPatch, count: int, title: str, paper: list[float | None]
) -> None:
    write_clips(study, count)
    table = made(study, "ablation", monkeypatch)
    sound = [result for result in table.results if result.model.startswith("sound")]
    assert [result.model for result in sound] == [f"sound ({title}, MFCC), {size} layers" for size in ("full", "half")]
    assert [result.paper for result in sound] == paper
    assert f"{title} in its five folds" in table.protocol
    assert ("ESC-10 for ESC-50" in table.differs) == (title == "ESC-10")


def test_psnr_and_accuracy_are_ranked_and_drawn(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    table = made(study, "psnr", monkeypatch)
    assert len(table.results) == 3 * 3 * 4
    for found in table.extra.values():
        assert found["spearman"] == pytest.approx(1)
        assert found["settings"] == 12
    assert len(table.pictures) == 3
    for picture in table.pictures.values():
        assert (study.folder / "pictures" / picture).read_bytes().startswith(b"\x89PNG\r\n")
    assert table.command == "functa reproduce psnr --data DIR"


def test_all_clips_make_it_esc50_and_some_make_it_esc10(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clips(study, 1999)
    some = made(study, "esc50", monkeypatch)
    assert some.title.startswith("ESC-10")
    assert {result.paper for result in some.results} == {None}
    write_clips(study, 2000)
    every = made(study, "esc50", monkeypatch)
    assert every.title.startswith("ESC-50")
    assert [result.paper for result in every.results] == [0.073, 0.383, 0.118, 0.465, None, None]
    assert [result.control for result in every.results] == [False] * 5 + [True]


def test_a_table_names_the_options_it_was_made_with(tmp_path: Path) -> None:
    assert Study(tmp_path, tmp_path).command("psnr") == "functa reproduce psnr --data DIR"
    told = Study(tmp_path, tmp_path, limit=50, seed=7).command("psnr")
    assert told == "functa reproduce psnr --data DIR --limit 50 --seed 7"


def test_a_store_that_rows_share_counts_once() -> None:
    rows = [
        Result("model", 0.5, None, None, None, seconds, 8, 4, stores={"shared.zarr": 10.0}) for seconds in (12.0, 15.0)
    ]
    table = Table("made", "Title", "split", "nothing", tuple(rows), (), "command")
    assert table.seconds == 17.0
