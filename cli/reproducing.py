"""`functa reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonFlag, print_json, print_table, stage_bar


def reproduce(
    name: Annotated[
        str, typer.Argument(help="cifar10, esc50, hmdb51, uci-har, multimodal, utd-mhad, ablation or psnr.")
    ],
    *,
    data: Annotated[Path, typer.Option(help="Folder of the data set, or one that holds the data sets.")],
    out: Annotated[Path, typer.Option(help="Folder for stores, models and results; an earlier run goes on.")] = Path(
        "reproduce"
    ),
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many samples of each data set.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; one per core when not given.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = 42,
    page: Annotated[Path | None, typer.Option(help="Markdown page to put the table on, such as results.md.")] = None,
    json: JsonFlag = False,
) -> None:
    """Measure one of the paper's tables: measured beside claimed, with intervals and a leakage audit. Resumable."""
    from fusion.reproduction import Study
    from fusion.reproduction import reproduce as measure

    with stage_bar() as progress:
        table = measure(name, Study(data, out, limit, workers, seed, progress), page=page)
    if json:
        print_json(table.to_dict())
        return
    rows = [
        (r.model, f"{r.measured:.3f}", _interval(r.interval), _number(r.paper), _number(r.psnr), f"{r.seconds:.0f}")
        for r in table.results
    ]
    print_table(f"{table.title}. {table.protocol}", ("model", "measured", "95 %", "paper", "PSNR", "seconds"), rows)
    typer.echo(table.differs)
    if table.audit:
        verdicts = {True: "ok", False: "failed", None: ""}
        print_table(
            "Audit", ("question", "found", ""), [(c.question, c.found, verdicts[c.passed]) for c in table.audit]
        )


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if value <= 1 else f"{value:.1f}"
