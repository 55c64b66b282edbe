"""Rows taken in batches of so many bytes, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["batches"]


def batches(count: int, row_bytes: int, *, at_most: int = 8 << 20) -> Iterator[slice]:
    """Cut `count` rows of so many bytes each into slices of at most `at_most` bytes, one row at least."""
    size = max(1, at_most // max(row_bytes, 1))
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
