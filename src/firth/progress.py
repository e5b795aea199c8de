"""Progress of long work: a bar on a terminal, log lines elsewhere.

The work says how far it got; who watches decides how it looks::

    with progress("training", total=n_words, unit="words") as bar:
        for chunk in chunks:
            loss = train(chunk)
            bar.advance(len(chunk), loss=loss)

On a terminal that is a bar with rate, time left and the latest figures. Elsewhere (a log file, a
cluster's job output, a notebook) it is a line of the logger ``firth`` every ten seconds and one at
the end, because a bar that redraws itself fills such places with control characters.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Progress", "format_count", "format_duration", "progress"]

logger = logging.getLogger("firth")

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWS = 0.1


class Progress(ABC):
    """What :func:`progress` gives to the work: somewhere to say how far it got.

    Attributes
    ----------
    n : int
        Units done so far.
    """

    def __init__(self) -> None:
        self.n = 0
        self._figures: dict[str, float | str] = {}
        self._lock = threading.Lock()

    def advance(self, n: int = 1, **figures: float | str) -> None:
        """Count ``n`` more units as done and show the latest figures; safe from any thread.

        Parameters
        ----------
        n : int
            Units done since the last call; 0 only changes the figures.
        **figures : float or str
            What to show behind rate and time left, such as ``loss=0.41``. A figure stays until
            it is given anew.
        """
        with self._lock:
            self.n += n
            if figures:
                self._figures.update(figures)
            self._show()

    def begin(self, n: int, total: int | None) -> None:
        """Say only now how much work it is, and how much of it was done before.

        Parameters
        ----------
        n : int
            Units that are done already, as of a download that goes on; they do not count for the
            rate.
        total : int or None
            Units of the whole work.
        """
        with self._lock:
            self.n = n
            self._begin(total)

    def _begin(self, total: int | None) -> None:  # noqa: B027 (who shows nothing needs nothing)
        """Start again from `self.n`; called under the lock."""

    @abstractmethod
    def _show(self) -> None:
        """Show the state, when it is time to; called under the lock."""

    @abstractmethod
    def _close(self, *, finished: bool) -> None:
        """Show the last state; called once, also after an error."""

    def _figures_text(self) -> str:
        return ", ".join(f"{name} {_format_figure(value)}" for name, value in self._figures.items())


class _Silent(Progress):
    def _show(self) -> None:
        pass

    def _close(self, *, finished: bool) -> None:
        pass


class _Bar(Progress):
    def __init__(self, name: str, total: int | None, unit: str) -> None:
        super().__init__()
        from tqdm import tqdm

        self._bar: Any = tqdm(
            total=total,
            desc=name,
            unit=unit if unit == "B" else f" {unit}",
            unit_scale=True,
            file=sys.stderr,
            **_size(sys.stderr),
            mininterval=SECONDS_BETWEEN_DRAWS,
            miniters=0,
            smoothing=0.1,
            bar_format=_bar_format(total),
        )

    def _begin(self, total: int | None) -> None:
        self._bar.bar_format = _bar_format(total)
        self._bar.total = total
        self._bar.reset()
        self._bar.initial = self._bar.n = self._bar.last_print_n = self.n

    def _show(self) -> None:
        self._bar.set_postfix_str(self._figures_text(), refresh=False)
        self._bar.update(self.n - self._bar.n)

    def _close(self, *, finished: bool) -> None:  # noqa: ARG002 (the bar shows where it stopped)
        self._bar.refresh()
        self._bar.close()


def _bar_format(total: int | None) -> str:
    counted = "{n_fmt}/{total_fmt}" if total else "{n_fmt}"
    left = ", {remaining} left" if total else ", {elapsed}"
    drawn = "{percentage:3.0f}%|{bar}| " if total else ""
    return "{desc}: " + drawn + counted + "{unit} [{rate_fmt}" + left + "{postfix}]"


def _size(stream: TextIO) -> dict[str, int | bool]:
    """Let tqdm follow a terminal's size, but for those that do not know theirs and say 0."""
    try:
        known = os.get_terminal_size(stream.fileno()).columns > 0
    except (OSError, ValueError):
        known = False
    if known:
        return {"dynamic_ncols": True}
    return {"ncols": shutil.get_terminal_size().columns, "nrows": shutil.get_terminal_size().lines}


class _LogLines(Progress):
    def __init__(self, name: str, total: int | None, unit: str) -> None:
        super().__init__()
        self._name = name
        self._total = total
        self._unit = unit
        self._started = time.monotonic()
        self._last_line = self._started
        self._done_before = 0

    def _begin(self, total: int | None) -> None:
        self._total = total
        self._done_before = self.n

    def _show(self) -> None:
        now = time.monotonic()
        complete = self._total is not None and self.n >= self._total
        if now - self._last_line >= SECONDS_BETWEEN_LINES and not complete:
            self._last_line = now
            logger.info("%s", self._line(now, ended=False))

    def _close(self, *, finished: bool) -> None:
        now = time.monotonic()
        # Work that fails at once leaves the word to its error message.
        if finished or now - self._started >= SECONDS_BETWEEN_LINES:
            line = self._line(now, ended=True)
            logger.info("%s%s", line, "" if finished else " (stopped)")

    def _line(self, now: float, *, ended: bool) -> str:
        elapsed = max(now - self._started, 1e-9)
        rate = (self.n - self._done_before) / elapsed
        parts = [self._counted(), f"{format_count(rate, self._unit)}/s"]
        if ended:
            if not self.n and not self._total:  # nothing could be counted: a stream, an iterable
                parts.clear()
            parts.append(f"in {format_duration(elapsed)}")
        elif self._total and rate > 0 and self.n <= self._total:
            parts.append(f"{format_duration((self._total - self.n) / rate)} left")
        if self._figures:
            parts.append(self._figures_text())
        return f"{self._name}: {', '.join(parts)}"

    def _counted(self) -> str:
        if not self._total:
            return format_count(self.n, self._unit)
        percent = 100 * self.n / self._total
        done = format_count(self.n, self._unit if self._unit == "B" else "").rstrip()
        return f"{percent:.0f}% ({done} of {format_count(self._total, self._unit)})"


@contextmanager
def progress(
    name: str, *, total: int | None = None, unit: str = "words", show: bool | None = None
) -> Iterator[Progress]:
    """Show how far a piece of work is, for as long as the ``with`` block runs.

    Parameters
    ----------
    name : str
        What is being done: ``"training"``.
    total : int, optional
        Units of the whole work; without it there is a rate, but no time left.
    unit : str
        What is counted, in the plural. ``"B"`` is for bytes.
    show : bool, optional
        False: nothing. None or True: a bar when standard error is a terminal, else INFO lines of
        the logger ``firth``, one every ten seconds and one at the end.

    Yields
    ------
    Progress
        Call its ``advance(n, **figures)`` from any thread.

    Examples
    --------
    >>> with progress("counting", total=3, unit="files", show=False) as bar:
    ...     for _ in range(3):
    ...         bar.advance(1)
    >>> bar.n
    3
    """
    shown: Progress
    if show is False:
        shown = _Silent()
    elif sys.stderr is not None and sys.stderr.isatty():
        shown = _Bar(name, total, unit)
    else:
        shown = _LogLines(name, total, unit)
    finished = False
    try:
        yield shown
        finished = True
    finally:
        shown._close(finished=finished)  # noqa: SLF001 (its other half, in this file)


def format_count(n: float, unit: str) -> str:
    """Write a count with its unit, as people read it.

    Examples
    --------
    >>> format_count(16_900_000, "words"), format_count(42, "files"), format_count(2.5e9, "B")
    ('16.9M words', '42 files', '2.50 GB')
    """
    for scale, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        # 999.5 and more of a smaller unit would be written with four digits.
        if n >= 0.9995 * scale and n >= 1000:
            figure = f"{n / scale:#.3g}".rstrip(".")
            return f"{figure} {prefix}B" if unit == "B" else f"{figure}{prefix} {unit}"
    figure = f"{n:.0f}" if n >= 10 or n == int(n) else f"{n:.1f}"
    return f"{figure} {unit}"


def format_duration(seconds: float) -> str:
    """Write a time as people read it.

    Examples
    --------
    >>> format_duration(0.42), format_duration(75), format_duration(7260)
    ('0.4 s', '1:15', '2:01:00')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _format_figure(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    # A fixed number of decimals, so that a bar does not jump from draw to draw.
    return f"{value:.4f}"
