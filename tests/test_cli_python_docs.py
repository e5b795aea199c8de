"""The English of the Python documentation: found without importing or executing anything."""

import ast
import os
import sysconfig
from pathlib import Path

import pytest

from firth.cli.python_docs import (
    docstrings,
    paragraphs,
    reference_topics,
    source_files,
    split_paragraphs,
)

STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))


def docstrings_by_ast(source):
    """The slow reference: raw text between three quotes of what the grammar calls a docstring."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                raw = ast.get_source_segment(source, first.value)
                if raw.lstrip("rRuU")[:3] in {'"""', "'''"} and raw.endswith(('"""', "'''")):
                    found.append(raw.lstrip("rRuU")[3:-3])
    return found


@pytest.mark.parametrize("name", ["argparse", "json/decoder", "shlex", "textwrap", "types", "abc"])
def test_the_scan_finds_what_the_grammar_calls_docstrings(name):
    source = (STANDARD_LIBRARY / f"{name}.py").read_text()
    assert sorted(docstrings(source)) == sorted(docstrings_by_ast(source))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Top."""', ["Top."]),
        ("# coding: utf-8\n'''Top.'''\n", ["Top."]),
        ('r"""Raw \\d."""', ["Raw \\d."]),
        ('def f():  # why: "because"\n    """Say."""', ["Say."]),
        ('class A:\n    # a note\n\n    """Say."""', ["Say."]),
        ('x = """data"""', []),
        ('f(\n    """data"""\n)', []),
        ("x = '''\"'''\ndef f():\n    '''It's.'''", ["It's."]),
        ('def f():\n    """One "quoted" word."""', ['One "quoted" word.']),
        ('def f():\n    """Ends in an escaped \\""""', ['Ends in an escaped \\"']),
        ("x = 'it\\'s # no comment'\ndef f():\n    '''Yes.'''", ["Yes."]),
        ("x = \"unclosed\ndef f():\n    '''Yes.'''", ["Yes."]),
        ('def f():\n    """never closed', ["never closed"]),
        ("", []),
    ],
)
def test_docstrings(source, found):
    assert list(docstrings(source)) == found


def test_paragraphs_lose_markup_and_example_code_and_line_ends():
    text = """Return the sum of all items.

    Longer text that goes on
    over *two* ``lines``.

    >>> total([1, 2])
    3
    ... more

    ======
    Notes
    """
    assert list(split_paragraphs(text)) == [
        "Return the sum of all items.",
        "Longer text that goes on over two lines .",
    ]


def test_topics_are_read_from_literals_and_code_is_not_run(tmp_path):
    path = tmp_path / "topics.py"
    path.write_text(
        "raise SystemExit('executed')\n"
        "topics = {'if': 'The if statement\\n' 'chooses.\\n', 'for': '''Loops.''', 'n': 1}\n"
    )
    assert list(reference_topics(path)) == ["The if statement\nchooses.\n", "Loops."]


@pytest.mark.parametrize("content", [None, "topics = {", "x\0y"])
def test_a_python_without_readable_topics_has_none(tmp_path, content):
    path = tmp_path / "topics.py"
    if content is not None:
        path.write_text(content)
    assert list(reference_topics(path)) == []


def test_source_files_leave_out_tests_copies_and_other_files(tmp_path):
    kept = ["a/__init__.py", "b.py", "a/deep/c.py"]
    left_out = ["a/tests/t.py", "a/_vendor/v.py", "x.dist-info/d.py", "a/data.txt"]
    for name in [*kept, *left_out]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = [str(path.relative_to(tmp_path)) for path in source_files([tmp_path])]
    assert found == ["b.py", "a/__init__.py", "a/deep/c.py"]


def test_this_machine_has_a_text_worth_training_on():
    found = list(paragraphs())
    words = " ".join(found).split()
    assert len(found) == len(set(found))
    assert len(words) > 200_000
    assert all("\n" not in paragraph for paragraph in found)
    assert {"function", "string", "error", "list"} <= set(words)


def test_files_that_cannot_be_read_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("firth.cli.python_docs._package_folders", lambda: [tmp_path])
    monkeypatch.setattr("firth.cli.python_docs.reference_topics", lambda path: iter(()))
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "latin.py").write_bytes(b'"""Caf\xe9 is not UTF-8 here."""')
    (tmp_path / "large.py").write_text('"""' + "one two three four five\n\n" * 100_000 + '"""')
    os.mkfifo(tmp_path / "pipe.py")
    assert list(paragraphs()) == ["Caf\ufffd is not UTF-8 here."]
