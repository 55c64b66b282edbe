"""`functa store ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonFlag, print_facts, print_json, print_table

app = typer.Typer(no_args_is_help=True)

StoreArgument = Annotated[Path, typer.Argument(help="Store, .zarr or .h5.")]

INTEGRITY = 3


@app.command()
def info(store: StoreArgument, *, json: JsonFlag = False) -> None:
    """Show what a store holds: rows, classes, splits, groups, PSNR, encoder, versions, size."""
    from store import open_store

    with open_store(store) as opened:
        facts = opened.info()
    if json:
        print_json(facts)
        return
    print_facts(str(store), {name: value for name, value in facts.items() if not isinstance(value, dict)})
    for name in ("splits", "classes"):
        print_table(name, (name, "rows"), list(facts[name].items()))


@app.command(name="ls")
def list_rows(
    store: StoreArgument,
    *,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    label: Annotated[str | None, typer.Option(help="Only this label.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    json: JsonFlag = False,
) -> None:
    """List rows: ID, label, split, group, PSNR."""
    from store import open_store

    with open_store(store) as opened:
        table = opened.to_pandas()
    if split is not None:
        table = table[table["split"] == split]
    if label is not None:
        table = table[table["label"] == label]
    columns = ["id", "label", "split", "group", "psnr", "status"]
    shown = table[columns].head(limit)
    if json:
        print_json({"rows": shown.to_dict(orient="records"), "matched": len(table)})
    else:
        print_table(f"{len(shown)} of {len(table)} rows", columns, shown.values.tolist())


@app.command()
def verify(store: StoreArgument, *, json: JsonFlag = False) -> None:
    """Check every checksum of a store; names what is damaged and ends with exit code 3 if anything is."""
    from store import open_store

    with open_store(store) as opened:
        report = opened.verify()
    if json:
        print_json({"ok": report.ok, "bad_ids": report.bad_ids, "problems": report.problems, "rows": report.rows})
    else:
        print_facts(
            f"{store} is {'intact' if report.ok else 'damaged'}",
            {"rows": report.rows, "damaged rows": len(report.bad_ids)},
        )
        for problem in report.problems[:20]:
            typer.echo(problem, err=True)
    if not report.ok:
        raise typer.Exit(INTEGRITY)
