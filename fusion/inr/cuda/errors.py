"""What can go wrong with a CUDA device, each in one line."""

from __future__ import annotations

from fusion.errors import FusionError


class CudaUnavailableError(FusionError):
    """There is no device that this can run on, or what compiles for it is missing."""


class CudaError(FusionError):
    """A device did not do what it was told: it is lost, busy, or a kernel failed."""


class CudaMemoryError(CudaError):
    """A device has not as much free memory as was asked for."""
