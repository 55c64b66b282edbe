"""A store that somebody else made, or meddled with: nothing outside it is touched, and every answer is one line."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from store import FusionError, IntegrityError, StoreError, compact, open_store, repair, rows_equal
from store.testing import make_rows, new_store, numbered
from store.testing.forgery import forge, tree

ROWS = make_rows(numbered(0, 9))
Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture
def room(fast_folder: Path) -> Path:
    """Hundreds of stores are made here."""
    return fast_folder


@pytest.fixture(params=[".zarr", ".h5"])
def path(request: pytest.FixtureRequest, room: Path) -> Path:
    return room / f"store{request.param}"


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(ROWS)
        store.add_column("age", {"sample-3": 30})
    return path


@pytest.fixture
def victim(room: Path) -> Path:
    folder = room / "victim"
    folder.mkdir()
    for name in ("zarr.json", "c.0", "c.1", "c.2", "c.7", "notes.txt", "half.partial"):
        (folder / name).write_text(f"mine: {name}")
    return folder


def refusal(action: Callable[[], object]) -> FusionError | None:
    try:
        action()
    except FusionError as error:
        return error
    return None


def read(path: Path) -> None:
    store = open_store(path)
    store.read()
    store.state  # noqa: B018 - reading it is what is tried
    store.info()
    store.verify()


def append(path: Path) -> None:
    with open_store(path, "a") as store:
        store.append(make_rows(["more"]))
        store.delete(["sample-1"])


def use(path: Path) -> list[FusionError]:
    """Do everything that one can do to a store; return what was refused, each in one line."""
    found = [refusal(partial(action, path)) for action in (read, append, compact, repair)]
    refused = [error for error in found if error is not None]
    assert not any("\n" in str(error) or len(str(error)) > 900 for error in refused)
    return refused


@pytest.mark.parametrize("folder", ["label", "extra", "extra/age", "functas", "state", "state/start", "mirror"])
def test_a_linked_folder_inside_a_store(room: Path, victim: Path, folder: str) -> None:
    path = room / "store.zarr"
    with new_store(path) as store:
        store.append(ROWS)
        store.add_column("age", {})
    (path / folder).rename(room / "kept")
    (path / folder).symlink_to(victim)
    before = tree(victim)
    refused = use(path)
    assert tree(victim) == before
    assert any("is a link or a device" in str(error) for error in refused)


@pytest.mark.parametrize(
    "name", ["label/c.0", "label/c.7", "functas/c.1.0", "zarr.json", "mirror/zarr.json", "x.partial"]
)
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_a_linked_file_inside_a_store(room: Path, victim: Path, name: str, kind: str) -> None:
    path = room / "store.zarr"
    with new_store(path) as store:
        store.append(ROWS)
    (path / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path / name)
    else:
        (path / name).symlink_to(victim / ("notes.txt" if kind == "link" else "absent"))
    before = tree(victim)
    refused = use(path)
    assert tree(victim) == before
    assert any("is a link or a device" in str(error) for error in refused) or name.endswith("zarr.json")
    assert refused


SIDE_FILES = [
    ".{name}.owner", ".{name}.lock", ".{name}.softlock", ".{name}.journal", ".{name}.journal.partial", "{name}.partial",
    ".{stem}.rewritten{suffix}", ".{stem}.rewritten{suffix}.partial", ".{stem}.retired{suffix}",
    "..{stem}.rewritten{suffix}.journal", "..{stem}.rewritten{suffix}.journal.partial",
]  # fmt: skip


@pytest.mark.parametrize("side", SIDE_FILES)
@pytest.mark.parametrize("to", ["folder", "file", "hard link", "pipe"])
def test_links_beside_a_store_are_never_written_through(filled: Path, victim: Path, side: str, to: str) -> None:
    planted = filled.with_name(side.format(name=filled.name, stem=filled.stem, suffix=filled.suffix))
    planted.unlink(missing_ok=True)
    if to == "hard link":
        planted.hardlink_to(victim / "notes.txt")
    elif to == "pipe":
        os.mkfifo(planted)
    else:
        planted.symlink_to(victim if to == "folder" else victim / "notes.txt")
    before = tree(victim)
    use(filled)
    assert tree(victim) == before
    assert set(open_store(filled).ids) >= set(numbered(2, 9))


def test_a_hostile_path_in_a_commit_leads_nowhere(filled: Path, victim: Path) -> None:
    forge(filled, lambda header, commit: commit["extra"].update(age={"kind": "text", "path": "../../victim"}))
    before = tree(victim)
    refused = use(filled)
    assert tree(victim) == before
    assert len(refused) == 4
    assert all(isinstance(error, IntegrityError) for error in refused)


def test_links_inside_a_file_are_refused(room: Path) -> None:
    path, victim = room / "store.h5", room / "victim.h5"
    for target in (path, victim):
        with new_store(target) as store:
            store.append(ROWS)
    before = victim.read_bytes()
    for name in ("label", "functas", "state/start", "chunk_crc", "commit"):
        with h5py.File(path, "r+") as file:
            kept = file[name]
            del file[name]
            file[name] = h5py.ExternalLink(str(victim), name)
        refused = use(path)
        assert victim.read_bytes() == before
        assert any("link to elsewhere" in str(error) for error in refused)
        assert len(refused) >= 2
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = kept if kept else h5py.SoftLink("/nothing")
        break_off = name
    assert break_off


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


VALUES: list[Any] = [None, -1, 0, 10**12, 2**64, 10**30, 1.5, True, "a", "", [], {}, [None], {"a": 1}, "\ud800", "\0"]
FIELDS = [
    *(("header", name) for name in ("k", "block_rows", "id_width", "layout", "arrays", "modality", "encoder")),
    *(("header", name) for name in ("schema_version", "min_reader_version", "format", "conventions", "versions")),
    *(("header", name) for name in ("state_sha256", "created", "dataset", "seed")),
    *(("commit", name) for name in ("n_rows", "generation", "epoch", "label_names", "split_names", "group_names")),
    *(("commit", name) for name in ("extra", "finished", "utc")),
]


@pytest.mark.parametrize(("record", "name"), FIELDS, ids=[f"{record}-{name}" for record, name in FIELDS])
def test_hostile_values_are_one_line(filled: Path, record: str, name: str) -> None:
    sound = tree(filled) if filled.is_dir() else {"": filled.read_bytes()}
    for value in VALUES:

        def change(header: dict[str, Any], commit: dict[str, Any], value: Any = value) -> None:
            (header if record == "header" else commit)[name] = value

        forge(filled, change)
        error = refusal(partial(read, filled))
        if error is not None:
            assert "\n" not in str(error)
            assert len(str(error)) < 700
            assert error.exit_code == 3 or "not a functa store" in str(error) or "needs reader" in str(error)
        for key, data in sound.items():
            (filled / key if key else filled).write_bytes(data)  # type: ignore[arg-type]
    assert rows_equal(open_store(filled).read(), open_store(filled).read())


LAYOUTS = [
    [["w", [8]]],
    [["w", [8], 1]],
    [["w", [-8], 0]],
    [["w", "8", 0]],
    [[1, [8], 0]],
    [["w", [10**30], 0]],
    8 * [[]],
]
ARRAYS = [
    {"start": {"dtype": "O", "shape": [8]}},
    {"start": {"dtype": "<f4", "shape": [10**12]}},
    {"start": {"dtype": "<f4", "shape": [-8]}},
    {"start": {"dtype": "<f4"}},
    {"start": []},
    {"../../victim": {"dtype": "<f4", "shape": [8]}},
    {"start": {"dtype": "<f4", "shape": [9]}},
]
COMMITS = [{"label_names": ["a", "a"]}, {"split_names": [str(i) for i in range(256)]}, {"label_names": [1]}]


@pytest.mark.parametrize(
    "changes",
    [*({"layout": value} for value in LAYOUTS), *({"arrays": value} for value in ARRAYS), *COMMITS],
    ids=lambda value: str(value)[:40],
)
def test_hostile_structures_are_one_line(filled: Path, changes: dict[str, Any]) -> None:
    def change(header: dict[str, Any], commit: dict[str, Any]) -> None:
        for name, value in changes.items():
            (header if name in header else commit)[name] = value

    forge(filled, change)
    refused = use(filled)
    assert refused
    assert all(error.exit_code == 3 for error in refused)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"attributes": null}',
        '{"attributes": 5}',
        "[]",
        "null",
        '{"attributes": {"header": NaN}}',
        "7" * 5000,
    ],
    ids=lambda text: text[:30],
)
@pytest.mark.parametrize("name", ["zarr.json", "label/zarr.json"])
def test_documents_that_are_none(room: Path, text: str, name: str) -> None:
    path = room / "store.zarr"
    with new_store(path) as store:
        store.append(ROWS)
    (path / name).write_text(text)
    assert not is_sound(path)
    repair(path)
    assert rows_equal(open_store(path).read(), ROWS)


def is_sound(path: Path) -> bool:
    try:
        return open_store(path).verify().ok
    except IntegrityError:
        return False


def test_files_that_are_much_too_long_are_not_read(filled: Path) -> None:
    """Sparse files of 30 GB, and a header that says it has as many."""
    if filled.is_dir():
        places = [filled / name for name in ("zarr.json", "id/c.0", "label/c.0", "functas/c.0.0", "state/start/c.0")]
        for place in places:
            os.truncate(place, 30 * 10**9)
    else:
        with h5py.File(filled, "r+") as file:
            for name in ("header", "commit", "seal"):
                file[name].resize((30 * 10**9,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = use(filled)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024
    assert refused
    assert all(error.exit_code == 3 for error in refused)


def test_fields_of_a_later_version_are_left_alone(filled: Path) -> None:
    def change(header: dict[str, Any], commit: dict[str, Any]) -> None:
        header["mood"], commit["weather"] = {"is": "good"}, ["rain", 3]
        header["arrays"]["start"]["unit"] = "rad"

    forge(filled, change)
    with open_store(filled, "a") as store:
        store.append(make_rows(["more"]))
    with open_store(filled) as store:
        assert store.verify().ok
        assert len(store) == 10
        assert store.header.to_json()["mood"] == {"is": "good"}
        assert store.header.to_json()["arrays"]["start"]["unit"] == "rad"
    assert commit_of(filled)["weather"] == ["rain", 3]
    compact(filled)
    assert open_store(filled).header.to_json()["mood"] == {"is": "good"}


def commit_of(path: Path) -> dict[str, Any]:
    if path.is_dir():
        found: dict[str, Any] = json.loads((path / "zarr.json").read_text())["attributes"]["commit"]
        return found
    with h5py.File(path) as file:
        return dict(json.loads(file["commit"][:].tobytes()))


def test_attributes_of_others_are_left_alone(room: Path) -> None:
    path = room / "store.zarr"
    new_store(path).close()
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["note"] = "of mine"
    (path / "zarr.json").write_text(json.dumps(document))
    with open_store(path, "a") as store:
        store.append(ROWS)
    assert json.loads((path / "zarr.json").read_text())["attributes"]["note"] == "of mine"


def test_what_is_neither_file_nor_folder(path: Path) -> None:
    os.mkfifo(path)
    for mode in ("r", "a"):
        with pytest.raises(StoreError, match=r"is not a functa store|cannot write"):
            open_store(path, mode)  # type: ignore[arg-type]


def test_a_text_chunk_that_promises_more_than_it_has(room: Path) -> None:
    path = room / "store.zarr"
    with new_store(path) as store:
        store.append(ROWS)
    from store.zarr_layout import with_checksum

    for body in (
        np.uint32(2**31).tobytes(),
        np.array([4, 2**31], "<u4").tobytes(),
        b"",
        np.array([4, 1], "<u4").tobytes(),
    ):
        (path / "id" / "c.0").write_bytes(b"".join(map(bytes, with_checksum(body))))
        with pytest.raises(IntegrityError):
            open_store(path).read()


def test_codes_that_the_commit_does_not_name_are_verified_and_repaired(filled: Path) -> None:
    forge(filled, lambda _, commit: commit.update(label_names=commit["label_names"][:1]))
    report = open_store(filled).verify()
    assert not report.ok
    assert "have a label, split or group without a name" in report.problems[0]
    assert repair(filled).lost_ids == report.bad_ids
    assert open_store(filled).verify().ok
    assert set(open_store(filled).read().labels) == {"class-0"}
