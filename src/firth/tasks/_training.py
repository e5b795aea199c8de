"""The loop in which networks of this room learn: batches, early stopping, the best weights."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import InputError, MissingExtraError, ParameterError
from firth.progress import progress

try:
    import torch
except ImportError as error:
    raise MissingExtraError("torch", "tasks", "a network") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    # Numbers of examples that make a batch, in the order in which they are learned from.
    Batches = Callable[[np.random.Generator], Iterable[NDArray[np.int64]]]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the examples gave.

    Attributes
    ----------
    number : int
        From 1.
    loss : float
        The mean over all examples, as they were learned from.
    score : float or None
        On the examples that were held out, behind this pass.
    seconds : float
        How long learning took, without the scoring.
    """

    number: int
    loss: float
    score: float | None
    seconds: float


@dataclass
class TrainingRecord:
    """What a training did.

    Attributes
    ----------
    epochs : list of Epoch
        One for each pass.
    best_epoch : int
        The pass whose weights the network has now: that with the best score, or the last one.
    stopped_early : bool
        The score did not rise any more.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    stopped_early: bool = False

    @property
    def seconds(self) -> float:
        """How long learning took, in all passes."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Give the passes as JSON can hold them."""
        return [
            {
                "epoch": epoch.number,
                "loss": round(epoch.loss, 6),
                "score": None if epoch.score is None else round(epoch.score, 6),
                "seconds": round(epoch.seconds, 3),
            }
            for epoch in self.epochs
        ]


def train_network(
    network: torch.nn.Module,
    loss_of: Callable[[NDArray[np.int64]], torch.Tensor],
    n_examples: int,
    *,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batches: Batches,
    seed: int,
    score: Callable[[], float] | None = None,
    patience: int | None = None,
    clip_norm: float | None = None,
    unit: str = "texts",
    show_progress: bool | None = None,
) -> TrainingRecord:
    """Train a network until its score on held-out examples stops to rise.

    Call it within `seeded`, together with what makes the network, for the same result each time.

    Parameters
    ----------
    network : torch.nn.Module
        In training mode for `loss_of`, in evaluation mode for `score` and when this returns.
    loss_of : callable
        Gives the mean loss of the examples with these numbers, with a gradient.
    n_examples : int
        How many there are.
    optimizer : torch.optim.Optimizer
        Of the parameters that are to be learned.
    epochs : int
        Passes over the examples, at most.
    batches : callable
        Gives the numbers of the examples of each batch of a pass, by a generator of random numbers:
        `shuffled` or `by_length`.
    seed : int
        Of the batches.
    score : callable, optional
        Scores the network on examples that were held out; higher is better. The weights of the best
        pass are kept. Without, those of the last pass are.
    patience : int, optional
        Stop when the score has not risen for so many passes.
    clip_norm : float, optional
        Scale gradients down to this length where they are longer.
    unit : str
        What examples are called.
    show_progress : bool, optional
        As `show` of `firth.progress.progress`.

    Returns
    -------
    TrainingRecord
        What happened.

    Raises
    ------
    InputError
        If the loss is no finite number any more.
    """
    learned = [each for each in network.parameters() if each.requires_grad]
    record = TrainingRecord()
    best, best_score = None, -math.inf
    with progress("training", total=epochs * n_examples, unit=unit, show=show_progress) as bar:
        for number in range(1, epochs + 1):
            network.train()
            total, begin = 0.0, time.perf_counter()
            for rows in batches(np.random.default_rng([seed, number])):
                loss = loss_of(rows)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                if clip_norm is not None:
                    torch.nn.utils.clip_grad_norm_(learned, clip_norm)
                optimizer.step()
                total += (value := loss.item()) * len(rows)
                if not math.isfinite(value):
                    raise InputError(
                        f"the loss is {value} in pass {number}: lower the learning rate, and see "
                        f"that all vectors are finite"
                    )
                bar.advance(len(rows), epoch=number, loss=value)
            seconds = time.perf_counter() - begin
            network.eval()
            scored = None if score is None else score()
            record.epochs.append(Epoch(number, total / max(1, n_examples), scored, seconds))
            if scored is None:
                record.best_epoch = number
                continue
            bar.advance(0, score=scored)
            if scored > best_score:
                best, best_score, record.best_epoch = _copy_of(network), scored, number
            elif patience is not None and number - record.best_epoch >= patience:
                record.stopped_early = True
                break
    if best is not None and record.best_epoch < len(record.epochs):
        network.load_state_dict(best, strict=False)
    return record


def _copy_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Copy what learning changes; a frozen matrix may be large."""
    frozen = {name for name, each in network.named_parameters() if not each.requires_grad}
    state = network.state_dict().items()
    return {name: value.detach().clone() for name, value in state if name not in frozen}


def shuffled(n_examples: int, batch_size: int) -> Batches:
    """Make batches in a new order for each pass."""

    def batches(random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        order = random.permutation(n_examples)
        for begin in range(0, n_examples, batch_size):
            yield order[begin : begin + batch_size]

    return batches


# Batches among which examples are sorted by length: enough that those of a batch are about as
# long, few enough that who goes with whom changes from pass to pass.
_POOL = 50


def by_length(lengths: NDArray[np.integer], batch_size: int) -> Batches:
    """Make batches of examples that are about as long, so that little is filled up.

    Parameters
    ----------
    lengths : numpy.ndarray of int, shape (n_examples,)
        How long each example is.
    batch_size : int
        How many make a batch.

    Returns
    -------
    callable
        Shuffles the examples, sorts them by length within some batches' worth, and shuffles the
        batches of these.
    """

    def batches(random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        order = random.permutation(len(lengths))
        for begin in range(0, len(order), _POOL * batch_size):
            pool = order[begin : begin + _POOL * batch_size]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            starts = np.arange(0, len(pool), batch_size)
            for start in random.permutation(starts).tolist():
                yield pool[start : start + batch_size]

    return batches


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw PyTorch's random numbers from a seed; those of the program around stay as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def device_of(name: str | None) -> torch.device:
    """Find where to compute: what is named, else a GPU of CUDA where there is one.

    Raises
    ------
    ParameterError
        If PyTorch has no such device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ParameterError(
            f"device is {name!r}, which cannot be used here ({reason}); give 'cpu', 'cuda' or "
            f"None for what there is"
        ) from error
    return device


def adam_w(
    network: torch.nn.Module, learning_rate: float, weight_decay: float = 0.0
) -> torch.optim.Optimizer:
    """Make the optimiser AdamW of what a network learns (Loshchilov and Hutter 2019)."""
    learned = [each for each in network.parameters() if each.requires_grad]
    return torch.optim.AdamW(learned, lr=learning_rate, weight_decay=weight_decay)
