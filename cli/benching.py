"""`functa bench ...`: measure this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import JsonFlag, print_facts, print_json, print_table

app = typer.Typer(no_args_is_help=True)


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
    json: JsonFlag = False,
) -> None:
    """Fit networks with this engine and with a Keras loop, beside what the processor can do. Takes minutes."""
    from fusion.bench import bench_fit

    found = bench_fit(quick=quick, modalities=modality)
    if json:
        print_json(found)
        return
    columns = ("network", "steps/s", "Keras loop", "ratio", "of a large product", "PSNR", "Keras PSNR")
    rows = [(name, *result.values()) for name, result in found["modalities"].items()]
    print_table("Gradient steps of one network per second, on one core", columns, rows)
    facts = {
        "large matrix product on one core": f"{found['matmul_gflops']:.0f} GFLOP/s",
        "two workers over one": f"{found['workers_speedup']:.2f}",
        "medians of runs": found["repeats"],
    }
    print_facts("Machine", facts)
