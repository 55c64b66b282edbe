"""Compiled code that cannot be kept is told once."""

from __future__ import annotations

import warnings

import numba
import pytest

from fusion.errors import EngineWarning
from fusion.inr import compiling


def test_code_that_cannot_be_kept_is_compiled_all_the_same_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit

    def refusing(*arguments: object, **options: object) -> object:
        if options.pop("cache", False):
            return lambda _: (_ for _ in ()).throw(RuntimeError("no locator available"))
        return real(*arguments, **options)

    monkeypatch.setattr(compiling.numba, "njit", refusing)
    compiling._warn_once.cache_clear()
    with pytest.warns(EngineWarning, match="NUMBA_CACHE_DIR"):
        twice = compiling.kept({"nsz"})(lambda x: 2 * x)
    assert twice(4) == 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiling.kept({"nsz"})(lambda x: 3 * x)
