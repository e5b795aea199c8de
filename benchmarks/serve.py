"""The service under load: latencies at a fixed rate, and its memory, on one machine with the load.

Run it as ``python benchmarks/serve.py [--vectors FOLDER] [--requests 100000]``. FOLDER has an
index; without one, 100,000 made-up vectors of 100 dimensions are taken, in clusters as those of
words are. Requests come at random moments of a given mean rate, whether or not those before were
answered, and are timed from the moment at which they were due: what waits in a queue counts.
It prints a line for each load: requests a second, milliseconds at the median, 99 and 99.9 percent,
and then how the memory of the service grew over --requests questions.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np

from firth import KeyedVectors, Vocab, load

CONNECTIONS = 64
WARM_UP = 500


class Connection(asyncio.Protocol):
    """One connection that is kept, with one request under way at a time."""

    def __init__(self) -> None:
        self.transport: Any = None
        self._answered: asyncio.Future[int] | None = None
        self._bytes = b""

    def connection_made(self, transport: Any) -> None:
        """Note where to write."""
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; gives its status."""
        if self.transport.is_closing():
            raise ConnectionResetError("the service hung up")
        self._bytes = b""
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        """Collect an answer."""
        self._bytes += data
        head, end, body = self._bytes.partition(b"\r\n\r\n")
        if end and self._answered is not None:
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            if len(body) >= length:
                self._answered.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for an answer."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("the service hung up"))


class Load:
    """Sends requests to a service, and notes how long they took."""

    def __init__(self, port: int, words: list[str]) -> None:
        self._port = port
        self._words = words
        self._random = np.random.default_rng(1)
        self._free: asyncio.Queue[Connection] = asyncio.Queue()

    async def connect(self, n: int) -> None:
        """Open connections."""
        for _ in range(n):
            self._free.put_nowait(await self._open())

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Connection, "127.0.0.1", self._port))[1]

    def _request(self, *, approximate: bool) -> bytes:
        word = urllib.parse.quote(self._words[self._random.integers(len(self._words))])
        about = "&approximate=true" if approximate else ""
        return (
            f"GET /v1/similar?word={word}&k=10{about} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self._port}\r\n\r\n"
        ).encode()

    async def _one(self, due: float, request: bytes, seconds: list[float]) -> None:
        connection = await self._free.get()
        try:
            status = await connection.ask(request)
        except ConnectionError:  # the service hangs up where nothing comes for some seconds
            connection = await self._open()
            status = await connection.ask(request)
        seconds.append(time.perf_counter() - due)
        self._free.put_nowait(connection)
        if status != 200:
            sys.exit(f"the service answered with {status}")

    async def at(self, rate: float, n: int, *, approximate: bool) -> list[float]:
        """Send requests at a mean rate; gives the seconds that each took, from when it was due."""
        seconds: list[float] = []
        due = time.perf_counter() + np.cumsum(self._random.exponential(1 / rate, n))
        tasks = []
        for moment in due.tolist():
            wait = moment - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            request = self._request(approximate=approximate)
            tasks.append(asyncio.create_task(self._one(moment, request, seconds)))
        await asyncio.gather(*tasks)
        return seconds

    async def flood(self, n: int) -> float:
        """Send requests as fast as they are answered; gives how many a second."""
        start = time.perf_counter()
        left = n

        async def go_on() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await self._one(0.0, self._request(approximate=True), [])

        await asyncio.gather(*(go_on() for _ in range(CONNECTIONS // 4)))
        return n / (time.perf_counter() - start)


def told(name: str, seconds: list[float], took: float) -> None:
    ms = 1000 * np.quantile(seconds, [0.5, 0.99, 0.999])
    print(
        f"{name:<34} {len(seconds) / took:7.0f} a second   "
        f"p50 {ms[0]:6.2f} ms   p99 {ms[1]:6.2f} ms   p99.9 {ms[2]:6.2f} ms"
    )


def processor_seconds(pid: int) -> float:
    """Give the processor time that a process has taken, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Give what a process has of its own, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


async def measure(port: int, pid: int, words: list[str], options: argparse.Namespace) -> None:
    load_ = Load(port, words)
    await load_.connect(CONNECTIONS)
    for approximate in (False, True):
        await load_.at(100, WARM_UP // 5, approximate=approximate)
    loads = ({True: 500.0}, {False: 100.0}, {True: 500.0, False: 100.0})
    for rates in loads if options.seconds else ():
        names = {True: "with the index", False: "exact"}
        start, processor = time.perf_counter(), processor_seconds(pid)
        lists = await asyncio.gather(
            *(
                load_.at(rate, int(rate * options.seconds), approximate=approximate)
                for approximate, rate in rates.items()
            )
        )
        took = time.perf_counter() - start
        for (approximate, rate), seconds in zip(rates.items(), lists, strict=True):
            beside = "" if len(rates) == 1 else ", both at once"
            told(f"{rate:.0f} {names[approximate]}{beside}", seconds, took)
        used = processor_seconds(pid) - processor
        print(
            f"    the service used {1000 * used / sum(map(len, lists)):.2f} ms of a core a "
            f"request, {100 * used / took:.0f} % of one core"
        )
    if options.requests:
        await load_.flood(WARM_UP)
        before = memory_of(pid)
        rate = await load_.flood(options.requests)
        after = memory_of(pid)
        print(
            f"{options.requests:,} requests, {rate:,.0f} a second: the service has "
            f"{before:.1f} MB of its own before, {after:.1f} MB after"
        )


def made_up(folder: Path) -> Path:
    random = np.random.default_rng(1)
    centres = random.standard_normal((1000, 100), np.float32)
    matrix = centres[random.integers(1000, size=100_000)]
    matrix += 0.7 * random.standard_normal(matrix.shape, np.float32)
    wv = KeyedVectors(Vocab.from_words(map(str, range(len(matrix)))), matrix)
    print(f"the index finds {wv.build_index().recall:.3f} of the ten nearest")
    wv.save(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=Path, help="a model folder with an index")
    parser.add_argument("--seconds", type=float, default=20, help="of each load; 0 for none")
    parser.add_argument("--requests", type=int, default=100_000, help="0 for none")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.vectors or made_up(Path(temporary) / "made-up")
        wv = load(folder)
        print(f"{len(wv):,} words of {wv.vector_size} dimensions, {options.workers} worker(s)")
        code = "import sys; from firth.cli import main; sys.exit(main())"
        arguments = ["serve", str(folder), "--port", "0", "--workers", str(options.workers)]
        # A machine that stands still for others is not what is measured.
        arguments += ["--timeout", "3600"]
        service = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
        )
        try:
            assert service.stdout is not None
            line = service.stdout.readline()
            port = int(line.split(" (")[0].rpartition(":")[2])
            time.sleep(1 if options.workers == 1 else 5)
            asyncio.run(measure(port, service.pid, list(wv.index_to_key), options))
        finally:
            service.terminate()
            service.wait()


if __name__ == "__main__":
    main()
