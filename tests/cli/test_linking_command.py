from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.running import ENCODE, Functa

from fusion.datasets.uci_har import UciHar


def test_link_tells_what_it_matched(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    other = tmp_path / "again.zarr"
    assert functa("store", "merge", har_store, "--out", other).code == 0
    out = tmp_path / "link.parquet"
    document = functa("link", har_store, other, "--on", "id", "--out", out, "--json").json
    assert document["rows"] == document["matched"] == 36
    assert document["left_over"] == {"har": 0, "again": 0}
    assert document["conflicts"] == 0
    assert out.exists()
    shown = functa("link", har_store, other, "--on", "label", "--out", tmp_path / "link.csv")
    assert "36 in all 2 stores" in shown.out
    assert "note: joined by label" in shown.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--on", "position"), 2, "on is 'position'; expected one of id, group, table, label"),
        (("--on", "label", "--labels", "nothing"), 2, "label map 'nothing' is neither a .csv nor a .toml file"),
    ],
)
def test_wrong_joins_are_one_line(
    functa: Functa, har_store: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    outcome = functa("link", har_store, f"b={har_store}", *arguments, "--out", tmp_path / "link.csv")
    assert outcome.code == code
    assert message in outcome.error_line()
    assert not (tmp_path / "link.csv").exists()


@pytest.fixture(scope="module")
def linked(functa: Functa, har: Path, har_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Link the windows with those of another encoder of the same data."""
    folder = tmp_path_factory.mktemp("linked")
    other = (*ENCODE[:-4], "--architecture", "siren-half", "--workers", "1")
    assert functa("encode", har, "--store", folder / "waves.zarr", *other).code == 0
    out = folder / "link.csv"
    assert functa("link", har_store, folder / "waves.zarr", "--on", "id", "--out", out).code == 0
    return out


def test_a_link_table_trains_evaluates_and_predicts(functa: Functa, har: Path, linked: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    quick = ("--fusion", "stacked", "--preset", "fast", "--rounds", 4, "--threads", 1)
    document = functa("train", linked, "--model", model, *quick, "--json").json
    assert document["fusion"] == "stacked"
    assert set(document["modalities"]) == {"har", "waves"}
    assert all({"accuracy", "accuracy_without"} <= set(figures) for figures in document["modalities"].values())
    assert functa("evaluate", model, linked, "--json").json["accuracy"] == document["accuracy"]
    moved = shutil.copytree(linked.parent / "waves.zarr", tmp_path / "moved.zarr")
    again = functa("evaluate", model, linked, "--store", f"waves={moved}", "--json")
    assert again.json["accuracy"] == document["accuracy"]
    assert functa("evaluate", model, linked, "--store", f"nope={moved}").code == 2
    window = next(sample.raw for sample in UciHar(har) if sample.id == "test-00011")
    np.savetxt(tmp_path / "new.csv", window, delimiter=",")
    (tmp_path / "bad.csv").write_text("no numbers\n")
    outcome = functa("predict", model, f"har={tmp_path / 'new.csv'}", "--json")
    (alone,) = outcome.json["predictions"]
    assert (outcome.code, list(alone["modalities"])) == (0, ["har"])
    outcome = functa("predict", model, f"har={tmp_path / 'new.csv'}", f"waves={tmp_path / 'bad.csv'}", "--json")
    (both,) = outcome.json["predictions"]
    assert outcome.code == 4
    assert both["label"] == alone["label"]
    assert both["error"].startswith("waves: read: ")
    assert "Write name=path" in functa("predict", model, tmp_path / "new.csv").error_line()


def test_training_prints_what_each_modality_is_worth(functa: Functa, linked: Path, tmp_path: Path) -> None:
    quick = ("--fusion", "late", "--preset", "fast", "--rounds", 2, "--threads", 1)
    shown = functa("train", linked, "--model", tmp_path / "m", *quick)
    assert shown.code == 0, shown.err
    assert "Modalities, late fusion" in shown.out
    assert "fusion without it" in shown.out
