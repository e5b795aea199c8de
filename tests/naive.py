"""Slow, obvious references for the kernels of the core."""

import numpy as np

# --- neighbours -----------------------------------------------------------------------------------


def top_k(matrix, queries, k, exclude):
    """Rows and cosines in float64, best first, rows of the same cosine in rising order."""
    result = []
    for query, left_out in zip(queries.astype(np.float64), exclude, strict=True):
        scored = []
        for row, vector in enumerate(matrix.astype(np.float64)):
            lengths = np.sqrt(np.sum(vector**2)) * np.sqrt(np.sum(query**2))
            if row not in left_out and np.isfinite(lengths) and lengths > 0:
                scored.append((-np.sum(vector * query) / lengths, row))
        result.append([(row, -score) for score, row in sorted(scored)[:k]])
    return result


# --- spelling -------------------------------------------------------------------------------------


def edit_distance(a, b):
    """Insertions, deletions, replacements and swaps of neighbours that turn one word into another.

    No character is edited twice (optimal string alignment).
    """
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == 0 or j == 0:
                table[i][j] = i + j
                continue
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[len(a)][len(b)]


# --- text to ids ----------------------------------------------------------------------------------


def encode_text(blocks, min_count=1, max_size=None, vocabulary=None, max_sentence_length=10_000):
    """Words, counts, ids and sentence ends of text in blocks, a line being a sentence."""
    lines = [line.split() for line in b"".join(blocks).split(b"\n")]
    counter = {}
    for line in lines:
        for token in line:
            counter[token] = counter.get(token, 0) + 1
    words = sorted(
        (w for w, n in counter.items() if n >= min_count), key=lambda w: (-counter[w], w)
    )[:max_size]
    if vocabulary is not None:
        words = vocabulary
    numbers = {word: i for i, word in enumerate(words)}
    ids, ends = [], []
    for line in lines:
        kept = [numbers[token] for token in line if token in numbers]
        for begin in range(0, len(kept), max_sentence_length):
            ids += kept[begin : begin + max_sentence_length]
            ends.append(len(ids))
    return words, [counter.get(w, 0) for w in words], ids, ends


# --- co-occurrences -------------------------------------------------------------------------------


def cooccurrences(sentences, n_words, window, *, symmetric=True, distance_weighting=True):
    """The whole matrix of counts of sentences of ids: rows are words, columns their contexts."""
    counts = np.zeros((n_words, n_words))
    for sentence in sentences:
        for place, word in enumerate(sentence):
            for other in range(max(place - window, 0), place):
                weight = 1 / (place - other) if distance_weighting else 1
                counts[word, sentence[other]] += weight
                if symmetric:
                    counts[sentence[other], word] += weight
    return counts


def ppmi(counts, negative=1.0, context_smoothing=0.75):
    """Shifted positive PMI of a dense matrix of counts."""
    total = counts.sum()
    contexts = counts.sum(axis=0) ** context_smoothing
    result = np.zeros_like(counts)
    for row, column in np.argwhere(counts):
        joint = counts[row, column] / total
        expected = counts[row].sum() / total * contexts[column] / contexts.sum()
        result[row, column] = max(0, np.log(joint / expected) - np.log(negative))
    return result


def train_glove(words, contexts, pairs, seed, *, learning_rate, x_max, alpha, symmetric, group=16):
    """GloVe on a chunk of (row, column, value), in double precision, in place.

    `words` and `contexts` are each a matrix, its sums of squares, biases, and sums of theirs. Pairs
    are trained by groups of the same row, in random order; where `symmetric`, also the other way
    around, from the same values of everything.

    Returns
    -------
    loss, n_terms
    """
    groups = []
    for pair in pairs:
        if not groups or len(groups[-1]) == group or groups[-1][-1][0] != pair[0]:
            groups.append([])
        groups[-1].append(pair)
    random = SplitMix64(seed)
    for i in range(len(groups), 1, -1):
        j = (random.next() >> 32) * i >> 32
        groups[i - 1], groups[j] = groups[j], groups[i - 1]

    loss = n_terms = 0
    for row, column, value in (pair for pairs in groups for pair in pairs):
        weight = min(1, (value / x_max) ** alpha)
        orders = [(row, column)] + ([(column, row)] if symmetric and row != column else [])
        for word, context in orders:
            w, w_squares, w_bias, w_bias_squares = (part[word] for part in words)
            c, c_squares, c_bias, c_bias_squares = (part[context] for part in contexts)
            error = w @ c + w_bias - np.log(value) + c_bias
            loss += 0.5 * weight * error**2
            n_terms += 1
            slope = weight * error
            w_step, c_step = learning_rate * slope * c, learning_rate * slope * w
            words[0][word] -= w_step / np.sqrt(w_squares)
            contexts[0][context] -= c_step / np.sqrt(c_squares)
            words[1][word] += w_step**2
            contexts[1][context] += c_step**2
            words[2][word] -= slope / np.sqrt(w_bias_squares)
            contexts[2][context] -= slope / np.sqrt(c_bias_squares)
            words[3][word] += slope**2
            contexts[3][context] += slope**2
    return loss, n_terms


# --- training -------------------------------------------------------------------------------------


class SplitMix64:
    """The generator of the kernels: the i-th number is a hash of seed + i * golden ratio."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)


def alias_shares(columns):
    """The probability of each item that an alias table of (limit, alias) pairs stands for."""
    shares = np.zeros(len(columns))
    for item, (limit, alias) in enumerate(columns.tolist()):
        share = limit / 2**32
        shares[item] += share
        shares[alias] += 1 - share
    return shares / len(columns)


def noise_shares(columns, run_starts):
    """The probability of each word: that of its run, divided among the words of the run."""
    sizes = np.diff(run_starts.astype(np.int64))
    return np.repeat(alias_shares(columns) / sizes, sizes)


def draw_noise(random, columns, run_starts):
    """Draw a run from the alias table, then a word of it."""
    bits = random.next()
    run = (bits >> 32) * len(columns) >> 32
    limit, alias = columns[run].tolist()
    if bits & 0xFFFFFFFF >= limit:
        run = alias
    begin, end = run_starts[run : run + 2].tolist()
    return begin + ((random.next() >> 32) * (end - begin) >> 32)


def train_negative(
    vectors, targets, ids, sentence_ends, keep_limits, noise, alpha, seed, *,
    window, negative, shrink_windows, cbow, cbow_mean, one_by_one=False, tile_size=4,
):  # fmt: skip
    """Skip-gram or CBOW with negative sampling on whole sentences, in double precision, in place.

    Negatives are shared by a window. A batch of centre words is trained by tiles of up to four
    contexts: the scores of the first tile of each are formed, then rows change, then the second.
    With `one_by_one` rows change after each pair instead, a context after its last target.

    Returns
    -------
    loss, n_examples, n_kept
    """
    random = SplitMix64(seed)
    noise_random = SplitMix64(random.next())
    kept, kept_ends, begin = [], [], 0
    for end in sentence_ends:
        kept += [int(word) for word in ids[begin:end] if random.next() >> 32 <= keep_limits[word]]
        kept_ends.append(len(kept))
        begin = end

    steps = []
    begin = 0
    for end in kept_ends:
        for i in range(begin, end):
            reach = 1 + ((random.next() >> 32) * window >> 32) if shrink_windows else window
            contexts = kept[max(begin, i - reach) : i] + kept[i + 1 : min(end, i + reach + 1)]
            drawn = [draw_noise(noise_random, *noise) for _ in range(negative)]
            steps.append((kept[i], drawn, contexts))
        begin = end

    loss, n_examples = 0.0, 0
    if one_by_one:
        for centre, drawn, contexts in steps:
            inputs = [contexts] if cbow and contexts else [[word] for word in contexts]
            for words in inputs:
                row = cbow_input(vectors[words], cbow_mean)[0] if cbow else vectors[words[0]]
                change = np.zeros_like(row)
                for t, word in enumerate([centre, *drawn]):
                    if t == 0 or word != centre:
                        score, label = row @ targets[word], float(t == 0)
                        loss += np.logaddexp(0, -score if label else score)
                        gradient = alpha * (label - (1 + np.tanh(score / 2)) / 2)
                        change += gradient * targets[word]
                        targets[word] += gradient * row
                scale = 1 / len(words) if cbow and not cbow_mean else 1
                np.add.at(vectors, words, change * scale)
                n_examples += 1
        return loss, n_examples, len(kept)

    batch_size = min(max(24 // (1 + negative), 1), 4)
    for first in range(0, len(steps), batch_size):
        batch = [step for step in steps[first : first + batch_size] if step[2]]
        n_examples += len(batch) if cbow else sum(len(contexts) for _, _, contexts in batch)
        n_tiles = max((1 if cbow else -(-len(c) // tile_size) for _, _, c in batch), default=0)
        for tile in range(n_tiles):
            scored = []
            for centre, drawn, contexts in batch:
                words = contexts if cbow else contexts[tile * tile_size : (tile + 1) * tile_size]
                if not words:
                    continue
                rows = cbow_input(vectors[words], cbow_mean) if cbow else vectors[words]
                scores = rows @ targets[[centre, *drawn]].T
                labels = np.array([1.0] + [0.0] * negative)
                counts = np.array([1.0] + [float(word != centre) for word in drawn])
                loss += np.sum(np.logaddexp(0, np.where(labels, -scores, scores)) * counts)
                gradient = alpha * (labels - (1 + np.tanh(scores / 2)) / 2) * counts
                scored.append(([centre, *drawn], words, rows, gradient))
            for target_words, words, rows, gradient in scored:
                # The rows as they are now: the windows before in this batch have changed them.
                now = rows if cbow else vectors[words]
                change = np.zeros_like(now)
                for t, word in enumerate(target_words):
                    target = targets[word].copy()
                    targets[word] += gradient[:, t] @ now
                    change += np.outer(gradient[:, t], target)
                if cbow:
                    change = change[0] * (1 if cbow_mean else 1 / len(words))
                np.add.at(vectors, words, change)
    return loss, n_examples, len(kept)


def cbow_input(rows, mean):
    """The mean or the sum of the context vectors, as a matrix of one row."""
    return (rows.mean(axis=0) if mean else rows.sum(axis=0))[np.newaxis]
