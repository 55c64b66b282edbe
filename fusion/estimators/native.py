"""Trained boosters read through XGBoost's C interface.

XGBoost's Python package imports scikit-learn and SciPy's statistics, a second that the prediction of one file does not
have. Reference: https://xgboost.readthedocs.io/en/stable/c.html
"""

from __future__ import annotations

import ctypes
import json
import sys
import weakref
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

_NAMES = {"win32": "xgboost.dll", "darwin": "libxgboost.dylib"}
_OUTPUTS, _MARGINS = 0, 1


class NativeBooster:
    """A booster that predicts, and nothing else.

    Parameters
    ----------
    content : bytes
        Of a file in XGBoost's own format.

    Raises
    ------
    ModelError
        When it is no such file.
    """

    def __init__(self, content: bytes) -> None:
        self._handle = ctypes.c_void_p()
        _call("XGBoosterCreate", None, ctypes.c_uint64(0), ctypes.byref(self._handle))
        weakref.finalize(self, _library().XGBoosterFree, self._handle)
        _call("XGBoosterLoadModelFromBuffer", self._handle, content, ctypes.c_uint64(len(content)))

    @property
    def columns(self) -> int:
        """Number of columns that it reads."""
        found = ctypes.c_uint64()
        _call("XGBoosterGetNumFeature", self._handle, ctypes.byref(found))
        return found.value

    @property
    def rounds(self) -> int:
        """Boosting rounds."""
        found = ctypes.c_int()
        _call("XGBoosterBoostedRounds", self._handle, ctypes.byref(found))
        return found.value

    def predict(
        self, matrix: NDArray[np.float32], *, start: NDArray[np.float32] | None = None, margins: bool = False
    ) -> NDArray[np.float32]:
        """Give outputs, or margins, of rows (n, columns), shape (n, outputs); `start` is what is added to."""
        data = ctypes.c_void_p()
        whole = np.ascontiguousarray(matrix, dtype=np.float32)
        _call("XGDMatrixCreateFromDense", _interface(whole), b'{"missing": NaN}', ctypes.byref(data))
        try:
            if start is not None:
                first = np.ascontiguousarray(start, dtype=np.float32)
                _call("XGDMatrixSetInfoFromInterface", data, b"base_margin", _interface(first))
            return self._predicted(data, _MARGINS if margins else _OUTPUTS)
        finally:
            _call("XGDMatrixFree", data)

    def _predicted(self, data: ctypes.c_void_p, kind: int) -> NDArray[np.float32]:
        settings = {"type": kind, "training": False, "iteration_begin": 0, "iteration_end": 0, "strict_shape": True}
        shape, axes, values = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64(), ctypes.POINTER(ctypes.c_float)()
        _call(
            "XGBoosterPredictFromDMatrix",
            self._handle,
            data,
            json.dumps(settings).encode(),
            ctypes.byref(shape),
            ctypes.byref(axes),
            ctypes.byref(values),
        )
        sizes = tuple(shape[axis] for axis in range(axes.value))
        return np.ctypeslib.as_array(values, sizes).astype(np.float32)


@dataclass(frozen=True, eq=False)
class NativeEstimator:
    """A trained `FunctaBooster` that only predicts.

    Attributes
    ----------
    kind : str
        Its `booster`: "gbtree", "gblinear" or "stacked".
    boosters : mapping of str to NativeBooster
        By name, as in `FunctaBooster.boosters_`.
    classes_ : object array, shape (classes,)
        Names of the outputs; empty of a number.
    width : int
        Number of outputs.
    """

    kind: str
    boosters: Mapping[str, NativeBooster]
    classes_: NDArray[np.object_]
    width: int

    def __post_init__(self) -> None:
        widths = [booster.columns for booster in self.boosters.values()]
        if len(set(widths)) > 1:
            raise ModelError(f"the boosters read {' and '.join(map(str, widths))} columns. Train again.")
        found = self.outputs(np.full((1, self.n_features_in_), np.nan, np.float32)).shape[1:]
        if found != (self.width,):
            raise ModelError(
                f"the booster returns values of shape {found} per row but the model lists {self.width} "
                "classes. The files belong to different models: train again."
            )

    @property
    def n_features_in_(self) -> int:
        """Number of columns that it reads."""
        return self.boosters["model"].columns

    @property
    def n_rounds_(self) -> int:
        """Boosting rounds of the booster called "model"."""
        return self.boosters["model"].rounds

    def outputs(self, rows: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each class, or a number, shape (n, outputs)."""
        matrix = np.asarray(rows, dtype=np.float32)
        if matrix.ndim != 2 or matrix.shape[1] != self.n_features_in_:
            raise DataError(f"rows of shape {matrix.shape}; expected (n, {self.n_features_in_})")
        start = self.boosters["linear"].predict(matrix, margins=True) if self.kind == "stacked" else None
        return self.boosters["model"].predict(matrix, start=start)


def _interface(array: NDArray[np.float32]) -> bytes:
    """Describe an array where it lies, as NumPy's array interface in JSON."""
    described = {"data": [array.ctypes.data, True], "shape": array.shape, "typestr": array.dtype.str, "version": 3}
    return json.dumps(described).encode()


def _call(name: str, *arguments: Any) -> None:
    library = _library()
    if getattr(library, name)(*arguments) != 0:
        raise ModelError(library.XGBGetLastError().decode(errors="replace").strip().splitlines()[0])


@cache
def _library() -> Any:
    found = find_spec("xgboost")
    folders = [] if found is None else list(found.submodule_search_locations or ())
    beside = [Path(folder, "lib", _NAMES.get(sys.platform, "libxgboost.so")) for folder in folders]
    path = next((str(place) for place in beside if place.exists()), None)
    if path is None:
        from xgboost.libpath import find_lib_path  # of packagers who keep the library elsewhere

        path = find_lib_path()[0]
    library = ctypes.CDLL(path)
    library.XGBGetLastError.restype = ctypes.c_char_p
    library.XGBSetGlobalConfig(b'{"verbosity": 0}')  # it would print warnings, such as those of old boosters
    return library
