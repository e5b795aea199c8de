"""Throws broken files at the reader of a format; not a test of the suite, but run by hand.

::

    python tests/fuzz_formats.py FORMAT [--seconds 600] [--seed N] [--keep FOLDER]
    python tests/fuzz_formats.py all --seconds 60

FORMAT is a name in `firth.formats.FORMATS`, or "source" for archives and compression. Whatever the
bytes of a file, the reader gives a table that makes sense or raises an error of firth, quickly, and
takes no more memory than the file justifies. What breaks that is written to the folder of --keep,
to be made a test.

With the package `atheris` its coverage leads the way. Without it files are made by a mutator: it
changes, repeats, cuts out and joins pieces of a few small files that the writers of firth made, and
puts in numbers that hurt. Formats that firth does not write have small files in tests/fuzz_seeds.
Files that raise an error nobody raised yet join the corpus.
"""

# ruff: noqa: T201 (a program)

import argparse
import io
import itertools
import random
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

import numpy as np

from firth.compression import CODECS
from firth.errors import FirthError, MissingExtraError, ParameterError
from firth.formats import FORMATS, VectorSource, VectorTable, read_vectors, write_vectors
from firth.vocab import Vocab

SECONDS_A_FILE = 5.0
MEMORY = 512 << 20  # what reading a file of a few kilobytes may add
LARGEST_FILE = 64 << 10
SEEDS = Path(__file__).with_name("fuzz_seeds")
HURTFUL = [
    0,
    1,
    127,
    128,
    255,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63,
    2**64 - 1,
]
TEXTS = [
    b"999999999999",
    b"-1",
    b"nan",
    b"1e999",
    b" ",
    b"\n",
    b"\0",
    b"\xff",
    b"../",
    b"\xef\xbb\xbf",
]


def tables():
    """Small tables that most formats can hold, with some characters beyond ASCII."""
    rng = np.random.default_rng(1)
    for words, dims in ((["the", "of", "für", "日本"], 5), ([f"w{i}" for i in range(40)], 3)):
        vectors = rng.standard_normal((len(words), dims)).astype(np.float32)
        yield VectorTable(Vocab.from_words(words, range(len(words), 0, -1)), vectors)


class Target:
    """A format to be fuzzed: the files it begins with, and how a mutated one is read.

    A folder is fuzzed one file at a time, the others staying as they are.
    """

    def __init__(self, name, place):
        self.name = name
        self.place = place
        self.seeds = []  # (folder or None, name of the file in it, bytes)
        self._numbers = itertools.count()
        if name == "source":
            self._add_wrappings()
        elif FORMATS[name].write_file or FORMATS[name].write_folder:
            for table in tables():
                self._add_written(table)
        for path in sorted(SEEDS.glob(f"{name}/*")):
            self.add(path)
        if not self.seeds:
            sys.exit(
                f"{name}: firth does not write this format: put small files into {SEEDS}/{name}"
            )

    def add(self, path):
        if path.is_dir():
            files = [p for p in sorted(path.rglob("*")) if p.is_file()]
            self.seeds += [(path, str(p.relative_to(path)), p.read_bytes()) for p in files]
        else:
            self.seeds.append((None, path.name, path.read_bytes()))

    def _add_written(self, table):
        # Siblings of a file are found by their names.
        path = self.place / f"seed{next(self._numbers)}"
        if FORMATS[self.name].suffixes:
            path = path.with_suffix(FORMATS[self.name].suffixes[0])
        try:
            write_vectors(table, path, format=self.name)
        except (ParameterError, MissingExtraError) as error:
            print(f"no seed: {error}", file=sys.stderr)
        else:
            self.add(path)

    def _add_wrappings(self):
        text = b"2 2\nthe 0.5 -1\nof 0.25 2\n"
        for codec in CODECS:
            path = self.place / f"a.txt{codec.suffixes[0]}"
            write_vectors(next(tables()), path)
            self.add(path)
        for mode in ("w", "w:gz", "w:xz"):
            file = io.BytesIO()
            with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT) as archive:
                for name in ("a.txt", "README.md", "a" * 150):
                    info = tarfile.TarInfo(name)
                    info.size = len(text)
                    archive.addfile(info, io.BytesIO(text))
            self.seeds.append((None, "a.tar", file.getvalue()))
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", method) as archive:
                archive.writestr("a.txt", text)
                archive.writestr("m/config.json", b"{}")
            self.seeds.append((None, "a.zip", file.getvalue()))

    def read(self, seed, data):
        """Read a mutated file, at its place in its folder where it has one."""
        folder, name, _ = seed
        if folder is None:
            source = self.place / f"mutated-{name}"
            source.write_bytes(data)
        else:
            source = self.place / "mutated"
            shutil.rmtree(source, ignore_errors=True)
            shutil.copytree(folder, source)
            (source / name).write_bytes(data)
        if self.name == "source":
            with VectorSource(source) as opened:
                for _ in opened.chunks():
                    pass
                return
        for options in ({}, {"errors": "replace", "dtype": "float16", "limit": 3}):
            check(read_vectors(source, format=self.name, progress=False, **options))


def check(table):
    """Hold a table against what every reader promises."""
    n_words, dims = table.vectors.shape
    if len(table.vocab) != n_words or n_words < 1 or dims < 1:
        raise AssertionError(f"{len(table.vocab)} words for a matrix of {table.vectors.shape}")
    words = list(table.vocab)
    if len(set(words)) != n_words or not all(words):
        raise AssertionError("words are empty or stand there twice")
    np.isfinite(table.vectors).all()  # touches all of it, which may be mapped
    if table.subwords is not None:
        vectors = table.subwords.vectors(["unseen", "", "日本語", "x" * 300])
        if vectors.shape != (4, dims):
            raise AssertionError(f"unseen words have vectors of shape {vectors.shape}")


def mutate(data, others, rng):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice([1, 1, 2, 4, 8, 30, 1000]))
        kind = rng.randrange(10)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:end] = rng.randbytes(end - at)
        elif kind == 2:
            del data[at:end]
        elif kind == 3:
            data[at:at] = data[at:end] * rng.choice([1, 2, 50])
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            size = rng.choice([1, 2, 4, 8])
            value = (rng.choice(HURTFUL) % (1 << 8 * size)).to_bytes(
                size, rng.choice(["little", "big"])
            )
            data[at : at + size] = value
        elif kind == 6:
            data[at:at] = rng.choice(TEXTS)
        elif kind == 7:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            data[at:end] = other[begin : begin + rng.choice([4, 40, 400])]
        elif kind == 8 and (numbers := list(re.finditer(rb"\d+", data))):
            number = rng.choice(numbers)
            data[number.start() : number.end()] = str(rng.choice(HURTFUL)).encode()
        elif kind == 9:
            data[at:at] = rng.randbytes(rng.choice([1, 5, 100]))
    return bytes(data[:LARGEST_FILE])


def shape_of(error):
    """Tell errors apart by where they were raised, not by their figures."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, last.filename, last.lineno


class Fuzzer:
    def __init__(self, target, keep):
        self.target = target
        self.keep = keep
        self.n_files = self.n_read = self.n_failures = 0
        self.seen = set()

    def try_one(self, seed, data):
        """Read a file; True if something happened that never did before."""
        self.n_files += 1
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.process_time()  # not that of the clock, which other programs take part of
        problem, shape = None, None
        try:
            self.target.read(seed, data)
            self.n_read += 1
        except (FirthError, MemoryError) as error:
            shape = shape_of(error)
            if isinstance(error, MemoryError):
                problem = traceback.format_exc()
        except Exception:  # noqa: BLE001 (that is what is looked for)
            problem = traceback.format_exc()
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        seconds = time.process_time() - started
        if seconds > SECONDS_A_FILE:
            problem = problem or f"took {seconds:.1f} seconds"
        if taken > MEMORY:
            problem = problem or f"took {taken >> 20} MiB for a file of {len(data)} bytes"
        if problem:
            self.report(seed, data, problem)
        is_new = shape is not None and shape not in self.seen
        self.seen.add(shape)
        return is_new

    def report(self, seed, data, problem):
        self.n_failures += 1
        self.keep.mkdir(parents=True, exist_ok=True)
        path = self.keep / f"{self.target.name}-{self.n_failures}-{seed[1].replace('/', '_')}"
        path.write_bytes(data)
        print(f"FAILED on {path}:\n{problem}", file=sys.stderr, flush=True)


def fuzz(fuzzer, seconds, rng):
    corpus = list(fuzzer.target.seeds)
    others = [data for _, _, data in corpus]
    for seed in corpus:
        fuzzer.try_one(seed, seed[2])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seed = rng.choice(corpus)
        data = mutate(seed[2], others, rng)
        if fuzzer.try_one(seed, data) and len(corpus) < 2000:
            corpus.append((*seed[:2], data))


def fuzz_with_atheris(atheris, fuzzer, seconds, seed):
    seeds = fuzzer.target.seeds
    corpus = fuzzer.target.place / "corpus"
    corpus.mkdir()
    for i, (_, _, data) in enumerate(seeds):
        # The first byte chooses the seed whose file is replaced.
        (corpus / str(i)).write_bytes(bytes([i % 256]) + data)

    def one(data):
        if data:
            before = fuzzer.n_failures
            fuzzer.try_one(seeds[data[0] % len(seeds)], data[1:])
            if fuzzer.n_failures > before:
                raise AssertionError("see above")

    atheris.instrument_all()
    arguments = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", f"-max_len={LARGEST_FILE}"]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one)
    atheris.Fuzz()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("format", help="source, all, or one of: " + ", ".join(FORMATS))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, default=Path("fuzz_failures"))
    chosen = parser.parse_args()
    if chosen.format == "all":
        # Each in a process of its own: libFuzzer ends the one that it runs in.
        options = ["--seconds", str(chosen.seconds), "--seed", str(chosen.seed)]
        options += ["--keep", str(chosen.keep)]
        codes = [
            subprocess.run([sys.executable, __file__, name, *options], check=False).returncode
            for name in ["source", *FORMATS]
        ]
        sys.exit(max(map(bool, codes)))
    if chosen.format != "source" and chosen.format not in FORMATS:
        parser.error(f"no format {chosen.format}")
    with tempfile.TemporaryDirectory() as place:
        fuzzer = Fuzzer(Target(chosen.format, Path(place)), chosen.keep)
        try:
            import atheris
        except ImportError:
            fuzz(fuzzer, chosen.seconds, random.Random(chosen.seed))
        else:
            fuzz_with_atheris(atheris, fuzzer, chosen.seconds, chosen.seed)
    print(
        f"{chosen.format}: {fuzzer.n_files:,} files, {fuzzer.n_read:,} of them read, "
        f"{len(fuzzer.seen):,} different errors, {fuzzer.n_failures} failures (seed {chosen.seed})"
    )
    sys.exit(min(fuzzer.n_failures, 1))


if __name__ == "__main__":
    main()
