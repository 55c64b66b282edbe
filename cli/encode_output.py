"""Print what an encode run did, or would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.output import print_facts, print_json, print_table

if TYPE_CHECKING:
    from fusion.encoders.options import EncodeReport

_MOST = 50


def print_report(report: EncodeReport, *, json: bool) -> None:
    """Print what a run did."""
    if json:
        print_json(report.to_dict())
        return
    facts = {
        "usable rows in the store": report.rows,
        "failed samples": report.failed,
        "fitted now": report.encoded,
        "stored already": report.skipped,
        "fitted on": report.fitted_on,
        **_targets(report.targets),
        "mean PSNR": "none" if report.psnr_mean is None else f"{report.psnr_mean:.2f} dB",
        "rate while fitting": f"{report.samples_per_second:,.0f} samples/s",
        "time of the whole command": f"{report.seconds:.1f} s",
    }
    print_facts(f"Encoded into {report.store}", facts)
    _print_reading(report.to_dict())
    if report.pruned:
        print_table("Dropped, as the source has them no more", ("ID",), [(name,) for name in report.pruned])
    if report.failures:
        print_table("Failed samples (the first ten)", ("ID", "reason"), report.failures)


def print_plan(plan: dict[str, Any], *, json: bool) -> None:
    """Print what a run would do."""
    if json:
        print_json(plan)
        return
    facts = {
        "data set": plan["dataset"],
        "samples": plan["samples"],
        "groups": plan["groups"],
        **_targets(plan["targets"]),
        "grid and channels": f"{' x '.join(map(str, plan['grid'])) or 'no grid'}, {_some(plan['channels'])}",
        "numbers in a functa": plan["k"],
        "source on disk": _size_in_words(plan["source_bytes"]),
        "store on disk, about": _size_in_words(plan["bytes"]),
        "time, about": _time_in_words(plan),
    }
    print_facts("Would encode", facts)
    _print_reading(plan)
    for name in ("splits", "classes"):
        rows = list(plan[name].items())
        more = f", the first {_MOST} of {len(rows):,}" if len(rows) > _MOST else ""
        print_table(f"{name}{more}", (name, "samples"), rows[:_MOST])
    if plan.get("pruned"):
        print_table("Would drop, as the source has them no more", ("ID",), [(name,) for name in plan["pruned"]])


def _print_reading(told: dict[str, Any]) -> None:
    """Show what the reader took for what, so that a wrong guess is seen."""
    from fusion.datasets import ReadingPlan

    if told["reading"] is not None:
        print_facts("How the table is read", ReadingPlan.from_dict(told["reading"]).lines())
    elif told["left_out"]:
        print_facts("Columns left out", told["left_out"])
    for note in told["notes"]:
        typer.echo(note)


def _targets(found: dict[str, Any] | None) -> dict[str, str]:
    if found is None:
        return {}
    source = "labels that are all numbers" if found["told_by"] == "label" else "targets of their own"
    return {"numbers to predict": f"{found['rows']:,}, {found['low']:g} to {found['high']:g}, from {source}"}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:9])
    return shown if len(names) <= 9 else f"{shown}, ... ({len(names)} channels)"


def _size_in_words(size: int | None) -> str:
    return "not known" if size is None else f"{size / 1e6:,.1f} MB"


def _time_in_words(plan: dict[str, Any]) -> str:
    if plan["seconds"] is None:
        return "not known before the encoder has learned"
    how = f"measured on {plan['measured']} samples, {plan['workers']} workers"
    if plan["learning_seconds"] >= 1:
        how += f", {plan['learning_seconds']:,.0f} s of it for the start"
    return f"{plan['seconds']:,.0f} s ({how})" if plan["seconds"] < 120 else f"{plan['seconds'] / 60:,.0f} min ({how})"
