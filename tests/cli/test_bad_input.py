from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.har_files import write_har
from helpers.running import ENCODE, Functa, flip_a_byte


def copied(har: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(har, tmp_path / "copy"))


def test_a_missing_source(functa_process: Functa, tmp_path: Path) -> None:
    outcome = functa_process("encode", tmp_path / "nowhere", "--store", tmp_path / "s.zarr", *ENCODE)
    assert outcome.code == 1
    assert "nowhere does not exist; expected the folder 'UCI HAR Dataset'" in outcome.error_line()


def test_an_empty_folder(functa: Functa, tmp_path: Path) -> None:
    outcome = functa("encode", tmp_path, "--store", tmp_path / "s.zarr", *ENCODE)
    assert outcome.code == 1
    assert "is not UCI-HAR: an empty folder" in outcome.error_line()


def test_a_truncated_file_keeps_what_is_stored(functa: Functa, har: Path, har_store: Path, tmp_path: Path) -> None:
    source, store = copied(har, tmp_path), Path(shutil.copytree(har_store, tmp_path / "s.zarr"))
    signal = source / "test" / "Inertial Signals" / "body_acc_x_test.txt"
    signal.write_text(signal.read_text()[:5000])
    outcome = functa("encode", source, "--store", store, *ENCODE)
    assert outcome.code == 1
    assert "body_acc_x_test.txt" in outcome.error_line()
    assert functa("store", "verify", store, "--json").json["rows"] == 36


def test_nan_becomes_a_failed_sample_and_exit_code_4(functa: Functa, har: Path, tmp_path: Path) -> None:
    source = copied(har, tmp_path)
    signal = source / "test" / "Inertial Signals" / "body_acc_x_test.txt"
    lines = signal.read_text().splitlines()
    signal.write_text("\n".join(["nan " + lines[0].split(maxsplit=1)[1], *lines[1:]]))
    outcome = functa("encode", source, "--store", tmp_path / "s.zarr", *ENCODE, "--json")
    assert outcome.code == 4
    assert (outcome.json["rows"], outcome.json["failed"]) == (35, 1)
    assert outcome.json["failures"] == [["test-00000", "prepare: nan at reading 0, channel 0; expected finite numbers"]]
    outcome = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--retry-failed", "--json")
    assert (outcome.code, outcome.json["encoded"], outcome.json["rows"]) == (0, 1, 36)


def test_another_configuration(functa: Functa, har: Path, har_store: Path) -> None:
    outcome = functa("encode", har, "--store", har_store, *ENCODE, "--steps", 11)
    assert outcome.code == 1
    assert "steps" in outcome.error_line()
    assert "11" in outcome.error_line()


def test_no_space_left(functa: Functa, functa_process: Functa, har: Path, tmp_path: Path) -> None:
    import resource

    def small_files() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    outcome = functa_process("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, preexec_fn=small_files)
    assert outcome.code == 1
    outcome.error_line()
    outcome = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--json")
    assert (outcome.code, outcome.json["rows"]) == (0, 36)


def test_a_store_that_is_none(functa: Functa, tmp_path: Path) -> None:
    (tmp_path / "x.zarr").mkdir()
    for command in (("store", "info"), ("train",)):
        more = ("--model", tmp_path / "m") if command == ("train",) else ()
        outcome = functa(*command, tmp_path / "x.zarr", *more)
        assert outcome.code in (1, 3)
        assert "x.zarr" in outcome.error_line()
    assert not (tmp_path / "m").exists()


def test_a_flipped_byte_is_found_and_named(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(har_store, tmp_path / "s.zarr"))
    flip_a_byte(store)
    outcome = functa("store", "verify", store, "--json")
    assert outcome.code == 3
    assert not outcome.json["ok"]
    assert functa("train", store, "--model", tmp_path / "m").code == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("encode", "x", "--store", "s.zarr", "--modality", "sensor", "--dataset", "har"),
            "data set 'har' is not known",
        ),
        (
            ("encode", "x", "--store", "s.zarr", "--modality", "image", "--dataset", "uci-har"),
            "holds sensor samples, not image",
        ),
        (("encode", "x"), "--store"),
        (("encode", "x", "--limit", "0"), "--limit"),
        (("decode", "s.zarr", "id", "--out", "o.csv", "--compare", "c.png"), "--source"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_usage_is_exit_code_2(functa: Functa, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = functa(*arguments, cwd=tmp_path)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_an_unknown_id_and_an_unknown_suffix(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    outcome = functa("decode", har_store, "nobody", "--out", tmp_path / "o.csv")
    assert outcome.code == 1
    assert "'nobody'" in outcome.error_line()
    outcome = functa("decode", har_store, "test-00000", "--out", tmp_path / "o.wav")
    assert "cannot write a sensor window as .wav; expected .csv" in outcome.error_line()


def test_a_model_of_another_encoder(functa: Functa, har_model: Path, tmp_path: Path) -> None:
    other = write_har(tmp_path / "other")
    store = tmp_path / "s.zarr"
    assert functa("encode", other, "--store", store, *ENCODE, "--steps", 3).code == 0
    outcome = functa("evaluate", har_model, store)
    assert outcome.code == 1
    assert "steps" in outcome.error_line()


def test_a_folder_that_is_no_model(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("mine")
    outcome = functa("train", har_store, "--model", tmp_path)
    assert outcome.code == 1
    assert outcome.error_line()
    assert (tmp_path / "keep.txt").read_text() == "mine"
    assert functa("evaluate", tmp_path, har_store).code == 1


def test_a_reader_option_given_twice_is_refused(functa: Functa, har: Path, tmp_path: Path) -> None:
    twice = ("--reader", "seed=1", "--reader", "seed=2")
    outcome = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, *twice)
    assert outcome.code == 2
    assert "--reader seed is given twice, as 1 and 2" in outcome.error_line()


def test_a_dry_run_finds_that_the_store_to_be_like_is_gone(functa: Functa, har: Path, tmp_path: Path) -> None:
    like = ("--like", tmp_path / "gone.zarr", "--dry-run")
    outcome = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, *like)
    assert outcome.code == 1
    assert "there is no store at" in outcome.error_line()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = -1", "seed is -1; expected 0 to 2^63 - 1"),
        ("kind = 'local'\nseed = -1", "seed is -1; expected 0 to 2^63 - 1"),
        ("[fit]\nsteps = 99999999999999999999", "steps is 99999999999999999999; expected 0 to 10,000,000"),
        ("[fit]\nseed = -1", "seed is -1; expected 0 or more"),
        ("when = 1979-05-27", "no plain value; expected numbers, text and lists"),
    ],
)
def test_values_out_of_range_in_toml_are_refused(
    functa: Functa, har: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "c.toml").write_text(text)
    config = ("--modality", "sensor", "--dataset", "uci-har", "--config", tmp_path / "c.toml", "--dry-run")
    outcome = functa("encode", har, "--store", tmp_path / "s.zarr", *config)
    assert outcome.code == 2
    assert message in outcome.error_line()
