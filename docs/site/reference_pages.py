"""The pages of the reference: what docs/api.md lists, told by the docstrings."""

from __future__ import annotations

import re
from itertools import groupby

# They offer the same functions, which docs/api.md tells once: with those of PyTorch.
SAME_LAYERS = ("firth.layers.torch", "firth.layers.keras", "firth.layers.jax")
# Modules: their names are listed further down.
MODULES = ("firth.errors", "firth.layers", *SAME_LAYERS)
ROW = re.compile(r"^\| (`.*?) \|", re.MULTILINE)
CODE = re.compile(r"`([\w.]+)(?:\(.*?\))?`")


def _full_name(heading: str, name: str) -> str | None:
    """Complete a name of a table by the heading above it, which is a module or "Other doors"."""
    if not name.startswith("firth."):
        if not heading.startswith("firth"):
            return None  # an environment variable
        name = f"{heading}.{name}"
    last = name.rpartition(".")[2]
    # Constants have no docstrings; the table tells all there is.
    constant = last.isupper() and name != "firth.PPMI"
    return None if name in MODULES or constant else name


def _sections(api: str) -> list[tuple[str, str]]:
    """Split docs/api.md at its headings, which stay at the start of their sections."""
    parts = re.split(r"^(?=## )", api, flags=re.MULTILINE)
    return [(part.partition("\n")[0].removeprefix("## "), part) for part in parts]


def public_names(api: str) -> list[str]:
    """Read the public names from the tables of docs/api.md, in their order."""
    names = [
        _full_name(heading, name)
        for heading, section in _sections(api)
        for cell in ROW.findall(section)
        for name in CODE.findall(cell)
    ]
    return [name for name in dict.fromkeys(names) if name]


def page_of(name: str) -> str:
    """Tell on which page a public name stands: its own, or that of its module."""
    module, _, last = name.rpartition(".")
    return f"reference/{last if module == 'firth' else module}.md"


def reference_pages(names: list[str]) -> dict[str, str]:
    """Make the pages: one for each name of firth, then one for each other module."""
    pages = {}
    for page, group in groupby(sorted(names, key=page_of), page_of):
        found = list(group)
        level, title = 1, ""
        if len(found) > 1 or "/firth." in page:
            level, title = 2, f"# {found[0].rpartition('.')[0]}\n\n"
        pages[page] = title + "\n".join(
            f"::: {name}\n    options:\n      heading_level: {level}\n" for name in found
        )
    order = {page_of(name): number for number, name in reversed(list(enumerate(names)))}
    return dict(sorted(pages.items(), key=lambda item: ("/firth." in item[0], order[item[0]])))


def link_names(api: str) -> str:
    """Let the names in the tables of docs/api.md lead to the pages of the reference."""

    def section(heading: str, text: str) -> str:
        def name(match: re.Match[str]) -> str:
            full = _full_name(heading, match.group(1))
            return f"[{match.group()}]({page_of(full)}#{full})" if full else match.group()

        return ROW.sub(lambda row: f"| {CODE.sub(name, row.group(1))} |", text)

    return "".join(section(heading, text) for heading, text in _sections(api))
