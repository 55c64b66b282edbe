from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.browser import overflow_on_a_phone
from helpers.made_report import HOSTILE

from fusion.comparing.kept import keep_result
from fusion.comparing.ranking import CompareResult, Place
from fusion.errors import ConfigError, DataError
from fusion.reporting import report

PLACES = (
    Place("local", "linear", "late", 0.94, 0.01, (0.92, 0.96), 3.0, 1, balanced_accuracy=0.93),
    Place(HOSTILE[0], "fast", "early", 0.9, 0.02, (0.86, 0.94), 9.5, 1, -0.04, 0.003, 0.88),
    Place(HOSTILE[2], "fast", "late", 0.89, 0.02, (0.86, 0.94), 9.5, 1, -0.05, 0.4, 0.87),
)
MADE = CompareResult(PLACES, "corrected resampled t", 3, 54, 9, notes=("one cell <b>failed</b>",))
WINNER = {"accuracy": 0.91, "accuracy_interval": [0.85, 0.95], "balanced_accuracy": 0.9, "rows_test": 18, "model": "m"}


def page_of(folder: Path, result: CompareResult) -> str:
    keep_result(folder, result, {"presets": ["linear", "fast"], "seeds": 1})
    return report(folder).read_text(encoding="utf-8")


def test_the_page_has_every_combination_the_choice_and_its_one_test(tmp_path: Path) -> None:
    text = page_of(tmp_path, replace(MADE, winner=WINNER))
    assert "3 combinations compared" in text
    assert "<b>local, linear, late</b> was trained on all training rows and tested once: accuracy 0.910" in text
    assert "(0.850 to 0.950) on 18 rows, balanced accuracy 0.900" in text
    assert "0.920 to 0.960" in text
    assert "0.003" in text
    assert "1 of the others is not told apart" in text
    assert "<script" not in text
    assert "one cell &lt;b&gt;failed&lt;/b&gt;" in text


def test_what_was_not_tested_is_not_said_to_be(tmp_path: Path) -> None:
    numbers = tuple(replace(place, balanced_accuracy=float("nan")) for place in PLACES)
    text = page_of(tmp_path, replace(MADE, measure="r2", places=numbers))
    assert "It is not tested" in text
    assert "mean R2" in text
    assert "balanced accuracy" not in text
    assert "nan" not in text.split("data:image/svg+xml")[0]


def test_many_combinations_are_drawn_in_part(tmp_path: Path) -> None:
    assert "The first 40 of 90." in page_of(tmp_path, replace(MADE, places=PLACES * 30))


def test_a_comparison_that_is_not_finished_or_has_sources_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    with pytest.raises(DataError, match="no comparison is finished"):
        report(tmp_path)
    with pytest.raises(ConfigError, match="sources or stores are given for the comparison"):
        report(tmp_path, sources={"": "x"})


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_nothing_is_cut_off_on_a_phone(tmp_path: Path) -> None:
    assert overflow_on_a_phone(page_of(tmp_path, replace(MADE, winner=WINNER)), tmp_path) == "page 0 wide 0."
