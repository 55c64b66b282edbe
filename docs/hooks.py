"""Pages of the site that are made of what stands elsewhere: the commands, and the files beside README.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import typer
from mkdocs.structure.files import File, Files

import store
from cli.main import app

ROOT = Path(__file__).parent.parent
COPIED = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"}
HERE = {source: page for page, source in COPIED.items()}
ROOMS = {
    "data.md": ("Data in", ("fusion.datasets", "fusion.modalities")),
    "encoding.md": ("Encoding", ("fusion.encoders",)),
    "store.md": ("The store", ("store",)),
    "linking.md": ("Linking", ("fusion.linking", "fusion.features")),
    "training.md": ("Training", ("fusion.estimators", "fusion.cluster")),
    "models.md": ("Models", ("fusion.models", "fusion.comparing", "fusion.explaining", "fusion.reporting")),
}
GUIDES = {
    "Data in": "own-files.md",
    "Encoding": "python.md",
    "The store": "interchange.md",
    "Linking": "fusion.md",
    "Training": "choosing.md",
    "Models": "predicting.md",
}
"""Page whose boxes show how the names of a reference page are used together."""
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    for page, source in COPIED.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    files.append(File.generated(config, "commands.md", content=command_pages()))
    for page, (title, rooms) in ROOMS.items():
        files.append(File.generated(config, f"reference/{page}", content=reference_page(title, rooms)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to the pages of the site; what is in the repository only becomes its name."""
    if page.file.src_uri.startswith("reference/"):  # written here, as the site has them
        return markdown
    return LINK.sub(_on_site, markdown)


def _on_site(link: re.Match[str]) -> str:
    text, target = link.groups()
    path, mark, anchor = target.partition("#")
    if "://" in target or not path:
        return link[0]
    clean = path.removeprefix("../").removeprefix("docs/")
    clean = HERE.get(clean, clean)
    if clean in COPIED or (ROOT / "docs" / clean).exists():
        return f"[{text}]({clean}{mark}{anchor})"
    return link[0] if path.startswith(("reference/", "images/")) else f"{text} (`{clean}`)"


def reference_page(title: str, rooms: tuple[str, ...]) -> str:
    """List every public name of some rooms with its docstring."""
    parts = [f"# {title}", f"How these are used together: [{GUIDES[title]}](../{GUIDES[title]})."]
    for room in rooms:
        parts += [f"## `{room}`", *map(_entry, public_places(room))]
    return "\n\n".join(parts) + "\n"


def _entry(place: str) -> str:
    """Show a name with its docstring, and where it is used if that has no example."""
    page = example_of(place)
    return f"::: {place}" + (f"\n\nUsed in [{page}](../{page})." if page else "")


def example_of(place: str) -> str | None:
    """Name the first page with Python that uses a public name."""
    name = re.compile(rf"\b{re.escape(place.rpartition('.')[2])}\b")
    for page in sorted((ROOT / "docs").glob("*.md")):
        boxes = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        if any(name.search(box) for box in boxes):
            return page.name
    return None


def public_places(room: str) -> list[str]:
    """Give the dotted place where each public name of a room is defined."""
    if room == "store":
        return [f"{module}.{name}" for module, names in store._HOME.items() for name in names]
    stub = ast.parse((ROOT / room.replace(".", "/") / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom) and node.level]
    return [f"{room}.{node.module}.{name.name}" for node in imports for name in node.names]


def command_pages() -> str:
    """Describe every command with its arguments and options, as `--help` does."""
    command: Any = typer.main.get_command(app)
    parts = ["# Commands", command.epilog or ""]
    for path, found in _walk(command, ("functa",)):
        parts += [f"## `{' '.join(path)}`", _plain(found.help), *_parameters(found)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _walk(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [one for name, child in children.items() for one in _walk(child, (*path, name))]


def _parameters(command: Any) -> list[str]:
    shown = [one for one in command.params if not getattr(one, "hidden", False) and one.name != "help"]
    rows = [f"| `{_names(one)}` | {_plain(getattr(one, 'help', '')).replace('|', chr(92) + '|')} |" for one in shown]
    return ["\n".join(["| option | what it says |", "| --- | --- |", *rows])] if rows else []


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).upper()
    return ", ".join(parameter.opts)


def _plain(text: str | None) -> str:
    told = " ".join((text or "").split()).replace("\\[", "[")  # escaped for the terminal's markup
    return told.replace("<", "&lt;").replace("[", "&#91;")
