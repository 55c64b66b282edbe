"""`functa compare`."""

from __future__ import annotations

import math
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import train_options as options
from cli.encode_options import named_option, reader_options
from cli.output import DeviceOption, JsonFlag, print_facts, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fusion.comparing import CompareResult

_DATA, _WHAT, _RUN = "Data", "What is compared", "Run"
_BUDGET = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")

Several = list[str] | None


def compare(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Stores, link tables, or raw data with --modality; name=path names a store or a table.",
        ),
    ],
    *,
    out: Annotated[
        Path, named_option(_RUN, "Folder for stores and finished cells. [functa-compare]", metavar="PATH")
    ] = Path("functa-compare"),
    modality: Annotated[Several, named_option(_DATA, "Of raw data; repeatable: one item has all of them.")] = None,
    dataset: Annotated[Several, named_option(_DATA, "Layout of raw data; repeatable. [told from the source]")] = None,
    reader: Annotated[Several, named_option(_DATA, "Reader's option, NAME=X; repeatable.")] = None,
    limit: Annotated[int | None, named_option(_DATA, "So many samples of raw data. [all]", least=1)] = None,
    train_split: Annotated[Several, named_option(_DATA, "Split to compare on; repeatable. [train]")] = None,
    test_split: Annotated[Several, named_option(_DATA, "Split for the winner's test; repeatable. [test]")] = None,
    task: options.TaskName = None,
    label_separator: options.LabelSeparator = None,
    class_weight: options.ClassWeight = None,
    encoder: Annotated[
        Several,
        named_option(_WHAT, "Of raw data: functa, modulation, local, or NAME=FILE.toml; repeatable. [functa, local]"),
    ] = None,
    preset: Annotated[Several, named_option(_WHAT, "As for functa train; repeatable. [fast, linear]")] = None,
    estimator: options.Estimators = None,
    fusion_: Annotated[
        Several, named_option(_WHAT, "Of several modalities; repeatable. [early, late, stacked]", "--fusion")
    ] = None,
    seeds: Annotated[int, named_option(_WHAT, "Deal folds and train so often anew. [1]", least=1)] = 1,
    folds: Annotated[
        int | None, named_option(_WHAT, "Of training groups; 1 = one split. [5, or as many as groups]", least=1)
    ] = None,
    budget: Annotated[str | None, named_option(_RUN, "Start no more cells after, such as 10m, 1h30m. [none]")] = None,
    best: Annotated[
        Path | None, named_option(_RUN, "Train the winner, test it once, save it here. [no]", metavar="PATH")
    ] = None,
    workers: Annotated[int | None, named_option(_RUN, "Processes that encode. [one per core]", least=1)] = None,
    track: options.Track = None,
    device: DeviceOption = "auto",
    json: JsonFlag = False,
) -> None:
    """Rank encoders, presets and fusions by cross-validation. Over training groups; the same again goes on."""
    asked = locals()
    import fusion
    from fusion.comparing.compare import compare

    seconds = _seconds(budget)
    fusion.inr.use_device(device)
    trainer = fusion.estimators.LocalTrainer(device=fusion.inr.chosen_backend(device))
    with ExitStack() as stack:
        source = _raw(stack, sources, modality, dataset, reader_options(reader)) if modality else _given(sources)
        result = compare(
            source,
            out,
            encoders=_encoders(encoder),
            presets=_presets(preset, estimator),
            fusions=fusion_ or ("early", "late", "stacked"),
            seeds=seeds,
            folds=folds,
            **options.answers_of(asked),
            train_splits=tuple(train_split or ("train",)),
            test_splits=tuple(test_split or ("test",)),
            budget=seconds,
            best=best,
            encode_options=fusion.encoders.EncodeOptions(workers=workers, limit=limit),
            track=track,
            trainer=trainer,
            progress=stack.enter_context(progress_bar()),
        )
    if json:
        print_json(result.to_dict())
    else:
        _print(result)


def _print(result: CompareResult) -> None:
    rows: list[Sequence[object]] = []
    for place in result.places:
        low, high = place.interval
        sd = _figure(place.sd)
        p = "best" if math.isnan(place.p) else f"{place.p:.3f}"
        means = (f"{place.mean:.3f}", sd, f"{low:.3f} to {high:.3f}", _figure(place.balanced_accuracy))
        rows.append((place.encoder, place.preset, place.fusion, *means, f"{place.seconds:.1f}", p))
    figures = (f"mean {result.measure}", "sd", "95 % interval", "balanced accuracy", "seconds", "p")
    columns = ("encoder", "preset", "fusion", *figures)
    print_table(f"{result.rows:,} training rows, {result.folds} folds; p by {result.test}", columns, rows)
    if result.winner is not None:
        measure = result.measure
        low, high = result.winner[f"{measure}_interval"]
        facts = {
            "winner": result.best.name,
            f"test {measure}": f"{result.winner[measure]:.3f}  (95 % interval {low:.3f} to {high:.3f})",
            **_balanced(result.winner),
            "tested on": f"{result.winner['rows_test']:,} rows, once",
            "model": result.winner["model"],
        }
        print_facts("Trained on all training rows", facts)
    for note in result.notes:
        typer.echo(f"note: {note}", err=True)


def _balanced(winner: Mapping[str, Any]) -> dict[str, str]:
    found = winner.get("balanced_accuracy")
    return {} if found is None else {"balanced accuracy": f"{found:.3f}"}


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def _given(sources: Sequence[str]) -> Any:
    return sources[0] if len(sources) == 1 and "=" not in sources[0] else list(sources)


def _presets(named: Sequence[str] | None, estimators: Sequence[str] | None) -> dict[str, Any]:
    from fusion.estimators import estimator_named

    presets: dict[str, Any] = {name: name for name in named or ("fast", "linear")}
    return presets | {text: estimator_named(text) for text in estimators or ()}


def _encoders(given: Sequence[str] | None) -> Any:
    named = [text.partition("=") for text in given or ("functa", "local")]
    return {name: Path(path) if equals else {"kind": name} for name, equals, path in named}


def _raw(
    stack: ExitStack,
    sources: Sequence[str],
    modalities: Sequence[str],
    layouts: Sequence[str] | None,
    reading: dict[str, str],
) -> dict[str, Any]:
    """Open a data set for each modality; what is named once holds for all."""
    import fusion

    parts: list[Sequence[Any]] = [sources, modalities, layouts or [None]]
    count = max(map(len, parts))
    if any(len(part) not in (1, count) for part in parts):
        raise typer.BadParameter(
            f"{len(sources)} sources, {len(modalities)} --modality and {len(layouts or ())} --dataset; expected one of "
            "each, or the same number"
        )
    opened = {}
    for number in range(count):
        source, modality, layout = (part[number if len(part) > 1 else 0] for part in parts)
        name = layout if len(set(modalities)) < count and layout else modality
        if name in opened:
            raise typer.BadParameter(f"two modalities are called {name!r}; name the --dataset of each")
        opened[name] = stack.enter_context(
            fusion.open_dataset(layout, Path(source), modality=modality, options=dict(reading))
        )
    return opened


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    found = _BUDGET.fullmatch(text) if text else None
    if found is None:
        raise typer.BadParameter(f"--budget {text}: expected a time, such as 90s, 10m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds
