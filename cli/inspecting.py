"""`functa store ...`: look into stores, check them, mend them, and bring them into other formats."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.groups import CommandList
from cli.output import INTEGRITY, JsonFlag, print_facts, print_json, print_table

app = typer.Typer(cls=CommandList, no_args_is_help=True)

StoreArgument = Annotated[Path, typer.Argument(help="Store, .zarr, .h5 or .functas.")]
AddressArgument = Annotated[str, typer.Argument(help="Store, .zarr, .h5 or .functas, or its address.")]


@app.command()
def info(store: AddressArgument, *, json: JsonFlag = False) -> None:
    """Show what a store holds. Rows, classes, splits, groups, PSNR, encoder, versions, size."""
    from store import open_store

    with open_store(store) as opened:
        facts = opened.info()
    if json:
        print_json(facts)
        return
    print_facts(str(store), {name: _brief(value) for name, value in facts.items() if name not in _TABLES})
    for name in ("splits", "classes"):
        print_table(name, (name, "rows"), list(facts[name].items()))
    print_table("PSNR", ("percentile", "dB"), list(facts["psnr_percentiles"].items()))


@app.command(name="ls")
def list_rows(
    store: AddressArgument,
    *,
    pattern: Annotated[str | None, typer.Option(help="Shell pattern for the ID, such as 's03-*'.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    label: Annotated[str | None, typer.Option(help="Only this label.")] = None,
    group: Annotated[str | None, typer.Option(help="Only this group.")] = None,
    min_psnr: Annotated[float | None, typer.Option(help="Only rows of so many dB or more.")] = None,
    max_psnr: Annotated[float | None, typer.Option(help="Only rows of so many dB or less.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    json: JsonFlag = False,
) -> None:
    """List rows: ID, label, split, group, PSNR."""
    import store as stores

    with stores.open_store(store) as opened:
        rows = stores.list_rows(
            opened,
            pattern=pattern,
            split=split,
            label=label,
            group=group,
            min_psnr=min_psnr,
            max_psnr=max_psnr,
            limit=limit,
        )
        total = len(opened)
    if json:
        print_json({"rows": rows})
        return
    columns = list(rows[0]) if rows else ["id"]
    print_table(f"{len(rows)} of {total} rows", columns, [list(row.values()) for row in rows])


@app.command()
def verify(
    store: AddressArgument,
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read with zarr or h5py too, and say what is proved and what is not.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Check every checksum of a store. Names what is damaged and ends with exit code 3 if anything is."""
    from store import open_store

    with open_store(store) as opened:
        report = opened.verify(deep=deep)
    if json:
        print_json(asdict(report))
    else:
        title = f"{store} is {'intact' if report.ok else 'damaged'}"
        facts: dict[str, object] = {"rows": report.rows, "damaged rows": len(report.bad_ids)}
        if deep:
            facts |= {"proved": "\n".join(report.proved), "not proved": "\n".join(report.not_proved)}
        print_facts(title, facts)
        for problem in report.problems[:20]:
            typer.echo(problem, err=True)
    if not report.ok:
        raise typer.Exit(INTEGRITY)


@app.command()
def repair(store: AddressArgument, *, json: JsonFlag = False) -> None:
    """Keep every row that is intact. The next encode fits exactly the others again."""
    import store as stores

    _print(f"Repaired {store}", stores.repair(store), json=json)


@app.command()
def compact(
    store: StoreArgument,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write here and leave STORE as it is; makes one store of a .functas.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Write a store anew without its replaced and deleted rows."""
    import store as stores

    _print(f"Compacted {store}", stores.compact(store, out), json=json)


@app.command()
def collect(
    sources: Annotated[list[Path], typer.Argument(help="Stores of one configuration.", metavar="STORE...")],
    *,
    out: Annotated[str, typer.Option(help="Collection to make or to add to, .functas, or its address.")],
    move: Annotated[bool, typer.Option("--move", help="Delete each store when it is a part.")] = False,
    part_rows: Annotated[
        int | None, typer.Option(min=1, help="Of parts that are encoded into a new collection later [65536].")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Make stores the parts of a collection. Every command reads it as one store; they are copied."""
    import store as stores

    report = stores.collect(sources, out, move=move, part_rows=part_rows)
    _print(f"{'Moved' if move else 'Copied'} into {out}", report, json=json)


@app.command()
def convert(
    source: AddressArgument,
    target: Annotated[Path, typer.Argument(help="Store to write; its suffix says the format, .zarr or .h5.")],
    *,
    json: JsonFlag = False,
) -> None:
    """Copy a store into a new one of either format, failed rows too."""
    import store as stores

    rows = stores.convert(source, target)
    if json:
        print_json({"rows": rows, "store": str(target)})
    else:
        print_facts(f"Converted {source}", {"rows": rows, "store": str(target)})


@app.command()
def merge(
    sources: Annotated[list[Path], typer.Argument(help="Stores of one configuration.", metavar="STORE...")],
    *,
    out: Annotated[Path, typer.Option(help="Store to write, .zarr or .h5.")],
    on_conflict: Annotated[str, typer.Option(help="One ID, two values: error, first or last.")] = "error",
    json: JsonFlag = False,
) -> None:
    """Put the rows of several stores, or of a collection, into one."""
    import store as stores

    report = stores.merge(sources, out, on_conflict=on_conflict)  # type: ignore[arg-type]
    _print(f"Merged into {out}", report, json=json)


@app.command()
def export(
    store: AddressArgument,
    *,
    out: Annotated[Path, typer.Option(help="File to write; its suffix says the format.")],
    layout: Annotated[
        str | None,
        typer.Option("--format", help="npz, parquet, hdf5, zarr, h5ad or fit-a-nef, where the suffix does not say."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Write the usable rows to a file that other programs read."""
    import store as stores

    rows = stores.export(store, out, layout)  # type: ignore[arg-type]
    if json:
        print_json({"rows": rows, "out": str(out)})
    else:
        print_facts(f"Exported {store}", {"rows": rows, "file": str(out)})


_TABLES = ("splits", "classes", "psnr_percentiles")


def _print(title: str, report: Any, *, json: bool) -> None:
    facts = asdict(report)
    if json:
        print_json(facts)
    else:
        print_facts(title, {name: _brief(value) for name, value in facts.items()})


def _brief(value: object) -> object:
    """Put what is nested on one line each, so that a person can read it."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {item}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(str(item) for item in value[:10]) + ("\n..." if len(value) > 10 else "")
    return value
