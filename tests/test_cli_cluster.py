"""Options of firth train for a cluster, and what is told of it; without Ray."""

import pytest

from firth.cli.cluster import lines_of
from firth.cluster import Report, WorkerReport


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cluster", "auto", "--threads", "2"], "--threads does not go with --cluster: each"),
        (["--cluster", "auto", "--model", "glove", "--memory", "1"], "--memory does not go with"),
        (["--cluster", "auto", "--model", "ppmi", "--keep-counts", "c"], "--keep-counts does not"),
        (["--cluster-workers", "2"], "--cluster-workers goes with --cluster"),
        (["--cluster-split-rows"], "--cluster-split-rows goes with --cluster"),
    ],
)
def test_options_that_do_not_go_together(run, tmp_path, options, message):
    (tmp_path / "text.txt").write_text("a b c\n")
    status, _, told = run("train", tmp_path / "text.txt", "-o", tmp_path / "m", *options)
    assert status == 2
    assert message in " ".join(told.replace("│", " ").split())
    assert not (tmp_path / "m").exists()


def test_lines_of_several_workers():
    workers = [
        WorkerReport("first", 2, 2_000_000, 3.0, 2.0),
        WorkerReport("second", 1, 10**6, 2, 2),
    ]
    report = Report(workers, "words", 3_000_000, 4.0, 1.0, 16, 600_000_000, 6e8)
    assert lines_of(report) == [
        "worker 0 on first: 2.00M words, 1.00M words/s with 2 threads, 3.0 s of the processor",
        "worker 1 on second: 1.00M words, 500k words/s with 1 thread, 2.0 s of the processor",
        "all: 750k words/s; 25% of the time for 16 exchanges; 600 MB in all, 200 bytes a word",
    ]


def test_lines_of_one_worker_and_of_pairs():
    alone = Report([WorkerReport("here", 1, 100, 1.0, 1.0)], "pairs", 100, 1.0)
    assert lines_of(alone)[-1] == "all: 100 pairs/s; one worker exchanges nothing"
    several = Report([WorkerReport("here", 1, 0, 1.5)], "pairs", 1000, 1.0, 0.0, 2, 4500)
    assert lines_of(several) == [
        "worker 0 on here: 1.5 s of the processor",
        "all: 1.00k pairs/s; 2 exchanges; 4.50 kB in all, 4.5 bytes a pair",
    ]
