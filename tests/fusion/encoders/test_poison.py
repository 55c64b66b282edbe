"""A sample that ends whatever process reads it: one failed row, and all others are fitted."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers.made_samples import MadeSamples

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions
from fusion.encoders.pool import Rescue, WorkerError, available_workers, worker_pool
from fusion.errors import ConfigError
from store import open_store


def deadly(parent: int) -> np.ndarray:
    """Kill the process that reads this, unless that is the one that runs the tests."""
    if os.getpid() == parent:
        raise RuntimeError("read where it must not be")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def double(number: int) -> int:
    """Double a number; one below 0 is a process that must not read it."""
    if number < 0:
        deadly(-number)
    return 2 * number


def total(numbers: list[int]) -> list[int]:
    return [double(number) for number in numbers]


def test_a_poison_sample_is_a_failed_row_and_the_others_are_fitted(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    samples = list(made.samples)
    samples[30] = replace(samples[30], load=partial(deadly, os.getpid()))
    report = encode(MadeSamples(samples), tmp_path / "s.zarr", config, EncodeOptions(workers=2))
    assert (report.rows, report.failed) == (35, 1)
    (name, reason) = report.failures[0]
    assert name == "w30"
    assert reason.startswith("worker: the process that read and fitted it was killed or crashed")
    with open_store(tmp_path / "s.zarr") as store:
        assert store.verify().ok
        assert store.finished


@pytest.mark.slow
def test_a_poison_sample_among_those_that_are_learned_from(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path
) -> None:
    samples = list(made.samples)
    samples[5] = replace(samples[5], load=partial(deadly, os.getpid()))
    report = encode(
        MadeSamples(samples), tmp_path / "s.zarr", replace(config, initialisation="random"), EncodeOptions(workers=2)
    )
    assert (report.rows, report.failed) == (35, 1)


@pytest.mark.slow
def test_only_the_part_that_ends_its_worker_is_lost() -> None:
    rescue = Rescue(lambda task: [[number] for number in task], lambda task, _: [f"lost {task}"])
    with worker_pool(2) as mapper:
        poison = -os.getpid()
        found = list(mapper(total, [[1, 2], [3, poison, 5], [6]], rescue))
        assert [number for part in found for number in part] == [2, 4, 6, f"lost [{poison}]", 10, 12]
        assert list(mapper(total, [[7]], rescue)) == [[14]]


@pytest.mark.slow
def test_without_parts_it_is_one_line() -> None:
    with worker_pool(2) as mapper, pytest.raises(WorkerError, match="a worker process was killed"):
        list(mapper(double, [1, -os.getpid()]))


@pytest.mark.parametrize("workers", [0, -1, 5000])
def test_a_number_of_workers_that_is_none(workers: int) -> None:
    with pytest.raises(ConfigError, match=rf"workers is {workers}; expected 1 to \d+, as this machine has \d+ cores"):
        worker_pool(workers).__enter__()


def test_the_share_of_a_container_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert available_workers() == 1
