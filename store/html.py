"""What notebooks show of an object: its facts as a small table, every text escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["facts_html", "table_html"]


def facts_html(title: str, facts: Mapping[str, object], notes: Sequence[str] = ()) -> str:
    """Write names and values as a table of two columns, under a title and above notes.

    Parameters
    ----------
    title : str
    facts : mapping of str to object
        Shown as `str` gives them.
    notes : sequence of str

    Returns
    -------
    str
        HTML without styles or scripts of its own, so that it takes a notebook's colours, light or dark.

    Examples
    --------
    >>> facts_html("a <b>", {"rows": 3})
    '<p><b>a &lt;b&gt;</b></p><table><tbody><tr><th>rows</th><td>3</td></tr></tbody></table>'
    """
    rows = (f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in facts.items())
    return _under(title, f"<tbody>{''.join(rows)}</tbody>", notes)


def table_html(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], notes: Sequence[str] = ()) -> str:
    """Write rows under the names of their columns, under a title and above notes; see `facts_html`."""
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return _under(title, f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>", notes)


def _under(title: str, table: str, notes: Sequence[str]) -> str:
    told = "".join(f"<p>note: {_text(note)}</p>" for note in notes)
    return f"<p><b>{_text(title)}</b></p><table>{table}</table>{told}"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return escape(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))
