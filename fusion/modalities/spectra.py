"""Spectra of sound over time: log-mel and MFCC, by definitions that learn nothing from data; and pictures of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FLOOR_DB = -80.0
"""Below the loudest point of a clip; what is fainter, silence too, is set to it."""


def log_mel(samples: NDArray[np.float32], *, rate: float, bands: int, hop: int, fft: int) -> NDArray[np.float32]:
    """Measure the power in mel bands over time, relative to the clip's loudest point.

    Parameters
    ----------
    samples : NDArray of float32, shape=(n,)
    rate : float
        Samples per second.
    bands : int >= 1
    hop, fft : int
        Samples between frames, and in a frame's window.

    Returns
    -------
    NDArray of float32, shape=(ceil(n / hop), bands)
        In dB, from -80 to 0; frames are centred on every `hop`-th sample.

    Raises
    ------
    ConfigError
        When a band is narrower than the spacing of the window's frequencies, so that nothing falls into it.

    Notes
    -----
    Slaney's mel scale and Hann windows, as librosa has them.
    """
    import librosa

    frames = -(-len(samples) // hop)
    peak = np.abs(samples).max()
    # Relative to its peak a clip neither overflows nor vanishes when it is squared.
    loud = samples / peak if peak > 0 else samples
    padded = np.pad(loud, (0, max(0, fft - len(loud))))
    power = np.abs(librosa.stft(padded, n_fft=fft, hop_length=hop)[:, :frames]) ** 2
    with _blas().limit(limits=1, user_api="blas"):  # sums by several threads round differently
        heard = _mel_filters(rate, fft, bands) @ power
    decibels = librosa.power_to_db(heard / (heard.max() or 1.0), amin=10.0 ** (FLOOR_DB / 10.0), top_db=None)
    return np.asarray(np.maximum(decibels.T, FLOOR_DB), np.float32)


def mfcc(spectrum: NDArray[np.float32], coefficients: int) -> NDArray[np.float32]:
    """Mel-frequency cepstral coefficients of a log-mel map.

    Parameters
    ----------
    spectrum : NDArray of float32, shape=(frames, bands)
        In dB, from -80 to 0.
    coefficients : int >= 2

    Returns
    -------
    NDArray of float32, shape=(frames, coefficients)
        Within `mfcc_limit` on both sides of 0.

    Notes
    -----
    Orthonormal DCT-II of the spectrum about the middle of its range. Liftered, so that all coefficients vary about as
    much, they were told apart less well (ESC-10, folds 1 to 3: 0.48 to 0.50 instead of 0.56 to 0.58).
    """
    import librosa

    found = librosa.feature.mfcc(S=spectrum.T - FLOOR_DB / 2.0, n_mfcc=coefficients)
    return np.asarray(found.T, np.float32)


def mfcc_limit(bands: int) -> float:
    """Largest absolute value that a coefficient can have: the first, of a spectrum at one end of its range."""
    return float(-FLOOR_DB / 2.0 * np.sqrt(bands))


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def _mel_filters(rate: float, fft: int, bands: int) -> NDArray[np.float32]:
    import librosa
    from librosa.filters import mel

    # librosa would warn of bands that nothing falls into; here they are an error.
    centres = librosa.mel_frequencies(bands + 2, fmin=0.0, fmax=rate / 2.0)
    spacing, narrowest = rate / fft, np.diff(centres).min()
    if spacing > narrowest:
        raise ConfigError(
            f"{bands} mel bands at {rate:g} samples per second are {narrowest:.0f} Hz wide, and a window of {fft} "
            f"samples tells apart {spacing:.0f} Hz; set fewer bands or a longer fft"
        )
    filters: NDArray[np.float32] = mel(sr=rate, n_fft=fft, n_mels=bands)
    return filters


def plot_maps(
    maps: Sequence[NDArray[Any]], names: Sequence[str], seconds: float, vertical: str, path: Path, title: str = ""
) -> None:
    """Draw maps of shape (frames, rows) over time, side by side, in one range of colours.

    Parameters
    ----------
    maps : sequence of NDArray, shape=(frames, rows)
        The first gives the range.
    names : sequence of str
    seconds : float
        Duration.
    vertical : str
        What the rows are.
    path : Path
        PNG to write.
    title : str
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0 * len(maps) + 0.8, 3.6), layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False, sharey=True)[0]
    limits = {"vmin": float(maps[0].min()), "vmax": float(maps[0].max())}
    for axis, values, name in zip(axes, maps, names, strict=True):
        extent = (0.0, seconds, 0.0, maps[0].shape[1])
        image = axis.imshow(values.T, origin="lower", aspect="auto", extent=extent, cmap="magma", **limits)
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("s", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel(vertical, fontsize=8)
    figure.colorbar(image, ax=list(axes))
    figure.suptitle(title, fontsize=10, parse_math=False)
    figure.savefig(path, dpi=110, format="png")
