"""The adversary of store.testing against both formats."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from store.testing.adversary import Adversary


def memory(kind: str) -> int:
    """Bytes of this process: VmRSS = now, VmHWM = the most since the peak was restarted."""
    return int(Path("/proc/self/status").read_text().partition(f"{kind}:")[2].split()[0]) << 10


def restarted_peak() -> int:
    """Forget what earlier tests took, and return what this process holds now."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
@pytest.mark.parametrize("attacks", [40, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_no_attack_is_read_wrongly_touches_other_files_or_ends_in_a_traceback(
    fast_folder: Path, suffix: str, attacks: int
) -> None:
    before = restarted_peak()
    adversary = Adversary(fast_folder, suffix)
    ends = Counter(adversary.attack(seed) for seed in range(attacks))
    assert sum(ends.values()) == attacks
    assert sum(count for end, count in ends.items() if end.endswith("noticed")) > attacks / 4
    assert memory("VmHWM") - before < 1 << 30
