"""Progress on a terminal, in a log, and in silence."""

import io
import logging
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from firth import progress as progress_module
from firth.progress import format_count, format_duration, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def replace_standard_error(monkeypatch, stream):
    # In this module alone: pytest puts its own streams back into sys between a fixture and a test.
    monkeypatch.setattr(progress_module, "sys", SimpleNamespace(stderr=stream))


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    replace_standard_error(monkeypatch, stream)
    monkeypatch.setenv("COLUMNS", "100")
    return stream


@pytest.fixture
def log_file(monkeypatch):
    stream = io.StringIO()
    replace_standard_error(monkeypatch, stream)
    return stream


def test_a_terminal_shows_a_bar_with_rate_time_left_and_figures(terminal):
    with progress("training", total=2_000, unit="words") as bar:
        bar.advance(1_000, loss=0.41)
        bar.advance(1_000, loss=0.40126)
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith("training: 100%|")
    assert "2.00k/2.00k words [" in last
    assert "words/s" in last
    assert "left, loss 0.4013]" in last


def test_a_bar_without_a_total_shows_count_rate_and_time(terminal):
    with progress("counting", unit="B") as bar:
        bar.advance(3_000_000)
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith("counting: 3.00MB [")
    assert "%" not in last
    assert "left" not in last


def test_a_terminal_that_does_not_know_its_size_has_a_bar_too():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    code = (
        "from firth.progress import progress\nwith progress('work', total=2) as bar: bar.advance(2)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs) as process:
        os.close(theirs)
        out = b""
        try:
            while block := os.read(ours, 4096):
                out += block
        except OSError:  # how Linux tells that the other end was closed
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"work: 100%|" in out


def test_an_error_closes_the_bar_where_it_stood(terminal):
    def work():
        with progress("training", total=10) as bar:
            bar.advance(5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert "training:  50%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


def test_elsewhere_there_are_log_lines_and_nothing_on_the_stream(log_file, caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO, "firth"), progress("training", total=10_000) as bar:
        for second in (1, 9.9, 10, 15, 20.1):
            now[0] = second
            bar.advance(1_000, loss=1 / 3)
        now[0] = 50
        bar.advance(5_000, loss=0.25)
    assert [record.message for record in caplog.records] == [
        "training: 30% (3.00k of 10.0k words), 300 words/s, 23 s left, loss 0.3333",
        "training: 50% (5.00k of 10.0k words), 249 words/s, 20 s left, loss 0.3333",
        "training: 100% (10.0k of 10.0k words), 200 words/s, in 50 s, loss 0.2500",
    ]
    assert all(record.name == "firth" for record in caplog.records)
    assert log_file.getvalue() == ""


@pytest.mark.parametrize(("seconds", "n_lines"), [(9, 0), (30, 1)])
def test_a_last_line_tells_that_long_work_was_stopped(
    log_file, caplog, monkeypatch, seconds, n_lines
):
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])

    def work():
        with progress("training", total=4, unit="chunks") as bar:
            bar.advance(1)
            now[0] = seconds
            raise KeyboardInterrupt

    with caplog.at_level(logging.INFO, "firth"), pytest.raises(KeyboardInterrupt):
        work()
    assert len(caplog.records) == n_lines
    if not n_lines:
        return
    [record] = caplog.records
    assert record.message.startswith("training: 25% (1 of 4 chunks), ")
    assert record.message.endswith(" (stopped)")


def test_show_true_is_as_none_and_false_is_silent(terminal, caplog):
    with progress("training", total=1, show=True) as bar:
        bar.advance()
    assert "training" in terminal.getvalue()
    terminal.truncate(0)
    with caplog.at_level(logging.INFO, "firth"), progress("training", total=1, show=False) as bar:
        bar.advance(1, loss=0.5)
    assert bar.n == 1
    assert terminal.getvalue().strip("\0") == ""
    assert not caplog.records


def test_work_that_could_not_be_counted_tells_its_time(log_file, caplog):
    with caplog.at_level(logging.INFO, "firth"), progress("reading", unit="B"):
        pass
    assert caplog.records[0].message == "reading: in 0.0 s"


def test_a_process_without_standard_error_logs(monkeypatch, caplog):
    replace_standard_error(monkeypatch, None)
    with caplog.at_level(logging.INFO, "firth"), progress("training") as bar:
        bar.advance(12)
    assert caplog.records[0].message.startswith("training: 12 words, ")


@pytest.mark.parametrize("where", ["terminal", "log_file"])
def test_threads_lose_no_count(where, request):
    request.getfixturevalue(where)
    with progress("training", total=8_000) as bar:
        threads = [
            threading.Thread(target=lambda: [bar.advance(1, loss=0.1) for _ in range(1_000)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bar.n == 8_000


def test_figures_stay_until_they_are_given_anew(log_file, caplog):
    with caplog.at_level(logging.INFO, "firth"), progress("training", total=2) as bar:
        bar.advance(1, loss=0.5, epoch="1/5")
        bar.advance(1, loss=0.25, words=1234)
    assert caplog.records[-1].message.endswith("loss 0.2500, epoch 1/5, words 1,234")


@pytest.mark.parametrize(
    ("n", "unit", "text"),
    [
        (0, "words", "0 words"),
        (7, "files", "7 files"),
        (2.5, "words", "2.5 words"),
        (999, "words", "999 words"),
        (1_000, "words", "1.00k words"),
        (999_999, "words", "1.00M words"),
        (16_900_000, "words", "16.9M words"),
        (123_456_789, "B", "123 MB"),
        (4e12, "B", "4.00 TB"),
    ],
)
def test_counts_read_as_people_write_them(n, unit, text):
    assert format_count(n, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.949, "9.9 s"), (9.96, "10 s"), (59.6, "1:00"), (3599.6, "1:00:00")],
)
def test_times_read_as_people_write_them(seconds, text):
    assert format_duration(seconds) == text
