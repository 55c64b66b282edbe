"""A manifest that is damaged or hostile is one line with exit code 3, and nothing outside the collection is opened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import IntegrityError, StoreError, StoreFormatError, create_store, open_store
from store.collection.manifest import Manifest
from store.documents import checksum
from store.testing import make_rows, new_store, numbered

Document = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with new_store(tmp_path / "s.functas", part_rows=4) as store:
        store.append(make_rows(numbered(0, 10)))
    return tmp_path / "s.functas"


def forge(path: Path, change: Callable[[Document], None]) -> None:
    """Change the manifest and make its checksum anew, as somebody would who wants to do harm."""
    document = json.loads((path / "collection.json").read_text())
    change(document)
    document.pop("crc32c")
    (path / "collection.json").write_text(json.dumps(document | {"crc32c": checksum(document)}))


def part(number: int = 0, **changes: Any) -> Callable[[Document], None]:
    return lambda document: document["parts"][number].update(changes)


@pytest.mark.parametrize(
    "name",
    [
        "../part-00000.zarr",
        "/etc/passwd",
        "part-00000.zarr/id",
        "..",
        "",
        "state.zarr",
        "part-0.zarr",
        "part-00000.zarr\n",
    ],
)
def test_a_name_that_is_no_parts_name(path: Path, name: str) -> None:
    forge(path, part(name=name))
    with pytest.raises(IntegrityError, match=r"collection\.json of .* is not valid: parts\.0\.name: "):
        open_store(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (part(rows=10**12), r"part-00000\.zarr of .* has 4 rows, but 1000000000000 are listed"),
        (part(rows=2**60), r"is not valid: parts\.0\.rows"),
        (part(rows=-1), r"is not valid: parts\.0\.rows"),
        (part(fingerprint="0" * 64), r"part-00000\.zarr of .* is not the part that was listed: it was changed since"),
        (part(name="part-00001.zarr"), "part-00001 stands there twice"),
        (part(name="part-00007.zarr"), r"part-00007\.zarr of .* is listed, but not there"),
        (lambda document: document.update(parts=[{}]), r"is not valid: parts\.0\.name"),
        (lambda document: document.update(parts=document["parts"] * 2), "part-00000 stands there twice"),
        (lambda document: document.update(later="x" * 2**25), r"bytes, expected at most 33554432"),
        (lambda document: document.update(state_sha256="1" * 64), r"state\.zarr of .* is not the one that"),
        (lambda document: document.update(part_rows=0), "is not valid: part_rows"),
    ],
)
def test_a_manifest_that_cannot_be(path: Path, change: Callable[[Document], None], message: str) -> None:
    forge(path, change)
    with pytest.raises(IntegrityError, match=message):
        open_store(path)


def test_a_part_of_another_configuration(path: Path, tmp_path: Path) -> None:
    state = {"start": open_store(path).state["start"]}
    layout = [("w", (2, 3), 0), ("b", (2,), 6)]
    other = create_store(tmp_path / "o.zarr", modality="sensor", layout=layout, encoder={"kind": "other"}, state=state)
    other.append(make_rows(["x"]))
    other.close()
    shutil.rmtree(path / "part-00002.zarr")
    (tmp_path / "o.zarr").rename(path / "part-00002.zarr")
    with pytest.raises(IntegrityError, match=r"part-00002\.zarr of .* another configuration .* encoder\.kind"):
        open_store(path)


def test_an_id_in_two_parts(path: Path) -> None:
    shutil.copytree(path / "part-00001.zarr", path / "part-00003.zarr")

    def twice(document: Document) -> None:
        document["parts"].append(document["parts"][1] | {"name": "part-00003.zarr"})

    forge(path, twice)
    message = r"ID 'sample-4' is both in part-00001\.zarr and in part-00003\.zarr"
    with pytest.raises(IntegrityError, match=message):
        open_store(path).read()
    assert "ID 'sample-4' is both in" in open_store(path).verify().problems[0]


@pytest.mark.parametrize("name", ["part-00001.zarr", "state.zarr", "collection.json"])
def test_a_link_is_not_followed(path: Path, tmp_path: Path, name: str) -> None:
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match=f"{name} in .* is a link or a device"):
        open_store(path)


def test_every_byte_of_the_manifest_counts(path: Path) -> None:
    data = (path / "collection.json").read_bytes()
    for place in range(0, len(data), 97):
        flipped = bytearray(data)
        flipped[place] ^= 4
        if flipped[place : place + 1].isspace():
            continue
        (path / "collection.json").write_bytes(flipped)
        with pytest.raises(StoreError) as error:
            open_store(path)
        assert error.type in (IntegrityError, StoreFormatError)
        assert "\n" not in str(error.value)


def test_a_collection_without_manifest(path: Path) -> None:
    (path / "collection.json").unlink()
    with pytest.raises(IntegrityError, match=r"has no collection\.json, so it is no collection"):
        open_store(path)
    with pytest.raises(StoreError, match="there is no store at"):
        open_store(path.with_name("other.functas"))


def test_one_that_needs_a_newer_reader(path: Path) -> None:
    forge(path, lambda document: document.update(min_reader_version=2))
    with pytest.raises(StoreFormatError, match=r"needs reader 2, but this is 1\. Upgrade functa-fusion"):
        open_store(path)


def test_fields_of_later_versions_are_carried_along(path: Path) -> None:
    forge(path, lambda document: document.update(later={"x": 1}))
    with open_store(path, "a") as store:
        store.append(make_rows(["new"]))
    assert json.loads((path / "collection.json").read_text())["later"] == {"x": 1}


def test_what_a_part_says_of_its_rows(path: Path) -> None:
    first = Manifest.from_bytes((path / "collection.json").read_bytes(), "s").parts[0]
    assert (first.rows, first.usable, first.failed) == (4, 4, 0)
    assert (first.first_id, first.last_id) == ("sample-0", "sample-3")
    assert (first.splits, first.classes) == ({"test": 1, "train": 2}, {"class-0": 2, "class-1": 1, "class-2": 1})
