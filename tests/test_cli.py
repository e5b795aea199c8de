"""The command line: what it prints, its JSON, its exit statuses and its manners."""

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import click
import numpy as np
import pytest

from firth import cli
from firth.cli.answers import printable
from firth.errors import FormatError
from firth.vectors import KeyedVectors
from firth.vocab import Vocab

# colour, animal, person, male, royal, child, dash
WORDS = {
    "green": (1, 0, 0, 0, 0, 0.1, 0),
    "blue": (1, 0, 0, 0, 0.1, 0, 0),
    "red": (1, 0, 0, 0.1, 0, 0, 0.1),
    "zebra": (0, 1, 0, 0, 0, 0, 0),
    "man": (0, 0, 1, 1, 0, 0, 0),
    "woman": (0, 0, 1, -1, 0, 0, 0),
    "king": (0, 0, 1, 1, 2, 0, 0),
    "queen": (0, 0, 1, -1, 2, 0, 0),
    "son": (0, 0, 1, 1, 0, 2, 0),
    "daughter": (0, 0, 1, -1, 0, 2, 0),
    "new york": (0, 2, 1, 0, 0, 0, 0),
    "日本": (0, 3, 1, 0, 0, 0, 0),
    "-": (0, 0, 0, 0, 0, 0, 1),
    "-k": (0, 0, 0, 0, 0, 0.1, 1),
    "bell\x07": (0, 4, 1, 0, 0, 0, 0),
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    vectors = KeyedVectors(
        Vocab.from_words(list(WORDS), range(100, 100 - len(WORDS), -1)),
        np.array(list(WORDS.values()), dtype=np.float32),
    )
    target = tmp_path_factory.mktemp("models") / "tiny"
    vectors.save(target)
    return str(target)


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


# ---- answers


def test_similar_prints_columns_for_programs(run, folder):
    status, out, err = run("similar", folder, "green", "-k", 2)
    assert (status, err) == (0, "")
    assert out == "blue\t0.9901\nred\t0.9852\n"


def test_several_words_are_several_questions_and_each_line_says_which(run, folder):
    status, out, _ = run("similar", folder, "green", "king", "-k", 1)
    assert status == 0
    assert [line.split("\t")[:2] for line in out.splitlines()] == [
        ["green", "blue"],
        ["king", "queen"],
    ]


def test_together_asks_for_the_mean_of_the_words(run, folder):
    status, out, _ = run("similar", folder, "king", "woman", "--together", "-k", 1)
    assert status == 0
    assert out.startswith("queen\t")


def test_analogy(run, folder):
    status, out, _ = run("analogy", folder, "man", "woman", "son", "-k", 1)
    assert (status, out.split("\t")[0]) == (0, "daughter")


def test_similarity(run, folder):
    assert run("similarity", folder, "man", "king") == (0, "0.5774\n", "")


def test_odd_one_out(run, folder):
    assert run("odd-one-out", folder, "green", "blue", "red", "zebra") == (0, "zebra\n", "")


# ---- JSON


def test_json_of_similar(run, folder):
    status, out, _ = run("similar", folder, "green", "-k", 1, "--json")
    assert status == 0
    assert objects(out) == [
        {"words": ["green"], "neighbours": [{"word": "blue", "similarity": 0.990099}]}
    ]


def test_json_of_the_others(run, folder):
    _, out, _ = run("analogy", folder, "man", "woman", "son", "-k", 1, "--json")
    [answer] = objects(out)
    assert answer["words"] == ["man", "woman", "son"]
    assert [set(entry) for entry in answer["answers"]] == [{"word", "similarity"}]
    assert answer["answers"][0]["word"] == "daughter"
    _, out, _ = run("similarity", folder, "man", "king", "--json")
    assert objects(out) == [{"words": ["man", "king"], "similarity": 0.57735}]
    _, out, _ = run("odd-one-out", folder, "green", "red", "zebra", "--json")
    assert objects(out) == [{"words": ["green", "red", "zebra"], "odd_one_out": "zebra"}]


def test_json_of_a_word_that_is_not_there(run, folder):
    status, out, err = run("similar", folder, "kinf", "--json")
    [answer] = objects(out)
    assert status == 1
    assert answer["words"] == ["kinf"]
    assert "king" in answer["error"]
    assert err.startswith("firth: ")


def test_json_keeps_every_script_and_escapes_what_is_not_text(run, folder):
    _, out, _ = run("similar", folder, "zebra", "-k", 3, "--json")
    assert "日本" in out
    assert {"日本", "bell\x07"} <= {entry["word"] for entry in objects(out)[0]["neighbours"]}
    status, out, _ = run("similar", folder, "\udcff", "--json")
    assert (status, objects(out)[0]["words"]) == (1, ["\udcff"])


# ---- standard input


def test_a_line_of_standard_input_is_a_question(run, folder):
    status, out, err = run(
        "similar", folder, "-", "-k", 1, stdin="green\r\n\n  new york \n日本\n-".encode()
    )
    assert (status, err) == (0, "")
    assert [line.split("\t")[:2] for line in out.splitlines()] == [
        ["green", "blue"],
        ["new york", "日本"],
        ["日本", "bell\\x07"],
        ["-", "-k"],
    ]


def test_lines_of_words(run, folder):
    _, out, _ = run("similarity", folder, "-", stdin=b"man king\ngreen\tgreen\n")
    assert out == "man\tking\t0.5774\ngreen\tgreen\t1.0000\n"
    _, out, _ = run("analogy", folder, "-", "-k", 1, stdin=b"\xef\xbb\xbfman woman king\n")
    assert out.split("\t")[:4] == ["man", "woman", "king", "queen"]
    _, out, _ = run("odd-one-out", folder, "-", stdin=b"green blue zebra\n")
    assert out == "green\tblue\tzebra\tzebra\n"
    _, out, _ = run("similar", folder, "-", "--together", "-k", 1, stdin=b"king woman\n")
    assert out.split("\t")[:3] == ["king", "woman", "queen"]


def test_a_bad_line_is_reported_and_the_next_ones_are_answered(run, folder):
    status, out, err = run(
        "similarity", folder, "-", stdin=b"man nobody\nman\n\nman king\nman king queen\n"
    )
    assert (status, out) == (1, "man\tking\t0.5774\n")
    lines = err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("firth: line 1: ")
    assert "nobody" in lines[0]
    assert lines[1] == "firth: line 2: expected 2 words, got 1: man"
    assert lines[2] == "firth: line 5: expected 2 words, got 3: man king queen"


def test_many_bad_lines_are_reported_without_a_search_for_near_spellings(run, folder):
    status, _, err = run("similar", folder, "-", stdin=b"nobody\n" * 50)
    assert status == 1
    assert len(err.splitlines()) == 50
    assert err.splitlines()[-1] == ("firth: line 50: the word 'nobody' is not among the 15 words")


def test_several_words_on_a_line_of_similar_get_advice(run, folder):
    status, _, err = run("similar", folder, "-", stdin=b"green blue\n")
    assert status == 1
    assert "one word a line" in err
    assert "--together" in err


def test_questions_that_are_not_utf8(run, folder):
    status, _, err = run("similar", folder, "-", stdin=b"green\ncaf\xe9\n")
    assert status == 1
    assert "standard input, line 2" in err
    assert "iconv" in err


def test_no_questions_no_answers(run, folder):
    assert run("similar", folder, "-", stdin=b"\n \n") == (0, "", "")


def test_thousands_of_questions_keep_their_order(run, folder):
    asked = list(WORDS)[:10] * 500
    status, out, _ = run("similar", folder, "-", "-k", 1, stdin="\n".join(asked).encode())
    assert status == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == asked


def test_a_program_can_hold_a_conversation(folder):
    with subprocess.Popen(
        [sys.executable, "-m", "firth.cli", "similar", folder, "-", "-k", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        for word in (b"green", b"king"):
            process.stdin.write(word + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(word)
        process.stdin.close()
        assert process.wait() == 0


# ---- info


def test_info(run, folder):
    status, out, _ = run("info", folder)
    assert status == 0
    assert re.search(r"^words +15$", out, re.MULTILINE)
    assert re.search(r"^vector size +7$", out, re.MULTILINE)
    assert re.search("^frequent words +green blue red", out, re.MULTILINE)


def test_info_as_json(run, folder):
    status, out, _ = run("info", folder, "--json")
    [told] = objects(out)
    assert status == 0
    assert (told["folder"], told["words"], told["vector_size"]) == (folder, 15, 7)
    assert told["bytes"] > 15 * 7 * 4
    assert told["frequent_words"][0] == "green"
    assert told["config"]["format"] == "firth"


def test_info_of_the_system(run):
    status, out, _ = run("info", "--system", "--json")
    [told] = objects(out)
    assert status == 0
    assert told["instruction_set"] in told["supported_instruction_sets"]
    assert told["cores"] >= 1
    assert told["numpy"] == np.__version__
    _, out, _ = run("info", "--system")
    assert f"instruction set             {told['instruction_set']}\n" in out


# ---- wrong usage and bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["similr"], "similar"),
        (["similar"], "VECTORS"),
        (["similar", "x"], "WORD"),
        (["similar", "x", "y", "-k", "0"], "-k"),
        (["similar", "x", "y", "-k", "many"], "many"),
        (["similar", "x", "y", "-"], "standard input"),
        (["analogy", "x", "a", "b"], "expected 3 words, got 2: a b"),
        (["analogy", "x", "a", "-", "c"], "standard input"),
        (["similarity", "x", "a", "b", "c"], "expected 2 words, got 3"),
        (["odd-one-out", "x", "a", "b"], "expected 3 words or more"),
        (["info"], "--system"),
        (["info", "x", "--system"], "no vectors"),
        (["list", "a", "b"], "b"),
        (["download"], "NAME"),
        (["convert", "x"], "DST"),
        (["convert", "x", "y", "--limit", "0"], "--limit"),
        (["convert", "x", "y", "--dtype", "int8"], "float16"),
        (["train", "text.txt"], "--output"),
        (["train", "-o", "x"], "SOURCE"),
        (["train", "t", "-o", "x", "--dim", "0"], "--dim"),
        (["train", "t", "-o", "x", "--window", "-1"], "--window"),
        (["train", "t", "-o", "x", "--epochs", "0"], "--epochs"),
        (["train", "t", "-o", "x", "--threads", "0"], "--threads"),
        (["train", "t", "-o", "x", "--alpha", "0"], "--alpha"),
        (["train", "t", "-o", "x", "--model", "bert"], "skipgram"),
        (["train", "t", "-o", "x", "--tokenizer", "bpe"], "whitespace"),
        (["train", "t", "-o", "x", "--widnow", "5"], "--window"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(run, arguments, message):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("firth: ")
    assert message in err
    assert "--help'." in err


def test_no_command_shows_the_help(run):
    status, out, err = run()
    assert status == 2
    assert "firth demo" in out + err


def test_a_word_that_is_not_there(run, folder):
    status, out, err = run("similar", folder, "kinf")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "kinf" in err
    assert "king" in err


@pytest.mark.parametrize("content", [None, "", "text", "{}", '{"format": "other"}'])
def test_a_folder_that_is_no_model(run, tmp_path, content):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    status, out, err = run("similar", tmp_path, "word")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert str(tmp_path) in err


def test_a_folder_that_is_not_there(run, tmp_path):
    status, _, err = run("info", tmp_path / "nowhere")
    assert status == 1
    assert "nowhere" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (MemoryError(), 1, "not enough memory"),
        (OSError(28, "No space left on device", "x/y"), 1, "x/y: No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_failures_of_the_machine_are_one_line(run, folder, monkeypatch, error, status, message):
    def fail(*_):
        raise error

    monkeypatch.setattr(KeyedVectors, "load", fail)
    got, out, err = run("similar", folder, "x")
    assert (got, out, err.strip()) == (status, "", f"firth: {message}")


def test_a_bug_is_not_hidden(run, folder, monkeypatch):
    monkeypatch.setattr(KeyedVectors, "load", lambda *_: None)
    with pytest.raises(TypeError):
        run("similar", folder, "x")


def test_a_message_is_one_line_whatever_it_quotes(run, folder):
    _, _, err = run("similar", folder, "a\nb\x1b[31m")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err


# ---- help


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "similar",
        "analogy",
        "similarity",
        "odd-one-out",
        "list",
        "download",
        "convert",
        "index",
        "info",
        "demo",
        "",
    ],
)
def test_every_help_has_examples(run, command):
    status, out, err = run(*command.split(), "--help")
    assert (status, err) == (0, "")
    assert "Examples:\n  firth " in out
    assert max(map(len, out.splitlines())) <= 100
    assert all(line == line.rstrip() for line in out.splitlines())


def test_version(run):
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("firth ")


# ---- the terminal


def test_a_terminal_shows_a_table(folder):
    out = run_on_terminal("similar", folder, "green", "king", "-k", "2")
    assert "similarity" in out
    assert "blue" in out
    assert "0.9901" in out
    assert "\t" not in out


def test_a_terminal_shows_a_single_figure_as_it_is(folder):
    assert run_on_terminal("similarity", folder, "man", "king") == "0.5774\r\n"


def test_a_strangers_words_cannot_steer_the_terminal(folder):
    assert "\x07" not in run_on_terminal("similar", folder, "zebra")
    assert printable("\x1b[2J") == "\\x1b[2J"


class Terminal(io.StringIO):
    """Standard output as a terminal, in this process."""

    def isatty(self):
        return True


def table_of(monkeypatch, *arguments, stdin=b""):
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal())
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        assert cli.main(arguments) == 0
        return [line.split() for line in sys.stdout.getvalue().splitlines()]


def test_the_rows_of_tables(folder, monkeypatch):
    assert table_of(monkeypatch, "similar", folder, "green", "-k", "2") == [
        ["word", "similarity"],
        ["blue", "0.9901"],
        ["red", "0.9852"],
    ]
    assert table_of(monkeypatch, "similar", folder, "green", "king", "-k", "1") == [
        ["green"], ["word", "similarity"], ["blue", "0.9901"], [],
        ["king"], ["word", "similarity"], ["queen", "0.6667"], [],
    ]  # fmt: skip
    asked = b"man king\ngreen green\n"
    assert table_of(monkeypatch, "similarity", folder, "-", stdin=asked) == [
        ["man", "king", "0.5774"],
        ["green", "green", "1.0000"],
    ]


def run_on_terminal(*arguments):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80"}
    with subprocess.Popen(
        [sys.executable, "-m", "firth.cli", *arguments], stdout=theirs, env=environment
    ) as process:
        os.close(theirs)
        out = b""
        try:
            while block := os.read(ours, 4096):
                out += block
        except OSError:  # how Linux tells that the other end was closed
            pass
        assert process.wait() == 0
    os.close(ours)
    return out.decode()


# ---- the process


def test_a_reader_that_goes_away_is_no_error(folder):
    process = subprocess.run(
        f"'{sys.executable}' -m firth.cli similar '{folder}' - -k 3 | head -n 1; "
        'exit "${PIPESTATUS[0]}"',
        shell=True,
        executable="/bin/bash",
        input=b"green\n" * 50_000,
        capture_output=True,
        check=False,
    )
    assert process.stdout == b"green\tblue\t0.9901\n"
    assert process.stderr == b""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "kill"]
)
def test_a_signal_ends_it_quietly(folder, number, status):
    with subprocess.Popen(
        [sys.executable, "-m", "firth.cli", "similar", folder, "-", "-k", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(b"green\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"green\tblue\t0.9901\n"
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == status
    assert err.strip() == b"firth: interrupted"


def test_a_kill_is_told_apart_from_ctrl_c(run, folder, monkeypatch):
    monkeypatch.setattr(KeyedVectors, "load", lambda *_: signal.raise_signal(signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert run("similar", folder, "x")[0] == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_standard_output_that_nobody_reads(folder, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Closed())
        assert cli.main(["similar", folder, "green"]) == 141


def test_a_closed_standard_input_asks_nothing(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", None)
        assert cli.main(["similar", folder, "-"]) == 0


def test_warnings_and_logs_of_the_library_are_lines_of_their_own(run, folder, monkeypatch):
    def load(*_):
        warnings.warn("an old\nfolder", stacklevel=1)
        logging.getLogger("firth").info("reading")
        raise FormatError("too old")

    monkeypatch.setattr(KeyedVectors, "load", load)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status, _, err = run("similar", folder, "x")
    assert status == 1
    assert err.splitlines() == ["firth: warning: an old folder", "reading", "firth: too old"]
    assert not logging.getLogger("firth").handlers


def test_it_works_in_a_thread_where_signals_cannot_be_handled(folder):
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(cli.main(["info", folder])))
    thread.start()
    thread.join()
    assert statuses == [0]


# ---- the documentation


def test_the_page_tells_every_command_and_option():
    page = (Path(__file__).parents[1] / "docs" / "cli.md").read_text()
    for name, command in cli.firth.commands.items():
        assert f"firth {name}" in page
        for parameter in command.params:
            for spelling in parameter.opts if isinstance(parameter, click.Option) else []:
                assert spelling in page, (name, spelling)


def test_help_does_not_import_numpy():
    code = (
        "import sys; from firth.cli import main; status = main(['train', '--help']); "
        "sys.exit(status or 'numpy' in sys.modules or 'rich' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert process.returncode == 0, process.stderr


def test_an_answer_imports_no_more_than_it_needs(folder):
    code = (
        "import sys; from firth.cli import main; "
        f"status = main(['similar', {folder!r}, 'green']); "
        "heavy = {'rich', 'tqdm', 'zstandard', 'pyarrow', 'tokenizers', 'firth.models', "
        "'firth.corpus', 'asyncio', 'multiprocessing'} & set(sys.modules); "
        "sys.exit(status or ' '.join(heavy) or 0)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert process.returncode == 0, process.stderr
