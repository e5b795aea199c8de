"""What the documentation says is so: names, examples, links."""

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import re
import shutil
import subprocess
import sys
import warnings
from importlib import metadata
from importlib.util import find_spec

import click
import pytest

import firth
from firth import cli
from firth.errors import MissingExtraError
from pages import PAGES, REPOSITORY, TUTORIALS, firth_commands, prepare, python_blocks, run_blocks


def ids(path):
    return str(path.relative_to(REPOSITORY))


pages = pytest.mark.parametrize("page", PAGES, ids=ids)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to run examples in; nothing of theirs gets into the user's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path / "cache"))
    return tmp_path


# --- names ----------------------------------------------------------------------------------------


def documented(heading):
    """The names in the first column of the table below a heading of docs/api.md."""
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)(?:\(.*\))?` \| \S", section, re.MULTILINE)


def test_the_page_of_the_interface_lists_what_firth_offers():
    assert sorted(documented("firth")) == sorted(firth.__all__)


def test_every_public_name_is_there():
    namespace = {}
    exec("from firth import *", namespace)
    assert sorted(namespace.keys() - {"__builtins__"}) == sorted(firth.__all__)
    assert set(firth.__all__) <= set(dir(firth))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        firth.nonsense  # noqa: B018


def test_nothing_else_is_public():
    code = "import firth; print(*(n for n in vars(firth) if not n.startswith('_')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(done.stdout.split()) <= {"Any", "TYPE_CHECKING", "import_module"}


def test_the_page_of_the_interface_lists_all_errors():
    errors = {n for n, e in vars(firth.errors).items() if isinstance(e, type)}
    assert set(documented("firth.errors")) == errors


@pages
def test_dotted_names_on_the_pages_exist(page):
    text = page.read_text(encoding="utf-8")
    missing = []
    for name in set(re.findall(r"`(firth(?:\.[A-Za-z_]\w*)+)", text)):
        try:
            pkgutil.resolve_name(name)
        except MissingExtraError as error:
            missing.append(str(error))
    if missing:
        pytest.skip("; ".join(missing))


def rows(page, heading=""):
    """Cells of the tables below a heading of a page."""
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8").split(f"{heading}\n", 1)[1]
    lines = (line for line in text.split("\n#")[0].splitlines() if line.startswith("| `"))
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_the_page_of_training_lists_all_parameters_with_their_defaults():
    signature = inspect.signature(firth.Word2Vec).parameters
    told = {}
    for cell, defaults, *_ in rows("training.md", "## Parameters"):
        names = re.findall(r"`(\w+)`", cell)
        told |= dict(zip(names, defaults.replace("`", "").split(", "), strict=False))
    assert told.keys() == signature.keys()
    for name, parameter in signature.items():
        if parameter.default is not None:
            assert ast.literal_eval(told[name]) == parameter.default, name


def test_what_the_page_of_gensim_says_is_not_there_is_not_there():
    page = (REPOSITORY / "docs" / "migrating.md").read_text(encoding="utf-8")
    gone = page.split("Not there: what gensim")[1].split("; `wv.vocab` is")[0]
    missing = [
        row for row in rows("migrating.md", "### Training") if row[2].startswith("not there")
    ]
    names = {name for row in missing for name in re.findall(r"`(\w+)`", row[0])}
    assert len(names) > 10
    deprecated = re.findall(r"`(\w+)`", gone)
    assert len(deprecated) > 4
    assert [name for name in deprecated if hasattr(firth.KeyedVectors, name)] == []
    assert [name for name in names if hasattr(firth.Word2Vec, name)] == []
    assert names & inspect.signature(firth.Word2Vec).parameters.keys() == set()


# Attributes that only instances have.
OF_INSTANCES = {"vocab", "wv", "vectors", "key_to_index", "index_to_key", "epoch_losses"}


def attributes(code):
    """The names in code that take an attribute, and the attribute."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


def test_lines_of_migrations_use_what_there_is():
    page = (REPOSITORY / "docs" / "migrating.md").read_text(encoding="utf-8")
    kinds = {
        "firth": firth, "wv": firth.KeyedVectors, "vocab": firth.Vocab,
        "encoder": firth.TextEncoder, "model": firth.FastText,
    }  # fmt: skip
    missing, n_checked = [], 0
    for row in re.findall(r"^\| `.*\|$", page.split("\n## Deliberate")[0], re.MULTILINE):
        for code in re.findall(r"`([^`]+)`", row.strip("| ").rpartition(" | ")[2]):
            # Those are of the command line, ends of names of files, parameters, and modules.
            if not re.match(r"firth |\.\w+$|<", code) and not code.endswith(("=", "import")):
                for name, attribute in attributes(code):
                    known = OF_INSTANCES.union(dir(kinds.get(name)))
                    submodule = name == "firth" and find_spec(f"firth.{attribute}")
                    n_checked += name in kinds
                    if name in kinds and attribute not in known and not submodule:
                        missing.append(code)
    assert missing == []
    assert n_checked > 80


def test_environment_variables_are_documented():
    sources = [p for p in (REPOSITORY / "src").rglob("*.[cp][py]*") if p.is_file()]
    text = "".join(p.read_text(encoding="utf-8") for p in sources)
    used = set(re.findall(r"(?:environ.get|getenv)\(\"(FIRTH_\w+)\"", text))
    assert used == {row[0].strip("`") for row in rows("api.md", "## Environment variables")} - {
        "TMPDIR"
    }


def test_versions_agree():
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == firth.__version__
    assert metadata.version("firth") == firth.__version__


@pytest.mark.parametrize("name", firth.__all__)
def test_public_names_have_docstrings_with_examples(name):
    value = getattr(firth, name)
    assert value.__doc__
    if name != "errors":
        assert ">>>" in value.__doc__


# --- examples -------------------------------------------------------------------------------------

MODULES = [
    module.name
    for module in pkgutil.walk_packages(firth.__path__, "firth.")
    if module.name not in {"firth._core", "firth.cli.__main__"}
]


# What the examples of a module cannot do without, where that is optional and heavy.
NEEDED = {
    "firth.layers": "torch",
    "firth.layers.torch": "torch",
    "firth.layers.keras": "keras",
    "firth.layers.jax": "flax",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name, workplace):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name], reason=f"needs {NEEDED[name]}")
    module = importlib.import_module(name)
    report = io.StringIO()
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        runner.run(example, out=report.write)
    assert runner.failures == 0, report.getvalue()


@pytest.mark.parametrize("page", [p for p in PAGES if p not in TUTORIALS], ids=ids)
def test_python_on_the_pages_runs(page, workplace):
    if page.name == "layers.md":
        pytest.importorskip("torch", reason="needs torch")
    prepare(workplace)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # The text here is far too small for the settings on the pages.
        warnings.simplefilter("ignore")
        for _ in run_blocks(page, {"__name__": "example"}):
            pass


def test_blocks_are_found_and_marks_are_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```python\na = 1\n```\n\n<!-- not run: it needs the sea -->\n\n```python\nb\n```\n"
        "<!-- not run: -->\n```python\nc\n```\n\n```\n3\n```\n"
    )
    assert list(python_blocks(page)) == [
        (1, "a = 1", True, None),
        (7, "b", False, None),
        (11, "c", True, "3\n"),
    ]


def test_commands_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "$ firth demo   # see\n$ cd firth && firth info 'a b'\n$ cat x | firth similar v - > y\n"
        "    $ firth similarity v - < words.txt\n$ for s in 1 2; do firth train x -o s$s; done\n"
        "firth is a name\n$ pip install firth\n"
    )
    assert list(firth_commands(page)) == [
        ["demo"],
        ["info", "a b"],
        ["similar", "v", "-"],
        ["similarity", "v", "-"],
        ["train", "x", "-o", "s1"],
    ]


def understand(arguments):
    """Let click parse a command of firth, without running it."""
    context = cli.firth.make_context("firth", [*arguments])
    name, command, rest = cli.firth.resolve_command(
        context, [*context._protected_args, *context.args]
    )
    command.make_context(name, rest, parent=context)


@pages
def test_commands_on_the_pages_are_understood(page):
    for arguments in firth_commands(page):
        understand(arguments)


@pytest.mark.parametrize(
    "wrong", [["similar", "v", "w", "--nonsense"], ["nonsense"], ["train", "x"], ["list", "a", "b"]]
)
def test_commands_that_are_not_understood_are_found(wrong):
    with pytest.raises(click.UsageError):
        understand(wrong)


# --- links ----------------------------------------------------------------------------------------


FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(page):
    """What the headings of a page are called in links to them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pages
def test_links_lead_somewhere(page):
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", page.read_text(encoding="utf-8")))
    for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert target.is_relative_to(REPOSITORY)
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def test_every_page_can_be_reached_from_the_index():
    index = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", index)}
    docs = REPOSITORY / "docs"
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    assert pages - {"index.md"} <= linked


# --- places ---------------------------------------------------------------------------------------

# Written in two parts, so that this file does not name them either.
ELSEWHERE = [
    "py" + r"pi\.org", "python" + "hosted", "ana" + r"conda\.org", "index" + "-url",
    r"(?<![\w.])/" + "work/", "/tmp" + "/w/", "/opt" + "/", "/home" + "/", "/Users" + "/",
]  # fmt: skip


def files_of_the_repository():
    if git := shutil.which("git"):
        listed = subprocess.run(
            [git, "ls-files", "-z"],
            check=False,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
        )
        names = listed.stdout.split("\0")
        if "README.md" in names:
            return [REPOSITORY / name for name in names if name]
    pytest.skip("this is no clone, so that it is unknown which files belong to it")


def test_no_file_names_a_registry_or_a_place_on_one_machine():
    pattern = re.compile("|".join(ELSEWHERE))
    found = []
    for path in files_of_the_repository():
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n"), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}")
    assert found == []
