from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.loopback import PROXIES, serving, sha256, unused_port, zipped

from fusion.datasets.catalogue import Download, Part, PublicDataset
from fusion.datasets.fetching import fetch_dataset
from fusion.errors import DataError, FusionError

ARCHIVE = zipped({"made/a.txt": b"one", "made/b.txt": b"two", "inner.zip": zipped({"made/c.txt": b"three"})})


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def made_source(url: str, checksum: str | None = sha256(ARCHIVE)) -> PublicDataset:
    download = Download(f"{url}/made.zip", checksum, inner="inner.zip")
    words = dict.fromkeys(("title", "home", "licence", "citation", "size", "layout"), "made")
    return PublicDataset(name="made", downloads=(download,), parts=(Part("texts", ("*.txt",), 3),), **words)


@pytest.mark.parametrize(
    "checksum",
    [sha256(ARCHIVE), f"md5:{hashlib.md5(ARCHIVE).hexdigest()}"],  # noqa: S324
    ids=["sha256", "md5"],
)
def test_a_data_set_is_downloaded_checked_and_unpacked_once(tmp_path: Path, checksum: str) -> None:
    seen: list[tuple[str, int, int]] = []
    with serving({"made.zip": ARCHIVE}) as (url, asked):
        first = fetch_dataset(made_source(url, checksum), tmp_path, progress=lambda *step: seen.append(step))
        second = fetch_dataset(made_source(url, checksum), tmp_path)
    assert asked == ["/made.zip"]
    assert (first.downloaded, first.present) == (("made.zip",), ())
    assert (second.downloaded, second.present) == ((), ("made.zip",))
    assert (tmp_path / "made" / "made" / "c.txt").read_bytes() == b"three"
    assert first.check is not None
    assert first.check.complete
    assert first.checksums == {"made.zip": sha256(ARCHIVE).partition(":")[2]}
    assert seen[-1][1:] == (len(ARCHIVE), len(ARCHIVE))


def test_a_wrong_file_is_not_kept(tmp_path: Path) -> None:
    with serving({"made.zip": ARCHIVE + b"!"}) as (url, _), pytest.raises(DataError) as caught:
        fetch_dataset(made_source(url), tmp_path)
    assert "has another checksum than sha256:" in str(caught.value)
    assert "it was not kept" in str(caught.value)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_missing_file_says_what_to_do_by_hand(tmp_path: Path) -> None:
    with serving({}) as (url, _), pytest.raises(FusionError) as caught:
        fetch_dataset(made_source(url), tmp_path)
    by_hand = f"put it at {tmp_path / 'downloads' / 'made.zip'} (its SHA256 must be {sha256(ARCHIVE)[7:]})"
    assert "the server answered 404 Not Found. By hand: download it elsewhere" in str(caught.value)
    assert by_hand in str(caught.value)
    assert caught.value.exit_code == 1


def test_a_transfer_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with (
        serving({"made.zip": ARCHIVE}, cut=True) as (url, _),
        pytest.raises(FusionError, match="the transfer broke off"),
    ):
        fetch_dataset(made_source(url), tmp_path)
    with serving({"made.zip": ARCHIVE}, cut=True) as (url, _), pytest.raises(FusionError, match="no checksum"):
        fetch_dataset(made_source(url, None), tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_offline_and_a_dead_proxy_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(FusionError, match=r"no connection, this machine may be offline. By hand"):
        fetch_dataset(made_source(nowhere), tmp_path)
    monkeypatch.setenv("http_proxy", nowhere)
    with (
        serving({"made.zip": ARCHIVE}) as (url, asked),
        pytest.raises(
            FusionError, match=r"the proxy cannot be reached or refuses \(HTTP_PROXY, HTTPS_PROXY\). By hand"
        ),
    ):
        fetch_dataset(made_source(url), tmp_path)
    assert asked == []


def test_a_file_put_there_by_hand_is_taken_if_it_is_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "made.zip").write_bytes(ARCHIVE[:-1])
    nowhere = made_source(f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(DataError, match=r"made.zip is not the file that was published: expected SHA256 .* Remove it"):
        fetch_dataset(nowhere, tmp_path)
    (tmp_path / "downloads" / "made.zip").write_bytes(ARCHIVE)
    assert fetch_dataset(nowhere, tmp_path).present == ("made.zip",)
    assert (tmp_path / "made").is_dir()


def test_without_a_published_checksum_later_files_are_compared_with_the_first(tmp_path: Path) -> None:
    with serving({"made.zip": ARCHIVE}) as (url, _):
        report = fetch_dataset(made_source(url, None), tmp_path)
        assert report.unconfirmed == ("made.zip",)
        recorded = (tmp_path / "downloads" / "made.zip.sha256").read_text()
        assert recorded == f"{report.checksums['made.zip']}  made.zip\n"
        (tmp_path / "downloads" / "made.zip").write_bytes(zipped({"other": b""}))
        with pytest.raises(DataError, match=r"the first download had .*made.zip.sha256"):
            fetch_dataset(made_source(url, None), tmp_path)


def test_a_hostile_archive_leaves_no_half_unpacked_folder(tmp_path: Path) -> None:
    hostile = zipped({"a.txt": b"", "../out.txt": b""})
    with serving({"made.zip": hostile}) as (url, _), pytest.raises(DataError, match="leaves the folder"):
        fetch_dataset(made_source(url, sha256(hostile)), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["downloads"]


def test_a_rar_archive_is_left_to_unpack_by_hand(tmp_path: Path) -> None:
    with serving({"made.rar": b"Rar!"}) as (url, _):
        source = replace(made_source(url), downloads=(Download(f"{url}/made.rar", sha256(b"Rar!")),))
        report = fetch_dataset(source, tmp_path)
    assert (report.by_hand, report.check) == (("made.rar",), None)
