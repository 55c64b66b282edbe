"""What the CUDA engine does with devices, without one: a driver that is made up, memory that runs out."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fusion.errors import FusionError
from fusion.inr import cuda_engine
from fusion.inr.architecture import paper
from fusion.inr.cuda import device as devices_module
from fusion.inr.cuda.device import Described, Device, devices
from fusion.inr.cuda.errors import CudaError, CudaMemoryError, CudaUnavailableError
from fusion.inr.cuda.plan import Kind, plan
from fusion.inr.initialisation import random_start
from fusion.inr.settings import FitSettings

OLD = Described(0, "GeForce GTX 1080", (6, 1), 20, 48 * 1024, 8 << 30)
GOOD = Described(1, "H100", (9, 0), 132, 227 * 1024, 80 << 30)


class Code(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_ILLEGAL_ADDRESS = 700


class Driver:
    """A driver with some memory; `failing` says which calls fail, and how."""

    CUdevice_attribute = SimpleNamespace(
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR="9",
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR="0",
        CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT="132",
        CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN="232448",
    )

    def __init__(self, memory: int = 1000, **failing: Code) -> None:
        self.left, self.failing = memory, failing
        self.held: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        answers = {"cuDeviceGetCount": (2,), "cuDeviceGetName": (b"H100\0\0",), "cuDeviceTotalMem": (80,)}
        return lambda *arguments: (self.failing.get(name, Code.CUDA_SUCCESS), *answers.get(name, ("handle",)))

    def cuDeviceGetAttribute(self, attribute: str, handle: object) -> tuple[Code, int]:  # noqa: N802 - the driver's own names
        return Code.CUDA_SUCCESS, int(attribute)

    def cuCtxSetCurrent(self, context: object) -> tuple[Code]:  # noqa: N802 - the driver's own names
        return (Code.CUDA_SUCCESS,)

    def cuMemGetInfo(self) -> tuple[Code, int, int]:  # noqa: N802 - the driver's own names
        return Code.CUDA_SUCCESS, self.left, 1000

    def cuMemAlloc(self, size: int) -> tuple[Code, int]:  # noqa: N802 - the driver's own names
        if size > self.left:
            return Code.CUDA_ERROR_OUT_OF_MEMORY, 0
        self.left -= size
        address = 256 * (1 + len(self.held))
        self.held[address] = size
        return Code.CUDA_SUCCESS, address

    def cuMemFree(self, address: int) -> tuple[Code]:  # noqa: N802 - the driver's own names
        self.left += self.held.pop(address)
        return (Code.CUDA_SUCCESS,)


@pytest.fixture
def _no_devices_known() -> Iterator[None]:
    for cached in (devices, cuda_engine.open_device, cuda_engine.require):
        cached.cache_clear()
    yield
    for cached in (devices, cuda_engine.open_device, cuda_engine.require):
        cached.cache_clear()


def use(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_module, "_driver", lambda: driver)


@pytest.mark.usefixtures("_no_devices_known")
def test_devices_are_listed_with_what_a_plan_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Driver(), monkeypatch)
    assert devices() == tuple(Described(index, "H100", (9, 0), 132, 232448, 80) for index in (0, 1))
    with pytest.raises(CudaUnavailableError, match="no CUDA device 2: this machine has 2, counted from 0"):
        cuda_engine.open_device(2)


@pytest.mark.usefixtures("_no_devices_known")
def test_a_machine_without_a_device_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Driver(cuInit=Code.CUDA_ERROR_NO_DEVICE), monkeypatch)
    with pytest.raises(CudaUnavailableError, match="no CUDA driver that works: CUDA_ERROR_NO_DEVICE"):
        devices()


@pytest.mark.usefixtures("_no_devices_known")
def test_bindings_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(devices_module, "import_module", absent)
    with pytest.raises(CudaUnavailableError, match=r"bindings are not installed; pip install 'functa-fusion\[cuda\]'"):
        devices()


def test_a_device_that_is_too_old_is_refused() -> None:
    with pytest.raises(CudaUnavailableError, match=r"GTX 1080, has compute capability 6\.1; expected 7\.0 or later"):
        Device(OLD)


def test_memory_of_a_name_is_used_again_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    use(driver, monkeypatch)
    device = Device(GOOD)
    first = device.buffer("values", 400)
    assert device.buffer("values", 300) == first
    assert device.free_memory() == 1000
    device.buffer("values", 900)
    assert driver.left == 100
    with pytest.raises(CudaMemoryError, match="OUT_OF_MEMORY while cuMemAlloc on device 1, H100"):
        device.buffer("weights", 200)
    device.release()
    assert driver.left == 1000


def test_a_device_that_is_lost_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Driver(cuMemcpyHtoD=Code.CUDA_ERROR_ILLEGAL_ADDRESS), monkeypatch)
    with pytest.raises(CudaError, match=r"ILLEGAL_ADDRESS while cuMemcpyHtoD on device 1, H100; what was committed"):
        Device(GOOD).send("values", np.ones(3, np.float32))


class Small:
    """A device that has memory for `most` samples, and fits by writing the number of the block."""

    shared_limit = 227 * 1024

    def __init__(self, most: int) -> None:
        self.most, self.sizes, self.released = most, [], 0

    def blocks(self, layout: object) -> int:
        return 2

    def free_memory(self) -> int:
        return 1 << 40

    def release(self) -> None:
        self.released += 1

    def send(self, name: str, array: Any) -> int:
        if name == "values" and len(array) > self.most:
            raise CudaMemoryError("full")
        return 0

    def buffer(self, name: str, size: int) -> int:
        return 0

    def launch(self, layout: object, blocks: int, addresses: Any, integers: Any, floats: Any) -> float:
        self.sizes.append(integers[1])
        return 0.0

    def receive(self, address: int, array: Any) -> Any:
        array[...] = len(self.sizes)


@pytest.mark.parametrize(("most", "sizes"), [(9, [9]), (4, [4, 4, 1]), (2, [2, 2, 2, 2, 1]), (1, [1] * 9)])
def test_a_block_without_memory_is_halved(most: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    small = Small(most)
    monkeypatch.setattr(cuda_engine, "open_device", lambda index: small)
    network = paper(1, 1).half()
    x, y = np.zeros((4, 1), np.float32), np.zeros((9, 4, 1), np.float32)
    weights, mse, _ = cuda_engine.fit(network, random_start(network, 0), x, y, FitSettings(steps=1))
    assert small.sizes == sizes
    assert weights[:, 0].tolist() == mse.tolist() == np.repeat(np.arange(len(sizes)) + 1, sizes).tolist()


def test_a_sample_that_has_no_memory_alone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_engine, "open_device", lambda index: Small(0))
    network = paper(1, 1).half()
    x, y = np.zeros((4, 1), np.float32), np.zeros((2, 4, 1), np.float32)
    with pytest.raises(FusionError, match=r"no memory for a single sample \(full\); free some, or use --device cpu"):
        cuda_engine.fit(network, random_start(network, 0), x, y, FitSettings(steps=1))


def test_a_plan_is_a_key() -> None:
    kernels = {plan(paper(1, 1), Kind(), limit): limit for limit in (48 * 1024, 227 * 1024, 48 * 1024)}
    assert len(kernels) == 2
