"""Fits on a CUDA device: are they right, and how many steps a second; beside JAX and PyTorch where they are installed.

``python benchmarks/gpu_fits.py correct|speed|jax|torch|race``; see ``gpu.sh``, which runs all of it.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import Any

import numpy as np
from helpers.reference import reference_fit

from fusion.inr import cpu_engine, cuda_engine
from fusion.inr.architecture import Architecture, paper, siren
from fusion.inr.cuda.compiling import cubin
from fusion.inr.cuda.plan import Kind, plan
from fusion.inr.initialisation import random_start
from fusion.inr.settings import FitSettings

NETWORKS = {
    "image": (paper(2, 3), (32, 32), 8448),
    "sensor": (paper(1, 9), (128,), 10560),
    "video": (paper(3, 3), (16, 32, 32), 528),
    "sound": (paper(1, 1), (4096,), 2112),
    "image, halves": (paper(2, 3).half(), (32, 32), 8448),
    "image, siren": (siren(2, 3), (32, 32), 2112),
    "image, siren halves": (siren(2, 3).half(), (32, 32), 8448),
}
ODD = Architecture(3, 2, (5, 7, 6), (3.0, 1.0, 1.0), output="linear")
WIDE = Architecture(1, 2, (260, 40), (3.0, 1.0))
LARGE = Architecture(2, 3, (256, 256, 256), (30.0, 1.0, 1.0), output="linear")
STOPS = FitSettings(steps=60, psnr_target=22.0, learning_rate=5e-3)
FEATURES: dict[str, tuple[Architecture, int, FitSettings, bool]] = {
    "10 steps of Adam, image": (paper(2, 3), 1024, FitSettings(steps=10), False),
    "10 steps of Adam, sensor": (paper(1, 9), 128, FitSettings(steps=10), False),
    "video, cosine schedule": (paper(3, 3), 3000, FitSettings(steps=10, schedule="cosine"), False),
    "siren, linear output": (siren(2, 3), 1000, FitSettings(steps=10), False),
    "siren halves": (siren(2, 3).half(), 1000, FitSettings(steps=10), False),
    "halves": (paper(2, 3).half(), 1024, FitSettings(steps=10), False),
    "odd widths": (ODD, 130, FitSettings(steps=10), False),
    "one hidden layer": (Architecture(1, 2, (64,), (30.0,)), 77, FitSettings(steps=10), False),
    "weights outside of shared memory": (LARGE, 500, FitSettings(steps=5), False),
    "wide": (WIDE, 70, FitSettings(steps=5), False),
    "60 outputs": (paper(1, 60), 128, FitSettings(steps=10), False),
    "plain steps, learned sizes": (paper(2, 3), 1024, FitSettings(steps=3), True),
    "subsets of coordinates": (paper(2, 3), 1024, FitSettings(steps=10, coordinates_per_step=250), False),
    "PSNR target": (paper(1, 2), 128, STOPS, False),
    "no steps": (paper(1, 9), 128, FitSettings(steps=0), False),
}


def problem(architecture: Architecture, points: int | tuple[int, ...], samples: int) -> tuple[Any, Any]:
    """Coordinates and smooth random values."""
    rng = np.random.default_rng(0)
    if isinstance(points, int):
        x = rng.uniform(-1, 1, (points, architecture.d_in)).astype(np.float32)
    else:
        axes = [np.linspace(-1, 1, size) for size in points]
        x = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, architecture.d_in).astype(np.float32)
    few = min(samples, 64)
    phases = rng.uniform(0, 6, (few, 1, architecture.d_out))
    waves = rng.normal(0, 3, (few, architecture.d_in, architecture.d_out))
    y = (0.5 + 0.4 * np.sin(np.einsum("nd,bdc->bnc", x, waves) + phases)).astype(np.float32)
    return x, np.tile(y, (-(-samples // few), 1, 1))[:samples]


def layouts() -> list[tuple[Any, tuple[int, int]]]:
    """Every kernel that the other parts need, and the capability."""
    device = cuda_engine.open_device(0)
    wanted = {(network, Kind()) for network, _, _ in NETWORKS.values()} | {(NETWORKS["image"][0], Kind("decode"))}
    for architecture, _, settings, plain in FEATURES.values():
        wanted.add((architecture, Kind("plain" if plain else "adam", settings.coordinates_per_step is not None)))
    capability = device.described.capability
    return [(plan(network, kind, device.shared_limit), capability) for network, kind in wanted]


def compile_all() -> None:
    """Compile all kernels, each in a process of its own."""
    begin = time.perf_counter()
    workers = min(len(os.sched_getaffinity(0)), 16)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(cubin, *zip(*layouts(), strict=True)))
    print(f"compiled all kernels, in parallel: {time.perf_counter() - begin:.1f} s", flush=True)


def correct() -> None:
    """Compare every feature with float64 and with the CPU engine."""
    print("| feature | weights, relative to float64 | the CPU engine's | error, relative | steps |")
    print("| --- | --- | --- | --- | --- |")
    for name, (architecture, points, settings, plain) in FEATURES.items():
        try:
            print(compared(name, architecture, points, settings, plain=plain), flush=True)
        except Exception as error:  # noqa: BLE001 - the rest of the table is still wanted
            print(f"| {name} | failed: {type(error).__name__}: {error} |", flush=True)
    same_for_any_block()


def compared(name: str, architecture: Architecture, points: int, settings: FitSettings, *, plain: bool) -> str:
    """One feature, as a line of the table."""
    x, y = problem(architecture, points, 4)
    start = random_start(architecture, 1)
    rng = np.random.default_rng(2)
    sizes = rng.uniform(0, 0.002, architecture.size).astype(np.float32) if plain else None
    got = cuda_engine.fit(architecture, start, x, y, settings, sizes)
    cpu = cpu_engine.fit(architecture, start, x, y, settings, sizes)
    far: list[tuple[float, float, float]] = []
    for index in range(2):
        theta, mse, _ = reference_fit(architecture, start, x.astype(float), y[index].astype(float), settings, sizes)
        far.append(
            (
                float(np.linalg.norm(got[0][index] - theta) / np.linalg.norm(theta)),
                float(np.linalg.norm(cpu[0][index] - theta) / np.linalg.norm(theta)),
                abs(float(got[1][index]) / mse - 1.0),
            )
        )
    ours, theirs, error = np.max(far, axis=0)
    return f"| {name} | {ours:.1e} | {theirs:.1e} | {error:.1e} | {got[2].tolist()} and {cpu[2].tolist()} |"


def same_for_any_block() -> None:
    """Whether order and blocks change a bit; and decode on the device."""
    network = NETWORKS["image"][0]
    x, y = problem(network, (32, 32), 700)
    y = y + np.random.default_rng(3).uniform(0, 0.05, y.shape).astype(np.float32)
    start, settings = random_start(network, 1), FitSettings(steps=10)
    whole = cuda_engine.fit(network, start, x, y, settings)
    order = np.random.default_rng(0).permutation(len(y))
    parts = cuda_engine.fit(network, start, x, y[order], settings, block=113)
    again = cuda_engine.fit(network, start, x, y, settings)
    same = all(np.array_equal(a[order], b) for a, b in zip(whole, parts, strict=True))
    repeated = all(np.array_equal(a, b) for a, b in zip(whole, again, strict=True))
    print(f"bitwise the same in another order and blocks of 113: {same}; again: {repeated}", flush=True)
    outputs = cuda_engine.decode(network, whole[0], x)
    errors = np.mean((outputs - y) ** 2, axis=(1, 2))
    print(f"decoded on the device, errors relative to the fit's: {np.abs(errors / whole[1] - 1).max():.1e}", flush=True)


def speed() -> None:
    """Measure the networks of the four modalities, halves and SIRENs."""
    print("| network | samples | steps | steps/s, device time | with transfers | blocks at once |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (network, grid, samples) in NETWORKS.items():
        for steps in (10, 100) if name in ("image", "sensor") else (10,):
            try:
                print(timed(name, network, grid, samples, steps), flush=True)
            except Exception as error:  # noqa: BLE001 - the rest of the table is still wanted
                print(f"| {name} | failed: {type(error).__name__}: {error} |", flush=True)


def timed(name: str, network: Architecture, grid: tuple[int, ...], samples: int, steps: int) -> str:
    """One network, as a line of the table: medians of three runs after one."""
    x, y = problem(network, grid, samples)
    start, settings = random_start(network, 1), FitSettings(steps=steps)
    device = cuda_engine.open_device(0)
    inside: list[float] = []
    launch = device.launch

    def measured(*arguments: Any) -> float:
        inside.append(launch(*arguments))
        return inside[-1]

    device.launch = measured  # type: ignore[method-assign]
    outside = []
    for _ in range(4):
        begin = time.perf_counter()
        cuda_engine.fit(network, start, x, y, settings, block=samples)
        outside.append(time.perf_counter() - begin)
    device.launch = launch  # type: ignore[method-assign]
    blocks = device.blocks(plan(network, Kind(), device.shared_limit))
    taken = samples * steps
    rates = taken / median(inside[1:]), taken / median(outside[1:])
    return f"| {name} | {samples} | {steps} | {rates[0]:,.0f} | {rates[1]:,.0f} | {blocks} |"


def with_jax() -> None:
    """As fit-a-nef does: `jax.vmap` over samples of a `lax.scan` over steps."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax
    import jax.numpy as jnp

    for name, samples in (("image", 4096), ("sensor", 10560)):
        network, grid, _ = NETWORKS[name]
        x, y = problem(network, grid, samples)
        start, rates = random_start(network, 1), FitSettings(steps=10).rates()
        for precision in ("highest", "default"):

            def loss(theta: Any, x: Any, y: Any, network: Architecture = network, precision: str = precision) -> Any:
                offset = 0
                for layer, (fan_in, fan_out) in enumerate(network.layers):
                    end = offset + fan_in * fan_out
                    kernel, bias = theta[offset:end].reshape(fan_in, fan_out), theta[end : end + fan_out]
                    x = jnp.dot(x, kernel, precision=precision) + bias
                    x = jnp.sin(network.omegas[layer] * x) if layer < len(network.omegas) else jax.nn.sigmoid(x)
                    offset = end + fan_out
                return jnp.mean((x - y) ** 2)

            def one(theta: Any, x: Any, y: Any, rates: Any, loss: Any = loss) -> Any:
                def step(state: Any, rate: Any) -> Any:
                    theta, m, v = state
                    slope = jax.grad(loss)(theta, x, y)
                    m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope * slope
                    return (theta - rate * m / (jnp.sqrt(v) + 1e-7), m, v), None

                return jax.lax.scan(step, (theta, jnp.zeros_like(theta), jnp.zeros_like(theta)), rates)[0][0]

            run = jax.jit(jax.vmap(one, in_axes=(None, None, 0, None)))
            arguments = [jnp.asarray(array) for array in (start, x, y, rates)]
            run(*arguments).block_until_ready()
            seconds = []
            for _ in range(3):
                begin = time.perf_counter()
                run(*arguments).block_until_ready()
                seconds.append(time.perf_counter() - begin)
            print(f"| JAX vmap, {precision} precision | {name} | {10 * samples / median(seconds):,.0f} |", flush=True)


def with_torch() -> None:
    """Batched products with gradients by hand, through `torch.compile`."""
    import torch

    for name, samples in (("image", 1024), ("sensor", 10560)):
        network, grid, _ = NETWORKS[name]
        x, y = (torch.tensor(array, device="cuda") for array in problem(network, grid, samples))
        theta = torch.tensor(random_start(network, 1), device="cuda").repeat(samples, 1)
        rates = torch.tensor(FitSettings(steps=10).rates(), device="cuda")

        def step(theta: Any, m: Any, v: Any, rate: Any, network: Any = network, x: Any = x, y: Any = y) -> Any:
            layers, offset = [], 0
            for fan_in, fan_out in network.layers:
                end = offset + fan_in * fan_out
                kernel = theta[:, offset:end].view(-1, fan_in, fan_out)
                layers.append((kernel, theta[:, end : end + fan_out].unsqueeze(1)))
                offset = end + fan_out
            activations, angles = [x.expand(len(theta), *x.shape)], []
            for (kernel, bias), omega in zip(layers[:-1], network.omegas, strict=True):
                angles.append(omega * (torch.bmm(activations[-1], kernel) + bias))
                activations.append(torch.sin(angles[-1]))
            output = torch.sigmoid(torch.bmm(activations[-1], layers[-1][0]) + layers[-1][1])
            delta = (output - y) * output * (1 - output) * (2.0 / y[0].numel())
            parts: list[Any] = []
            for index in range(len(layers) - 1, -1, -1):
                kernel_slope = torch.bmm(activations[index].transpose(1, 2), delta)
                parts[:0] = [kernel_slope.flatten(1), delta.sum(1)]
                if index:
                    slope = network.omegas[index - 1] * torch.cos(angles[index - 1])
                    delta = torch.bmm(delta, layers[index][0].transpose(1, 2)) * slope
            slope = torch.cat(parts, 1)
            m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope * slope
            return theta - rate * m / (torch.sqrt(v) + 1e-7), m, v

        compiled = torch.compile(step, dynamic=False)
        seconds = []
        with torch.no_grad():
            for _ in range(4):
                state = theta, torch.zeros_like(theta), torch.zeros_like(theta)
                torch.cuda.synchronize()
                begin = time.perf_counter()
                for rate in rates:
                    state = compiled(*state, rate)
                torch.cuda.synchronize()
                seconds.append(time.perf_counter() - begin)
        print(f"| torch.compile, float32 | {name} | {10 * samples / median(seconds[1:]):,.0f} |", flush=True)


def race() -> None:
    """Two blocks, two steps: small enough for a tool that follows every access."""
    for network, settings in ((paper(2, 3), FitSettings(steps=2)), (siren(2, 3), FitSettings(steps=1))):
        x, y = problem(network, 100, 2)
        weights, _, _ = cuda_engine.fit(network, random_start(network, 1), x, y, settings)
        print("fitted", network.widths, np.isfinite(weights).all(), flush=True)


if __name__ == "__main__":
    parts = {
        "compile": compile_all, "correct": correct, "speed": speed, "jax": with_jax, "torch": with_torch, "race": race
    }  # fmt: skip
    parts[sys.argv[1]]()
