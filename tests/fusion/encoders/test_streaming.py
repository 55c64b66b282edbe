from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders import streaming
from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoding import encode
from fusion.encoders.functa import Functas
from fusion.encoders.options import EncodeOptions
from fusion.encoders.streaming import Pace
from fusion.errors import DataError
from store import Rows, open_store

HERE = EncodeOptions(workers=1)


def stored(path: Path) -> Rows:
    with open_store(path) as opened:
        return opened.read(sorted(opened.ids))


@pytest.fixture
def _one_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processor pass for a device that fits five samples at once."""
    monkeypatch.setattr(Functas, "device", property(lambda self: "cuda:0"))
    monkeypatch.setattr(streaming, "_MAX_BLOCK", 5)


@pytest.mark.parametrize("workers", [1, 2])
def test_streamed_rows_are_those_of_a_plain_run(
    workers: int, made: MadeSamples, config: FunctaConfig, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bad = made.broken(3).with_window(30, np.full((32, 9), np.nan, np.float32))
    plain = encode(bad, tmp_path / "plain.zarr", config, HERE)
    request.getfixturevalue("_one_device")
    told: list[str] = []
    report = encode(
        bad, tmp_path / "s.zarr", config, EncodeOptions(workers=workers), progress=lambda what, *_: told.append(what)
    )
    assert (report.rows, report.failures) == (plain.rows, plain.failures)
    assert (plain.fitted_on, report.fitted_on) == ("cpu", "cuda:0")
    expected, got = stored(tmp_path / "plain.zarr"), stored(tmp_path / "s.zarr")
    assert got.ids.tolist() == expected.ids.tolist()
    for name in ("functas", "psnr", "steps", "status", "source_hash"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))
    assert told[-1].startswith("encoding, limited by ")
    assert told[-1].endswith(", 2 failed")


@pytest.mark.usefixtures("_one_device")
def test_a_streamed_run_resumes_and_notices_changed_data(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    encode(made, tmp_path / "s.zarr", config, EncodeOptions(workers=1, limit=10))
    report = encode(made, tmp_path / "s.zarr", config, HERE)
    assert (report.encoded, report.skipped) == (26, 10)
    assert encode(made, tmp_path / "s.zarr", config, HERE).skipped == 36
    with pytest.raises(DataError, match="the data of 'w07' are not those"):
        encode(made.with_window(7, np.ones((32, 9), np.float32)), tmp_path / "s.zarr", config, HERE)


def test_the_pace_names_what_was_waited_for_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(streaming.time, "perf_counter", lambda: now[0])
    pace = Pace()
    for what, seconds in (("reading", 2.0), ("fitting", 3.0), ("reading", 1.5), ("writing", 1.0)):
        with pace.waiting_for(what):
            now[0] += seconds
    assert pace.limit == "reading"
    assert pace.seconds == {"reading": 3.5, "fitting": 3.0, "writing": 1.0}
