from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pytest
from helpers.pool_tasks import failing, killed, square

from fusion.encoders.pool import WorkerError, available_workers, worker_pool
from fusion.errors import ConfigError


def test_one_worker_is_this_process() -> None:
    with worker_pool(1) as mapper:
        assert [pid for _, pid, _ in mapper(square, range(3))] == [os.getpid()] * 3


def test_workers_give_results_in_order_with_one_thread_each() -> None:
    with worker_pool(2) as mapper:
        found = list(mapper(square, range(20)))
    assert [value for value, _, _ in found] == [number**2 for number in range(20)]
    assert os.getpid() not in {pid for _, pid, _ in found}
    assert {threads for _, _, threads in found} == {"1"}


def test_an_error_of_a_task_comes_through_and_a_killed_worker_is_told() -> None:
    with worker_pool(2) as mapper, pytest.raises(ValueError, match="task 0"):
        list(mapper(failing, range(4)))
    with worker_pool(2) as mapper, pytest.raises(WorkerError, match=r"a worker process was killed.*fewer workers"):
        list(mapper(killed, range(4)))


def test_tasks_are_taken_when_there_is_room_for_them() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    with worker_pool(2) as mapper:
        results = mapper(square, endless())
        for done in range(1, 4):
            next(results)
            assert len(taken) <= done + 2 * 2


def test_no_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match="workers is 0; expected 1 to"), worker_pool(0):
        pass
    assert available_workers() >= 1
