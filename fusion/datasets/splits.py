"""Splits where a source has none."""

from __future__ import annotations

import hashlib

TEST_PART = 0.2


def split_of_group(group: str, seed: int = 42, *, test_part: float = TEST_PART) -> str:
    """Put whole groups into ``train`` or ``test`` by a seeded hash of their name.

    Parameters
    ----------
    group : str
    seed : int
    test_part : float
        Part of the groups that goes into ``test``, on average. Groups that are added later change no other's split.
    """
    digest = hashlib.blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8, key=str(seed).encode()).digest()
    return "test" if int.from_bytes(digest, "little") < test_part * 2**64 else "train"
