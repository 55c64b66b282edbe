from __future__ import annotations

import pytest

from fusion.bench import fit as bench
from fusion.errors import ConfigError
from fusion.inr.architecture import paper


def test_bench_compares_engine_and_keras_on_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {name: bench.Work(paper(1, 2).half(), (32,), 2, 5) for name in ("sensor", "image")}
    monkeypatch.setattr(bench, "QUICK_WORK", tiny)
    found = bench.bench_fit(quick=True, modalities=["sensor"])
    result = found["modalities"]["sensor"]
    assert list(found["modalities"]) == ["sensor"]
    assert result["engine_psnr"] == pytest.approx(result["keras_psnr"], abs=0.01)
    ratio = result["engine_steps_per_second"] / result["keras_steps_per_second"]
    assert result["ratio_to_keras"] == pytest.approx(ratio)
    assert ratio > 1
    assert result["fraction_of_matmul"] > 0
    assert found["workers_speedup"] > 0


def test_bench_of_an_unknown_modality_is_named() -> None:
    with pytest.raises(ConfigError, match="no bench for modality 'smell'; expected one of sensor, image, video, audio"):
        bench.bench_fit(modalities=["smell"])
