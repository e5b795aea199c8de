"""Conditional random fields over the tags of a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

# In place of minus infinity, whose differences are no numbers.
_FORBIDDEN = -10_000.0
_TINY = 1e-37


class ConditionalRandomField(nn.Module):  # type: ignore[misc]
    """A chain of tags: each has a score from its word, and one from the tag before it.

    Lafferty, McCallum and Pereira (2001), "Conditional random fields"; over a network as in Lample
    et al. (2016), "Neural architectures for named entity recognition", equation 1. Here the first
    and last tag have scores of their own, and what may not follow is never chosen.

    Parameters
    ----------
    may_follow : numpy.ndarray of bool, shape (n_tags, n_tags)
        Whether the tag of the column may follow that of the row.
    may_begin, may_end : numpy.ndarray of bool, shape (n_tags,)
        Whether a sentence may begin and end with it.

    Notes
    -----
    Sentences of a batch stand in rows, each from the first column on; `mask`, bool (batch, length),
    tells how far they go. All have a word at least.
    """

    def __init__(
        self,
        may_follow: NDArray[np.bool_],
        may_begin: NDArray[np.bool_],
        may_end: NDArray[np.bool_],
    ) -> None:
        super().__init__()
        n_tags = len(may_begin)
        self.transitions = nn.Parameter(torch.empty(n_tags, n_tags).uniform_(-0.1, 0.1))
        self.begin = nn.Parameter(torch.empty(n_tags).uniform_(-0.1, 0.1))
        self.end = nn.Parameter(torch.empty(n_tags).uniform_(-0.1, 0.1))
        for name, allowed in (
            ("transitions", may_follow), ("begin", may_begin), ("end", may_end),
        ):  # fmt: skip
            penalty = np.where(allowed, 0, _FORBIDDEN).astype(np.float32)
            self.register_buffer(f"_{name}_penalty", torch.tensor(penalty), persistent=False)

    def forward(self, scores: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Give the logarithm of the probability of tags, shape (batch,).

        Parameters
        ----------
        scores : torch.Tensor, shape (batch, length, n_tags)
            Of the words.
        tags : torch.Tensor of int64, shape (batch, length)
            Those that are right; any where there are no words.
        mask : torch.Tensor of bool, shape (batch, length)
            Where there are words.
        """
        return self._score(scores, tags, mask) - self._log_normaliser(scores, mask)

    def decode(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Find the most probable tags of each sentence: Viterbi (1967).

        Returns
        -------
        torch.Tensor of int64, shape (batch, length)
            0 where there are no words.
        """
        transitions, begin, end = self._allowed()
        n_sentences, length, n_tags = scores.shape
        best = begin + scores[:, 0]
        stay = torch.arange(n_tags, device=scores.device).expand(n_sentences, n_tags)
        came_from = []
        for at in range(1, length):
            reached, before = (best.unsqueeze(2) + transitions).max(dim=1)
            here = mask[:, at, None]
            best = torch.where(here, reached + scores[:, at], best)
            came_from.append(torch.where(here, before, stay))
        tag = (best + end).argmax(dim=1)
        tags = [tag]
        for before in reversed(came_from):
            tag = before.gather(1, tag.unsqueeze(1)).squeeze(1)
            tags.append(tag)
        return torch.stack(tags[::-1], dim=1).masked_fill(~mask, 0)

    def probabilities(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Give how probable each tag of each word is, all others considered.

        They are the derivatives of the logarithm of the normaliser by the scores (Eisner 2016,
        "Inside-outside and forward-backward algorithms are just backprop").

        Returns
        -------
        torch.Tensor, shape (batch, length, n_tags)
            0 where there are no words.
        """
        with torch.enable_grad():
            scores = scores.detach().requires_grad_()
            (derivative,) = torch.autograd.grad(self._log_normaliser(scores, mask).sum(), scores)
        return derivative

    def _allowed(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return (
            self.transitions + self._transitions_penalty,
            self.begin + self._begin_penalty,
            self.end + self._end_penalty,
        )

    def _score(self, scores: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        transitions, begin, end = self._allowed()
        of_words = scores.gather(2, tags.unsqueeze(2)).squeeze(2).masked_fill(~mask, 0).sum(dim=1)
        between = transitions[tags[:, :-1], tags[:, 1:]].masked_fill(~mask[:, 1:], 0).sum(dim=1)
        last = tags.gather(1, mask.sum(dim=1, keepdim=True) - 1).squeeze(1)
        return of_words + between + begin[tags[:, 0]] + end[last]

    def _log_normaliser(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Add up the probabilities, not normalised, of all tags that there could be: forward.

        A product of matrices for each word, of numbers that are scaled to at most 1: several times
        as fast as adding up logarithms.
        """
        transitions, begin, end = self._allowed()
        weights = transitions.exp()
        reached = begin + scores[:, 0]
        for at in range(1, scores.shape[1]):
            highest = reached.detach().amax(dim=1, keepdim=True)
            summed = (reached - highest).exp() @ weights
            after = summed.clamp_min(_TINY).log() + highest + scores[:, at]
            reached = torch.where(mask[:, at, None], after, reached)
        return torch.logsumexp(reached + end, dim=1)
