from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.har_files import write_har
from helpers.image_files import write_picture

from store import open_store

EXAMPLES = Path(__file__).parents[1] / "examples"


def run_example(name: str, *arguments: str, cwd: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "2", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert [*cwd.glob("*.png"), *cwd.glob("here/*.png")], "each example saves a picture"
    return done.stdout


def test_har_then_its_store(tmp_path: Path) -> None:
    out = run_example("har.py", str(write_har(tmp_path)), cwd=tmp_path)
    assert "36 functas" in out
    assert "on 12 windows of other people" in out
    out = run_example("read_store.py", "har.zarr", cwd=tmp_path)
    assert "36 functas of 9097 weights" in out
    assert (tmp_path / "decoded.csv").read_text().count("\n") == 257


@pytest.mark.slow
def test_a_cluster_on_loopback_whose_client_is_told_counts_only(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    source, told = write_har(tmp_path, per_class=40), {}
    for architecture in ("paper", "paper-half"):
        store = tmp_path / f"{architecture}.functas"
        command = [sys.executable, EXAMPLES / "cluster" / "encode_on_loopback.py", source, store, "--workers", "2"]
        options = ["--dataset", "uci-har", "--modality", "sensor", "--architecture", architecture]
        options += ["--initialisation", "random"]  # a start that is learned travels, once
        environment = os.environ | {"PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "1"}
        done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        assert len(open_store(store)) == 252
        told[architecture] = int(re.findall(r"(\d+) kB between client and scheduler", done.stdout)[0])
    assert max(told.values()) < 1.3 * min(told.values()), "functas of half the size, and the same traffic"
    assert max(told.values()) < 500, "less than the windows have, 4.6 kB each"


def test_scikit_learn(tmp_path: Path) -> None:
    assert "two people the model has not met" in run_example("scikit_learn.py", cwd=tmp_path)


@pytest.mark.slow
def test_multimodal(tmp_path: Path) -> None:
    out = run_example("multimodal.py", "here", cwd=tmp_path)
    assert "matched    108 in all 2 stores" in out
    assert all(f"{kind} fusion: accuracy 0." in out for kind in ("early", "late", "stacked"))
    assert (tmp_path / "here" / "model-late" / "predictions.parquet").exists()
    assert out.splitlines()[-1] == str(Path("here", "model-stacked", "report.html"))
    assert (tmp_path / "here" / "model-stacked" / "report.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.slow
def test_from_memory(tmp_path: Path) -> None:
    out = run_example("from_memory.py", "here", cwd=tmp_path)
    assert "windows of people the model has not met" in out
    assert "age: " in out


@pytest.mark.slow
def test_local_images(tmp_path: Path) -> None:
    for number in range(20):
        split = "train" if number < 12 else "test"
        write_picture(tmp_path / "photos" / split / ("cat", "dog")[number % 2] / f"{number}.png", seed=number)
    (tmp_path / "photos" / "test" / "dog" / "broken.png").write_bytes(b"no picture")
    out = run_example("local_images.py", "photos", "photos/test/cat/12.png", cwd=tmp_path)
    assert "20 pictures, 1 that cannot be used" in out
    assert "test/dog/broken.png: " in out
    assert "on 8 pictures held out" in out
    assert "photos/test/cat/12.png: " in out


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_examples_are_short_and_described(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""')
    assert len(text.splitlines()) < 40
