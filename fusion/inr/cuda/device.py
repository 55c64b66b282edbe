"""One CUDA device: its memory and its kernels, through NVIDIA's own bindings of the driver."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.cuda.compiling import OLDEST, cubin
from fusion.inr.cuda.errors import CudaError, CudaMemoryError, CudaUnavailableError
from fusion.inr.cuda.source import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fusion.inr.cuda.plan import Plan


@dataclass(frozen=True)
class Described:
    """What is known of a device before it is used.

    Parameters
    ----------
    index : int
    name : str
    capability : tuple of int
    multiprocessors : int
    shared_limit : int
        Bytes of shared memory that one block may have.
    memory : int
        Bytes in all.
    """

    index: int
    name: str
    capability: tuple[int, int]
    multiprocessors: int
    shared_limit: int
    memory: int


@lru_cache(maxsize=1)
def devices() -> tuple[Described, ...]:
    """List this machine's devices.

    Raises
    ------
    CudaUnavailableError
        When the bindings are not installed, there is no driver, or no device.
    """
    driver = _driver()
    try:
        _checked(driver.cuInit(0), "starting the driver")
        (count,) = _checked(driver.cuDeviceGetCount(), "counting the devices")
    except (RuntimeError, CudaError) as error:
        raise CudaUnavailableError(f"no CUDA driver that works: {error}") from error
    if not count:
        raise CudaUnavailableError("the CUDA driver sees no device")
    return tuple(_described(driver, index) for index in range(count))


def _driver() -> Any:
    try:
        return import_module("cuda.bindings.driver")
    except ImportError as error:
        raise CudaUnavailableError("NVIDIA's bindings are not installed; pip install 'functa-fusion[cuda]'") from error


def _described(driver: Any, index: int) -> Described:
    (handle,) = _checked(driver.cuDeviceGet(index), f"opening device {index}")
    (name,) = _checked(driver.cuDeviceGetName(128, handle), "reading its name")
    (memory,) = _checked(driver.cuDeviceTotalMem(handle), "reading its memory")
    wanted = (
        "COMPUTE_CAPABILITY_MAJOR",
        "COMPUTE_CAPABILITY_MINOR",
        "MULTIPROCESSOR_COUNT",
        "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN",
    )
    attributes = driver.CUdevice_attribute
    major, minor, processors, shared = (
        _checked(driver.cuDeviceGetAttribute(getattr(attributes, f"CU_DEVICE_ATTRIBUTE_{item}"), handle), item)[0]
        for item in wanted
    )
    plain = bytes(name).split(b"\0")[0].decode()
    return Described(index, plain, (int(major), int(minor)), int(processors), int(shared), int(memory))


def _checked(result: tuple[Any, ...], doing: str) -> tuple[Any, ...]:
    """Give what a call of the driver returned, or raise what it says went wrong."""
    code, *values = result
    if int(code) == 0:
        return tuple(values)
    name = getattr(code, "name", str(code))
    if name == "CUDA_ERROR_OUT_OF_MEMORY":
        raise CudaMemoryError(f"{name} while {doing}")
    raise CudaError(
        f"{name} while {doing}; what was committed is kept: run the same command again, or with --device cpu"
    )


class Device:
    """A device in use by this process."""

    def __init__(self, described: Described) -> None:
        if described.capability < OLDEST:
            raise CudaUnavailableError(
                f"device {described.index}, {described.name}, has compute capability "
                f"{described.capability[0]}.{described.capability[1]}; expected {OLDEST[0]}.{OLDEST[1]} or later"
            )
        self.described = described
        self._driver = _driver()
        (handle,) = self._call("cuDeviceGet", described.index)
        (self._context,) = self._call("cuDevicePrimaryCtxRetain", handle)
        self._buffers: dict[str, tuple[int, int]] = {}
        self._kernels: dict[Plan, Any] = {}

    @property
    def shared_limit(self) -> int:
        """Bytes of shared memory that a block may have."""
        return self.described.shared_limit

    def free_memory(self) -> int:
        """Bytes that a new fit may take, those it took before included."""
        self._enter()
        free, _ = self._call("cuMemGetInfo")
        return int(free) + sum(size for _, size in self._buffers.values())

    def buffer(self, name: str, size: int) -> int:
        """Give the address of that many bytes under a name; memory of the same name is used again."""
        self._enter()
        address, held = self._buffers.get(name, (0, 0))
        if held >= size:
            return address
        if held:
            self._call("cuMemFree", address)
            del self._buffers[name]
        (address,) = self._call("cuMemAlloc", max(16, size))
        self._buffers[name] = int(address), size
        return int(address)

    def release(self) -> None:
        """Give all memory back."""
        self._enter()
        for address, _ in self._buffers.values():
            self._call("cuMemFree", address)
        self._buffers.clear()

    def send(self, name: str, array: NDArray[Any]) -> int:
        """Copy an array to the device, and give its address there."""
        address = self.buffer(name, array.nbytes)
        if array.nbytes:
            self._call("cuMemcpyHtoD", address, array.ctypes.data, array.nbytes)
        return address

    def receive(self, address: int, array: NDArray[Any]) -> NDArray[Any]:
        """Copy from the device into an array, after all that runs there is done."""
        self._enter()
        if array.nbytes:
            self._call("cuMemcpyDtoH", array.ctypes.data, address, array.nbytes)
        return array

    def blocks(self, layout: Plan) -> int:
        """Blocks of a kernel that run at once."""
        self._enter()
        (each,) = self._call(
            "cuOccupancyMaxActiveBlocksPerMultiprocessor", self._kernel(layout), layout.threads, layout.shared
        )
        return max(1, int(each)) * self.described.multiprocessors

    def launch(
        self, layout: Plan, blocks: int, addresses: Sequence[int], integers: Sequence[int], floats: Sequence[float]
    ) -> float:
        """Run a kernel to its end; gives the seconds it took on the device."""
        self._enter()
        kernel = self._kernel(layout)
        values = (*addresses, *integers, *floats)
        kinds = (
            *(ctypes.c_void_p for _ in addresses),
            *(ctypes.c_int64 for _ in integers),
            *(ctypes.c_float for _ in floats),
        )
        begin, end = (self._call("cuEventCreate", 0)[0] for _ in range(2))
        try:
            self._call("cuEventRecord", begin, 0)
            self._call(
                "cuLaunchKernel", kernel, blocks, 1, 1, layout.threads, 1, 1, layout.shared, 0, (values, kinds), 0
            )
            self._call("cuEventRecord", end, 0)
            self._call("cuEventSynchronize", end)
            (milliseconds,) = self._call("cuEventElapsedTime", begin, end)
        finally:
            for event in (begin, end):
                self._driver.cuEventDestroy(event)
        return float(milliseconds) / 1e3

    def _kernel(self, layout: Plan) -> Any:
        if layout not in self._kernels:
            code = cubin(layout, self.described.capability)
            (module,) = self._call("cuModuleLoadData", code)
            (kernel,) = self._call("cuModuleGetFunction", module, NAME.encode())
            # More than 48 KB of shared memory has to be asked for.
            attribute = self._driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            self._call("cuFuncSetAttribute", kernel, attribute, layout.shared)
            self._kernels[layout] = kernel
        return self._kernels[layout]

    def _enter(self) -> None:
        # The context is one of the calling thread, and another library may have put its own there.
        self._call("cuCtxSetCurrent", self._context)

    def _call(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        where = f"{name} on device {self.described.index}, {self.described.name}"
        return _checked(getattr(self._driver, name)(*arguments), where)


class Simulator:
    """Numba's simulator of a device, in place of one where ``NUMBA_ENABLE_CUDASIM=1``: very slow, for tests."""

    shared_limit = 227 * 1024

    def __init__(self) -> None:
        self._memory: dict[int, NDArray[Any]] = {}

    def free_memory(self) -> int:
        """Bytes that a new fit may take."""
        return 1 << 30

    def release(self) -> None:
        """Give all memory back."""
        self._memory.clear()

    def buffer(self, name: str, size: int) -> int:  # noqa: ARG002 - the signature of a device
        """Give the number of an array of that many bytes."""
        # Memory that nobody wrote holds NaN, so that reading it shows.
        return self._keep(np.full(max(4, size // 4), np.nan, np.float32))

    def send(self, name: str, array: NDArray[Any]) -> int:  # noqa: ARG002
        """Copy an array, and give its number."""
        return self._keep(array.reshape(-1).copy() if array.size else np.zeros(4, array.dtype))

    def _keep(self, array: NDArray[Any]) -> int:
        self._memory[len(self._memory)] = array
        return len(self._memory) - 1

    def receive(self, address: int, array: NDArray[Any]) -> NDArray[Any]:
        """Copy an array that has a number into another."""
        array[...] = self._memory[address].view(array.dtype)[: array.size].reshape(array.shape)
        return array

    def blocks(self, layout: Plan) -> int:  # noqa: ARG002
        """Blocks that run at once."""
        return 2

    def launch(
        self, layout: Plan, blocks: int, addresses: Sequence[int], integers: Sequence[int], floats: Sequence[float]
    ) -> float:
        """Run a kernel to its end."""
        from fusion.inr.cuda.simulated import NAMES
        from fusion.inr.cuda.source import POINTERS, kernel_source

        names: dict[str, Any] = dict(NAMES)
        exec(compile(kernel_source(layout), "<kernel>", "exec"), names)  # noqa: S102 - the text is our own
        arrays = [self._memory[address] for address in addresses]
        arrays = [
            array.view(np.int32) if name == "taken" else array for name, array in zip(POINTERS, arrays, strict=True)
        ]
        kernel = names["cuda"].jit(names[NAME])
        kernel[blocks, layout.threads, 0, layout.shared](*arrays, *integers, *(np.float32(value) for value in floats))
        return 0.0
