from __future__ import annotations

import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.running import ENCODE, Functa, flip_a_byte

from fusion.datasets.uci_har import UciHar
from store import open_store


def test_help_is_quick_and_loads_nothing_heavy(functa_process: Functa) -> None:
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome = functa_process("--help")
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert outcome.code == 0
    for command in ("demo", "encode", "decode", "train", "evaluate", "predict", "store"):
        assert command in outcome.out
    # Processor time, which a busy machine does not lengthen.
    assert end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime < 0.5


def test_importing_commands_and_library_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    heavy = ("tensorflow", "numba", "xgboost", "librosa", "sklearn", "pandas", "cv2", "matplotlib")
    code = f"import sys, fusion, cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]", done.stderr


def test_encode_prints_what_it_did(functa: Functa, functa_process: Functa, har: Path, tmp_path: Path) -> None:
    outcome = functa_process("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--json")
    report = outcome.json
    assert outcome.code == 0
    assert (report["rows"], report["failed"]) == (36, 0)
    assert report["store"] == str(tmp_path / "s.zarr")
    assert report["psnr_mean"] > 5
    assert 36 / report["samples_per_second"] <= report["seconds"]
    again = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE)
    assert "stored already" in again.out


def test_store_commands_show_what_is_inside(functa: Functa, har_store: Path) -> None:
    info = functa("store", "info", har_store, "--json").json
    assert (info["rows"], info["modality"], info["splits"]) == (36, "sensor", {"train": 24, "test": 12})
    assert info["classes"]["LAYING"] == 6
    listed = functa("store", "ls", har_store, "--split", "test", "--label", "SITTING", "--json").json
    assert [row["id"] for row in listed["rows"]] == ["test-00006", "test-00007"]
    assert functa("store", "verify", har_store, "--json").json["ok"]
    assert "WALKING_UPSTAIRS" in functa("store", "info", har_store).out


def test_train_then_evaluate_agree(functa: Functa, har_store: Path, har_model: Path) -> None:
    assert {path.name for path in har_model.iterdir()} >= {"model.json", "model.ubj", "arrays.npz", "metrics.json"}
    result = functa("evaluate", har_model, har_store, "--json").json
    assert result["rows_test"] == 12
    assert 1 / 6 < result["accuracy"] <= 1
    low, high = result["accuracy_interval"]
    assert low <= result["accuracy"] <= high
    assert "macro F1" in functa("evaluate", har_model, har_store).out


def test_decode_writes_a_table_and_a_picture(functa: Functa, har: Path, har_store: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "w.csv", tmp_path / "w.png"
    outcome = functa(
        *("decode", har_store, "test-00003", "--out", out, "--scale", 2),
        *("--compare", picture, "--source", har, "--json"),
    )
    assert outcome.code == 0
    assert outcome.json["shape"] == [256, 9]
    assert outcome.json["psnr_decoded"] == pytest.approx(outcome.json["psnr"], abs=0.1)
    assert out.read_text().startswith("time,body_acc_x,")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_predict_reads_new_files(functa: Functa, har: Path, har_model: Path, tmp_path: Path) -> None:
    window = next(sample.raw for sample in UciHar(har) if sample.id == "test-00011")
    np.savetxt(tmp_path / "new.csv", window, delimiter=",")
    outcome = functa("predict", har_model, tmp_path / "new.csv", "--json")
    (prediction,) = outcome.json["predictions"]
    assert outcome.code == 0
    assert prediction["label"] == "LAYING"
    assert sum(prediction["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    (tmp_path / "bad.csv").write_text("not,numbers\nat,all\n")
    outcome = functa("predict", har_model, tmp_path / "bad.csv", tmp_path / "new.csv", "--json")
    assert outcome.code == 4
    assert [p["label"] for p in outcome.json["predictions"]] == [None, "LAYING"]


def test_a_dry_run_counts_and_writes_nothing(functa: Functa, har: Path, tmp_path: Path) -> None:
    plan = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--dry-run", "--json").json
    assert (plan["samples"], plan["grid"], len(plan["channels"]), plan["groups"]) == (36, [128], 9, 4)
    assert plan["k"] == 2 * 64 + 65 * 32 + 33 * 9
    assert (plan["splits"], len(plan["classes"])) == ({"train": 24, "test": 12}, 6)
    assert plan["source_bytes"] == sum(path.stat().st_size for path in har.rglob("*") if path.is_file())
    assert 0 < plan["seconds"] < 60
    assert 1 <= plan["measured"] <= 24
    shown = functa("encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--dry-run").out
    assert "measured on" in shown
    assert "WALKING_UPSTAIRS" in shown
    assert not (tmp_path / "s.zarr").exists()


def test_a_configuration_file_sets_what_flags_do_not(functa: Functa, har: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('architecture = "siren-half"\nseed = 7\n[fit]\nsteps = 2\nlearning_rate = 0.01\n')
    outcome = functa(
        *("encode", har, "--store", tmp_path / "s.zarr", "--modality", "sensor", "--dataset", "uci-har"),
        *("--config", config, "--steps", 1, "--limit", 3, "--workers", 1),
    )
    assert outcome.code == 0, outcome.err
    encoder = functa("store", "info", tmp_path / "s.zarr", "--json").json["encoder"]
    assert (encoder["architecture"], encoder["seed"]) == ("siren-half", 7)
    assert (encoder["fit"]["steps"], encoder["fit"]["learning_rate"]) == (1, 0.01)


def test_a_store_is_compacted_merged_and_exported(functa: Functa, har: Path, har_store: Path, tmp_path: Path) -> None:
    halves = []
    for split in ("train", "test"):
        halves.append(tmp_path / f"{split}.zarr")
        assert functa("encode", har, "--store", halves[-1], *ENCODE, "--split", split).code == 0
    merged = functa("store", "merge", *halves, "--out", tmp_path / "both.h5", "--json")
    assert (merged.code, merged.json["rows"]) == (0, 36)
    assert functa("store", "compact", tmp_path / "both.h5", "--json").json["removed"] == 0
    exported = functa("store", "export", tmp_path / "both.h5", "--out", tmp_path / "both.npz", "--json")
    assert exported.json["rows"] == 36
    with np.load(tmp_path / "both.npz", allow_pickle=False) as arrays, open_store(har_store) as whole:
        order = np.argsort(arrays["ids"])
        np.testing.assert_allclose(arrays["functas"][order], whole.read(sorted(whole.ids)).functas, atol=1e-5)


def test_a_damaged_store_is_repaired_by_encoding_again(
    functa: Functa, har: Path, har_store: Path, tmp_path: Path
) -> None:
    store = Path(shutil.copytree(har_store, tmp_path / "s.zarr"))
    flip_a_byte(store)
    assert functa("store", "verify", store).code == 3
    lost = functa("store", "repair", store, "--json").json["lost_ids"]
    assert lost
    report = functa("encode", har, "--store", store, *ENCODE, "--json").json
    assert (report["rows"], report["encoded"]) == (36, len(lost))
    assert functa("store", "verify", store).code == 0
