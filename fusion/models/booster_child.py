"""Parses one booster from standard input, in a process that may die of it; see `fusion.models.booster_check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost

__all__ = ["check", "check_tree", "main"]

_MEMORY, _SECONDS, _MAX_COLUMNS = 16 << 30, 60, 10**7


def main() -> None:
    """Read, check and try a booster; end with 1 and a reason on standard output when it is none."""
    _limit()
    try:
        check(sys.stdin.buffer.read())
    except Exception as error:  # noqa: BLE001 - whatever a parser raises, the answer is no
        sys.stdout.write(str(error).splitlines()[0][:300] if str(error) else type(error).__name__)
        sys.exit(1)


def _limit() -> None:
    """Bound memory and time, where the system can: Windows has no such limits."""
    try:
        import resource
    except ImportError:
        return
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, _SECONDS)):
        resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))


def check(content: bytes) -> None:
    """Load a booster, look at each tree, and let it predict.

    Raises
    ------
    ValueError
        A tree whose nodes are not a tree, or that looks at columns there are none of.
    """
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    columns = booster.num_features()
    if not 1 <= columns <= _MAX_COLUMNS:
        raise ValueError(f"it reads {columns} columns")
    learner = json.loads(booster.save_raw("json"))["learner"]
    _check_booster(learner["gradient_booster"], columns)
    rows = np.array([[0.0], [np.nan], [1e30], [-1e30]], np.float32) * np.ones((1, columns), np.float32)
    booster.predict(xgboost.DMatrix(rows, missing=np.nan, nthread=1))


def _check_booster(booster: Mapping[str, Any], columns: int) -> None:
    if booster["name"] == "gblinear":
        return
    model = booster["gbtree"]["model"] if booster["name"] == "dart" else booster["model"]
    if len(model["tree_info"]) != len(model["trees"]):
        raise ValueError(f"it says {len(model['tree_info'])} trees and has {len(model['trees'])}")
    for number, tree in enumerate(model["trees"]):
        check_tree(number, tree, columns)


def check_tree(number: int, tree: Mapping[str, Sequence[Any]], columns: int) -> None:
    """Raise ValueError when nodes are missing, visited twice, or look at columns there are none of."""
    left, right, split = tree["left_children"], tree["right_children"], tree["split_indices"]
    size = len(left)
    if any(len(tree[name]) != size for name in ("right_children", "split_indices", "split_conditions", "default_left")):
        raise ValueError(f"tree {number} has columns of different lengths")
    seen, ahead = set[int](), [0]
    while ahead:
        node = ahead.pop()
        if not 0 <= node < size or node in seen:
            raise ValueError(f"the nodes of tree {number} are not a tree")
        seen.add(node)
        if left[node] != -1:
            if not 0 <= split[node] < columns:
                raise ValueError(f"tree {number} looks at column {split[node]} of {columns}")
            ahead += [left[node], right[node]]


if __name__ == "__main__":
    main()
