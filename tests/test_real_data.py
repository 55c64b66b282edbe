from __future__ import annotations

from pathlib import Path

import pytest

import fusion

pytestmark = pytest.mark.real_data


def test_the_main_job_on_a_part_of_uci_har(uci_har_folder: Path, tmp_path: Path) -> None:
    windows = fusion.datasets.UciHar(uci_har_folder)
    config = fusion.encoders.encoder_config(windows, options={"architecture": "paper-half"})
    report = fusion.encode(windows, tmp_path / "har.zarr", config, fusion.encoders.EncodeOptions(workers=2, limit=2000))
    assert (report.rows, report.failed) == (2000, 0)
    assert report.psnr_mean > 20
    classifier = fusion.FunctaClassifier(n_estimators=25, early_stopping_rounds=None, n_jobs=2)
    result = fusion.train(tmp_path / "har.zarr", tmp_path / "model", classifier=classifier)
    assert result.accuracy > 0.78
    assert result.accuracy_interval[0] > 0.6
    assert fusion.evaluate(tmp_path / "model", tmp_path / "har.zarr").accuracy == result.accuracy
