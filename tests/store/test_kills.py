"""A process that does all that writes, killed without warning again and again: what it acknowledged is there."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from store import compact, convert, merge, open_store, repair, rows_equal
from store.testing import make_rows, new_store

IDS = [f"sample-{i}" for i in range(40)]
ACTIONS = ["append", "append", "delete", "compact", "repair", "merge", "convert", "column"]
Model = dict[str, int]


class Worker:
    """Does one thing after the other to a store, and says before and after each what it is.

    Parameters
    ----------
    path : Path
    rng : Generator
    told : int
        Descriptor that lines of JSON are written to.
    """

    def __init__(self, path: Path, rng: np.random.Generator, told: int, number: int) -> None:
        self.path, self.rng, self.told, self.number = path, rng, told, number

    def say(self, **event: Any) -> None:
        os.write(self.told, json.dumps(event).encode() + b"\n")

    def work(self) -> NoReturn:
        while True:
            self.number += 1
            what = str(
                self.rng.choice(["append", "append", "delete", "compact", "repair", "merge", "convert", "column"])
            )
            ids = self.rng.choice(IDS, int(self.rng.integers(1, 12)), replace=False).tolist()
            if what == "delete":
                with open_store(self.path) as store:
                    ids = [name for name in ids if name in store.known()]
            self.say(begin=what, ids=ids, number=self.number)
            getattr(self, what)(ids)
            self.say(end=what)

    def append(self, ids: list[str]) -> None:
        with open_store(self.path, "a") as store:
            store.append(make_rows(ids, seed=self.number))

    def delete(self, ids: list[str]) -> None:
        with open_store(self.path, "a") as store:
            store.delete(ids)

    def column(self, _: list[str]) -> None:
        with open_store(self.path, "a") as store:
            if len(store.info()["extra"]) < 5:
                there = ["sample-1"] if "sample-1" in store else []
                store.add_column(f"column-{self.number}", dict.fromkeys(there, self.number), kind="integer")

    def compact(self, _: list[str]) -> None:
        compact(self.path)

    def repair(self, _: list[str]) -> None:
        assert repair(self.path).problems == []

    def merge(self, _: list[str]) -> None:
        merge([self.path], self.path.with_name(f"merged-{self.number}{self.path.suffix}"))

    def convert(self, _: list[str]) -> None:
        other = ".h5" if self.path.suffix == ".zarr" else ".zarr"
        convert(self.path, self.path.with_name(f"converted-{self.number}{other}"))


def run_and_kill(path: Path, seed: int, number: int, seconds: float) -> list[dict[str, Any]]:
    """Let a process work for a while, kill it, and return what it said."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            Worker(path, np.random.default_rng(seed), theirs, number).work()
        except BaseException as error:  # noqa: BLE001 - a forked test must never return
            os.write(theirs, json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        finally:
            os._exit(1)
    os.close(theirs)
    said, deadline = b"", time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and select.select([ours], [], [], left)[0]:
        said += os.read(ours, 65536) or b""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(ours, 65536):
        said += part
    os.close(ours)
    return [json.loads(line) for line in said.splitlines()]


def applied(model: Model, event: dict[str, Any]) -> Model:
    ids, number = event["ids"], event["number"]
    if event["begin"] == "append":
        return model | dict.fromkeys(ids, number)
    if event["begin"] == "delete":
        return {name: seed for name, seed in model.items() if name not in ids}
    return model


def require(path: Path, states: list[Model], event: dict[str, Any] | None) -> Model:
    """See that a store holds one of these states, or what is between them; return what it holds."""
    store = open_store(path)
    report = store.verify()
    assert report.ok, report.problems
    found, rows = {}, store.read()
    for i, name in enumerate(rows.ids):
        seeds = {state[name] for state in states if name in state}
        matching = [seed for seed in seeds if rows_equal(plain(rows, i), row_of(name, seed, event))]
        assert matching, name
        found[name] = matching[0]
    for name in IDS:
        if name not in found:
            assert any(name not in state for state in states), name
    return found


CACHE: dict[tuple[str, int], Any] = {}


def row_of(name: str, seed: int, event: dict[str, Any] | None) -> Any:
    if event is not None and event["number"] == seed:
        remember(event)
    return CACHE[name, seed]


def remember(event: dict[str, Any]) -> None:
    if event["begin"] == "append":
        rows = make_rows(event["ids"], seed=event["number"])
        CACHE.update({(name, event["number"]): rows.take([i]) for i, name in enumerate(rows.ids)})


def plain(rows: Any, i: int) -> Any:
    row = rows.take([i])
    row.extra.clear()
    return row


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
@pytest.mark.parametrize("kills", [6, pytest.param(250, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_a_killed_process_loses_nothing_whatever_it_was_doing(fast_folder: Path, suffix: str, kills: int) -> None:
    rng, path = np.random.default_rng(kills), fast_folder / f"store{suffix}"
    new_store(path, block_rows=4).close()
    model: Model = {}
    number, killed_in = 0, Counter[str]()
    for seed in range(kills):
        events = run_and_kill(path, seed, number, float(rng.uniform(0.02, 0.4)))
        assert not any("failed" in event for event in events), events[-1]
        doing = None
        for event in events:
            if "begin" in event:
                doing, number = event, event["number"]
                remember(event)
            else:
                require_target(path, doing, model)
                model, doing = applied(model, doing or {}), None
        killed_in[doing["begin"] if doing else "nothing"] += 1
        states = [model] if doing is None else [model, applied(model, doing)]
        if doing is not None:
            require_target(path, doing, model, maybe=True)
        model = require(path, states, doing)
        for entry in fast_folder.glob("*-*"):
            remove(entry)
    assert killed_in.total() == kills
    if kills > 100:
        assert len(killed_in) >= 7


def require_target(path: Path, event: dict[str, Any] | None, model: Model, *, maybe: bool = False) -> None:
    """See that what merge or convert made is whole: it is there, or, where that was interrupted, not at all."""
    assert event is not None
    other = ".h5" if path.suffix == ".zarr" else ".zarr"
    names = {"merge": f"merged-{event['number']}{path.suffix}", "convert": f"converted-{event['number']}{other}"}
    if event["begin"] in names:
        target = path.with_name(names[event["begin"]])
        assert maybe or target.exists()
        if target.exists():
            assert set(require(target, [model], None)) == set(model)


def remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
