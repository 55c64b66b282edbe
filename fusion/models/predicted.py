"""What a model says of files, and how often it was right."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from fusion.datasets.targets import number_of

__all__ = ["Accuracy", "FilePrediction", "PartPrediction", "WindowPrediction"]


@dataclass(frozen=True)
class PartPrediction:
    """What became of one file of an item.

    Parameters
    ----------
    file : str
    psnr : float
        How well the file's functa reproduces it, in dB, the lowest of its windows; NaN when there is none.
    error : str
        Why it, or one of its windows, could not be encoded, or empty.
    """

    file: str
    psnr: float
    error: str


@dataclass(frozen=True)
class WindowPrediction:
    """What a model says of one window of a recording; fields as those of `FilePrediction`.

    Parameters
    ----------
    window : str
        Where it begins in the recording, as training names it.
    """

    window: str
    label: str | None
    probabilities: dict[str, float]
    psnr: float
    error: str
    truth: str | None
    value: float | None = None


@dataclass(frozen=True)
class FilePrediction:
    """What a model says of one item: a file, a recording in one, or files of several modalities that belong together.

    Parameters
    ----------
    file : str
        Its files, joined by " + ".
    label : str or None
        The most probable class, or the labels that are more probable than not in one text; None when no file could be
        encoded, and of a model of numbers.
    probabilities : dict of str to float
        By class or label, most probable first, or by thresholds the one that is named; of a recording the mean of its
        windows'. Empty of a model of numbers.
    psnr : float
        How well the functas reproduce the files, in dB, the lowest of them; NaN when there is none.
    error : str
        Why a file or a window could not be encoded, or empty; the others are classified without it.
    modalities : dict of str to PartPrediction
        By branch name.
    recording : str
        Its name in a table of several, of a row its ID or place; else empty.
    truth : str or None
        Its class, where the file, a list or a class folder tells it.
    windows : tuple of WindowPrediction
        Of a recording that was cut into several.
    value : float or None
        The number, of a model of numbers; of a recording the mean of its windows'.
    """

    file: str
    label: str | None
    probabilities: dict[str, float]
    psnr: float
    error: str
    modalities: dict[str, PartPrediction]
    recording: str = ""
    truth: str | None = None
    windows: tuple[WindowPrediction, ...] = ()
    value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"windows": [asdict(window) for window in self.windows]}


@dataclass(frozen=True)
class Accuracy:
    """How many of those whose class is known were right; of numbers, how far off they were.

    The errors are summed over recordings whose number is known and was predicted.
    """

    recordings: int = 0
    recordings_right: int = 0
    windows: int = 0
    windows_right: int = 0
    numbers: int = 0
    absolute_error: float = 0.0
    squared_error: float = 0.0

    @property
    def mae(self) -> float | None:
        """Mean absolute error; None where no number was known."""
        return self.absolute_error / self.numbers if self.numbers else None

    @property
    def rmse(self) -> float | None:
        """Root mean squared error; None where no number was known."""
        return (self.squared_error / self.numbers) ** 0.5 if self.numbers else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: of classes counts and shares, of numbers errors; None where nothing was known."""
        if self.numbers:
            return {"numbers": self.numbers, "mae": self.mae, "rmse": self.rmse}
        counts = ("recordings", "recordings_right", "windows", "windows_right")
        shares = {
            "accuracy": self.recordings_right / self.recordings if self.recordings else None,
            "accuracy_windows": self.windows_right / self.windows if self.windows else None,
        }
        return {name: getattr(self, name) for name in counts} | shares

    def plus(self, prediction: FilePrediction) -> Accuracy:
        """Count one more; what could not be classified counts as wrong."""
        if prediction.value is not None:
            return self._plus_number(prediction.value, number_of(prediction.truth))
        windows = [window for window in prediction.windows if window.truth is not None]
        known = prediction.truth is not None
        return replace(
            self,
            recordings=self.recordings + known,
            recordings_right=self.recordings_right + (known and prediction.label == prediction.truth),
            windows=self.windows + len(windows),
            windows_right=self.windows_right + sum(window.label == window.truth for window in windows),
        )

    def _plus_number(self, value: float, truth: float | None) -> Accuracy:
        if truth is None:
            return self
        error = abs(value - truth)
        return replace(
            self,
            numbers=self.numbers + 1,
            absolute_error=self.absolute_error + error,
            squared_error=self.squared_error + error**2,
        )
