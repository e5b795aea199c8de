"""What a training on a cluster did: words, seconds and bytes of each worker."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class WorkerReport:
    """What one worker did.

    Attributes
    ----------
    node : str
        Address of its node.
    threads : int
        Threads that it trained with.
    n_words : int
        Words of the text, or pairs, that it went through, in all epochs.
    kernel_seconds : float
        Seconds of the processor that training took, without waiting and exchanging.
    seconds : float
        How long it trained, by the clock.
    """

    node: str
    threads: int
    n_words: int = 0
    kernel_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def words_per_second(self) -> float:
        """How fast it trained, while it did."""
        return self.n_words / self.seconds if self.seconds else 0.0


@dataclass
class Report:
    """What a training on a cluster did, without what an earlier one did that it went on from.

    Attributes
    ----------
    workers : list of WorkerReport
        Those that trained; one that was replaced goes on under the place of the lost one.
    unit : str
        "words", or "pairs" for models of co-occurrences: what the next counts.
    n_words : int
        Words of the text, or pairs, that were gone through, in all epochs.
    seconds : float
        How long it took.
    exchange_seconds : float
        How much of that all workers stood still and exchanged.
    n_exchanges : int
        How often they did.
    n_bytes : int
        Bytes that crossed from one worker to another.
    expected_bytes : float
        What the model of traffic expects of this.
    lost : list of str
        What was lost, when workers died, and what was done about it.
    """

    workers: list[WorkerReport] = field(default_factory=list)
    unit: str = "words"
    n_words: int = 0
    seconds: float = 0.0
    exchange_seconds: float = 0.0
    n_exchanges: int = 0
    n_bytes: int = 0
    expected_bytes: float = 0.0
    lost: list[str] = field(default_factory=list)

    @property
    def words_per_second(self) -> float:
        """How fast all workers together were."""
        return self.n_words / self.seconds if self.seconds else 0.0

    @property
    def bytes_per_word(self) -> float:
        """Bytes that crossed between workers, for each word of the text."""
        return self.n_bytes / self.n_words if self.n_words else 0.0

    @property
    def exchange_share(self) -> float:
        """Which share of the time was spent exchanging, from 0 to 1."""
        return self.exchange_seconds / self.seconds if self.seconds else 0.0
