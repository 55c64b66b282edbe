from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.running import Functa

from fusion.inr.engine import use_device


@pytest.fixture(autouse=True)
def _no_device_kept() -> Iterator[None]:
    yield
    use_device("auto")


@pytest.fixture(autouse=True)
def _no_device_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from fusion.inr import cuda_engine
    from fusion.inr.cuda.errors import CudaUnavailableError

    def absent(number: int) -> None:
        raise CudaUnavailableError("no CUDA driver that works: none is installed")

    monkeypatch.setattr(cuda_engine, "require", absent)


COMMANDS = (
    ("encode", "nowhere", "--store", "s.zarr", "--modality", "image"),
    ("decode", "s.zarr", "a", "--out", "a.png"),
    ("train", "s.zarr", "--model", "m"),
    ("bench", "fit"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_device_of_another_name_is_a_usage_error(functa: Functa, command: tuple[str, ...]) -> None:
    outcome = functa(*command, "--device", "gpu")
    assert outcome.code == 2
    assert "device 'gpu'; expected auto, cpu, cuda, or one of several such as cuda:1" in outcome.error_line()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_device_that_is_not_there_is_named(functa: Functa, command: tuple[str, ...]) -> None:
    outcome = functa(*command, "--device", "cuda")
    assert outcome.code == 1
    assert "no CUDA driver that works: none is installed" in outcome.error_line()


def test_training_on_the_processor_is_the_same_by_name(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    quick = ("--preset", "fast", "--rounds", 2, "--threads", 1, "--json")
    named = functa("train", har_store, "--model", tmp_path / "a", "--device", "cpu", *quick).json
    assert named["accuracy"] == functa("train", har_store, "--model", tmp_path / "b", *quick).json["accuracy"]
