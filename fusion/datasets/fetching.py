"""Download a public data set, compare it with its checksum and unpack it."""

from __future__ import annotations

import hashlib
import logging
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.archives import unpack
from fusion.datasets.catalogue import CheckReport, Download, PublicDataset, check_source
from fusion.errors import DataError, FusionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOWNLOADS = "downloads"
_BY_HAND = (".rar", ".7z")
_SECONDS = 60
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did.

    Parameters
    ----------
    name, folder : str
        The data set, and where it lies unpacked.
    downloaded, present : tuple of str
        Files that came over the network now, and those that were there.
    checksums : dict of str to str
        SHA-256 of each file.
    unconfirmed : tuple of str
        Files whose publisher gives no checksum: later downloads are compared with this one.
    by_hand : tuple of str
        Archives that are left to unpack by hand.
    check : CheckReport or None
        What the folder holds; None while archives are left to unpack.
    """

    name: str
    folder: str
    downloaded: tuple[str, ...]
    present: tuple[str, ...]
    checksums: dict[str, str]
    unconfirmed: tuple[str, ...]
    by_hand: tuple[str, ...]
    check: CheckReport | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"check": None if self.check is None else self.check.to_dict()}


def fetch_dataset(
    source: PublicDataset, out: str | Path, *, progress: Callable[[str, int, int], None] | None = None
) -> FetchReport:
    """Download and unpack a data set; what is there already is left as it is.

    Parameters
    ----------
    source : PublicDataset
    out : path
        The files go to ``<out>/downloads``, the data set to ``<out>/<name>``.
    progress : callable, optional
        Called with file, bytes done and bytes in all, or 0 where that is not known.

    Raises
    ------
    FusionError
        When a file cannot be downloaded; it says what to do by hand.
    DataError
        When a file is not the one that was published, or cannot be unpacked safely.
    """
    out = Path(out)
    folder, there = out / source.name, out / DOWNLOADS
    there.mkdir(parents=True, exist_ok=True)
    downloaded, checksums = [], {}
    for download in source.downloads:
        path = there / download.file
        if not path.exists():
            _download(download, path, progress or (lambda *_: None))
            downloaded.append(path.name)
        checksums[path.name] = _verify(download, path)
    by_hand = tuple(download.file for download in source.downloads if download.file.endswith(_BY_HAND))
    if not by_hand and not folder.exists():
        _unpack_all(source, there, folder)
    return FetchReport(
        name=source.name,
        folder=str(folder),
        downloaded=tuple(downloaded),
        present=tuple(name for name in checksums if name not in downloaded),
        checksums=checksums,
        unconfirmed=tuple(download.file for download in source.downloads if download.checksum is None),
        by_hand=by_hand,
        check=check_source(source, folder) if folder.is_dir() else None,
    )


def _download(download: Download, path: Path, progress: Callable[[str, int, int], None]) -> None:
    import pooch
    from requests.exceptions import RequestException

    try:
        with _quiet(pooch.get_logger()):
            # It moves the file to its name only when it is whole and has its checksum.
            pooch.retrieve(
                download.url,
                download.checksum,
                path.name,
                path.parent,
                downloader=partial(_receive, progress, path.name),
            )
    except RequestException as error:
        raise FusionError(f"cannot download {download.url}: {_reason(error)}. {_by_hand(download, path)}") from error
    except ValueError as error:
        raise DataError(
            f"what came from {download.url} has another checksum than {download.checksum}; it was not kept. It was "
            "damaged on the way, or the publisher has replaced it. Try again later."
        ) from error


def _receive(progress: Callable[[str, int, int], None], name: str, url: str, target: str, _: object) -> None:
    import requests

    with requests.get(url, stream=True, timeout=_SECONDS) as response, Path(target).open("wb") as out:
        response.raise_for_status()
        done, total = 0, int(response.headers.get("Content-Length", 0))
        for block in response.iter_content(_CHUNK):
            out.write(block)
            done += len(block)
            progress(name, done, total)


def _reason(error: Exception) -> str:
    from requests import exceptions

    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    kinds = {
        exceptions.ProxyError: "the proxy cannot be reached or refuses (HTTP_PROXY, HTTPS_PROXY)",
        exceptions.SSLError: "the server's certificate cannot be trusted",
        exceptions.Timeout: f"no answer within {_SECONDS} s",
        exceptions.ChunkedEncodingError: "the transfer broke off",
        exceptions.ConnectionError: "no connection, this machine may be offline",
    }
    return next((reason for kind, reason in kinds.items() if isinstance(error, kind)), type(error).__name__)


def _by_hand(download: Download, path: Path) -> str:
    algorithm, _, digest = (download.checksum or "").partition(":")
    wanted = f"its {algorithm.upper()} must be {digest}" if digest else "its publisher gives no checksum"
    return f"By hand: download it elsewhere, put it at {path} ({wanted}), and run the same command again."


def _verify(download: Download, path: Path) -> str:
    """Compare a file with the published checksum, or with that of the first download; give its SHA-256."""
    found = _digest(path, "sha256")
    algorithm, _, expected = (download.checksum or "").partition(":")
    if expected and (found if algorithm == "sha256" else _digest(path, algorithm)) != expected:
        raise DataError(
            f"{path} is not the file that was published: expected {algorithm.upper()} {expected}, got SHA-256 {found}. "
            "Remove it and run the same command again."
        )
    record = path.with_name(f"{path.name}.sha256")
    if expected:
        return found
    if not record.exists():
        record.write_text(f"{found}  {path.name}\n", encoding="utf-8")
    first = record.read_text(encoding="utf-8").split()[:1]
    if first != [found]:
        raise DataError(
            f"{path} has SHA-256 {found}; the first download had {''.join(first) or 'none'} ({record.name}). Remove "
            "both if the publisher has a new version."
        )
    return found


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _unpack_all(source: PublicDataset, there: Path, folder: Path) -> None:
    """Unpack into a folder that gets its name only when all is in it."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        for download in source.downloads:
            unpack(there / download.file, unfinished)
            if download.inner is not None and (unfinished / download.inner).is_file():
                unpack(unfinished / download.inner, unfinished)
                (unfinished / download.inner).unlink()
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
