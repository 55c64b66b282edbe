"""How networks are laid out for the CUDA kernel, and what its machine code takes."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fusion.inr.architecture import Architecture, paper, siren
from fusion.inr.cuda import compiling
from fusion.inr.cuda.errors import CudaUnavailableError
from fusion.inr.cuda.plan import Kind, Plan, plan, unsupported
from fusion.inr.cuda.source import kernel_source

H100, A100, ADA, VOLTA = 227 * 1024, 163 * 1024, 99 * 1024, 96 * 1024
NETWORKS = {
    "paper": paper(2, 3),
    "paper-half": paper(2, 3).half(),
    "siren": siren(2, 3),
    "siren-half": siren(2, 3).half(),
}


def test_two_blocks_of_the_papers_network_share_a_multiprocessor() -> None:
    layout = plan(paper(2, 3), Kind(), H100)
    assert layout.threads == 128
    assert 2 * (layout.shared + 1024) <= 228 * 1024
    assert layout.blocks == 2


@pytest.mark.parametrize("limit", [H100, A100, ADA, VOLTA, 48 * 1024])
@pytest.mark.parametrize("architecture", [*NETWORKS.values(), Architecture(1, 60, (512, 300, 7), (30.0, 1.0, 1.0))])
def test_arrays_lie_apart_and_within_their_memory(architecture: Architecture, limit: int) -> None:
    layout = plan(architecture, Kind("plain"), limit)
    assert layout.shared <= limit
    for space, size in (("sh", layout.shared), ("ws", layout.workspace)):
        spans = sorted(
            (4 * place.offset, 4 * (place.offset + layout.lengths[name]))
            for name, place in layout.places.items()
            if place.space == space
        )
        assert all(begin % 16 == 0 for begin, _ in spans)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
        assert not spans or spans[-1][1] <= size


def test_weights_go_to_global_memory_where_shared_memory_is_small() -> None:
    large, small = (plan(siren(2, 3), Kind(), limit).places for limit in (H100, ADA))
    assert {large[name].space for name in ("w2", "w5", "a1")} == {"sh"}
    assert (small["a1"].space, small["w5"].space) == ("sh", "ws")


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [
        (Architecture(4, 1, (8,), (1.0,)), "4 inputs, and the CUDA kernel has up to 3"),
        (Architecture(1, 65, (8,), (1.0,)), "65 outputs, and the CUDA kernel has up to 64"),
        (Architecture(1, 1, (8,) * 9, (1.0,) * 9), "9 hidden layers, and the CUDA kernel has up to 8"),
        (paper(3, 60), None),
    ],
)
def test_what_no_kernel_is_written_for_is_named(architecture: Architecture, reason: str | None) -> None:
    assert unsupported(architecture) == reason


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.usefixtures("_own_cache")
def test_machine_code_is_made_once_for_each_kernel_and_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def build(layout: Plan, capability: tuple[int, int]) -> tuple[bytes, compiling.Usage]:
        made.append((layout.architecture, capability))
        return repr(made[-1]).encode(), compiling.Usage(1, 0, 0)

    monkeypatch.setattr(compiling, "build", build)
    half, whole = (plan(network, Kind(), H100) for network in (paper(1, 1).half(), paper(1, 1)))
    assert compiling.cubin(half, (9, 0)) == compiling.cubin(half, (9, 0))
    assert compiling.cubin(half, (8, 0)) != compiling.cubin(whole, (9, 0))
    assert len(made) == 3


@pytest.mark.usefixtures("_own_cache")
def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "build", lambda layout, capability: (b"code", compiling.Usage(1, 0, 0)))
    (tmp_path / "functa-fusion").write_text("a file, where the folder should be")
    assert compiling.cubin(plan(paper(1, 1), Kind(), H100), (9, 0)) == b"code"


def test_what_is_missing_to_compile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "find_spec", lambda name: None)
    compiling.load_compiler.cache_clear()
    with pytest.raises(CudaUnavailableError, match=r"numba-cuda is not installed; pip install 'functa-fusion\[cuda\]'"):
        compiling.load_compiler()


def test_a_compiler_beside_packages_that_it_was_not_made_for_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def not_compiled(layout: Plan, capability: tuple[int, int]) -> str:
        raise AttributeError("module 'numpy' has no attribute 'row_stack'\nand more")

    monkeypatch.setattr(compiling, "_ptx", not_compiled)
    said = r"no kernel could be made for compute capability 9\.0 \(AttributeError: .*'row_stack'\); pip install"
    with pytest.raises(CudaUnavailableError, match=said) as told:
        compiling.build(plan(paper(1, 1), Kind(), H100), (9, 0))
    assert "\n" not in str(told.value)


def test_a_kernel_says_what_its_linker_says_of_it() -> None:
    log = "Used 254 registers, used 1 barriers\n 8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads"
    assert compiling._usage(log, 1000) == compiling.Usage(254, 16, 1000)


def test_the_text_of_a_kernel_is_the_same_each_time() -> None:
    assert kernel_source(plan(siren(2, 3), Kind(), H100)) == kernel_source(plan(siren(2, 3), Kind(), H100))


compiled = pytest.mark.skipif(find_spec("numba_cuda") is None, reason="needs numba-cuda, of the extra cuda")


@compiled
@pytest.mark.slow
@pytest.mark.parametrize(("capability", "limit"), [((8, 0), A100), ((9, 0), H100)])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_projects_network_spills_no_register(name: str, capability: tuple[int, int], limit: int) -> None:
    _, usage = compiling.build(plan(NETWORKS[name], Kind(), limit), capability)
    assert 0 < usage.registers <= 255
    assert usage.spilled == 0
    assert usage.shared <= limit


@compiled
@pytest.mark.slow
@pytest.mark.parametrize(("capability", "limit"), [((7, 5), 65536), ((8, 6), ADA), ((8, 9), ADA), ((10, 0), H100)])
def test_other_devices_have_kernels_too(capability: tuple[int, int], limit: int) -> None:
    code, usage = compiling.build(plan(siren(2, 3), Kind(), limit), capability)
    assert code.startswith(b"\x7fELF")
    assert usage.shared <= limit


@compiled
@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind("plain"), Kind("adam", subsets=True), Kind("decode")])
def test_other_kinds_of_kernel_spill_nothing(kind: Kind) -> None:
    assert compiling.build(plan(paper(2, 3), kind, H100), (9, 0))[1].spilled == 0
