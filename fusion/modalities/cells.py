"""Arrays that callers hand over: numbers that can be worked with, or refused."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["numbers_in", "without_mask"]

_NUMBERS = "biuf"
_NO_NUMBERS = (np.datetime64, np.timedelta64)
"""Though NumPy counts a duration as a whole number."""


def numbers_in(raw: Any, what: str) -> NDArray[Any]:
    """Give real numbers as an array, of the type that they have.

    Parameters
    ----------
    raw : array_like
    what : str
        Names them in messages, such as "image".

    Raises
    ------
    SampleError
        When a value is masked, or is no real number: complex, a date or a duration, text, an object.
    """
    array = without_mask(raw, what)
    if array.dtype == np.object_ and array.size and all(map(_is_real, array.flat)):
        array = array.astype(np.float64)
    if array.dtype.kind not in _NUMBERS:
        raise SampleError("prepare", f"{what} of shape {array.shape} and type {array.dtype}; expected numbers")
    return array


def without_mask(raw: Any, what: str) -> NDArray[Any]:
    """Give an array as NumPy's plain kind; SampleError where a value is masked: what stands below it is no reading."""
    if isinstance(raw, list | tuple) and any(isinstance(part, np.ma.MaskedArray) for part in raw):
        raw = np.ma.stack([np.ma.asarray(part) for part in raw])
    if isinstance(raw, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(raw)
        if hidden.any():
            place = ", ".join(map(str, np.argwhere(hidden)[0].tolist()))
            raise SampleError(
                "prepare",
                f"{what} with {int(hidden.sum())} masked values, the first at ({place}); expected a number at each "
                "place. Fill them in, or leave the sample out",
            )
        raw = raw.data
    try:
        return np.asarray(raw)
    except ValueError as error:
        raise SampleError("prepare", f"{what} of parts of several lengths; expected an array of numbers") from error


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, _NO_NUMBERS)
