"""Where the public data sets come from, under which terms, and what a complete copy holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fusion.errors import ConfigError, DataError


@dataclass(frozen=True)
class Download:
    """One file that a publisher offers.

    Parameters
    ----------
    url : str
    checksum : str or None
        ``sha256:...`` or ``md5:...``; None where the publisher gives none that could be confirmed, so that only later
        downloads can be compared with the first.
    bytes : int or None
        Exact size, where it is known.
    inner : str or None
        An archive inside the archive, which is unpacked too.
    """

    url: str
    checksum: str | None = None
    bytes: int | None = None
    inner: str | None = None

    @property
    def file(self) -> str:
        """Name of the file on disk."""
        return self.url.rpartition("/")[2].replace("+", "_")


@dataclass(frozen=True)
class Part:
    """Some files of a complete copy.

    Parameters
    ----------
    what : str
        In words.
    patterns : tuple of str
        Globs inside the data set's folder, alternatives of one another; the one with most files counts.
    count : int
        Files.
    together : str or None
        One file that may hold them all instead.
    """

    what: str
    patterns: tuple[str, ...]
    count: int
    together: str | None = None


@dataclass(frozen=True)
class PublicDataset:
    """A public data set.

    Parameters
    ----------
    name : str
        As `functa datasets fetch` takes it.
    title, home, licence, citation, size : str
    downloads : tuple of Download
    parts : tuple of Part
    layout : str
        What `functa encode --dataset` calls it.
    note : str
        What else to know.
    """

    name: str
    title: str
    home: str
    licence: str
    citation: str
    size: str
    downloads: tuple[Download, ...]
    parts: tuple[Part, ...]
    layout: str
    note: str = ""

    def in_words(self) -> str:
        """Title, size, terms and citation, a line each."""
        return f"{self.title}\nDownload: {self.size}. Licence: {self.licence}.\nCite: {self.citation}."

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        downloads = [asdict(download) | {"file": download.file} for download in self.downloads]
        return {key: value for key, value in asdict(self).items() if key != "parts"} | {"downloads": downloads}


@dataclass(frozen=True)
class Found:
    """What a folder holds of one part of a data set."""

    what: str
    expected: int
    found: int


@dataclass(frozen=True)
class CheckReport:
    """What a folder holds of a data set."""

    name: str
    folder: str
    parts: tuple[Found, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return all(part.found >= part.expected for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"complete": self.complete, "parts": [asdict(part) for part in self.parts]}


def dataset_source(name: str) -> PublicDataset:
    """Look up a data set; ConfigError when there is none of that name."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    raise ConfigError(
        f"data set {name!r} is not in the catalogue; expected one of {', '.join(s.name for s in CATALOGUE)}"
    )


def check_dataset(folder: str | Path, name: str | None = None) -> CheckReport:
    """Compare a folder with what a complete copy of a data set holds.

    Parameters
    ----------
    folder : path
    name : str, optional
        Told from the files when not given.

    Raises
    ------
    ConfigError
        When there is no data set of that name.
    DataError
        When the folder is missing, or holds nothing of any data set.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f"{folder} {'is a file' if folder.exists() else 'does not exist'}; expected a data set's folder"
        )
    reports = [check_source(entry, folder) for entry in ([dataset_source(name)] if name else CATALOGUE)]
    best = max(reports, key=_completeness)
    if not any(part.found for part in best.parts):
        wanted = name or f"any of {', '.join(entry.name for entry in CATALOGUE)}"
        archives = [path.name for path in sorted(folder.glob("*")) if path.suffix in (".zip", ".xz", ".gz", ".rar")]
        hint = f" Unpack {archives[0]} first." if archives else ""
        raise DataError(f"{folder} holds no files of {wanted}; expected its unpacked folder.{hint}")
    return best


def _completeness(report: CheckReport) -> float:
    return sum(min(1.0, part.found / part.expected) for part in report.parts) / len(report.parts)


def check_source(entry: PublicDataset, folder: Path) -> CheckReport:
    """Count what a folder holds of one data set."""
    parts = (Found(part.what, part.count, _count(folder, part)) for part in entry.parts)
    return CheckReport(entry.name, str(folder), tuple(parts))


def _count(folder: Path, part: Part) -> int:
    if part.together is not None and (folder / part.together).is_file():
        return part.count
    # Archives unpack to a folder of their own, so the same files may lie one deeper.
    tries = [folder.glob(f"{above}{pattern}") for pattern in part.patterns for above in ("", "*/")]
    return max(sum(1 for path in found if path.is_file()) for found in tries)


CATALOGUE: tuple[PublicDataset, ...] = (
    PublicDataset(
        name="cifar10",
        title="CIFAR-10: 60,000 colour images, 32 x 32, 10 classes",
        home="https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="none stated; the authors ask for the citation",
        citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        size="163 MB",
        downloads=(
            Download(
                "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                170_498_071,
            ),
        ),
        parts=(
            Part("training batches", ("data_batch_[1-5]", "data_batch_[1-5].bin"), 5),
            Part("test batch", ("test_batch", "test_batch.bin"), 1),
            Part("class names", ("batches.meta", "batches.meta.txt"), 1),
        ),
        layout="cifar10",
    ),
    PublicDataset(
        name="esc50",
        title="ESC-50: 2,000 environmental sounds of 5 s, 50 classes, 5 folds",
        home="https://github.com/karolpiczak/ESC-50",
        licence="CC BY-NC 3.0; the ESC-10 subset CC BY 3.0",
        citation="K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM Multimedia 2015",
        size="about 600 MB",
        downloads=(Download("https://github.com/karoldvl/ESC-50/archive/master.zip"),),
        parts=(
            Part("clips", ("audio/*.wav", "audio/*.ogg", "audio/*.flac"), 2000),
            Part("table", ("meta/esc50.csv",), 1),
        ),
        layout="esc50",
        note="The archive is made on demand from a repository, so its checksum is not fixed.",
    ),
    PublicDataset(
        name="fsdd",
        title="Free Spoken Digit Dataset: 3,000 recordings at 8 kHz, 10 digits, 6 speakers",
        home="https://github.com/Jakobovski/free-spoken-digit-dataset",
        licence="CC BY-SA 4.0",
        citation="Z. Jackson and others, Free Spoken Digit Dataset, v1.0.10",
        size="about 15 MB",
        downloads=(Download("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.10.zip"),),
        parts=(Part("recordings", ("recordings/*.wav", "recordings/*.flac"), 3000),),
        layout="fsdd",
        note="The archive is made on demand from a repository, so its checksum is not fixed.",
    ),
    PublicDataset(
        name="hmdb51",
        title="HMDB-51: 6,766 clips from films and web video, 51 actions, 3 official splits",
        home="https://serre-lab.clps.brown.edu/resource/hmdb-a-large-human-motion-database/",
        licence="CC BY 4.0",
        citation="H. Kuehne and others, HMDB: A Large Video Database for Human Motion Recognition, ICCV 2011",
        size="about 2 GB",
        downloads=(
            Download(
                "https://serre-lab.clps.brown.edu/wp-content/uploads/2013/10/hmdb51_org.rar",
                "md5:517d6f1f19f215c45cdd4d25356be1fb",
            ),
            Download(
                "https://serre-lab.clps.brown.edu/wp-content/uploads/2013/10/test_train_splits.rar",
                "md5:15e67781e70dcfbdce2d7dbb9b3344b5",
            ),
        ),
        parts=(
            Part("clips", ("*/*.avi",), 6766),
            Part("split files", ("testTrainMulti_7030_splits/*_test_split[1-3].txt", "*_test_split[1-3].txt"), 153),
        ),
        layout="hmdb51",
        note="RAR archives are unpacked by hand: unrar x hmdb51_org.rar, then the archive of each class that is in it.",
    ),
    PublicDataset(
        name="jhmdb",
        title="JHMDB: 928 clips of HMDB-51 with annotations, 21 actions, 3 splits",
        home="http://jhmdb.is.tue.mpg.de",
        licence="none stated; offered for research, on clips of HMDB-51 (CC BY 4.0)",
        citation="H. Jhuang and others, Towards understanding action recognition, ICCV 2013",
        size="about 186 MB",
        downloads=(
            Download("https://files.is.tue.mpg.de/jhmdb/JHMDB_video.zip"),
            Download("https://files.is.tue.mpg.de/jhmdb/splits.zip"),
        ),
        parts=(
            Part("clips", ("ReCompress_Videos/*/*.avi", "small/*/*.mp4", "*/*.avi"), 928),
            Part("split files", ("splits/*_test_split[1-3].txt", "hmdb51_splits/*_test_split[1-3].txt"), 63),
        ),
        layout="jhmdb",
    ),
    PublicDataset(
        name="mnist",
        title="MNIST: 70,000 grey images of written digits, 28 x 28",
        home="https://storage.googleapis.com/cvdf-datasets/mnist/",
        licence="CC BY-SA 3.0, as usually listed",
        citation="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits",
        size="12 MB",
        downloads=tuple(
            Download(f"https://storage.googleapis.com/cvdf-datasets/mnist/{file}.gz", f"sha256:{digest}", size)
            for file, digest, size in (
                (
                    "train-images-idx3-ubyte",
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                    9_912_422,
                ),
                ("train-labels-idx1-ubyte", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
                (
                    "t10k-images-idx3-ubyte",
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                    1_648_877,
                ),
                ("t10k-labels-idx1-ubyte", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
            )
        ),
        parts=(Part("images and labels", ("*-ubyte",), 4),),
        layout="mnist",
        note="A mirror: the authors' own server no longer gives the files away.",
    ),
    PublicDataset(
        name="uci-har",
        title="UCI-HAR: 10,299 windows of a smartphone's motion sensors, 6 activities, 30 subjects",
        home="https://archive.ics.uci.edu/dataset/240/human+activity+recognition+using+smartphones",
        licence="CC BY 4.0 in the repository; the authors' README prohibits commercial use",
        citation="D. Anguita and others, A Public Domain Dataset for HAR Using Smartphones, ESANN 2013",
        size="about 60 MB",
        downloads=(
            Download(
                "https://archive.ics.uci.edu/static/public/240/human+activity+recognition+using+smartphones.zip",
                "sha256:c00b803081a5c797cd5e4b83700a9810b38d53d9d84e01917e090e1fdbc81031",
                inner="UCI HAR Dataset.zip",
            ),
        ),
        parts=(
            Part("signals", ("*/Inertial Signals/*_t[re]*.txt",), 18),
            Part("labels and subjects", ("t[re]*/[ys]*_t[re]*.txt",), 4),
            Part("activity names", ("activity_labels.txt",), 1),
        ),
        layout="uci-har",
    ),
    PublicDataset(
        name="utd-mhad",
        title="UTD-MHAD: 861 trials of 27 actions by 8 subjects: inertial, skeleton, depth",
        home="https://www.utdallas.edu/~kehtar/UTD-MHAD.html",
        licence="none stated; offered for research with citation",
        citation="C. Chen, R. Jafari, N. Kehtarnavaz, UTD-MHAD: A Multimodal Dataset, ICIP 2015",
        size="about 20 MB without depth",
        downloads=(
            Download("https://www.utdallas.edu/~kehtar/UTD-MAD/Inertial.zip"),
            Download("https://www.utdallas.edu/~kehtar/UTD-MAD/Skeleton.zip"),
        ),
        parts=(
            Part("inertial trials", ("Inertial/*_inertial.mat",), 861),
            Part("skeletons", ("Skeleton/*_skeleton.mat",), 861, together="Skeleton/skeleton.npz"),
        ),
        layout="utd-mhad",
        note="Depth.zip (large) and RGB.zip lie beside these files at the publisher.",
    ),
)
"""Addresses and checksums as found in the publishers' pages and in libraries that download the same files: CIFAR-10
(Keras), HMDB-51 (torchvision and a second reader of it), MNIST (TensorFlow Datasets), UCI-HAR (two independent users).
"""
