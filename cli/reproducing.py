"""`functa reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import JsonFlag, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from fusion.reproduction import Study
    from fusion.reproduction.table import Table

_ALL = "all"


def reproduce(
    name: Annotated[
        str,
        typer.Argument(help="cifar10, esc50, hmdb51, uci-har, multimodal, utd-mhad, ablation or psnr; all for each."),
    ],
    *,
    data: Annotated[Path, typer.Option(help="Folder of the data set, or one that holds the data sets.")],
    out: Annotated[Path, typer.Option(help="Folder for stores, models and results; an earlier run goes on.")] = Path(
        "reproduce"
    ),
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many samples of each data set.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; one per core when not given.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 42,
    page: Annotated[Path | None, typer.Option(help="Markdown page to put the table on, such as results.md.")] = None,
    json: JsonFlag = False,
) -> None:
    """Measure one of the paper's tables beside what it claims. With intervals and a leakage audit; resumable."""
    from fusion.reproduction import Study, reproduce

    with progress_bar() as progress:
        study = Study(data, out, limit, workers, seed, progress)
        if name == _ALL:
            tables, failed = _each(study, page)
        else:
            tables, failed = [reproduce(name, study, page=page)], {}
    if json:
        documents = [table.to_dict() for table in tables]
        print_json({"tables": documents, "failed": failed} if name == _ALL else documents[0])
    else:
        for table in tables:
            _print(table)
    for message in failed.values():
        say(message)
    if failed:
        raise typer.Exit(1)


def _each(study: Study, page: Path | None) -> tuple[list[Table], dict[str, str]]:
    """Measure every table; one whose data are not there does not stop the others."""
    from fusion.errors import FusionError
    from fusion.reproduction import TABLES, reproduce

    tables, failed = [], {}
    for name in TABLES:
        try:
            tables.append(reproduce(name, study, page=page))
        except FusionError as error:
            failed[name] = f"{name}: {error}"
    return tables, failed


def _print(table: Table) -> None:
    rows = [
        (r.model, f"{r.measured:.3f}", _interval(r.interval), _number(r.paper), _number(r.psnr), f"{r.seconds:.0f}")
        for r in table.results
    ]
    print_table(f"{table.title}. {table.protocol}", ("model", "measured", "95 %", "paper", "PSNR", "seconds"), rows)
    typer.echo(table.differs)
    for result in table.results:
        if result.note:
            typer.echo(f"- {result.model}: {result.note}")
    if table.audit:
        verdicts = {True: "ok", False: "failed", None: ""}
        print_table(
            "Audit", ("question", "found", ""), [(c.question, c.found, verdicts[c.passed]) for c in table.audit]
        )


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if value <= 1 else f"{value:.1f}"
