"""An adversary: seeded attacks on the files of a store, and what must hold whatever it did.

It knows the format. It swaps sound chunks, puts back older files, mixes in those of another store, plants links, pipes
and stale journals, and writes what it likes into header and commit, with every checksum made right.
"""

# ruff: noqa: S101 - what must hold is asserted
from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from store import files
from store.collection.mending import repair
from store.errors import FusionError, StoreWarning
from store.functa_store import FunctaStore
from store.journal import journal_path
from store.maintenance import compact
from store.opening import open_store
from store.rows import Rows, rows_equal
from store.testing.contract import K, make_rows, new_store, numbered
from store.testing.faults import Crash, CrashingFileSystem
from store.testing.forgery import BASE_COLUMNS, forge, swap_chunks, tree

_STATES = 6
_VALUES: list[Any] = [
    None, -1, 0, 1, 7, 255, 256, 10**12, 2**53, 2**63, 10**40, 0.5, True, "", "a", "../../victim", "\0", [], ["a", "a"],
    [[]], {}, {"a": {"kind": "text", "path": "../../victim"}}, {"start": {"dtype": "O", "shape": [10**12]}}, ["\ud800"],
]  # fmt: skip


class Adversary:
    """Attacks stores of one format, each time a fresh copy of the same one.

    Parameters
    ----------
    folder : Path
        Empty, and best in memory.
    suffix : str
        Of the format: ``".zarr"`` or ``".h5"``.
    """

    def __init__(self, folder: Path, suffix: str) -> None:
        self.name = f"store{suffix}"
        self._base, self._run = folder / "base", folder / "run"
        self._history: dict[str, list[Rows]] = {}
        self._older_is_sound = False
        self._make_states()
        self._make_other()
        self._states = [self._rows_of(str(number)) for number in range(_STATES)]
        self._truth = self._states[-1]
        for name in ("zarr.json", "c.0", "c.1", "notes.txt", "half.partial"):
            (self._base / "victim" / name).parent.mkdir(exist_ok=True)
            (self._base / "victim" / name).write_text(f"mine: {name}")

    def _make_states(self) -> None:
        """Write a store in several commits and keep a copy of each state."""
        for number in range(_STATES):
            here = self._base / str(number)
            if number:
                shutil.copytree(self._base / str(number - 1), here)
            else:
                here.mkdir(parents=True)
                new_store(here / self.name).close()
            fresh = numbered(5 * number, 5 * number + 5) + ([f"sample-{number - 1}"] if number else [])
            rows = make_rows(fresh, seed=number)
            with open_store(here / self.name, "a") as store:
                store.append(rows)
                store.append(Rows.failed(f"broken-{number}", "read", "no such file", K))
                if number == _STATES - 1:
                    store.delete(["sample-9"])
            for i, name in enumerate(rows.ids):
                self._history.setdefault(name, []).append(rows.take([i]))

    def _rows_of(self, state: str) -> Rows:
        with open_store(self._base / state / self.name) as store:
            return store.read()

    def _make_other(self) -> None:
        here = self._base / "other"
        here.mkdir()
        with new_store(here / self.name) as store:
            for number in range(4):
                rows = make_rows([f"other-{number}-{i}" for i in range(6)], seed=number + 50)
                store.append(rows)
                store.commit()
                self._history |= {name: [rows.take([i])] for i, name in enumerate(rows.ids)}
        killed = self._base / "killed"
        for operations in range(60):
            shutil.rmtree(killed, ignore_errors=True)
            shutil.copytree(self._base / "3", killed)
            _killed_while_appending(killed / self.name, operations)
            if journal_path(killed / self.name).exists():
                break

    def attack(self, seed: int) -> str:
        """Attack once and see that nothing was read wrongly, nothing outside touched, and every refusal is one line.

        Returns
        -------
        str
            What was done and how it ended, for counting: ``"swap: noticed"``.
        """
        rng = np.random.default_rng(seed)
        shutil.rmtree(self._run, ignore_errors=True)
        shutil.copytree(self._base / str(_STATES - 1), self._run)
        shutil.copytree(self._base / "victim", self._run / "victim")
        path, victim = self._run / self.name, tree(self._run / "victim")
        attack = _ATTACKS[int(rng.integers(len(_ATTACKS)))]
        attack(self, path, rng)
        forged = attack is _hostile_record
        self._older_is_sound = attack is _roll_back and path.is_file()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            refused = self._use(path, forged=forged)
        assert tree(self._run / "victim") == victim, attack.__name__
        shutil.rmtree(self._run)
        return f"{attack.__name__.strip('_')}: {'noticed' if refused else 'harmless'}"

    def _use(self, path: Path, *, forged: bool) -> bool:
        """Read, write, repair and read again; tell whether anything was refused."""
        before = [_refusal(partial(self._read, path, forged=forged)), _refusal(partial(_verify, path))]
        after = [_refusal(partial(_append, path)), _refusal(partial(self._read, path, forged=forged, more=True))]
        mended = [_refusal(partial(compact, path)), _refusal(partial(repair, path))]
        if mended[1] is None:
            assert _refusal(partial(self._read_mended, path, forged=forged)) is None
        return any(error is not None for error in (*before, *after, *mended))

    def _read(self, path: Path, *, forged: bool, more: bool = False) -> None:
        with open_store(path) as store:
            found = store.read()
            _read_in_other_ways(store)
        if not forged:
            sound = [*self._states[:-1], self._truth] if self._older_is_sound else [self._truth]
            assert any(_holds(found, state, {"more"} if more else set()) for state in sound), sorted(found.ids)

    def _read_mended(self, path: Path, *, forged: bool) -> None:
        with open_store(path) as store:
            found = store.read()
            assert store.verify().ok
        for i, name in enumerate(found.ids):
            known = self._history.get(name, [])
            assert forged or name == "more" or any(rows_equal(found.take([i]), row) for row in known), name

    def older(self, rng: np.random.Generator) -> Path:
        """Choose an older state of the store, or another store."""
        number = int(rng.integers(_STATES))
        return self._base / ("other" if number == _STATES - 1 else str(number)) / self.name

    @property
    def killed(self) -> Path:
        """A state whose writer was killed."""
        return self._base / "killed" / self.name


def _holds(found: Rows, state: Rows, also: set[str]) -> bool:
    """Tell whether rows are those of a state, and nothing else but these."""
    places, wanted = {name: i for i, name in enumerate(found.ids)}, state.ids.tolist()
    if not set(wanted) <= places.keys() or not places.keys() - set(wanted) <= also:
        return False
    return rows_equal(found.take([places[name] for name in wanted]), state)


def _read_in_other_ways(store: FunctaStore) -> None:
    store.state  # noqa: B018 - reading it is what is tried
    store.info()
    store.known()
    store.failed()
    store.to_pandas()
    for _ in store.iter_blocks():
        pass


def _verify(path: Path) -> None:
    with open_store(path) as store:
        store.verify()


def _append(path: Path) -> None:
    with open_store(path, "a") as store:
        store.append(make_rows(["more"]))


def _refusal(action: Callable[[], object]) -> FusionError | None:
    error = _caught(action)
    assert error is None or ("\n" not in str(error) and len(str(error)) < 1500), error
    return error


def _caught(action: Callable[[], object]) -> FusionError | None:
    try:
        action()
    except FusionError as error:
        return error
    return None


def _killed_while_appending(path: Path, operations: int) -> None:
    working, files.system = files.system, CrashingFileSystem(operations)
    try:
        _append(path)
    except Crash:
        pass
    finally:
        files.system = working


def _entries(path: Path) -> list[Path]:
    return [entry for entry in sorted(path.rglob("*")) if entry.is_file()] if path.is_dir() else [path]


def _choice(rng: np.random.Generator, options: list[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def _swap(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Let full chunks of some columns, or of all, change places."""
    columns = [name for name in BASE_COLUMNS if rng.random() < rng.choice([0.1, 0.5, 1.0])]
    first, second = rng.choice(8, 2, replace=False)
    swap_chunks(path, columns or ["functas"], int(first), int(second))


def _roll_back(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:
    """Put back some files, or some pages, of an older state or of another store.

    Of one file, putting back all pages that differ is putting back the file: then the older state is what is there.
    """
    old, share = adversary.older(rng), rng.choice([0.02, 0.1, 0.5])
    if path.is_dir():
        names = [entry.relative_to(old) for entry in _entries(old)]
        roots = [Path("zarr.json"), Path("mirror/zarr.json")]
        chosen = roots[: int(rng.integers(1, 3))] if rng.random() < 0.3 else [n for n in names if rng.random() < share]
        for name in chosen:
            if (path / name).parent.is_dir():
                shutil.copyfile(old / name, path / name)
        return
    data, older = bytearray(path.read_bytes()), old.read_bytes()
    size = int(_choice(rng, [64, 512, 4096]))
    for start in range(0, min(len(data), len(older)), size):
        if rng.random() < share:
            data[start : start + size] = older[start : start + size]
    path.write_bytes(data)


def _put_back_records(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:
    """Put back commit, seal or checksums of an older state, as values."""
    if path.is_dir():
        _roll_back(adversary, path, rng)
        return
    names = ["commit", "seal", "mirror/commit", "mirror/seal", "chunk_crc", "header", "mirror/header"]
    with h5py.File(path, "r+") as file, h5py.File(adversary.older(rng)) as old:
        for name in names:
            if rng.random() < 0.5:
                file[name].resize(old[name].shape)
                file[name][...] = old[name][...]


def _plant(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Put a link, a pipe or a folder in the place of something in the store or beside it."""
    beside = [".{n}.owner", ".{n}.lock", ".{n}.journal", "{n}.partial", ".{s}.rewritten{x}", ".{s}.retired{x}"]
    beside += [".{s}.rewritten{x}.partial", ".{n}.journal.partial", ".{n}.softlock", ".{n}.journal.aside"]
    places = [path.with_name(name.format(n=path.name, s=path.stem, x=path.suffix)) for name in beside]
    if path.is_dir() and rng.random() < 0.7:
        places = [entry for entry in sorted(path.rglob("*")) if rng.random() < 0.2] or [path / "zarr.json"]
    place = _choice(rng, places)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    victim = path.parent / "victim"
    kind = int(rng.integers(5))
    if kind == 0:
        os.mkfifo(place)
    elif kind == 1:
        place.hardlink_to(victim / "notes.txt")
    else:
        place.symlink_to([victim, victim / "notes.txt", victim / "absent"][kind - 2])


def _stale_journal(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:
    """Put the journal of another state beside the file; half-written files into a folder."""
    if path.is_dir():
        for name in (
            "zarr.json.partial",
            "functas/c.1.0.partial",
            "id/c.99.partial",
            "label/c.x",
            "label/c.77777777777",
        ):
            if rng.random() < 0.5:
                (path / name).write_bytes(rng.bytes(50))
        return
    data = bytearray(journal_path(adversary.killed).read_bytes())
    if rng.random() < 0.2:
        data[int(rng.integers(len(data)))] ^= 1
    journal_path(path).write_bytes(data)


def _hostile_record(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Write what it likes into header and commit, every checksum made right."""

    def change(header: dict[str, Any], commit: dict[str, Any]) -> None:
        for _ in range(int(rng.integers(1, 4))):
            record = header if rng.random() < 0.5 else commit
            record[_choice(rng, sorted(record))] = _choice(rng, _VALUES)

    forge(path, change)


def _damage(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Flip, cut, lengthen or delete."""
    place = _choice(rng, _entries(path))
    data, kind = bytearray(place.read_bytes()), int(rng.integers(4))
    if kind == 0 and data:
        for at in rng.integers(len(data), size=int(rng.integers(1, 4))):
            data[at] ^= int(rng.integers(1, 256))
        place.write_bytes(data)
    elif kind == 1:
        os.truncate(place, int(rng.integers(len(data) + 1)))
    elif kind == 2:
        os.truncate(place, len(data) + int(_choice(rng, [1, 4096, 30 * 10**9])))
    elif path.is_dir():
        place.unlink()


def _odd_document(adversary: Adversary, path: Path, rng: np.random.Generator) -> None:
    """Write something else than a document where one is expected."""
    if not path.is_dir():
        _put_back_records(adversary, path, rng)
        return
    texts = [
        "",
        "{}",
        "[]",
        "null",
        "[" * 50_000,
        '{"attributes": null}',
        '{"a": NaN}',
        "9" * 6000,
        '{"attributes": []}',
    ]
    place = _choice(rng, [entry for entry in _entries(path) if entry.name == "zarr.json"])
    if rng.random() < 0.5:
        place.write_text(_choice(rng, texts))
        return
    document = json.loads(place.read_text())
    with suppress(IndexError):
        document[_choice(rng, sorted(document))] = _choice(rng, _VALUES)
    place.write_text(json.dumps(document))


_ATTACKS = [
    _swap, _roll_back, _put_back_records, _plant, _stale_journal, _hostile_record, _hostile_record, _damage,
    _odd_document,
]  # fmt: skip
