"""Throws broken files at the reader of a format; not a test of the suite, but run by hand.

::

    python tests/fuzz_formats.py FORMAT [--seconds 600] [--seed N] [--corpus FOLDER] [--keep FOLDER]
    python tests/fuzz_formats.py all --seconds 60 --jobs 2

FORMAT is a name in `firth.formats.FORMATS`, "source" for archives and compression, or "phrases".
Whatever the bytes of a file, the reader gives a table that makes sense or raises an error of firth,
quickly, without a warning, and takes no more memory than the file justifies. What breaks that is
written to the folder of --keep, to be made a test. Seconds are those that processors spend on this
process, not those of the clock, which other programs take part of.

Files are made by a mutator: it changes, repeats, cuts out and joins pieces of a few small files
that the writers of firth made, and puts in numbers that hurt. Formats that firth does not write
have small files in tests/fuzz_seeds. With the package `atheris` its coverage leads the way, and its
own mutations are one of four; without it, files that raise an error nobody raised yet join
the corpus.
"""

# ruff: noqa: T201 (a program)

import argparse
import faulthandler
import gc
import io
import itertools
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import types
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from firth.compression import CODECS
from firth.errors import FirthError, MissingExtraError, ParameterError
from firth.formats import FORMATS, VectorSource, VectorTable, read_vectors, write_vectors
from firth.phrases import Phrases
from firth.vocab import Vocab

try:
    import atheris
except ImportError:
    atheris = None

SECONDS_A_FILE = 5.0
SECONDS_UNTIL_STOPPED = 60.0
MEMORY = 512 << 20  # what reading a file of a few kilobytes may add
ADDRESSES = 16 << 30  # what a process may take, so that a find does not take the machine
SAME_FAILURES = 3
LARGEST_FILE = 64 << 10
READERS = ["source", "phrases", *FORMATS]
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
        elif name == "phrases":
            self._add_phrases()
        elif name in FORMATS and (FORMATS[name].write_file or FORMATS[name].write_folder):
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

    def _add_phrases(self):
        phrases = Phrases(
            [["new", "york", "für"], ["new", "york", "日本"]], min_count=1, threshold=0.1
        )
        for each in (phrases, phrases.freeze()):
            folder = self.place / f"seed{next(self._numbers)}"
            each.save(folder)
            self.add(folder)

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

    def place_file(self, seed, data):
        """Write a mutated file, at its place in its folder where it has one; returns the source."""
        folder, name, _ = seed
        if folder is None:
            source = self.place / f"mutated-{name}"
            source.write_bytes(data)
        else:
            source = self.place / "mutated"
            shutil.rmtree(source, ignore_errors=True)
            shutil.copytree(folder, source)
            (source / name).write_bytes(data)
        return source

    def read(self, source):
        if self.name == "source":
            with VectorSource(source) as opened:
                for _ in opened.chunks():
                    pass
                return
        if self.name == "phrases":
            Phrases.load(source)
            return
        for options in ({}, {"errors": "replace", "dtype": "float16", "limit": 3}):
            table = read_vectors(source, format=self.name, progress=False, **options)
            check(table, is_mapped=self.name == "firth")


def check(table, is_mapped):
    """Hold a table against what every reader promises."""
    n_words, dims = table.vectors.shape
    if len(table.vocab) != n_words or n_words < 1 or dims < 1:
        raise AssertionError(f"{len(table.vocab)} words for a matrix of {table.vectors.shape}")
    words = list(table.vocab)
    # Words that are mapped are not read for it: one that a damaged file tells twice is found once.
    if not is_mapped and (len(set(words)) != n_words or not all(words)):
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


class TakesForeverError(Exception):
    """Raised inside of the reader when it has worked on one file for far too long."""


def stop_reading(_signal, _frame):
    raise TakesForeverError


class Fuzzer:
    def __init__(self, target, keep):
        self.target = target
        self.keep = keep
        self.n_files = self.n_read = self.n_failures = 0
        self._started = time.process_time()
        self.seen = set()
        self._failures = {}

    @property
    def seconds(self):
        return time.process_time() - self._started

    def try_one(self, seed, data):
        """Read a file; True if something happened that never did before."""
        self.n_files += 1
        source = self.target.place_file(seed, data)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        problem, shape = None, None
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS_UNTIL_STOPPED)
        try:
            self.target.read(source)
            self.n_read += 1
        except FirthError as error:
            shape = shape_of(error)
        except Exception as error:  # noqa: BLE001 (that is what is looked for)
            shape = shape_of(error)
            problem = traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        seconds = time.process_time() - started
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        if seconds > SECONDS_A_FILE:
            problem = problem or f"took {seconds:.1f} seconds of processors"
        if taken > MEMORY:
            problem = problem or f"took {taken >> 20} MiB for a file of {len(data)} bytes"
        if problem:
            self.report(seed, data, problem, shape)
        is_new = shape is not None and shape not in self.seen
        self.seen.add(shape)
        return is_new

    def report(self, seed, data, problem, shape):
        self.n_failures += 1
        self._failures[shape] = self._failures.get(shape, 0) + 1
        if self._failures[shape] > SAME_FAILURES:
            return
        self.keep.mkdir(parents=True, exist_ok=True)
        path = self.keep / f"{self.target.name}-{self.n_failures}-{seed[1].replace('/', '_')}"
        path.write_bytes(data)
        print(f"FAILED on {path}:\n{problem}", file=sys.stderr, flush=True)

    def summary(self):
        return (
            f"{self.target.name}: {self.seconds:.0f} s, {self.n_files:,} files, {self.n_read:,} of "
            f"them read, {len(self.seen):,} different errors, {self.n_failures} failures"
        )


def fuzz(fuzzer, seconds, rng):
    corpus = list(fuzzer.target.seeds)
    others = [data for _, _, data in corpus]
    for seed in corpus:
        fuzzer.try_one(seed, seed[2])
    while fuzzer.seconds < seconds:
        seed = rng.choice(corpus)
        data = mutate(seed[2], others, rng)
        if fuzzer.try_one(seed, data) and len(corpus) < 2000:
            corpus.append((*seed[:2], data))


def fuzz_with_atheris(fuzzer, seconds, seed, corpus, finish):
    seeds = fuzzer.target.seeds
    others = [data for _, _, data in seeds]
    corpus.mkdir(parents=True, exist_ok=True)
    for i, (_, _, data) in enumerate(seeds):
        # The first byte chooses the seed whose file is replaced.
        (corpus / str(i)).write_bytes(bytes([i % 256]) + data)

    def one(data):
        if data:
            fuzzer.try_one(seeds[data[0] % len(seeds)], data[1:])
        if fuzzer.seconds >= seconds:
            finish()

    def mutator(data, size, number):
        if not data or number % 4 == 0:
            return atheris.Mutate(data, size)
        # What leads further is mostly broken: half begin again with a file that can be read.
        whole = data[1:] if number % 2 else others[data[0] % len(others)]
        return data[:1] + mutate(whole, others, random.Random(number))[: size - 1]

    for function in gc.get_objects():  # instrument_imports() skips packages installed in place
        if isinstance(function, types.FunctionType) and str(function.__module__).startswith(
            "firth"
        ):
            atheris.instrument_func(function)
    arguments = [f"-seed={seed % 2**32}", f"-max_len={LARGEST_FILE}", "-timeout=1000000"]
    arguments += ["-report_slow_units=1000000", "-rss_limit_mb=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one, custom_mutator=mutator)
    atheris.Fuzz()


def fuzz_all(chosen):
    """Fuzz all readers, each in a process of its own: libFuzzer ends the one that it runs in."""

    def run(name):
        options = ["--seconds", str(chosen.seconds), "--seed", str(chosen.seed)]
        options += ["--keep", str(chosen.keep)]
        if chosen.corpus:
            options += ["--corpus", str(chosen.corpus)]
        code = subprocess.run([sys.executable, __file__, name, *options], check=False).returncode
        if code < 0:
            print(f"{name}: killed by signal {-code}", file=sys.stderr, flush=True)
        return code

    with ThreadPoolExecutor(chosen.jobs) as pool:
        return max(map(bool, pool.map(run, READERS)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("format", help="all, or one of: " + ", ".join(READERS))
    parser.add_argument("--seconds", type=float, default=600, help="of processors, for each format")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=1, help="formats at the same time, with all")
    parser.add_argument("--corpus", type=Path, help="where atheris keeps files that lead further")
    parser.add_argument("--keep", type=Path, default=Path("fuzz_failures"))
    chosen = parser.parse_args()
    if chosen.format == "all":
        sys.exit(fuzz_all(chosen))
    if chosen.format not in READERS:
        parser.error(f"no format {chosen.format}")
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    signal.signal(signal.SIGPROF, stop_reading)
    place = Path(tempfile.mkdtemp())
    fuzzer = Fuzzer(Target(chosen.format, place), chosen.keep)

    def finish():
        print(f"{fuzzer.summary()} (seed {chosen.seed})", flush=True)
        shutil.rmtree(place)  # what crashed the process stays there
        os._exit(min(fuzzer.n_failures, 1))  # libFuzzer cannot be asked to end

    if atheris:
        corpus = (chosen.corpus or place / "corpus") / chosen.format
        fuzz_with_atheris(fuzzer, chosen.seconds, chosen.seed, corpus, finish)
    else:
        fuzz(fuzzer, chosen.seconds, random.Random(chosen.seed))
        finish()


if __name__ == "__main__":
    main()
