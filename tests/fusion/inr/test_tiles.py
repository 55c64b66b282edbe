from __future__ import annotations

import numpy as np
import pytest

from fusion.inr.tiles import LANES, add_outer, product

SHAPES = [(4, 2, 1), (64, 128, 8), (1, 1, 1), (3, 64, 5), (9, 7, 6), (13, 33, 4)]


@pytest.mark.parametrize(("rows", "depth", "vectors"), SHAPES)
def test_products_of_any_shape_and_order(rows: int, depth: int, vectors: int) -> None:
    rng = np.random.default_rng(0)
    b = rng.normal(size=(depth, vectors * LANES + 16)).astype(np.float32)[:, : vectors * LANES]
    a = rng.normal(size=(depth, rows)).astype(np.float32)
    for left in (a.T, np.ascontiguousarray(a.T)):
        out = np.full((rows + 1, b.shape[1]), 7.0, np.float32)
        product(left, b, out[:rows])
        np.testing.assert_allclose(out[:rows], left @ b, rtol=1e-4, atol=1e-4)
        assert (out[rows] == 7.0).all()


@pytest.mark.parametrize(("rows", "columns", "vectors"), SHAPES)
def test_outer_products_add_up(rows: int, columns: int, vectors: int) -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=(height, vectors * LANES)).astype(np.float32) for height in (rows, columns))
    before = rng.normal(size=(rows + 1, columns)).astype(np.float32)
    out = before.copy()
    add_outer(a, b, out[:rows])
    np.testing.assert_allclose(out[:rows], before[:rows] + a @ b.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(out[rows], before[rows])
