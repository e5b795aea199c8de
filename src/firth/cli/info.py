"""The command that tells what a model folder is, and what firth runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from firth.cli.answers import print_json, print_line, printable
from firth.cli.ask import json_option, load_vectors
from firth.cli.command import command, option

N_FREQUENT_WORDS = 10
LABELS = {"bytes": "size on disk"}
# What people need not read twice, or at all.
TOLD_ABOVE = frozenset({"n_words", "vector_size", "format", "files"})
OPTIONAL_PACKAGES = ("pyarrow", "tokenizers")


@command(
    "info",
    "Tell what a model is and how it was made",
    examples="""
    firth info wiki100
    firth info wiki100 --json | jq .config
    firth info --system
    """,
)
@click.argument("folder", metavar="[DIR]", required=False)
@option("--system", is_flag=True, help="Tell what firth runs on: version, instruction set, cores.")
@json_option
def info(folder: str | None, system: bool, as_json: bool) -> int:
    """Tell what is in the model folder DIR and how it was made."""
    if system == (folder is not None):
        raise click.UsageError("give a model folder, or --system" if not system else
                               "--system takes no model folder")  # fmt: skip
    told = describe_system() if folder is None else describe_folder(folder)
    if as_json:
        print_json(told)
    else:
        if "config" in told:
            shown = {k: v for k, v in told["config"].items() if k not in TOLD_ABOVE}
            told = {**told, "config": shown}
        _print_lines(told)
    return 0


def describe_folder(folder: str) -> dict[str, Any]:
    """Tell what a model folder holds.

    Parameters
    ----------
    folder : str
        A folder that ``firth train`` or ``KeyedVectors.save`` wrote.

    Returns
    -------
    dict
        ``folder``, ``words``, ``vector_size``, ``bytes`` on disk, ``frequent_words`` and
        ``config``, all of it JSON.

    Raises
    ------
    FirthError
        When it is not a model folder, or a damaged one.
    """
    vectors = load_vectors(folder)
    return {
        "folder": folder,
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "bytes": sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()),
        "frequent_words": list(vectors.index_to_key[:N_FREQUENT_WORDS]),
        "config": vectors.config,
    }


def describe_system() -> dict[str, Any]:
    """Tell what firth runs on.

    Returns
    -------
    dict
        Versions, the instruction set of the kernels and the others that this machine can run, and
        the number of cores that this process may use.
    """
    import platform
    from importlib import metadata

    from firth import _core
    from firth.machine import usable_cores

    return {
        "firth": metadata.version("firth"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "instruction_set": _core.isa(),
        "supported_instruction_sets": _core.supported_isas(),
        "cores": usable_cores(),
        "numpy": metadata.version("numpy"),
        "optional": {name: _version(name) for name in OPTIONAL_PACKAGES},
    }


def _version(package: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _print_lines(told: dict[str, Any]) -> None:
    rows = list(_rows(told))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print_line(f"{name:<{width}}  {printable(value)}")


def _rows(told: dict[str, Any], indent: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in told.items():
        label = indent + LABELS.get(name, name).replace("_", " ")
        if isinstance(value, dict):
            rows.append((label, ""))
            rows += _rows(value, indent + "  ")
        else:
            rows.append((label, _text(name, value)))
    return rows


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    if name == "bytes" and isinstance(value, int):
        from firth.progress import format_count

        return format_count(value, "B")
    if isinstance(value, int) and name != "seed":
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return " ".join(f"{item:.4g}" if isinstance(item, float) else str(item) for item in value)
    return str(value)
