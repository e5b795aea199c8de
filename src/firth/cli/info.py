"""The command that tells what vectors are, and what firth runs on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_json, print_line, printable
from firth.cli.ask import json_option
from firth.cli.command import command, option
from firth.cli.sources import told_of

if TYPE_CHECKING:
    from firth.hub import Source

N_FREQUENT_WORDS = 10
LABELS = {"bytes": "size"}
# What people need not read twice, or at all.
TOLD_ABOVE = frozenset({"n_words", "vector_size", "format", "files", "load_report"})
OPTIONAL_PACKAGES = ("pyarrow", "tokenizers")


@command(
    "info",
    "Tell what vectors are and how they were made",
    examples="""
    firth info wiki100
    firth info wiki100 --json | jq .config
    firth info GoogleNews-vectors-negative300.bin.gz
    firth info glove.6B.50d
    firth info --system
    """,
)
@click.argument("source", metavar="[VECTORS]", required=False)
@option("--system", is_flag=True, help="Tell what firth runs on: version, instruction set, cores.")
@json_option
def info(source: str | None, system: bool, as_json: bool) -> int:
    """Tell what VECTORS are, what is in them and how they were made.

    VECTORS is a model folder, a file in any format (which is read, and told what would be repaired
    in it), an address, or a name of 'firth list' (which is not downloaded for this).
    """
    if system == (source is not None):
        raise click.UsageError("give vectors, or --system" if not system else
                               "--system takes no vectors")  # fmt: skip
    told = describe_system() if source is None else describe(source)
    if as_json:
        print_json(told)
    else:
        if "config" in told:
            shown = {k: v for k, v in told["config"].items() if k not in TOLD_ABOVE}
            told = {**told, "config": shown}
        _print_lines(told)
    return 0


def describe(name: str) -> dict[str, Any]:
    """Tell what there is to know about vectors.

    Parameters
    ----------
    name : str
        What `firth.load` takes.

    Returns
    -------
    dict
        ``words``, ``vector_size``, ``bytes`` on disk, and what else there is to tell, all of it
        JSON; for a source that is not on this machine, what the catalogue has about it.

    Raises
    ------
    FirthError
        When it is none, or a damaged one.
    """
    from firth.hub import is_here, load, open_table, resolve

    source = resolve(name)
    if not isinstance(source, Path) and (source.kind != "vectors" or not is_here(source)):
        return _describe_source(source)
    table = open_table(name, {})
    report = table.report
    n_words, vector_size = table.vectors.shape
    is_folder = isinstance(source, Path) and source.is_dir()
    told: dict[str, Any] = {"folder" if is_folder else "source": name}
    if report is not None:
        told["format"] = report.format
    told |= {"words": n_words, "vector_size": vector_size, "dtype": str(table.vectors.dtype)}
    if report is not None and report.format == "firth":
        vectors = load(name)  # as it is kept, where a table that was read is in single precision
        told["dtype"] = str(vectors.dtype)
        if len(never_found := vectors.rows_without_direction):
            told["rows_without_direction"] = len(never_found)
    if isinstance(source, Path):
        told["bytes"] = _size(source)
    if table.subwords is not None:
        told["subwords"] = {"family": table.subwords.family, **table.subwords.config()}
    if report is not None and (report.repairs or report.notes):
        told["repairs"] = {**report.repairs, **({"notes": report.notes} if report.notes else {})}
    counted = bool(n_words) and int(table.vocab.counts[0]) > 0
    told["frequent_words" if counted else "first_words"] = list(
        table.vocab.words[:N_FREQUENT_WORDS]
    )
    if table.config:
        told["config"] = dict(table.config)
    return told


def _describe_source(source: Source) -> dict[str, Any]:
    told = told_of(source)
    if "n_bytes" in told:
        told["bytes"] = told.pop("n_bytes")
    return told | {"downloaded": False}


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


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
    if isinstance(value, list | tuple):
        return " ".join(f"{item:.4g}" if isinstance(item, float) else str(item) for item in value)
    return str(value)
