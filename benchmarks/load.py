"""Load vector files: GloVe's text, word2vec's text and binary, and the folder of firth.

Run it as ``python benchmarks/load.py [--words 400000] [--dim 100 300] [--rounds 3]``. The files are
made up and lie in the page cache: text with five decimals, as GloVe has it, and with all that
float32 needs, as gensim writes it. With gensim installed (the extra "benchmark") its
``load_word2vec_format`` reads the same files in the same run, the two taking turns, and the ratios
are printed. Each load is a process of its own, so that its peak of memory can be told: what it
takes beyond the matrix, and beyond what the imports took (on Linux). Modules are compiled
before, as they are wherever they were used once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from firth.formats import VectorTable, write_vectors
from firth.vocab import Vocab

# A process that loads a file and prints seconds, processor seconds, and MB beyond the matrix.
CHILD = r"""
import json, re, resource, time
{imports}
def peak():
    # Not that of getrusage, which begins with the peak of the process that started this one.
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) * 1024
    except OSError:
        return 0
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before, cpu, begin = peak(), used(), time.perf_counter()
found = {load}
seconds = time.perf_counter() - begin
print(json.dumps([seconds, used() - cpu, (peak() - before - found.vectors.nbytes) / 1e6]))
"""
OURS = "from firth.formats import read_vectors; import firth.vocab"
THEIRS = "from gensim.models import KeyedVectors"
READ = "read_vectors({path!r}, progress=False)"
OPEN = "open_folder({path!r})"
GENSIM = "KeyedVectors.load_word2vec_format({path!r}, binary={binary}, no_header={no_header})"


def run(imports: str, load: str, compiled: Path) -> tuple[float, float, float]:
    code = CHILD.format(imports=imports, load=load)
    places = {"PYTHONPYCACHEPREFIX": str(compiled), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env=os.environ | places,
    )
    seconds, cpu, memory = json.loads(done.stdout)
    return seconds, cpu, memory


def write(folder: Path, n_words: int, dim: int) -> list[tuple[str, Path, bool, bool]]:
    """Make the files: what each is, where, whether it is binary, whether it has no header."""
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((n_words, dim), dtype=np.float32) * np.float32(0.4)
    table = VectorTable(Vocab.from_words(f"word{i}" for i in range(n_words)), vectors)
    files = [
        ("word2vec, binary", folder / "a.bin", True, False),
        ("word2vec, text, 9 digits", folder / "a.txt", False, False),
        ("GloVe, text, 5 decimals", folder / "a.glove.txt", False, True),
    ]
    for _, path, _, no_header in files:
        if no_header:
            table.vectors = np.round(vectors, 5)
        write_vectors(table, path)
    write_vectors(table, folder / "model")
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dim", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--rounds", type=int, default=3, help="of text gensim gets only one")
    options = parser.parse_args()
    has_gensim = find_spec("gensim") is not None
    print(f"{options.words:,} words, {os.cpu_count()} cores; the best of {options.rounds}")
    if not has_gensim:
        print("gensim is not installed (pip install 'firth[benchmark]'): no ratios")
    for dim in options.dim:
        with tempfile.TemporaryDirectory() as folder:
            files = write(Path(folder), options.words, dim)
            for what, path, binary, no_header in files:
                size = path.stat().st_size
                ours = []
                gensim = GENSIM.format(path=str(path), binary=binary, no_header=no_header)
                theirs = []
                compiled = Path(folder) / "compiled"
                run(OURS, f"{READ.format(path=str(path))[:-1]}, limit=1)", compiled)
                for i in range(options.rounds):
                    ours.append(run(OURS, READ.format(path=str(path)), compiled))
                    if has_gensim and (binary or i == 0):
                        theirs.append(run(THEIRS, gensim, compiled))
                tell(f"{what}, dim {dim}", size, ours, theirs)
            model = str(Path(folder) / "model")
            imports = "from firth.formats import open_folder"
            best = min(
                run(imports, OPEN.format(path=model), compiled) for _ in range(options.rounds + 1)
            )
            print(f"the folder of firth, dim {dim}: opened in {best[0] * 1e3:.2f} ms")


def tell(
    what: str,
    size: int,
    ours: list[tuple[float, float, float]],
    theirs: list[tuple[float, float, float]],
) -> None:
    seconds, cpu, memory = (min(column) for column in zip(*ours, strict=True))
    print(
        f"{what} ({size / 1e6:,.0f} MB): {seconds:.2f} s, {size / seconds / 1e6:,.0f} MB/s; "
        f"{size / cpu / 1e6:,.0f} MB for each second of a core; {memory:.0f} MB beyond the matrix"
    )
    if theirs:
        their_seconds, _, their_memory = min(theirs)
        print(
            f"    gensim: {their_seconds:.2f} s, {size / their_seconds / 1e6:,.1f} MB/s, "
            f"{their_memory:.0f} MB beyond the matrix; firth is {their_seconds / seconds:.1f} "
            f"times as fast"
        )


if __name__ == "__main__":
    main()
