"""The adversary of store.testing against both formats."""

from __future__ import annotations

import resource
from collections import Counter
from pathlib import Path

import pytest

from store.testing.adversary import Adversary


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
@pytest.mark.parametrize("attacks", [40, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_no_attack_is_read_wrongly_touches_other_files_or_ends_in_a_traceback(
    fast_folder: Path, suffix: str, attacks: int
) -> None:
    adversary = Adversary(fast_folder, suffix)
    ends = Counter(adversary.attack(seed) for seed in range(attacks))
    assert sum(ends.values()) == attacks
    assert sum(count for end, count in ends.items() if end.endswith("noticed")) > attacks / 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2**20
