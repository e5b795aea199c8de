"""The rules of docs/architecture.md, held against the source."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "src" / "firth"
CORE = REPOSITORY / "src" / "core"

# Rooms by floor; docs/architecture.md draws the same picture, and a test below compares the two.
FLOORS = {
    8: {"cli", "embedding", "sklearn"},
    7: {"service"},
    6: {"cluster", "exports", "hub", "tasks"},
    5: {"layers", "models", "sentences"},
    4: {"vectors", "phrases", "cooccurrence"},
    3: {"corpus", "formats", "approximate", "sequences", "evaluation", "maps"},
    2: {"text", "vocab", "neighbours", "subwords"},
    1: {"storage", "progress", "compression"},
    0: {"_core", "errors", "machine", "threads"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
MOST_LINES = 500
OPTIONAL_PACKAGES = {
    "matplotlib",
    "pyarrow",
    "tokenizers",
    "gensim",
    "scipy",
    "sklearn",
    "threadpoolctl",
    "usearch",
    "torch",
    "keras",
    "jax",
    "flax",
    "spacy",
    "openTSNE",
    "umap",
    "starlette",
    "uvicorn",
    "msgspec",
    "prometheus_client",
    "ray",
    "fsspec",
}
HEAVY_PACKAGES = {"numpy", "click", "rich", "tqdm", "zstandard", "urllib3", "filelock"}

MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = sorted(path for path in (REPOSITORY / "src").rglob("*.*") if path.is_file())


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(tree, path):
    """Dotted names of the modules of firth that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "firth")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; write it out"
            if node.module == "firth":
                yield from (f"firth.{alias.name}" for alias in node.names)
            elif node.module and node.module.startswith("firth."):
                yield node.module
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            pytest.fail(f"{path}:{node.lineno}: an import that cannot be checked")


def wrong_imports(source, room):
    """What a module of a room imports and must not."""
    for name in imports_of(ast.parse(source), room):
        parts = name.split(".")
        if len(parts) == 1:
            yield "firth, which stands above all rooms"
        elif parts[1] == room:
            continue
        elif parts[1] not in FLOOR_OF:
            yield f"{name}, which is no room"
        elif FLOOR_OF[parts[1]] >= FLOOR_OF[room]:
            yield f"{name}, on floor {FLOOR_OF[parts[1]]}, not below {FLOOR_OF[room]}"
        elif len(parts) > 2:
            yield f"{name}, which is inside of another room"


def named(paths):
    return [pytest.param(path, id=str(path.relative_to(REPOSITORY / "src"))) for path in paths]


@pytest.mark.parametrize("path", named(p for p in MODULES if room_of(p) != "__init__"))
def test_a_room_imports_only_from_lower_floors(path):
    source = path.read_text(encoding="utf-8")
    assert list(wrong_imports(source, room_of(path))) == []


@pytest.mark.parametrize(
    ("source", "room"),
    [
        ("import firth", "cli"),
        ("from firth import load", "cli"),
        ("from firth.vectors import KeyedVectors", "vocab"),
        ("def f():\n    from firth.models import Word2Vec", "corpus"),
        ("if TYPE_CHECKING:\n    from firth.models import Word2Vec", "vectors"),
        ("from firth.storage._folders import read_config", "vocab"),
        ("import firth.storage._tensors", "vocab"),
    ],
)
def test_the_check_of_imports_sees_through(source, room):
    assert len(list(wrong_imports(source, room))) == 1


def test_every_module_belongs_to_a_room():
    rooms = {room_of(path) for path in MODULES} - {"__init__"}
    assert rooms | {"_core"} == set(FLOOR_OF)


def test_the_page_draws_these_floors():
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = {
        int(floor): set(rooms.split())
        for floor, rooms in re.findall(r"^    (\d)  ([a-z_ 0-9]+)$", page, re.MULTILINE)
    }
    assert drawn == FLOORS


@pytest.mark.parametrize("path", named(SOURCES))
def test_no_file_grows_too_long(path):
    if path.suffix in {".py", ".pyi", ".cpp", ".hpp"}:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", named(p for p in SOURCES if p.parent.is_relative_to(CORE)))
def test_only_bindings_know_python(path):
    included = re.findall(r'^#include [<"](.*)[>"]', path.read_text(encoding="utf-8"), re.MULTILINE)
    if not path.name.startswith("bind"):
        assert [name for name in included if name.startswith(("nanobind", "Python"))] == []
        assert "bindings.hpp" not in included


@pytest.mark.parametrize("path", named((CORE / "kernels").iterdir()))
def test_kernels_use_nothing_that_the_linker_could_merge(path):
    # An inline function of the C++ library, compiled for AVX-512 here and for the baseline
    # elsewhere, would be kept once, perhaps in the version that the machine cannot run.
    text = path.read_text(encoding="utf-8")
    standard = set(re.findall(r"^#include <(.*)>", text, re.MULTILINE))
    # Those of immintrin.h are inlined wherever they are called; utility is there for types.
    assert standard <= {"cstddef", "cstdint", "cstring", "immintrin.h", "utility"}
    code = re.sub(r"//.*", "", text)
    allowed = {"size_t", "memcpy", "index_sequence", "make_index_sequence"}
    assert set(re.findall(r"std::(\w+)", code)) <= allowed


def modules_after(statement):
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_importing_firth_imports_no_room():
    after = modules_after("import firth")
    assert {name for name in after if name.split(".")[0] == "firth"} <= {"firth"}
    assert not after & (HEAVY_PACKAGES | OPTIONAL_PACKAGES)


def test_asking_imports_nothing_that_trains():
    after = modules_after("import firth; firth.load, firth.KeyedVectors, firth.Vocab")
    rooms = {name.split(".")[1] for name in after if name.startswith("firth.")}
    assert not rooms & {"models", "corpus", "text", "progress", "cli"}
    assert not after & (OPTIONAL_PACKAGES | {"click", "rich", "tqdm", "zstandard"})


def test_training_imports_no_optional_package():
    assert not modules_after("import firth; firth.Word2Vec") & OPTIONAL_PACKAGES
