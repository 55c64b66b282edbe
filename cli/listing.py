"""`functa runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonFlag, print_json, print_table, say


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder with models in it or below.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Table to write: .csv or .parquet, every setting a column.")] = None,
    json: JsonFlag = False,
) -> None:
    """List every training and evaluation below a folder. With settings, data and figures."""
    from fusion.models.records import collect_runs, runs_table, shown_columns
    from fusion.models.table_files import require_table_path, write_table

    if out is not None:
        require_table_path(out)
    found, notes = collect_runs(folder)
    for note in notes:
        say(note)
    table = runs_table(found)
    if out is not None:
        write_table(table, out)
    if json:
        print_json({"runs": found, "notes": notes, "out": None if out is None else str(out)})
        return
    columns = shown_columns(table)
    shown = table[columns].astype(object)
    rows = shown.where(shown.notna(), None).to_numpy().tolist()
    print_table(f"{len(found)} runs below {folder}", columns, rows)
