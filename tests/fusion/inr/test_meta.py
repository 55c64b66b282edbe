from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.reference import loss_and_gradient
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, paper
from fusion.inr.bilevel import Gradients
from fusion.inr.engine import fit
from fusion.inr.initialisation import random_start
from fusion.inr.meta import learn_start, slopes_of_start
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.metrics import psnr
from fusion.inr.settings import FitSettings
from fusion.settings import read_settings

SHORT = MetaSettings(steps=400, batch=4)


def log_error_after(steps: int, learned: NDArray[Any], architecture: Architecture, x: Any, y: Any) -> float:
    theta, sizes = learned[0], np.exp(learned[1])
    for _ in range(steps):
        theta = theta - sizes * loss_and_gradient(architecture, theta, x, y)[1]
    return float(np.log(loss_and_gradient(architecture, theta, x, y)[0]))


def test_the_slope_goes_through_the_inner_steps(smooth_problem: Callable[..., Any]) -> None:
    architecture = Architecture(1, 2, (16, 12), (6.0, 2.0), initialiser="siren")
    x, y = smooth_problem(architecture, (40,), 1)
    learned = np.stack([random_start(architecture, 0).astype(float), np.full(architecture.size, np.log(0.3))])
    slope = np.stack(slopes_of_start(Gradients(architecture, x), list(learned), y[0], 3))
    rng = np.random.default_rng(1)
    for way in (np.stack([rng.normal(size=architecture.size), np.zeros(architecture.size)]), slope / 100):
        rise = [log_error_after(3, learned + sign * 1e-5 * way, architecture, x, y[0]) for sign in (1, -1)]
        assert np.sum(slope * way) == pytest.approx((rise[0] - rise[1]) / 2e-5, rel=2e-2)


def test_three_learned_steps_beat_adam_on_samples_never_seen(smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(1, 3).half()
    x, y = smooth_problem(architecture, (48,), 40)
    start, sizes = learn_start(architecture, x, y[:32], SHORT, seed=0)
    learned = fit(architecture, start, x, y[32:], FitSettings(steps=3), step_sizes=sizes)
    adam = [
        fit(architecture, random_start(architecture, 0), x, y[32:], FitSettings(steps=3, learning_rate=rate)).mse
        for rate in (1e-3, 5e-3, 2e-2)
    ]
    assert psnr(learned.mse).mean() > 3 + max(psnr(mse).mean() for mse in adam)


def test_a_start_is_seeded(smooth_problem: Callable[..., Any]) -> None:
    architecture = paper(1, 2).half()
    x, y = smooth_problem(architecture, (32,), 6)
    few = MetaSettings(steps=3, batch=2)
    first, again, other = (learn_start(architecture, x, y, few, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first[0], other[0])


def test_large_signals_and_diverging_samples_leave_the_start_finite(smooth_problem: Callable[..., Any]) -> None:
    architecture = Architecture(1, 1, (8,), (30.0,))
    x, y = smooth_problem(architecture, (5000,), 3)
    y[1, 7] = np.nan
    start, sizes = learn_start(architecture, x, y, MetaSettings(steps=5, batch=8), seed=0)
    assert np.isfinite(start).all()
    assert (sizes > 0).all()


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(ConfigError, match="meta batch is 0; expected 1 or more"):
        MetaSettings(batch=0)
    with pytest.raises(ConfigError, match="unknown meta option pace; expected some of steps, batch"):
        read_settings(MetaSettings, {"pace": 3}, what="meta")
