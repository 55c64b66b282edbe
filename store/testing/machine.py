"""A state machine: whatever is done to a store, in whatever order, it says the same as a dictionary."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from store import files
from store.collection.mending import repair
from store.functa_store import FunctaStore
from store.maintenance import compact
from store.opening import open_store
from store.rows import Rows, Status, rows_equal
from store.testing.contract import K, make_rows, new_store
from store.testing.faults import Crash, CrashingFileSystem

# ruff: noqa: D102, S101 - rules say what they do by their names

IDS = st.sampled_from([f"id-{i}" for i in range(8)])
BATCHES = st.lists(IDS, min_size=0, max_size=7)

Model = dict[str, Rows]


class StoreMachine(RuleBasedStateMachine):
    """Appends, replaces, deletes, commits, crashes, reopens, compacts and reads; set ``suffix`` in a subclass.

    Notes
    -----
    Put ``store.writer.COMMIT_SHARE`` to 0, so that when a block is committed does not depend on the clock.
    """

    suffix: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / f"store{self.suffix}"
        self.committed: Model = {}
        self.pending: Model = {}
        self.seed = 0
        self.store: FunctaStore | None = None

    @initialize(block_rows=st.integers(1, 5))
    def create(self, block_rows: int) -> None:
        self.store = new_store(self.path, block_rows=block_rows)

    def teardown(self) -> None:
        if self.store is not None:
            self.store.__exit__(Crash, None, None)
        shutil.rmtree(self.folder)

    @precondition(lambda self: self.store is not None)
    @rule(ids=BATCHES)
    def append(self, ids: list[str]) -> None:
        self.seed += 1
        rows = make_rows(ids, seed=self.seed)
        self._store().append(rows)
        self.pending |= {name: rows.take([i]) for i, name in enumerate(ids)}
        self._note_automatic_commit()

    @precondition(lambda self: self.store is not None)
    @rule(name=IDS)
    def fail(self, name: str) -> None:
        row = Rows.failed(name, "fit", "diverged", K)
        self._store().append(row)
        self.pending[name] = row
        self._note_automatic_commit()

    @precondition(lambda self: self.store is not None and self.pending)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.pending)))
        self._store().delete([name])
        del self.pending[name]
        self._note_automatic_commit()

    @precondition(lambda self: self.store is not None)
    @rule()
    def commit(self) -> None:
        self._store().commit()
        self.committed = dict(self.pending)

    @precondition(lambda self: self.store is not None)
    @rule()
    def close(self) -> None:
        self._store().close()
        self.committed, self.store = dict(self.pending), None

    @precondition(lambda self: self.store is not None)
    @rule(operations=st.integers(0, 40))
    def crash_while_committing(self, operations: int) -> None:
        store, working = self._store(), files.system
        files.system = CrashingFileSystem(operations)
        try:
            store.commit()
            self.committed = dict(self.pending)
        except Crash:
            store.__exit__(Crash, None, None)
            self.store = None
        finally:
            files.system = working
        if self.store is None:
            self._accept_either()

    @precondition(lambda self: self.store is None)
    @rule()
    def reopen(self) -> None:
        self.store = open_store(self.path, "a")

    @precondition(lambda self: self.store is None)
    @rule()
    def compact(self) -> None:
        compact(self.path)
        assert open_store(self.path).n_rows == len(self.committed)

    @precondition(lambda self: self.store is None)
    @rule(operations=st.integers(0, 150))
    def crash_while_compacting(self, operations: int) -> None:
        working, files.system = files.system, CrashingFileSystem(operations)
        try:
            compact(self.path)
        except Crash:
            pass
        finally:
            files.system = working

    @precondition(lambda self: self.store is None)
    @rule()
    def repair(self) -> None:
        assert repair(self.path).problems == []

    @invariant()
    def a_reader_sees_what_was_committed(self) -> None:
        if (self.path.parent / self.path.name).exists():
            with open_store(self.path) as reader:
                self._check(reader, self.committed)

    @invariant()
    def the_writer_knows_what_is_pending(self) -> None:
        if self.store is not None:
            expected = {name: (int(row.status[0]), row.source_hash[0].tobytes()) for name, row in self.pending.items()}
            assert self.store.known() == expected

    def _store(self) -> FunctaStore:
        assert self.store is not None
        return self.store

    def _note_automatic_commit(self) -> None:
        """Take over what the store committed by itself: it may be only the first rows of what was appended."""
        with open_store(self.path) as reader:
            self.committed = _model(reader)
        assert self.committed.keys() <= {f"id-{i}" for i in range(8)}

    def _accept_either(self) -> None:
        """After a crash in a commit, the store is as before it or as after it."""
        with open_store(self.path) as reader:
            found = _model(reader)
        before, after = _same(found, self.committed), _same(found, self.pending)
        assert before or after
        self.committed = found
        self.pending = dict(found)

    def _check(self, reader: FunctaStore, model: Model) -> None:
        usable = {name for name, row in model.items() if row.status[0] != Status.FAILED}
        assert set(reader.ids) == usable
        assert len(reader) == len(usable)
        assert {name for name, _, _ in reader.failed()} == model.keys() - usable
        for name in usable:
            assert rows_equal(reader.get(name), model[name])


def _model(reader: FunctaStore) -> Model:
    failed = {name: Rows.failed(name, stage, reason, K) for name, stage, reason in reader.failed()}
    return failed | {name: reader.get(name) for name in reader.ids}


def _same(left: Model, right: Model) -> bool:
    return left.keys() == right.keys() and all(rows_equal(left[name], right[name]) for name in left)
