from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.made_samples import MadeSamples, require_same_functas

from fusion.cluster.pool import ClusterError, dask_pool
from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions
from store import open_store

HERE = EncodeOptions(workers=1)


@pytest.fixture
def whole(made: MadeSamples, config: FunctaConfig, tmp_path: Path) -> Path:
    encode(made, tmp_path / "whole.zarr", config, HERE)
    return tmp_path / "whole.zarr"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as running:
        yield running


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_fills_the_same_store(
    cluster: Any, made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path
) -> None:
    report = encode(made, tmp_path / "s.zarr", config, pool=dask_pool(cluster.scheduler_address))
    assert (report.rows, report.failed) == (36, 0)
    require_same_functas(tmp_path / "s.zarr", whole)
    assert open_store(tmp_path / "s.zarr").header.block_rows == open_store(whole).header.block_rows


@pytest.mark.filterwarnings("ignore")
def test_a_lost_worker_loses_and_repeats_nothing(
    cluster: Any, made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("fusion.encoders.encoding._MAX_TASK", 2)
    killed: list[int] = []

    def kill_one(_what: str, done: int, _most: int) -> None:
        if done >= 4 and not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.pid)
            worker.process.process._process.kill()

    encode(made, tmp_path / "s.zarr", config, pool=dask_pool(cluster.scheduler_address), progress=kill_one)
    assert killed
    require_same_functas(tmp_path / "s.zarr", whole)


def test_a_scheduler_that_is_not_there_is_named() -> None:
    with (
        pytest.raises(ClusterError, match=r"no Dask cluster with a worker at tcp://127.0.0.1:1 within 1 s"),
        dask_pool("tcp://127.0.0.1:1", timeout=1.0),
    ):
        pass


@pytest.mark.filterwarnings("ignore")
def test_workers_write_the_parts_of_a_collection_themselves(
    cluster: Any, made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "s.functas"
    monkeypatch.setattr("fusion.encoders.encoding._Run._kept", None)  # no row comes here
    options = EncodeOptions(part_rows=9)
    report = encode(made, path, config, options, pool=dask_pool(cluster.scheduler_address))
    assert (report.rows, report.failed, report.encoded) == (36, 0, 36)
    require_same_functas(path, whole)
    assert open_store(path).finished
    again = encode(made.broken(3), path, config, options, pool=dask_pool(cluster.scheduler_address))
    assert (again.rows, again.encoded, again.skipped, again.spared, again.failed) == (36, 0, 35, 1, 0)


@pytest.mark.filterwarnings("ignore")
def test_a_lost_worker_that_writes_parts_loses_and_repeats_nothing(
    cluster: Any, made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path
) -> None:
    killed: list[int] = []

    def kill_one(_what: str, done: int, _most: int) -> None:
        if done >= 4 and not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.pid)
            worker.process.process._process.kill()

    path = tmp_path / "s.functas"
    encode(made, path, config, pool=dask_pool(cluster.scheduler_address), progress=kill_one)
    assert killed
    require_same_functas(path, whole)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_workers_that_come_when_there_is_work_fill_the_same_store(
    made: MadeSamples, config: FunctaConfig, tmp_path: Path, whole: Path
) -> None:
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None, silence_logs=50) as growing:
        growing.adapt(minimum=0, maximum=2, interval="100ms")
        with Client(growing, set_as_default=False) as client:
            report = encode(made, tmp_path / "s.functas", config, EncodeOptions(part_rows=4), pool=dask_pool(client))
    assert (report.rows, report.failed) == (36, 0)
    require_same_functas(tmp_path / "s.functas", whole)
