"""A modality and a reader that functa finds by their entry points: spectra, one coordinate and one value.

pip install examples/plugin
functa encode FOLDER --modality spectrum --dataset spectra --store spectra.zarr
"""

# ruff: noqa: D102 - what each method promises stands in fusion.modalities.Modality

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion import DataError, Sample, SampleError
from fusion.modalities import Modality, Scaling


@dataclass(frozen=True)
class SpectrumModality(Modality):
    """Spectra as tables of wavelength and intensity.

    Parameters
    ----------
    points : int
        Wavelengths that every spectrum is interpolated to.
    band : tuple of float
        Shortest and longest wavelength; empty takes those of the first training spectrum.
    """

    name: ClassVar[str] = "spectrum"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    points: int = 256
    band: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "band", tuple(self.band))

    @property
    def grid(self) -> tuple[int, ...]:
        return (self.points,)

    @property
    def d_out(self) -> int:
        return 1

    def resolved(self, raw: NDArray[Any]) -> SpectrumModality:
        wavelengths = checked(raw)[:, 0]
        return replace(self, band=self.band or (float(wavelengths.min()), float(wavelengths.max())))

    def prepare(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        wavelengths, intensities = checked(raw).T
        order = np.argsort(wavelengths)
        values = np.interp(self.wavelengths(self.points), wavelengths[order], intensities[order])
        # How much light fell into the instrument says nothing of the substance.
        return (values / max(float(values.max()), 1e-12)).astype(np.float32)[:, None]

    def fixed_scaling(self) -> Scaling:
        return Scaling(np.zeros(1, np.float32), np.ones(1, np.float32))

    def read(self, path: Path) -> NDArray[Any]:
        try:
            return np.loadtxt(path, dtype=np.float64, ndmin=2)
        except (OSError, ValueError) as error:
            raise SampleError("read", f"{path.name} is not two columns of numbers: {error}") from error

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        if path.suffix.lower() != ".txt":
            raise DataError(f"cannot write a spectrum as {path.suffix or 'a file without suffix'}; expected .txt")
        np.savetxt(path, np.column_stack([self.wavelengths(len(prepared)), prepared]), fmt="%.6g")

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        from matplotlib.figure import Figure

        axes = (figure := Figure(layout="constrained")).add_subplot(title=title, xlabel="wavelength")
        axes.plot(self.wavelengths(len(original)), original, label="original")
        axes.plot(self.wavelengths(len(reconstruction)), reconstruction, "--", label="reconstruction")
        axes.legend()
        figure.savefig(path)

    def wavelengths(self, points: int) -> NDArray[np.float64]:
        return np.linspace(*self.band, points)


class SpectraFolder:
    """A folder with ``spectra.csv`` (id, label, split, group) and a file ``<id>.txt`` for each of its rows."""

    name = "spectra"
    modality = "spectrum"

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not (self.root / "spectra.csv").is_file():
            raise DataError(f"{self.root} has no spectra.csv; expected one that names the spectra beside it")

    def __iter__(self) -> Iterator[Sample]:
        with (self.root / "spectra.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                load = partial(SpectrumModality().read, self.root / f"{row['id']}.txt")
                yield Sample(row["id"], row["label"], row["split"], row["group"], load)


def checked(raw: NDArray[Any]) -> NDArray[np.float64]:
    """Give a spectrum as floats, or say why it cannot be one."""
    table = np.asarray(raw, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < 2:
        raise SampleError("prepare", f"spectrum of shape {table.shape}; expected (2 or more, 2): wavelength, intensity")
    if not np.isfinite(table).all():
        raise SampleError("prepare", "a wavelength or intensity is not finite; expected finite numbers")
    return table
