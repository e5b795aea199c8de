"""The conditional random field, against all tags that there could be."""

from itertools import pairwise, product

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from firth.tasks._crf import ConditionalRandomField  # noqa: E402

LENGTHS = (4, 1, 3)


def make(n_tags, seed, *, forbid=True):
    random = np.random.default_rng(seed)
    follow = random.random((n_tags, n_tags)) < 0.7 if forbid else np.ones((n_tags, n_tags), bool)
    follow[0] = follow[:, 0] = True  # as O, so that there is always a way
    ends = np.arange(n_tags) != 1 if forbid else np.ones(n_tags, bool)
    torch.manual_seed(seed)
    crf = ConditionalRandomField(follow, ends, ends)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.normal_(0, 2)
    scores = torch.randn(len(LENGTHS), max(LENGTHS), n_tags) * 3
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    return crf, scores, mask, (follow, ends)


def ways(crf, scores, length, allowed):
    """Give every way to tag a sentence that is allowed, with its score."""
    follow, ends = allowed
    for tags in product(range(scores.shape[1]), repeat=length):
        fits = ends[tags[0]] and ends[tags[-1]]
        if fits and all(follow[a, b] for a, b in pairwise(tags)):
            score = crf.begin[tags[0]] + crf.end[tags[-1]]
            score = score + sum(scores[at, tag] for at, tag in enumerate(tags))
            score = score + sum(crf.transitions[a, b] for a, b in pairwise(tags))
            yield tags, float(score.detach())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("forbid", [False, True])
def test_it_is_what_all_ways_add_up_to(seed, forbid):
    crf, scores, mask, allowed = make(4, seed, forbid=forbid)
    decoded = crf.decode(scores, mask)
    probabilities = crf.probabilities(scores, mask)
    for row, length in enumerate(LENGTHS):
        every = list(ways(crf, scores[row], length, allowed))
        weights = np.exp([score for _, score in every])
        best, _ = max(every, key=lambda way: way[1])
        assert tuple(decoded[row, :length].tolist()) == best
        assert not decoded[row, length:].any()
        of_tags = np.zeros((length, 4))
        for (tags, _), weight in zip(every, weights, strict=True):
            of_tags[np.arange(length), tags] += weight / weights.sum()
        np.testing.assert_allclose(probabilities[row, :length], of_tags, atol=1e-5)
        assert not probabilities[row, length:].any()
        tags, score = every[len(every) // 2]
        given = torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.int64)
        given[row, :length] = torch.tensor(tags)
        log_probability = crf(scores, given, mask)[row].item()
        assert log_probability == pytest.approx(score - np.log(weights.sum()), abs=1e-4)


def test_its_gradient_is_that_of_the_definition():
    crf, scores, mask, _ = make(3, 7, forbid=False)
    crf, scores = crf.double(), scores.double()
    tags = torch.tensor([[0, 1, 2, 0], [2, 0, 0, 0], [1, 1, 0, 0]])

    def loss(scores, transitions, begin, end):
        parameters = {"transitions": transitions, "begin": begin, "end": end}
        return torch.func.functional_call(crf, parameters, (scores, tags, mask)).sum()

    given = [scores, crf.transitions, crf.begin, crf.end]
    assert torch.autograd.gradcheck(loss, [x.detach().requires_grad_() for x in given])


def test_scores_that_are_far_apart_stay_numbers():
    crf, scores, mask, _ = make(4, 3, forbid=False)
    scores = (scores * 1e4).requires_grad_()
    tags = torch.zeros(scores.shape[:2], dtype=torch.int64)
    loss = -crf(scores, tags, mask).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(scores.grad).all()


def test_it_is_what_torchcrf_computes():
    torchcrf = pytest.importorskip("torchcrf", reason="pytorch-crf is not installed")
    crf, scores, mask, _ = make(5, 11, forbid=False)
    theirs = torchcrf.CRF(5, batch_first=True)
    with torch.no_grad():
        theirs.transitions.copy_(crf.transitions)
        theirs.start_transitions.copy_(crf.begin)
        theirs.end_transitions.copy_(crf.end)
    tags = torch.randint(0, 5, scores.shape[:2])
    expected = theirs(scores, tags, mask, reduction="none")
    torch.testing.assert_close(crf(scores, tags, mask), expected, atol=1e-4, rtol=1e-5)
    found = [row[:n] for row, n in zip(crf.decode(scores, mask).tolist(), LENGTHS, strict=True)]
    assert found == theirs.decode(scores, mask)
