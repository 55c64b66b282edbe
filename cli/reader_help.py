"""Print the options of a reader."""

from __future__ import annotations

from cli.output import print_facts


def print_reader(layout: str, modality: str | None) -> None:
    """Write a reader's options, what they are for, what they take, and their defaults."""
    from fusion.datasets import reader_options

    facts = {
        f"{option.name}={_default(option.default)}": f"{option.says} ({' or '.join(option.kinds)})"
        for option in reader_options(layout, modality)
    }
    print_facts(f"Reader {layout}{'' if facts else ': no options'}", facts)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
