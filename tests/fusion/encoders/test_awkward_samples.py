"""Samples with long reasons, long IDs and names that cannot be written: each is one row, and the run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders import encode, gone_ids
from fusion.encoders.config import FunctaConfig
from fusion.encoders.options import EncodeOptions
from fusion.errors import DataError
from store import Status, open_store

HERE = EncodeOptions(workers=1)


@pytest.fixture(params=[".zarr", ".h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"s{request.param}"


def fails_with(message: str) -> object:
    raise FileNotFoundError(message)


def with_sample(made: MadeSamples, index: int, **changes: object) -> MadeSamples:
    samples = list(made.samples)
    samples[index] = replace(samples[index], **changes)  # type: ignore[arg-type]
    return MadeSamples(samples)


@pytest.mark.parametrize("message", ["x" * 5000, "ends in NUL\0", "name \udcff", "two\nlines", "ä" * 200])
def test_a_reason_of_any_length_and_kind_is_one_failed_row(
    made: MadeSamples, config: FunctaConfig, path: Path, message: str
) -> None:
    bad = with_sample(made, 3, load=lambda: fails_with(message))
    report = encode(bad, path, config, HERE)
    assert (report.rows, report.failed) == (35, 1)
    (name, reason), *_ = report.failures
    assert name == "w03"
    assert reason.startswith("read: FileNotFoundError: ")
    assert len(reason.encode()) <= 256
    with open_store(path) as store:
        assert store.verify().ok


@pytest.mark.parametrize("size", [129, 512])
def test_an_id_as_long_as_an_id_may_be(made: MadeSamples, config: FunctaConfig, path: Path, size: int) -> None:
    report = encode(with_sample(made, 5, id="x" * size), path, config, HERE)
    assert (report.rows, report.failed) == (36, 0)
    assert "x" * size in open_store(path)


def test_a_longer_id_than_an_hdf5_store_has_room_for_is_told_before_anything_is_fitted(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    for name in ("s.zarr", "s.h5"):
        encode(made, tmp_path / name, config, HERE)
    longer = with_sample(made, 5, id="x" * 129)
    with pytest.raises(DataError, match=r"an ID has 129 bytes of UTF-8, but .*s\.h5 keeps IDs of at most 128"):
        encode(longer, tmp_path / "s.h5", config, HERE)
    assert encode(longer, tmp_path / "s.zarr", config, HERE).encoded == 1


@pytest.mark.parametrize("what", ["label", "group", "split"])
def test_a_name_that_cannot_be_written_is_a_failed_row(
    made: MadeSamples, config: FunctaConfig, path: Path, what: str
) -> None:
    report = encode(with_sample(made, 30, **{what: "caf\udce9"}), path, config, HERE)
    assert (report.rows, report.failed) == (35, 1)
    assert report.failures == (("w30", f"read: its {what} 'caf\\udce9' cannot be written as UTF-8; rename it"),)
    with open_store(path) as store:
        assert store.verify().ok
        assert store.known()["w30"][0] == Status.FAILED


def test_more_splits_than_a_store_can_name(made: MadeSamples, config: FunctaConfig, path: Path) -> None:
    many = MadeSamples([replace(made.samples[0], id=f"s{i}", split=f"fold-{i}") for i in range(256)])
    with pytest.raises(DataError, match="256 splits; a store keeps at most 255"):
        encode(many, path, config, HERE)
    assert not path.exists()


def test_pruning_drops_the_rows_of_samples_that_are_gone(made: MadeSamples, config: FunctaConfig, path: Path) -> None:
    encode(made.broken(30), path, config, HERE)
    fewer = MadeSamples([sample for sample in made.samples if sample.id not in ("w02", "w30")])
    report = encode(fewer, path, config, HERE)
    assert (report.rows, report.failed, report.pruned) == (35, 1, ())
    report = encode(fewer, path, config, replace(HERE, prune=True))
    assert (report.rows, report.failed, report.pruned) == (34, 0, ("w02", "w30"))
    assert report.to_dict()["pruned"] == ["w02", "w30"]
    with open_store(path) as store:
        assert store.finished
        assert set(store.known()) == {sample.id for sample in fewer}


def test_pruning_by_another_source_is_refused(made: MadeSamples, config: FunctaConfig, path: Path) -> None:
    encode(made, path, config, HERE)
    others = MadeSamples([replace(sample, id=f"other-{sample.id}") for sample in made.samples])
    with (
        open_store(path) as store,
        pytest.raises(DataError, match=r"none of the 36 samples of .* leave nothing"),
    ):
        gone_ids(others, store)
