"""The state machine of store.testing over both formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from store.testing.machine import StoreMachine


class ZarrMachine(StoreMachine):
    suffix = ".zarr"


class Hdf5Machine(StoreMachine):
    suffix = ".h5"


@pytest.fixture(autouse=True)
def _in_memory(fast_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tempfile.tempdir", str(fast_folder))
    monkeypatch.setattr("store.writer.COMMIT_SHARE", 0)
    return


@pytest.mark.parametrize("examples", [20, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])])
@pytest.mark.parametrize("machine", [ZarrMachine, Hdf5Machine])
def test_the_store_follows_a_dictionary(machine: type[StoreMachine], examples: int) -> None:
    quick = examples <= 20
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            derandomize=quick,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
