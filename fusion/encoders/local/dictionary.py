"""What local functas learn on training samples: whitening of the windows' networks, and a dictionary of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import eigh

from fusion.encoders.learning import chunks, usable_arrays
from fusion.encoders.local.coding import AS_IT_IS, CENTRED, CONTRAST
from fusion.encoders.local.folding import folded_step, no_step, stepped_deltas
from fusion.errors import DataError
from fusion.inr.initialisation import random_start
from fusion.splits import seeded_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.local.config import LocalConfig
    from fusion.encoders.local.folding import Step
    from fusion.encoders.local.windows import Windows
    from fusion.encoders.pool import Mapper
    from fusion.modalities import Scaling

_CHUNK = 32
_MAX_BYTES = 1 << 28
_CONTRAST_FLOOR = 0.01
_SLOW_PATCHES = 20_000


@dataclass(frozen=True, eq=False)
class ScaleState:
    """What is learned of one scale; the arrays of a store, named with the scale's number.

    Parameters
    ----------
    start : shape=(k,)
        The network that every window's fit begins at.
    step_size : shape=(1,)
    floor : shape=(1,)
        Added to a window's variance where contrast is taken off.
    delta_mean : shape=(k,)
        Mean of weights minus start.
    whitening : shape=(k, d)
        ``(weights - start - delta_mean) @ whitening`` has variance 1 or less in each dimension.
    mean, projection : shape=(v,) and (v, d)
        The same for one step, folded: ``(window - mean) @ projection``.
    centres : shape=(centres, d)
    """

    start: NDArray[np.float32]
    step_size: NDArray[np.float32]
    floor: NDArray[np.float32]
    delta_mean: NDArray[np.float32]
    whitening: NDArray[np.float32]
    mean: NDArray[np.float32]
    projection: NDArray[np.float32]
    centres: NDArray[np.float32]


def learn_scales(
    config: LocalConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper
) -> tuple[NDArray[np.float32], list[ScaleState]]:
    """Learn the channels' gains, and whitening and dictionary of every scale.

    Parameters
    ----------
    config : LocalConfig
        With all sizes known.
    scaling : Scaling
    training : iterable of Sample
    mapper : Mapper

    Raises
    ------
    DataError
        When no training sample can be used, or there are fewer windows than centres.
    """
    drawn = _drawn_windows(config, scaling, training, mapper)
    gains = _gains(config, drawn)
    scales = zip(config.all_windows(), drawn, strict=True)
    return gains, [
        _learn_scale(config, windows, patches * np.tile(gains[windows.channels], int(np.prod(windows.size))), index)
        for index, (windows, patches) in enumerate(scales)
    ]


def mode_of(config: LocalConfig) -> int:
    """How windows are changed before the fit, as compiled code reads it."""
    return CONTRAST if config.contrast else CENTRED if config.centred else AS_IT_IS


def conditioned(patches: NDArray[np.float32], mode: int, channels: int, floor: float) -> NDArray[np.float32]:
    """Take means, or contrast, off windows (w, v), as the kernel does."""
    if mode == CENTRED:
        cubes = patches.reshape(len(patches), -1, channels)
        return np.asarray((cubes - cubes.mean(axis=1, keepdims=True)).reshape(patches.shape), np.float32)
    if mode == CONTRAST:
        centred = patches - patches.mean(axis=1, keepdims=True)
        variance = np.mean(np.square(centred), axis=1, keepdims=True) + floor
        return np.asarray(centred / np.sqrt(variance), np.float32)
    return patches


def _drawn_windows(
    config: LocalConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper
) -> list[NDArray[np.float32]]:
    """Draw windows of each scale from the training samples whose seeded hash is smallest."""
    chosen = nsmallest(config.samples, training, key=lambda sample: seeded_hash(sample.id, config.seed))
    if not chosen:
        raise DataError("no training samples to learn whitening and dictionary from")
    wanted = [-(-_patches(config, windows) // len(chosen)) for windows in config.all_windows()]
    task = partial(_cut_some, config=config, scaling=scaling, wanted=wanted)
    parts = list(mapper(task, chunks(chosen, _CHUNK)))
    drawn = [np.concatenate(scale) for scale in zip(*parts, strict=True)]
    for patches in drawn:
        if len(patches) < config.centres:
            raise DataError(
                f"{len(patches)} windows in {len(chosen)} training samples; expected as many as the {config.centres} "
                "centres of the dictionary or more. Lower `centres`, or the windows' strides."
            )
    return drawn


def _patches(config: LocalConfig, windows: Windows) -> int:
    most = config.patches if config.folds else min(config.patches, _SLOW_PATCHES)
    return max(config.centres, min(most, _MAX_BYTES // (4 * len(windows.offsets))))


def _cut_some(
    samples: list[Sample], config: LocalConfig, scaling: Scaling, wanted: list[int]
) -> list[NDArray[np.float32]]:
    grids = config.all_windows()
    parts: list[list[NDArray[Any]]] = [[np.empty((0, len(grid.offsets)), np.float32)] for grid in grids]
    for sample in samples:
        rng = np.random.default_rng(int.from_bytes(seeded_hash(sample.id, config.seed), "little"))
        for prepared in usable_arrays([sample], config.modality):
            values = scaling.normalise(prepared).reshape(config.modality.points, config.modality.d_out)
            values = config.seen(values)
            for part, grid, count in zip(parts, grids, wanted, strict=True):
                places = rng.choice(len(grid.origins), min(count, len(grid.origins)), replace=False)
                part.append(grid.cut(values, places))
    return [np.concatenate(part) for part in parts]


def _gains(config: LocalConfig, drawn: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    gains = np.ones(config.channels, np.float32)
    if not config.balanced:
        return gains
    seen: dict[int, list[NDArray[np.float32]]] = {}
    for windows, patches in zip(config.all_windows(), drawn, strict=True):
        seen.setdefault(windows.channels.start, []).append(patches.reshape(-1, windows.width))
    for first, parts in seen.items():
        deviation = np.concatenate(parts).std(axis=0, dtype=np.float64)
        gains[first : first + len(deviation)] = np.where(deviation > 0, 1.0 / np.where(deviation > 0, deviation, 1), 1)
    return gains


def _learn_scale(config: LocalConfig, windows: Windows, patches: NDArray[np.float32], index: int) -> ScaleState:
    mode, floor = mode_of(config), _CONTRAST_FLOOR * float(patches.var(axis=1, dtype=np.float64).mean())
    patches = conditioned(patches, mode, windows.width, floor)
    network = config.network(windows.width)
    start = random_start(network, config.seed + index)
    if config.raw:
        step = no_step(patches.shape[1])
    else:
        step = folded_step(network, start, windows.size, config.fit.learning_rate)
    if config.folds:
        delta_mean, whitening = _whitening_of_steps(step, patches, config)
        mean = patches.mean(axis=0, dtype=np.float64)
        z = (patches - mean.astype(np.float32)) @ (step.matrix @ whitening).astype(np.float32)
    else:
        deltas, _ = stepped_deltas(network, start, windows.size, patches, config.fit, step.size)
        mean = patches.mean(axis=0, dtype=np.float64)
        delta_mean, whitening = deltas.mean(axis=0, dtype=np.float64), _whitening(np.cov(deltas.T, bias=True), config)
        z = ((deltas - delta_mean) @ whitening).astype(np.float32)
    centres = _centres(z, config, index)
    learned = (start, [step.size], [floor], delta_mean, whitening, mean, step.matrix @ whitening, centres)
    return ScaleState(*(np.asarray(array, np.float32) for array in learned))


def _whitening_of_steps(
    step: Step, patches: NDArray[np.float32], config: LocalConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whiten one-step deltas from the windows' covariance alone, without writing out any delta."""
    mean = patches.mean(axis=0, dtype=np.float64)
    centred = patches - mean.astype(np.float32)
    covariance = (centred.T @ centred).astype(np.float64) / len(patches)
    return step.deltas(mean[None])[0], _whitening(step.matrix.T @ covariance @ step.matrix, config)


def _whitening(covariance: NDArray[np.float64], config: LocalConfig) -> NDArray[np.float64]:
    """Give the first directions of a covariance (k, k), each over its deviation, as (k, d); signs are fixed."""
    k = len(covariance)
    variances, directions = eigh(covariance, subset_by_index=(max(0, k - config.dimensions), k - 1))
    useful = variances > variances[-1] * 1e-9 if variances[-1] > 0 else np.arange(len(variances)) == 0
    kept, variance = directions.T[useful][::-1], np.maximum(variances[useful][::-1], 0.0)
    signs = np.sign(kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)])
    floor = config.regularisation * variance.mean() or 1.0 * (not variance.any())
    return np.asarray((kept * (signs / np.sqrt(variance + floor))[:, None]).T)


def _centres(z: NDArray[np.float32], config: LocalConfig, index: int) -> NDArray[np.float32]:
    """Cluster whitened windows; one thread, so that sums are added up in one order."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    means = KMeans(
        config.centres, init="random", n_init=1, max_iter=config.iterations, random_state=config.seed + index, tol=0.0
    )
    with threadpool_limits(1), warnings.catch_warnings():
        # Windows that repeat, as of silence, make fewer clusters than centres, which then coincide.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(means.fit(z).cluster_centers_, np.float32)
