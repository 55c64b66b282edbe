from __future__ import annotations

import json

import pytest

from fusion.comparing.compare import compare
from fusion.comparing.kept import COMPARISON_FILE, read_result
from fusion.errors import DataError
from fusion.estimators.presets import training_settings


@pytest.fixture
def finished(noisy_store, tmp_path):
    presets = {name: training_settings(name, n_estimators=6, n_jobs=1) for name in ("fast", "linear")}
    return compare(noisy_store("one", 1.0), tmp_path / "out", presets=presets, folds=3)


def test_a_comparison_is_read_as_it_was_finished(finished):
    kept = read_result(finished.folder)
    again = kept.result()
    assert again.to_dict() | {"folder": None} == finished.to_dict() | {"folder": None}
    assert kept.settings["presets"] == ["fast", "linear"]
    assert kept.settings["fusions"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format version 2; this release reads up to 1"),
        ({"places": []}, "holds no comparison"),
        ({"rows": "many"}, "damaged at 'rows'"),
        ({"more": 1}, "damaged at 'more'"),
    ],
)
def test_another_file_is_refused(finished, change, message):
    path = finished.folder / COMPARISON_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=message):
        read_result(finished.folder)


def test_what_is_no_json_or_not_there_is_refused(finished, tmp_path):
    (finished.folder / COMPARISON_FILE).write_bytes(b"[" * 100_000)
    with pytest.raises(DataError, match="cannot be read"):
        read_result(finished.folder)
    with pytest.raises(DataError, match=r"no comparison is finished in .*; expected a folder of functa compare"):
        read_result(tmp_path)
