"""What looks at a training while it runs, and may end it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from firth.errors import ParameterError
from firth.models._checks import finite, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.models._glove import GloVe
    from firth.models._trainable import Trainable


_METHODS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


class CallbackAny2Vec:
    """Base of what is called along a training; name and methods are gensim's.

    Override what you need. No thread trains while a method runs, so that `model` stands still:
    ``model.wv`` is a copy of the vectors at that moment, ``model.epoch_losses`` and
    ``model.get_latest_training_loss()`` tell the loss so far, ``model.save(folder)`` saves it, and
    ``model.stop_training()`` ends the training.

    Examples
    --------
    >>> from firth.models import CallbackAny2Vec, Word2Vec
    >>> class Losses(CallbackAny2Vec):
    ...     def __init__(self):
    ...         self.seen = []
    ...
    ...     def on_epoch_end(self, model):
    ...         self.seen.append(model.epoch_losses[-1])
    >>> losses = Losses()
    >>> model = Word2Vec([["a", "b", "c"]] * 99, epochs=3, sample=0, callbacks=[losses])
    >>> losses.seen == model.epoch_losses
    True
    """

    def on_train_begin(self, model: Trainable | GloVe) -> None:
        """Look before the first chunk; after a resume before the next one."""

    def on_epoch_begin(self, model: Trainable | GloVe) -> None:
        """Look before each epoch."""

    def on_epoch_end(self, model: Trainable | GloVe) -> None:
        """Look behind each epoch."""

    def on_train_end(self, model: Trainable | GloVe) -> None:
        """Look when the training has ended, also when it was stopped or interrupted."""


def check_callbacks(callbacks: Sequence[CallbackAny2Vec]) -> list[CallbackAny2Vec]:
    """Check that each is an object with the four methods."""
    if isinstance(callbacks, CallbackAny2Vec):
        raise ParameterError("callbacks must be a list of callbacks: write callbacks=[...]")
    try:
        checked = list(callbacks)
    except TypeError:
        raise ParameterError(f"callbacks must be a list, not {callbacks!r:.60}") from None
    for callback in checked:
        if isinstance(callback, type):
            name = callback.__name__
            raise ParameterError(f"the callback {name} is a class: give an object, {name}(...)")
        for name in _METHODS:
            if not callable(getattr(callback, name, None)):
                raise ParameterError(
                    f"the callback {callback!r:.60} has no method {name}: derive its class from "
                    f"CallbackAny2Vec"
                )
    return checked


class EarlyStopping(CallbackAny2Vec):
    """Ends a training when the loss has not fallen for some epochs.

    With a falling learning rate the loss of the last epochs may rise while the vectors still get
    better (see the page on training); to stop by what the vectors are good for, give a `Probe` its
    `patience`.

    Parameters
    ----------
    patience : int, default 1
        Epochs without a lower loss that are waited for.
    min_delta : float, default 0.0
        How much lower counts.

    Examples
    --------
    ``Word2Vec(corpus_file="text.txt", epochs=50, callbacks=[EarlyStopping(patience=2)])``
    """

    def __init__(self, patience: int = 1, min_delta: float = 0.0) -> None:
        if whole("patience", patience) < 0:
            raise ParameterError(f"patience must be 0 or more, not {patience}")
        self.patience = patience
        self.min_delta = finite("min_delta", min_delta)

    def on_epoch_end(self, model: Trainable | GloVe) -> None:
        """Compare the loss with the lowest one before."""
        # From the losses themselves, so that a resumed training stops where the other one would.
        best, waited = math.inf, 0
        for loss in model.epoch_losses:
            waited = 0 if loss < best - self.min_delta else waited + 1
            best = min(best, loss)
        if waited > self.patience:
            model.stop_training(f"the loss has not fallen for {waited} epochs")
