from __future__ import annotations

from pathlib import Path

import pytest

from fusion.bench import START_BARS, bench_start
from fusion.bench import start as module
from fusion.errors import DataError


def test_each_is_run_so_often_after_one_run_that_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = {"python": ("-c", "pass"), "import": ("-c", "import fusion"), "demo": ("-c", "open('made', 'w')")}
    monkeypatch.setattr(module, "_lines", lambda folder, *, demo: lines)
    told: list[tuple[str, int, int]] = []
    found = bench_start(repeats=2, folder=tmp_path, progress=lambda *done: told.append(done))
    assert told == [(what, number, 2) for what in lines for number in range(2)]
    assert set(found["seconds"]) == {"import", "demo"}
    assert 0 <= found["seconds"]["import"] <= found["slowest"]["import"] < 5
    assert found["bars"] == {"import": START_BARS["import"], "demo": START_BARS["demo"]}
    assert found["repeats"] == 2
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_fails_is_named_with_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_lines", lambda folder, *, demo: {"python": ("-c", "raise OSError('full')", "train")})
    with pytest.raises(DataError, match=r"functa train ended with 1: OSError: full"):
        bench_start(repeats=1, folder=tmp_path)


@pytest.mark.slow
def test_help_and_import_are_quick_and_what_is_prepared_runs(tmp_path: Path) -> None:
    found = bench_start(repeats=3, demo=False, folder=tmp_path)
    assert set(found["seconds"]) == {"help", "import", "predict", "train"}
    assert found["seconds"]["import"] < START_BARS["import"]
    assert found["seconds"]["help"] < 3 * START_BARS["help"]
