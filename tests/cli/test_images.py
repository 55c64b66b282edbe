from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.image_files import broken_files, picture, unusual_files, write_picture
from helpers.running import Functa
from PIL import Image

from store import open_store

ENCODE = ("--modality", "image", "--size", "12x10", "--architecture", "paper-half", "--steps", "2", "--workers", "1")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(8):
        write_picture(folder / "train" / "plain" / f"{number}.png", seed=number)
    (folder / "test" / "odd").mkdir(parents=True)
    (folder / "test" / "bad").mkdir()
    return folder


def test_each_file_gives_a_functa_or_a_reason_and_none_stops_the_run(
    functa: Functa, corpus: Path, tmp_path: Path
) -> None:
    unusual = unusual_files(corpus / "test" / "odd")
    broken = broken_files(corpus / "test" / "bad")
    outcome = functa("encode", corpus, "--store", tmp_path / "s.zarr", *ENCODE, "--json")
    assert outcome.code == 4
    assert outcome.err.strip() == ""
    assert (outcome.json["rows"], outcome.json["failed"]) == (8 + len(unusual), len(broken))
    with open_store(tmp_path / "s.zarr") as opened:
        reasons = {sample_id: f"{stage}: {reason}" for sample_id, stage, reason in opened.failed()}
        assert set(opened.ids) >= {f"test/odd/{name}" for name in unusual}
    assert set(reasons) == {f"test/bad/{name}" for name in broken}
    for name, reason in broken.items():
        assert reasons[f"test/bad/{name}"].startswith(reason)
    shutil.rmtree(corpus / "test" / "bad" / "folder.png")
    for name in ("empty.png", "folder.png"):
        write_picture(corpus / "test" / "bad" / name)
    again = functa("encode", corpus, "--store", tmp_path / "s.zarr", *ENCODE, "--retry-failed", "--json")
    assert (again.code, again.json["encoded"], again.json["failed"]) == (4, 2, len(broken) - 2)


def test_an_image_is_decoded_at_any_resolution_beside_its_original(
    functa: Functa, corpus: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.h5"
    train = (
        "--split",
        "train",
        "--initialisation",
        "random",
        "--initialiser",
        "siren",
        "--schedule",
        "cosine",
        "--learning-rate",
        "0.01",
    )
    settings = (*ENCODE, *train, "--omegas", "30,10", "--steps", "150")
    assert functa("encode", corpus, "--store", store, *settings).code == 0
    out, both = tmp_path / "o.png", tmp_path / "both.png"
    outcome = functa(
        *("decode", store, "train/plain/3.png", "--out", out, "--scale", 4),
        *("--compare", both, "--source", corpus, "--json"),
    )
    assert outcome.code == 0, outcome.err
    assert outcome.json["shape"] == [48, 40, 3]
    assert outcome.json["psnr"] > 40
    assert outcome.json["psnr_decoded"] == pytest.approx(outcome.json["psnr"], abs=0.1)
    with Image.open(out) as image:
        large = np.asarray(image)
    corners = large[::47, ::39].astype(int) - picture(seed=3)[::11, ::9]
    assert np.abs(corners).max() < 12
    assert both.read_bytes().startswith(b"\x89PNG")


def test_a_dry_run_says_what_is_left_out_and_how_it_is_split(functa: Functa, tmp_path: Path) -> None:
    for label in ("a", "b"):
        for number in range(10):
            write_picture(tmp_path / "data" / label / f"{number}.png", seed=number)
    (tmp_path / "data" / "a" / "readme.txt").touch()
    arguments = ("encode", tmp_path / "data", "--store", tmp_path / "s.zarr", "--modality", "image", "--dry-run")
    plan = functa(*arguments, "--json").json
    assert (plan["samples"], plan["grid"], plan["channels"]) == (20, [12, 10], ["red", "green", "blue"])
    assert plan["classes"] == {"a": 10, "b": 10}
    left_out, split = plan["notes"]
    assert left_out == "files left out: 1 of other kinds"
    assert split.endswith("a hash of names (seed 42) gave 6 of 20 files, 30% of the samples")
    assert "20% of the files asked for as test" in functa(*arguments).out


def test_mirrored_copies_are_asked_for_by_name(functa: Functa, tmp_path: Path) -> None:
    for number in range(12):
        write_picture(tmp_path / "pictures" / f"class-{number % 2}" / f"{number}.png", seed=number)
    local = ("encode", tmp_path / "pictures", "--modality", "image", "--size", "12x12", "--workers", "1")
    flipped = functa(*local, "--encoder", "local", "--augment", "flip", "--store", tmp_path / "f.zarr", "--json")
    assert flipped.code == 0
    with open_store(tmp_path / "f.zarr") as opened:
        assert opened.header.encoder["mirrored"] == [1]
    for wrong in (("--augment", "flip"), ("--encoder", "local", "--augment", "turn")):
        refused = functa(*local, *wrong, "--store", tmp_path / "no.zarr")
        assert refused.code == 2
        assert "expected flip, from left to right, of image or video, and --encoder local" in refused.error_line()
