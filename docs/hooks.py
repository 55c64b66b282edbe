"""Pages of the site that are made of what stands elsewhere: the commands, and the files beside README.md."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import typer
from mkdocs.structure.files import File, Files

import fusion
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
    "networks.md": ("Networks", ("fusion.inr",)),
    "models.md": ("Models", ("fusion.models", "fusion.comparing", "fusion.explaining", "fusion.reporting")),
    "measuring.md": ("Measuring", ("fusion.metrics", "fusion.baselines", "fusion.bench")),
}
GUIDES = {
    "Data in": "python-data.md",
    "Encoding": "python-encoding.md",
    "The store": "python-store.md",
    "Linking": "python-models.md",
    "Training": "python-models.md",
    "Networks": "python-encoding.md",
    "Models": "python-models.md",
    "Measuring": "python-models.md",
}
"""Page whose boxes show how the names of a reference page are used together."""
PYTHON = re.compile(r"^```python\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    for page, source in COPIED.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    files.append(File.generated(config, "commands.md", content=command_pages()))
    files.append(File.generated(config, "examples.md", content=examples_page()))
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


def examples_page() -> str:
    """Show the scripts of examples/, each under its first sentence."""
    told = "Each script says what it did and saves a picture; `python examples/NAME.py` runs it."
    parts = ["# Examples", told]
    for path in sorted((ROOT / "examples").glob("*.py")):
        script = path.read_text(encoding="utf-8")
        told = ast.get_docstring(ast.parse(script)) or ""
        parts += [f"## `{path.name}`", told, f"```python\n{script.split(told, 1)[1].lstrip(chr(34)).strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def reference_page(title: str, rooms: tuple[str, ...]) -> str:
    """List every public name of some rooms with its docstring."""
    parts = [f"# {title}", f"How these are used together: [{title_of(GUIDES[title])}](../{GUIDES[title]})."]
    for room in rooms:
        parts += [f"## `{room}`", *map(_entry, public_places(room))]
    return "\n\n".join(parts) + "\n"


def _entry(place: str) -> str:
    """Show a name with its docstring, and where it is used if that has no example."""
    page = example_of(place)
    return f"::: {place}" + (f"\n\nUsed in [{title_of(page)}](../{page})." if page else "")


def title_of(page: str) -> str:
    """Give the title of a page of docs/."""
    return (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def example_of(place: str) -> str | None:
    """Name the first page with Python that imports or calls a public name."""
    room, name = ".".join(place.split(".")[: 1 if place.startswith("store.") else 2]), place.rpartition(".")[2]
    wanted = {f"{room}.{name}"} | ({f"fusion.{name}"} if name in fusion.__all__ else set())
    return next((page for page, used in _names_used().items() if used & wanted), None)


@cache
def _names_used() -> dict[str, set[str]]:
    """Give the dotted names that the Python of each page imports or calls."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    return {page.name: set().union(*map(_dotted, PYTHON.findall(page.read_text(encoding="utf-8")))) for page in pages}


def _dotted(script: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(script)))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}.{name.name}" for node in imports for name in node.names} | {
        ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)
    }


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
