"""GloVe on a cluster: pairs in blocks, so that two workers never touch the same rows.

There are as many shares of the words, and of the contexts, as workers: those of word i are number
``i % n``. Worker k has the pairs of its words, in n blocks by the shares of their contexts. In a
round each worker trains one block, and hands the contexts on to the worker before it; behind n
rounds, an epoch, each has seen all contexts (Gemulla, Nijkamp, Haas and Sismanis 2011,
"Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent", section 4). So
nothing is merged, no row is ever old, and no worker needs the rows of all words.

What trains a block is a task: it takes words, contexts and pairs, and gives words and contexts. Ray
does it again where a process or a node is lost, and what was lost with it before; nothing that was
learned goes.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._nodes import on_node
from firth.cluster._pairs import joined
from firth.cluster._report import WorkerReport
from firth.cluster._tasks import Ledger, TeamOfTasks, value_of
from firth.models import GloveBlock, GloveRecipe, GloveRows
from firth.threads import run_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from firth.cluster._nodes import Node
    from firth.cluster._pairs import Pairs
    from firth.cluster._report import Report
    from firth.progress import Progress

logger = logging.getLogger("firth")

SIDES = ("words", "contexts")
# Pairs that a thread takes at a time: enough of each word to be worked off together.
_PAIRS_PER_CHUNK, _FEWEST_PAIRS_PER_CHUNK = 524_288, 2_048


@dataclass(frozen=True)
class Block:
    """The pairs between a share of the words and one of the contexts.

    Attributes
    ----------
    pairs : numpy.ndarray of uint32, shape (n, 3)
        Word and context, counted within their shares, and the bits of the count. Each chunk is a
        random sample, and within one those of a word stand together.
    chunk_ends : numpy.ndarray of int64, shape (n_chunks,)
    """

    pairs: NDArray[np.uint32]
    chunk_ends: NDArray[np.int64]


def blocks_of(share: int, n_shares: int, seed: int, *parts: Pairs) -> list[Block]:
    """Make the blocks of a share of the words: one for each share of the contexts."""
    pairs = joined(parts)
    blocks = []
    for column in range(n_shares):
        theirs = pairs.take(pairs.contexts % n_shares == column)
        n = len(theirs)
        n_chunks = max(1, min(n // _FEWEST_PAIRS_PER_CHUNK, max(16, n // _PAIRS_PER_CHUNK)))
        random = np.random.default_rng((seed, share, column))
        chunk = random.integers(n_chunks, size=n)
        rows = np.stack(
            [theirs.words // n_shares, theirs.contexts // n_shares, theirs.counts.view(np.uint32)],
            axis=1,
        )
        order = np.lexsort((rows[:, 0], chunk))
        ends = np.cumsum(np.bincount(chunk, minlength=n_chunks))
        blocks.append(Block(rows[order], ends))
    return blocks


@dataclass(frozen=True)
class BlockDone:
    """What a task has trained.

    Attributes
    ----------
    loss : float
        Sum over the pairs.
    n_pairs : int
    kernel_seconds, seconds : float
        Of the processor, of all threads together; and by the clock.
    n_bytes : int
        What the contexts took that came from another worker.
    """

    loss: float
    n_pairs: int
    kernel_seconds: float
    seconds: float
    n_bytes: int


def train_block(
    ledger: Any,
    place: tuple[int, int],
    recipe: GloveRecipe,
    words: GloveRows,
    contexts: GloveRows,
    blocks: list[Block],
    column: int,
    threads: int,
) -> tuple[GloveRows, GloveRows, BlockDone]:
    """Train a block once, its chunks in random order, on threads that share the rows."""
    Ledger.note(ledger, place)
    started = time.perf_counter()
    block = blocks[column]
    trained = GloveBlock(recipe, words, contexts)
    losses: list[float] = []
    seconds: list[float] = []

    def work(chunk: int) -> None:
        begun = time.thread_time()
        first = int(block.chunk_ends[chunk - 1]) if chunk else 0
        pairs = np.array(block.pairs[first : int(block.chunk_ends[chunk])])
        seed = np.random.SeedSequence((recipe.seed, *place, chunk)).generate_state(1, np.uint64)
        losses.append(trained.train(pairs, int(seed[0]))[0])
        seconds.append(time.thread_time() - begun)

    order = np.random.default_rng((recipe.seed, *place)).permutation(len(block.chunk_ends))
    run_tasks(iter(order.tolist()), work, threads)
    clock = time.perf_counter() - started
    done = BlockDone(sum(losses), len(block.pairs), sum(seconds), clock, contexts.n_bytes)
    return (*trained.rows(), done)


def _share_of(rows: NDArray[np.float32], number: int, n: int) -> GloveRows:
    share = rows[number::n]
    return GloveRows(share[:, :-2].copy(), share[:, -2:].copy())


def _draw(recipe: GloveRecipe, n_words: int, side: int, share: int) -> GloveRows:
    return GloveRows.draw(recipe, n_words, side, share)


class _Seat:
    """A worker: where its words and its pairs are."""

    def __init__(self, number: int, node: Node, threads: int) -> None:
        self.number = number
        self.node = node
        self.threads = threads
        self.report = WorkerReport(node.address, threads)
        self.words: Any = None
        self.blocks: Any = None


class GloveEngine:
    """Trains GloVe on a cluster, round by round.

    Parameters
    ----------
    recipe : GloveRecipe
        What the model is.
    n_words : int
        Words of the vocabulary; not fewer than workers.
    shares : list of ObjectRef
        The `blocks_of` each worker.
    placed : sequence of (Node, int)
        Where workers are, and with how many threads.
    patience : float
        Seconds that a straggler is waited for, beyond three times what half of the workers took.
    report : Report
        Told what was done.
    bar : Progress
        Told how many pairs are trained.
    state : dict of numpy.ndarray, optional
        What `live_matrices` gave, to go on from.
    """

    def __init__(
        self,
        recipe: GloveRecipe,
        n_words: int,
        shares: Sequence[Any],
        placed: Sequence[tuple[Node, int]],
        patience: float,
        report: Report,
        bar: Progress,
        state: dict[str, NDArray[np.float32]] | None = None,
    ) -> None:
        import ray

        self._recipe = recipe
        self._n_words = n_words
        self._report = report
        self._bar = bar
        self._team = TeamOfTasks(patience, report)
        self._n_again = 0
        self.ledger = Ledger.start()
        self._seats = [_Seat(number, *each) for number, each in enumerate(placed)]
        self._contexts: list[Any] = []
        draw = ray.remote(_draw)
        for seat, blocks in zip(self._seats, shares, strict=True):
            seat.blocks = blocks
            size = len(range(seat.number, n_words, len(placed)))
            here = draw.options(**on_node(seat.node, soft=True), name="firth: draw vectors")
            seat.words, contexts = (
                ray.put(_share_of(state[name], seat.number, len(placed)))
                if state
                else here.remote(recipe, size, side, seat.number)
                for side, name in enumerate(SIDES)
            )
            self._contexts.append(contexts)
        report.workers = [seat.report for seat in self._seats]
        report.unit = "pairs"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C was heard, which ends no round."""
        return self._team.interrupted

    def train_round(self, number: int) -> list[BlockDone]:
        """Have each worker train a block; the contexts go around.

        Raises
        ------
        FirthError
            The training diverged, or the cluster cannot go on.
        """
        import ray

        started = time.perf_counter()
        n = len(self._seats)
        task = ray.remote(train_block)
        columns = {seat: (seat.number + number) % n for seat in self._seats}

        def begin(seat: _Seat) -> Any:
            def begin_with(options: dict[str, Any]) -> Any:
                here = task.options(**options, num_returns=3, name="firth: train a block")
                return here.remote(
                    self.ledger, (number, seat.number), self._recipe, seat.words,
                    self._contexts[columns[seat]], seat.blocks, columns[seat], seat.threads,
                )  # fmt: skip

            return begin_with

        results = self._team.run(
            {seat: begin(seat) for seat in self._seats}, {seat: seat.node for seat in self._seats}
        )
        done = {}
        for seat, (words, contexts, told) in results.items():
            seat.words, self._contexts[columns[seat]] = words, contexts
            done[seat] = value_of(told)
        self._count(done, time.perf_counter() - started)
        self._tell_what_was_done_again()
        return list(done.values())

    def _count(self, done: dict[_Seat, BlockDone], seconds: float) -> None:
        report = self._report
        for seat, each in done.items():
            seat.report.n_words += each.n_pairs
            seat.report.kernel_seconds += each.kernel_seconds
            seat.report.seconds += each.seconds
            report.n_words += each.n_pairs
        if len(done) > 1:
            report.n_bytes += sum(each.n_bytes for each in done.values())
            report.expected_bytes += self._n_words * self._recipe.bytes_per_row
            report.n_exchanges += 1
        report.seconds += seconds
        report.exchange_seconds += seconds - max(each.seconds for each in done.values())
        figures = {}
        if report.n_exchanges:
            share = f"{100 * report.exchange_share:.0f}%"
            figures["exchanging"] = f"{share} of the time, {report.bytes_per_word:.1f} B/pair"
        self._bar.advance(sum(each.n_pairs for each in done.values()), **figures)

    def _tell_what_was_done_again(self) -> None:
        n = value_of(self.ledger.begun_again.remote())
        if n > self._n_again:
            told = (
                f"workers were lost while they trained {n - self._n_again} blocks, which were "
                f"trained again; nothing is lost"
            )
            logger.warning("%s", told)
            self._report.lost.append(told)
            self._n_again = n

    def live_matrices(self) -> dict[str, NDArray[np.float32]]:
        """Fetch all that a checkpoint has to hold."""
        return {
            name: np.hstack([side.vectors, side.biases])
            for name, side in zip(SIDES, self.rows(), strict=True)
        }

    def rows(self) -> tuple[GloveRows, GloveRows]:
        """Fetch the words, and the contexts, in the order of the vocabulary."""
        words = [value_of(seat.words) for seat in self._seats]
        contexts = [value_of(each) for each in self._contexts]
        return GloveRows.of_shares(words), GloveRows.of_shares(contexts)
