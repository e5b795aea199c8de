"""The pages of the documentation: where they are, and what code stands on them."""

import ast
import gzip
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import zstandard

import firth

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
TUTORIALS = sorted((REPOSITORY / "docs" / "tutorials").glob("*.md"))
NOT_RUN = re.compile(r"<!-- not run: \S.*-->")


class Block(NamedTuple):
    """Python on a page: the number of its first line, the code, whether it is to be run, and what
    the page says that it prints: the block without a language right below it."""

    line: int
    code: str
    runs: bool
    printed: str | None


def python_blocks(page):
    """The blocks of Python on a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.strip() == "```python":
            end = lines.index("```", number)
            before = next((above for above in reversed(lines[:number]) if above.strip()), "")
            printed = None
            if lines[end + 1 : end + 3] == ["", "```"]:
                printed = "\n".join(lines[end + 3 : lines.index("```", end + 3)]) + "\n"
            code = "\n".join(lines[number + 1 : end])
            yield Block(number + 1, code, not NOT_RUN.fullmatch(before), printed)


def with_settings(code, settings):
    """Parse code, with other values for the names in capitals that it gives a value to.

    Takes the names that it found out of `settings`.
    """
    tree = ast.parse(code)
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            (target,) = statement.targets
            pairs = [(target, None)]
            if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                pairs = [(name, place) for place, name in enumerate(target.elts)]
            for name, place in pairs:
                if isinstance(name, ast.Name) and name.id.isupper() and name.id in settings:
                    value = ast.parse(repr(settings.pop(name.id)), mode="eval").body
                    if place is None:
                        statement.value = value
                    else:
                        statement.value.elts[place] = value
    return ast.fix_missing_locations(tree)


def run_blocks(page, namespace, settings=None):
    """Run the code of a page, block by block; gives each block that was run."""
    settings = {} if settings is None else settings
    for block in python_blocks(page):
        tree = with_settings(block.code, settings)
        # In their own lines, so that a traceback points into the page.
        ast.increment_lineno(tree, block.line)
        code = compile(tree, str(page), "exec")
        if block.runs:
            exec(code, namespace)
            yield block


def firth_commands(page):
    """The commands of firth that a page shows behind a prompt, as lists of arguments."""
    # A command goes on behind a backslash at the end of its line.
    for line in re.sub(r" \\\n\s*", " ", page.read_text(encoding="utf-8")).splitlines():
        if not (prompt := re.match(r"\s*\$ (.*)", line)):
            continue
        # What the shell would put in for a variable is a number in most places.
        text = re.sub(r"\$\w+", "1", prompt.group(1))
        words = shlex.shlex(text, posix=True, punctuation_chars="|<>;&()")
        words.whitespace_split = True
        commands, is_file = [[]], False
        for word in words:
            if set(word) <= set("|;&()"):
                commands.append([])
            elif not is_file and not set(word) <= set("<>") and word != "do":
                commands[-1].append(word)
            is_file = set(word) <= set("<>")
        yield from (arguments for name, *arguments in filter(None, commands) if name == "firth")


def prepare(folder):
    """Put there what the examples on the pages take for granted: a text, records and a model."""
    phrases = [
        "the woman and her son saw a green zebra", "the man and his daughter saw a red zebra",
        "computers and machines read the blue book", "a king and a queen rule the land",
        "a computer is a machine that can compute",
    ]  # fmt: skip
    text = "\n".join(phrases * 40) + "\n"
    (folder / "corpus.txt").write_text(text, encoding="utf-8")
    with gzip.open(folder / "corpus.txt.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    records = "".join(f'{{"text": "{phrase}"}}\n' for phrase in phrases).encode()
    (folder / "articles.jsonl.zst").write_bytes(zstandard.compress(records))
    quiet = {"vector_size": 8, "sample": 0, "workers": 1, "progress": False}
    firth.Word2Vec(corpus_file=str(folder / "corpus.txt"), **quiet).save(folder / "vectors")
