"""Estimators of scikit-learn as files of a model folder, by skops; nothing is loaded that could run code."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fusion.errors import ModelError

if TYPE_CHECKING:
    from fusion.estimators.wrapped import WrappedEstimator

__all__ = ["estimator_bytes", "read_estimator", "require_savable"]


def require_savable(estimator: Any) -> None:
    """Refuse, before any work is done, an estimator that could not be saved.

    Raises
    ------
    ModelError
        skops is not installed, or would not load what it saved.
    """
    _packed(estimator)


def estimator_bytes(wrapped: WrappedEstimator) -> bytes:
    """Return the content of the file; ModelError where it would not be loaded again."""
    return _packed(wrapped.estimator_)


def read_estimator(folder: object, name: str, content: bytes) -> Any:
    """Read an estimator back, if skops trusts every type in it by itself.

    Raises
    ------
    ModelError
        skops is not installed, the file is none of its files, or holds other types.
    """
    io = _skops(f"{name} of {folder} is an estimator of scikit-learn, which")
    try:
        unknown = io.get_untrusted_types(data=content)
        if not unknown:
            return io.loads(content)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{name} of {folder} is not an estimator that skops wrote: {reason}. Train again.") from error
    raise ModelError(
        f"{name} of {folder} holds {', '.join(unknown[:3])}, which skops does not trust and which is not loaded; "
        "expected types of scikit-learn and NumPy. Train again with such an estimator."
    )


def _packed(estimator: Any) -> bytes:
    name = type(estimator).__name__
    io = _skops(f"saving {name}")
    try:
        content: bytes = io.dumps(estimator)
        unknown = io.get_untrusted_types(data=content)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{name} cannot be saved by skops: {reason}. Train without a model folder.") from error
    if unknown:
        raise ModelError(
            f"{name} cannot be saved: it holds {', '.join(unknown[:3])}, which skops would not load again unless told "
            "to trust it. Train without a model folder."
        )
    return content


def _skops(what: str) -> Any:
    if find_spec("skops") is None:
        raise ModelError(
            f"{what} needs skops, which is not installed. Install it (pip install 'functa-fusion[skops]'), or train "
            "without a model folder."
        )
    import skops.io

    return skops.io
