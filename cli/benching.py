"""`functa bench ...`: measure this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.groups import CommandList
from cli.output import JsonFlag, print_facts, print_json, print_table, progress_bar

app = typer.Typer(cls=CommandList, no_args_is_help=True)


@app.callback()
def _bench() -> None:
    pass


@app.command()
def fit(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Less work: rough figures in seconds.")] = False,
    modality: Annotated[
        list[str] | None, typer.Option(help="Only this network: sensor, image, video or audio; may be given again.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, or a CUDA device such as cuda or cuda:1.")] = "cpu",
    json: JsonFlag = False,
) -> None:
    """Fit networks with this engine and with a Keras loop. Beside what the processor can do; takes minutes.

    On a device: the steps alone, transfers there and back included.
    """
    if device != "cpu":
        _fit_on_device(device, quick=quick, json=json)
        return
    from fusion.bench.fit import bench_fit

    found = bench_fit(quick=quick, modalities=modality)
    if json:
        print_json(found)
        return
    columns = ("network", "steps/s", "Keras loop", "ratio", "of a product", "PSNR", "Keras PSNR")
    rows = [(name, *result.values()) for name, result in found["modalities"].items()]
    print_table("Gradient steps of one network per second, on one core", columns, rows)
    facts = {
        "matrix product on one core": f"{found['matmul_gflops']:.0f} GFLOP/s",
        "large product in NumPy": f"{found['numpy_gflops']:.0f} GFLOP/s",
        "two workers over one": f"{found['workers_speedup']:.2f}",
        "medians of runs": found["repeats"],
    }
    print_facts("Machine", facts)


def _fit_on_device(device: str, *, quick: bool, json: bool) -> None:
    from fusion.bench.device import bench_device

    found = bench_device(device, quick=quick)
    if json:
        print_json(found)
        return
    rows = [(name, *result.values()) for name, result in found["modalities"].items()]
    title = f"Gradient steps of one network per second, on {found['device']}, with transfers"
    print_table(title, ("network", "samples", "steps", "steps/s"), rows)


@app.command()
def store(
    *,
    k: Annotated[int, typer.Option(min=1, help="Weights of a functa.")] = 9000,
    rows: Annotated[int, typer.Option(min=1, help="Rows to write, scan and gather from.")] = 60_000,
    ids: Annotated[int, typer.Option(min=1, help="Rows, of k = 16, of the store that is opened.")] = 1_000_000,
    repeats: Annotated[int, typer.Option(min=1, help="Runs; their medians count.")] = 5,
    folder: Annotated[Path | None, typer.Option(help="Where to write, about 8 k bytes a row.")] = None,
    json: JsonFlag = False,
) -> None:
    """Write, scan, gather and open stores of both formats. Beside plain numpy files in the same run."""
    from store.bench import bench_store

    found = bench_store(folder, k=k, rows=rows, repeats=repeats, ids=ids)
    if json:
        print_json(found)
        return
    facts = {
        "full scan, of numpy's speed": f"{found['scan_ratio']:.2f}",
        "durable write, of numpy's speed": f"{found['write_ratio']:.2f}",
        "1,024 random IDs, of numpy's time": f"{found['gather_ratio']:.2f}",
        f"opening {ids:,} IDs": f"{found['open_seconds']:.2f} s",
    }
    print_facts(f"{rows:,} rows of k = {k:,}, the slower of Zarr and HDF5", facts)


@app.command()
def train(
    source: Annotated[Path | None, typer.Argument(help="Store of functas; a small one is made when not given.")] = None,
    *,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; one per core when not given.")] = None,
    json: JsonFlag = False,
) -> None:
    """Train with the paper's and the fast preset on the same rows. Takes minutes on a large store."""
    from fusion.bench.train import bench_train

    with progress_bar() as progress:
        found = bench_train(source, threads=threads, progress=progress)
    if json:
        print_json(found)
        return
    columns = ("preset", "seconds", "accuracy", "columns", "rounds")
    rows = [(name, *(found[f"{column}_{name}"] for column in columns[1:])) for name in ("paper", "fast")]
    print_table(f"Reading {found['rows_train']:,} rows, training, and testing on {found['rows_test']:,}", columns, rows)
    print_facts("Presets", {"fast is faster by": f"{found['ratio']:.1f}"})


@app.command()
def start(
    *,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each; their medians count.")] = 7,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="The whole demo too, so often.")] = True,
    folder: Annotated[Path | None, typer.Option(help="Where to write, some megabytes; all is removed again.")] = None,
    json: JsonFlag = False,
) -> None:
    """Time what is typed first: --help, import, predict, train, demo. Of 504 rows; takes minutes, without demo one."""
    from fusion.bench.start import bench_start

    with progress_bar() as progress:
        found = bench_start(repeats=repeats, demo=demo, folder=folder, progress=progress)
    if json:
        print_json(found)
        return
    names = ("seconds", "slowest", "bars")
    rows = [(what, *(f"{found[name][what]:.3f}" for name in names)) for what in found["seconds"]]
    print_table(f"Seconds of a new process, medians of {found['repeats']}", ("", "median", "slowest", "at most"), rows)
    load = "not known" if found["load"] is None else f"{found['load']:.1f}"
    anew = ", ".join(found["compiled_anew"]) or "none: bytecode is kept"
    print_facts("Machine", {"processes that wanted a core before": load, "compiled anew at every start": anew})


@app.command()
def scale(
    *,
    rows: Annotated[
        list[float] | None,
        typer.Option(min=1000, help="Rows of each of two collections, such as 1e6; may be given again. [1e5, 1e6]"),
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="Weights of a functa.")] = 64,
    sample: Annotated[float, typer.Option(help="Share of the training groups to train on.")] = 0.01,
    folder: Annotated[Path | None, typer.Option(help="Where to write, about 10 k bytes a row; removed again.")] = None,
    json: JsonFlag = False,
) -> None:
    """Write, open, scan and link collections of made-up rows. Train on a sample, too; each in a new process.

    Of each step: seconds, time a row, and memory at its highest. Takes minutes for ten million rows.
    """
    from fusion.bench.scale import bench_scale

    with progress_bar() as progress:
        sizes = [int(size) for size in rows or (1e5, 1e6)]
        found = bench_scale(sizes, k=k, sample=sample, folder=folder, progress=progress)
    if json:
        print_json(found)
        return
    columns = ("step", "s", "us a row", "MB at most", "load")
    for size, steps in found["sizes"].items():
        told = [
            (
                step,
                f"{each['seconds']:.2f}",
                f"{each['microseconds_per_row']:.2f}",
                f"{each['peak_bytes'] / 1e6:,.0f}",
                f"{each['load']:.1f}",
            )
            for step, each in steps.items()
        ]
        print_table(f"Collections of {size:,} rows, k = {k:,}", columns, told)
    growth = ", ".join(f"{step} {ratio:.2f}" for step, ratio in found["growth"].items())
    print_facts("Time a row, largest over smallest size", {"growth": growth})


def doctor(
    *,
    folder: Annotated[Path, typer.Option(help="Where stores are to lie.")] = Path(),
    json: JsonFlag = False,
) -> None:
    """Say what this machine offers and lacks, with what to do. Versions, cores, caches, devices, disk."""
    from fusion.bench.doctor import examine

    found = examine(folder)
    if json:
        print_json({"ok": all(one.ok for one in found), "findings": [one.to_dict() for one in found]})
        return
    for one in found:
        typer.echo(f"{'   ' if one.ok else '!! '}{one.name}: {one.value}{f' ({one.advice})' if one.advice else ''}")
