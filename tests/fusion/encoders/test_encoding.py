from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoder import encoder_of
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions
from fusion.encoders.pool import worker_pool
from fusion.errors import ConfigError, DataError
from store import Rows, StoreError, StoreMismatchError, open_store

HERE = EncodeOptions(workers=1)


def stored(path: Path) -> Rows:
    with open_store(path) as opened:
        return opened.read(sorted(opened.ids))


def test_every_sample_becomes_a_row_under_its_id(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    report = encode(made, tmp_path / "s.zarr", config, HERE, progress=lambda *told: seen.append(told))
    rows = stored(tmp_path / "s.zarr")
    assert (report.rows, report.failed, report.encoded, report.skipped) == (36, 0, 36, 0)
    assert rows.ids.tolist() == [sample.id for sample in made]
    assert rows.labels.tolist() == [sample.label for sample in made]
    assert rows.groups.tolist() == [sample.group for sample in made]
    assert report.psnr_mean == pytest.approx(rows.psnr.mean())
    assert [told[0] for told in seen[:2]] == ["reading names", "learning the start"]
    assert seen[-1] == ("encoding", 36, 36)


def test_the_store_alone_decodes_what_was_stored(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", replace(config, fit=replace(config.fit, steps=300, learning_rate=5e-3)), HERE)
    with open_store(tmp_path / "s.zarr") as opened:
        row = opened.get("w30")
        encoder = encoder_of(opened)
    decoded = encoder.decode(row.functas[0])
    error = (decoded - made.samples[30].raw) / encoder.scaling.span
    assert decoded.shape == (32, 9)
    assert row.psnr[0] > 25
    assert np.sqrt(np.mean(error**2)) == pytest.approx(np.sqrt(row.loss[0]), rel=0.2)
    assert encoder.decode(row.functas[0], scale=2.0).shape == (64, 9)


def test_order_and_workers_do_not_change_a_functa(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "a.zarr", config, HERE)
    shuffled = MadeSamples([made.samples[i] for i in np.random.default_rng(1).permutation(36)])
    encode(shuffled, tmp_path / "b.zarr", config, EncodeOptions(workers=2))
    a, b = stored(tmp_path / "a.zarr"), stored(tmp_path / "b.zarr")
    np.testing.assert_allclose(a.functas, b.functas, atol=1e-5)
    np.testing.assert_array_equal(a.source_hash, b.source_hash)


def test_a_second_run_fits_nothing_again(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", config, replace(HERE, limit=10))
    with open_store(tmp_path / "s.zarr") as opened:
        first, generation = set(opened.ids), opened.generation
    assert len(first) == 10
    report = encode(made, tmp_path / "s.zarr", config, HERE)
    assert (report.encoded, report.skipped, report.rows) == (26, 10, 36)
    report = encode(made, tmp_path / "s.zarr", config, HERE)
    assert (report.encoded, report.skipped, report.samples_per_second) == (0, 36, 0.0)
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.n_rows == 36
        assert opened.generation > generation


def test_a_limit_is_seeded_and_nested(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    chosen = []
    for limit in (5, 12):
        encode(made, tmp_path / f"{limit}.zarr", config, replace(HERE, limit=limit))
        chosen.append(set(stored(tmp_path / f"{limit}.zarr").ids))
    assert [len(ids) for ids in chosen] == [5, 12]
    assert chosen[0] < chosen[1]


def test_only_the_splits_asked_for_are_encoded(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    report = encode(made, tmp_path / "s.zarr", config, replace(HERE, splits=("test",)))
    assert (report.rows, set(stored(tmp_path / "s.zarr").splits)) == (12, {"test"})
    with pytest.raises(DataError, match="made: no split val; got test, train"):
        encode(made, tmp_path / "t.zarr", config, replace(HERE, splits=("val",)))


def test_bad_samples_become_errors_and_can_be_retried(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    nan = np.full((32, 9), np.nan, np.float32)
    bad = made.with_window(3, nan).broken(30).with_window(31, np.zeros((31, 9), np.float32))
    report = encode(bad, tmp_path / "s.zarr", config, HERE)
    assert (report.rows, report.failed) == (33, 3)
    assert dict(report.failures) == {
        "w03": "prepare: nan at reading 0, channel 0; expected finite numbers",
        "w30": "read: OSError: disk on fire",
        "w31": "prepare: window of shape (31, 9); expected (32, 9) (readings, channels). "
        "Bring all windows to one length with --reader length=128",
    }
    before = stored(tmp_path / "s.zarr")
    report = encode(made, tmp_path / "s.zarr", config, replace(HERE, retry_failed=True))
    assert (report.encoded, report.rows, report.failed) == (3, 36, 0)
    after = stored(tmp_path / "s.zarr").take([i for i in range(36) if i not in (3, 30, 31)])
    np.testing.assert_array_equal(after.functas, before.functas)


def test_a_sample_that_fails_again_adds_no_row(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    bad = made.broken(30)
    encode(bad, tmp_path / "s.zarr", config, HERE)
    report = encode(bad, tmp_path / "s.zarr", config, HERE)
    assert (report.failed, report.rows) == (1, 35)
    with open_store(tmp_path / "s.zarr") as opened:
        assert opened.n_rows == 36


def test_the_state_is_learned_from_training_rows_only(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "a.zarr", config, HERE)
    loud = made
    for index in range(24, 36):
        loud = loud.with_window(index, 100 * made.samples[index].raw)
    encode(loud, tmp_path / "b.zarr", config, HERE)
    with open_store(tmp_path / "a.zarr") as a, open_store(tmp_path / "b.zarr") as b:
        for name, array in a.state.items():
            np.testing.assert_array_equal(array, b.state[name])


def test_an_unusable_training_sample_does_not_spoil_the_start(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    for index in range(9):
        made = made.broken(index)
    report = encode(made, tmp_path / "s.zarr", config, HERE)
    assert (report.rows, report.failed) == (27, 9)


def test_a_diverged_fit_is_an_error_of_that_sample(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    wild = replace(config, fit=replace(config.fit, learning_rate=1e38), initialisation="random")
    report = encode(made, tmp_path / "s.zarr", wild, HERE)
    assert report.rows + report.failed == 36
    assert report.failed > 0
    assert "fit: the fit diverged at learning rate 1e+38" in report.failures[0][1]


def test_a_psnr_floor_marks_rows_but_keeps_them(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", replace(config, psnr_floor=90.0), HERE)
    assert (stored(tmp_path / "s.zarr").status == 2).all()


@pytest.mark.parametrize("on_change", ["error", "reencode", "keep"])
def test_changed_data_under_a_known_id(made: MadeSamples, config: FunctaConfig, tmp_path: Path, on_change: str) -> None:
    path = tmp_path / "s.zarr"
    encode(made, path, config, HERE)
    before = stored(path).functas[30]
    changed = made.with_window(30, made.samples[30].raw + 0.1)
    how = EncodeOptions(workers=1, on_change=on_change)  # type: ignore[arg-type]
    if on_change == "error":
        with pytest.raises(DataError, match=r"the data of 'w30' are not those that .* use --on-change reencode"):
            encode(changed, path, config, how)
    else:
        assert encode(changed, path, config, how).encoded == (on_change == "reencode")
    assert np.array_equal(stored(path).functas[30], before) == (on_change != "reencode")


def test_another_configuration_is_refused_by_name(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    encode(made, tmp_path / "s.zarr", config, HERE)
    with pytest.raises(StoreMismatchError, match=r"omegas.*60"):
        encode(made, tmp_path / "s.zarr", replace(config, omegas=(60.0, 1.0)), HERE)
    assert len(stored(tmp_path / "s.zarr")) == 36
    assert encode(made, tmp_path / "s.zarr", config, HERE).skipped == 36


def test_a_repeated_id_stops_before_anything_is_written(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    made.samples.append(made.samples[4])
    with pytest.raises(DataError, match=r"made: the ID 'w04' occurs more than once; every sample needs its own"):
        encode(made, tmp_path / "s.zarr", config, HERE)
    assert not (tmp_path / "s.zarr").exists()


def test_data_sets_without_samples_or_training_samples(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="made: no samples found"):
        encode(MadeSamples(), tmp_path / "s.zarr", config, HERE)
    with pytest.raises(DataError, match=r"no samples in split fold-1; got test, train.*--train-split"):
        encode(made, tmp_path / "s.zarr", config, replace(HERE, train_splits=("fold-1",)))
    for index in range(24):
        made = made.broken(index)
    with pytest.raises(DataError, match="none of 24 training samples can be used; the first: w00: OSError: disk"):
        encode(made, tmp_path / "s.zarr", config, HERE)


def test_options_out_of_range_are_named() -> None:
    with pytest.raises(ConfigError, match="limit is 0; expected 1 or more"):
        EncodeOptions(limit=0)
    with pytest.raises(ConfigError, match="on-change is 'ask'; expected error, reencode or keep"):
        EncodeOptions(on_change="ask")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="workers is 0; expected 1 to"), worker_pool(0):
        pass


@pytest.mark.parametrize("place", ["nowhere/s.zarr", "s"])
def test_a_store_that_cannot_be_made_is_refused_before_the_start_is_learned(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr("fusion.encoders.store_opening.learn_encoder", None)
    with pytest.raises(StoreError, match=r"does not exist\. Create it first|has suffix ''"):
        encode(made, tmp_path / place, config, EncodeOptions(workers=1))
