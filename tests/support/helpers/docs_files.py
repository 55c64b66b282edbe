"""Write small files under the names that the pages of docs/ use, a function for each page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers.cifar_files import write_cifar
from helpers.digit_files import write_digits
from helpers.esc_files import write_esc50
from helpers.har_files import har_windows, write_har
from helpers.image_files import write_picture
from helpers.made_functas import functa_rows, stored
from helpers.made_gestures import gestures, recording
from helpers.made_videos import moving_square, write_splits, write_video
from helpers.pages import boxes, page, run_in_order
from helpers.readme_files import write_readme_files
from helpers.utd_files import write_depth, write_inertial, write_skeleton

QUICK = "--architecture paper-half --workers 1 --reader ids=stem --reader 'group=(t[0-9a-f])[.]'"


def own_files(folder: Path) -> None:
    for number, place in enumerate(("train/cat/1.png", "train/dog/2.png", "test/cat/3.png")):
        write_picture(folder / "photos" / place, seed=number)
    for name in ("a", "b"):
        write_picture(folder / "scans" / f"{name}.png")
    (listed,) = boxes(page("docs/own-files.md"), "csv")
    (folder / "scans.csv").write_text(listed)
    _write_trials(folder)
    write_cifar(folder, count=2)


def _write_trials(folder: Path) -> None:
    """Write windows of several lengths with names of their columns, and the list of them."""
    lines = ["path,label,split"]
    for number in range(4):
        readings = har_windows(np.array([number % 2 + 1]), seed=number)[0, : 100 + number, :3]
        (folder / "trials").mkdir(exist_ok=True)
        path = folder / "trials" / f"{number}.csv"
        np.savetxt(path, readings, delimiter=",", header="ax,ay,az", comments="")
        lines.append(f"trials/{number}.csv,{('walk', 'run')[number % 2]},{('train', 'test')[number // 2]}")
    (folder / "trials.csv").write_text("\n".join(lines) + "\n")


def sensor_tables(folder: Path) -> None:
    random, lines = np.random.default_rng(0), ["subject,t,ax,ay,az,activity"]
    for name, activity in (("anna", "walking"), ("ben", "sitting"), ("cleo", "walking"), ("dan", "sitting")):
        for reading in range(200):
            values = ",".join(f"{value:.3f}" for value in random.normal(len(activity), 0.2, 3))
            lines.append(f"{name},{reading * 0.02:.2f},{values},{activity}")
    (folder / "walks.csv").write_text("\n".join(lines) + "\n")


def choosing(folder: Path) -> None:
    """Write small stores of a few people, and windows of as many as class folders."""
    stored(folder / "har.zarr", functa_rows()).close()
    for name in ("functa", "local"):
        stored(folder / f"{name}.zarr", functa_rows(seed=len(name)), dataset="har").close()
    for number, window in enumerate(har_windows(np.arange(16) % 2 + 1, seed=1)[:, :32]):
        path = _trial(folder / "windows", number, ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, window, delimiter=",")


def fusion(folder: Path) -> None:
    """Stores of two sensors and of a camera that saw the same trials, and a model of one sensor and the camera."""
    for name, seed in (("inertial", 1), ("skeleton", 2)):
        windows = har_windows(np.arange(16) % 2 + 1, seed=seed)[:, :32]
        for number, window in enumerate(windows):
            path = _trial(folder / name, number, ".csv")
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savetxt(path, window, delimiter=",")
    for number in range(16):
        write_video(_trial(folder / "films", number, ".mp4"), moving_square(seed=number % 2))
    np.savetxt(folder / "a.csv", windows[0], delimiter=",")
    for name in ("b.csv", "trial7.csv"):
        (folder / name).write_text((folder / "a.csv").read_text())
    write_video(folder / "trial7.mp4", moving_square(seed=7))
    run_in_order(
        [
            f"functa encode inertial --modality sensor --store inertial.zarr {QUICK}",
            f"functa encode skeleton --modality sensor --store skeleton.zarr {QUICK}",
            f"functa encode films --modality video --store films.zarr --size 16x16 --frames 4 {QUICK}",
            "functa link inertial.zarr films.zarr --on id --out seen.parquet",
            "functa train seen.parquet --model gestures --rounds 3",
        ],
        folder,
    )


def _trial(folder: Path, number: int, suffix: str) -> Path:
    split, label = ("train", "test")[number // 12], ("wave", "clap")[number % 2]
    return folder / split / label / f"t{number:x}{suffix}"


def local_functas(folder: Path) -> None:
    write_har(folder)
    write_cifar(folder)
    write_esc50(folder / "esc50", esc10=("dog", "rain"))
    trials = tuple(f"a{action}_s{subject}_t1" for action in (1, 2) for subject in range(1, 9))
    for write in (write_inertial, write_skeleton, write_depth):
        write(folder / "utd-mhad", trials)
    _write_jhmdb(folder / "jhmdb")


def _write_jhmdb(folder: Path) -> None:
    folder.mkdir()
    lines = ["clip,label,hmdb51_name,split1,split2,split3"]
    for number in range(8):
        label = ("clap", "throw")[number % 2]
        clip = f"{label}/film{number:02d}_{label}_u_nm_np1_fr_goo_0.mp4"
        write_video(folder / "small" / clip, moving_square(seed=number))
        lines.append(f"{clip},{label},,{1 if number < 6 else 2},,")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")


def explaining(folder: Path) -> None:
    write_har(folder)


def index(folder: Path) -> None:
    gestures(folder / "walks.csv")
    recording("nod", "new", seed=99).to_csv(folder / "new.csv", index=False)


def interchange(folder: Path) -> None:
    write_har(folder)


def nothing(folder: Path) -> None:
    """The page makes all that it reads."""


def python_data(folder: Path) -> None:
    """Write the public data sets that the page reads, each as its authors published it, beside the README's files."""
    write_readme_files(folder)
    write_cifar(folder)
    write_esc50(folder / "esc50")
    write_digits(folder / "digits")
    for write in (write_inertial, write_skeleton, write_depth):
        write(folder / "utd-mhad")
    _write_jhmdb(folder / "jhmdb")
    clip = write_video(folder / "hmdb51" / "clap" / "film_clap_u_nm_np1_fr_goo_0.avi", moving_square(), "MJPG")
    write_splits(folder / "hmdb51" / "testTrainMulti_7030_splits", {f"clap/{clip.name}": "1"})


def scaling(folder: Path) -> None:
    write_har(folder)


def store_format(folder: Path) -> None:
    encode = "functa encode 'UCI HAR Dataset' --dataset uci-har --modality sensor --store har.zarr --workers 1"
    write_har(folder)
    run_in_order([encode, "functa store convert har.zarr har.h5"], folder)
