"""`functa link`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonFlag, print_facts, print_json


def link(
    stores: Annotated[list[str], typer.Argument(help="Two or more stores; name=path names one, else its file does.")],
    *,
    on: Annotated[str, typer.Option(help="id, group (and --key), table (--table) or label.")],
    out: Annotated[Path, typer.Option(help="Link table to write: .parquet or .csv.")],
    how: Annotated[
        str, typer.Option(help="inner (items in all stores), left (in the first) or outer (in any).")
    ] = "inner",
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="What tells the samples of a group apart: a regular expression searched in the ID, or column:NAME; "
            "name=KEY for one store, and again for another. The last number in the ID when not given."
        ),
    ] = None,
    table: Annotated[Path | None, typer.Option(help="CSV with one column of IDs for each store.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="Label map, .csv or .toml, or one of the toolkit's: hmdb51-uci-har.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the pairs of a join by label.")] = 42,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Joining by label, use samples again where a store has fewer.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Join stores into a table of items by ID, never by position. Says what was left over."""
    from fusion.linking import link_to_file

    linked = link_to_file(
        stores,
        out,
        on=on,  # type: ignore[arg-type]
        how=how,  # type: ignore[arg-type]
        key=key,
        table=table,
        labels=labels,
        seed=seed,
        reuse=reuse,
    )
    if json:
        print_json({**linked.to_dict(), "out": str(linked.path)})
        return
    print_facts("Linked items", {**linked.facts(), "table": str(linked.path)})
    for warning in linked.summary.warnings:
        typer.echo(f"note: {warning}", err=True)
