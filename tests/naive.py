"""Slow, obvious references for the kernels of the core."""

import heapq
import itertools
from decimal import Decimal
from fractions import Fraction

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


# --- graphs of approximate search -----------------------------------------------------------------


def first_wrong_byte(data, n_nodes, n_rows, connectivity, connectivity_base):
    """The first byte of levels and nodes of a graph that cannot be, -1 if there is none."""

    def number(at, size, signed=False):
        if at + size > len(data):
            raise EOFError
        return int.from_bytes(data[at : at + size], "little", signed=signed)

    try:
        levels = [number(2 * node, 2, signed=True) for node in range(n_nodes)]
    except EOFError:
        return len(data)
    at = 2 * n_nodes
    for node, level in enumerate(levels):
        if level < 0:
            return 2 * node
        end = at + 10 + 4 * (1 + connectivity_base) + 4 * level * (1 + connectivity)
        if end > len(data):
            return len(data)
        if number(at, 8) >= n_rows:
            return at
        if number(at + 8, 2, signed=True) != level:
            return at + 8
        at += 10
        for on in range(level + 1):
            room = connectivity if on else connectivity_base
            if number(at, 4) > room:
                return at
            for i in range(number(at, 4)):
                neighbour = number(at + 4 + 4 * i, 4)
                if neighbour >= n_nodes or (on and levels[neighbour] < on):
                    return at + 4 + 4 * i
            at += 4 + 4 * room
    return -1 if at == len(data) else at


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


def draw_noise(random, columns, run_starts, n):
    """Draw n words: a run from the alias table, then a place in it; two places of one number."""
    words, places = [], 0
    for i in range(n):
        bits = random.next()
        places = places << 32 & 2**64 - 1 if i % 2 else random.next()
        run = (bits >> 32) * len(columns) >> 32
        limit, alias = columns[run].tolist()
        if bits & 0xFFFFFFFF >= limit:
            run = alias
        begin, end = run_starts[run : run + 2].tolist()
        words.append(begin + ((places >> 32) * (end - begin) >> 32))
    return words


def train_chunk(
    vectors, ids, sentence_ends, keep_limits, alpha, seed, *, window, shrink_windows, cbow,
    cbow_mean, one_by_one=False, negative=0, targets=None, noise=None, nodes=None, paths=None,
    parts=None, lock_factors=None, tile_size=6,
):  # fmt: skip
    """Skip-gram or CBOW on whole sentences, in double precision, in place.

    The targets of a centre word are the nodes of its path (`paths`, for hierarchical softmax), then
    itself and its negatives, which two windows share. A batch of centre words is trained by tiles
    of up to six contexts, a window's all of about the same size: the scores of the first tile of
    each are formed, then rows change, then the second. With `one_by_one` rows change after each
    pair instead, a context after its last target.

    With `parts`, the input of a word is the mean of rows; it is formed when the first window
    reaches the word, and its change is added to all of its rows behind the last window.

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

    usual = (1 + negative if negative else 0) + (12 if paths else 0)
    batch_size = 1 if one_by_one else min(max(24 // usual, 1), 4 if cbow else 1 if paths else 2)
    negatives = []  # of each position; two windows of a batch share theirs
    for _ in range(0, len(kept) if negative else 0, batch_size):
        drawn = draw_noise(noise_random, *noise, (batch_size + 1) // 2 * negative)
        for place in range(batch_size):
            begin = place // 2 * negative
            negatives.append(drawn[begin : begin + negative])

    steps = []  # target rows as (matrix, row, label), and positions of contexts
    begin = 0
    for end in kept_ends:
        for i in range(begin, end):
            reach = 1 + ((random.next() >> 32) * window >> 32) if shrink_windows else window
            around = [*range(max(begin, i - reach), i), *range(i + 1, min(end, i + reach + 1))]
            on_path = path_of(kept[i], *paths) if paths else []
            rows = [(nodes, node, label) for node, label in on_path]
            if negative:
                rows.append((targets, kept[i], 1))
                rows += [(targets, word, 0) for word in negatives[i] if word != kept[i]]
            steps.append((rows, around))
        begin = end

    is_staged = parts is not None or lock_factors is not None
    stage, left, entered = {}, 0, 0

    def rows_of(position):
        word = kept[position]
        if parts is None:
            return [word]
        return parts[1][int(parts[0][word]) : int(parts[0][word + 1])].tolist()

    def leave(end):
        nonlocal left
        for position in range(left, end):
            now, before = stage.pop(position)
            rows = rows_of(position)
            factors = np.ones(len(rows)) if lock_factors is None else lock_factors[rows]
            np.add.at(vectors, rows, factors[:, None] * (now - before))
        left = max(left, end)

    def inputs(positions):
        if is_staged:
            return np.array([stage[position][0] for position in positions])
        return vectors[[kept[position] for position in positions]]

    def change_inputs(positions, changes):
        for position, change in zip(positions, changes, strict=True):
            if is_staged:
                stage[position][0] += change
            else:
                vectors[kept[position]] += change

    def hidden_of(positions):
        """The mean or the sum of all rows of all contexts, as a matrix of one row."""
        n_rows = [len(rows_of(position)) for position in positions]
        total = np.array(n_rows) @ inputs(positions)
        return (total / sum(n_rows) if cbow_mean else total)[np.newaxis], sum(n_rows)

    loss, n_examples = 0.0, 0
    for first in range(0, len(steps), batch_size):
        batch = [(rows, around) for rows, around in steps[first : first + batch_size] if around]
        n_in_batch = len(steps[first : first + batch_size])
        if is_staged:
            leave(max(first - window, left))
            for position in range(entered, min(first + n_in_batch + window, len(kept))):
                mean = vectors[rows_of(position)].mean(axis=0)
                stage[position] = [mean, mean.copy()]
            entered = min(first + n_in_batch + window, len(kept))
        n_examples += len(batch) if cbow else sum(len(around) for _, around in batch)
        if one_by_one:
            for rows, around in batch:
                for positions in [around] if cbow else [[position] for position in around]:
                    row, n_rows = hidden_of(positions) if cbow else (inputs(positions), 1)
                    change = np.zeros_like(row[0])
                    for matrix, target, label in rows:
                        gradient, loss_of_pair = gradient_and_loss(row @ matrix[target], label)
                        loss += loss_of_pair
                        change += alpha * gradient * matrix[target]
                        matrix[target] += alpha * gradient * row[0]
                    scale = 1 / n_rows if cbow and not cbow_mean else 1
                    change_inputs(positions, [change * scale] * len(positions))
            continue
        tiles = [1 if cbow else -(-len(around) // tile_size) for _, around in batch]
        for tile in range(max(tiles, default=0)):
            scored = []
            for (rows, around), n_tiles in zip(batch, tiles, strict=True):
                if tile >= n_tiles:
                    continue
                at = around[len(around) * tile // n_tiles : len(around) * (tile + 1) // n_tiles]
                block, n_rows = hidden_of(at) if cbow else (inputs(at), 1)
                scores = np.array([block @ matrix[target] for matrix, target, _ in rows])
                labels = np.array([[label] for _, _, label in rows])
                gradient, losses = gradient_and_loss(scores, labels)
                loss += losses.sum()
                scored.append((rows, at, block, n_rows, alpha * gradient))
            for rows, at, block, n_rows, gradient in scored:
                # The rows as they are now: the windows before in this batch have changed them.
                now = block if cbow else inputs(at)
                change = np.zeros_like(now)
                for of_target, (matrix, target, _) in zip(gradient, rows, strict=True):
                    row = matrix[target].copy()
                    matrix[target] += of_target @ now
                    change += np.outer(of_target, row)
                if cbow:
                    change = np.repeat(change if cbow_mean else change / n_rows, len(at), axis=0)
                change_inputs(at, change)
    if is_staged:
        leave(len(kept))
    return loss, n_examples, len(kept)


def gradient_and_loss(scores, labels):
    """The derivative of the log-likelihood by the scores, and the negative log-likelihood."""
    gradient = labels - (1 + np.tanh(scores / 2)) / 2
    return gradient, np.logaddexp(0, np.where(labels, -scores, scores))


def path_of(word, offsets, nodes, n_positive):
    """The nodes from the root to a word, each with its label; those with the label 1 first."""
    path = nodes[int(offsets[word]) : int(offsets[word + 1])].tolist()
    return [(node, int(i < n_positive[word])) for i, node in enumerate(path)]


def huffman_codes(counts):
    """The code of each word as a string, by a heap of (count, age, subtree)."""
    # Inner nodes go before leaves, in the order of their making; leaves from the last id on.
    n = len(counts)
    heap = [(count, 2 * n - word, [word]) for word, count in enumerate(counts)]
    heapq.heapify(heap)
    codes = [""] * n
    for age in range(n - 1):
        smallest, second = heapq.heappop(heap), heapq.heappop(heap)
        for bit, (_, _, words) in (("0", smallest), ("1", second)):
            for word in words:
                codes[word] = bit + codes[word]
        heapq.heappush(heap, (smallest[0] + second[0], age, smallest[2] + second[2]))
    return codes


# --- subwords -------------------------------------------------------------------------------------


def ngrams(marked, min_n, max_n):
    """N-grams of a word between its marks, by start, the short ones first."""
    return [
        (first, n, marked[first : first + n])
        for first in range(len(marked))
        for n in range(max(1, min_n), min(max_n, len(marked) - first) + 1)
    ]


def fasttext_ids(word, min_n, max_n, bucket, with_sentence_end=False):
    """Buckets of the n-grams of a word, as fastText's Dictionary::computeSubwords."""
    ids = []
    for first, n, ngram in ngrams(f"<{word}>", min_n, max_n):
        if (word == "</s>" and not with_sentence_end) or (n == 1 and first in {0, len(word) + 1}):
            continue
        value = 2166136261
        for byte in ngram.encode():
            value ^= byte if byte < 128 else byte - 256 + 2**32
            value = value * 16777619 % 2**32
        ids.append(value % bucket)
    return ids


def murmur3_x64_128(data, seed):
    """MurmurHash3 of Austin Appleby, as a pair of 64-bit numbers."""
    mask = 2**64 - 1

    def rotate(x, n):
        return (x << n | x >> (64 - n)) & mask

    def finish(x):
        x ^= x >> 33
        x = x * 0xFF51AFD7ED558CCD & mask
        x ^= x >> 33
        x = x * 0xC4CEB9FE1A85EC53 & mask
        return x ^ x >> 33

    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    a = b = seed
    whole = len(data) // 16 * 16
    for i in range(0, len(data), 16):
        k1 = int.from_bytes(data[i : i + 8], "little")
        k2 = int.from_bytes(data[i + 8 : i + 16], "little")
        k1 = rotate(k1 * c1 & mask, 31) * c2 & mask
        k2 = rotate(k2 * c2 & mask, 33) * c1 & mask
        a ^= k1
        if i < whole:
            a = ((rotate(a, 27) + b) * 5 + 0x52DCE729) & mask
        b ^= k2
        if i < whole:
            b = ((rotate(b, 31) + a) * 5 + 0x38495AB5) & mask
    a ^= len(data)
    b ^= len(data)
    a = (a + b) & mask
    b = (b + a) & mask
    a, b = finish(a), finish(b)
    a = (a + b) & mask
    return a, (b + a) & mask


def floret_ids(word, min_n, max_n, bucket, hash_count, seed, begin_mark="<", end_mark=">"):
    """Rows of a word and its n-grams, as floret's Dictionary::computeSubwords."""
    if word == "</s>":
        return []
    marked = begin_mark + word + end_mark
    parts = [marked] + [
        ngram
        for first, n, ngram in ngrams(marked, min_n, max_n)
        if n > 1 or first not in {0, len(marked) - 1}
    ]
    ids = []
    for part in parts:
        a, b = murmur3_x64_128(part.encode(), seed)
        hashes = [a & 0xFFFFFFFF, a >> 32, b & 0xFFFFFFFF, b >> 32]
        ids += [value % bucket for value in hashes[:hash_count]]
    return ids


def finalfusion_ids(word, min_n, max_n, mask, begin_mark="<", end_mark=">"):
    """Buckets of the n-grams of a word, as finalfusion's HashIndexer with FNV-1a of 64 bits."""
    ids = []
    found = ngrams(begin_mark + word + end_mark, min_n, max_n)
    for _, n, ngram in sorted(found, key=lambda each: (each[0], -each[1])):
        data = n.to_bytes(8, "little") + b"".join(ord(c).to_bytes(4, "little") for c in ngram)
        value = 0xCBF29CE484222325
        for byte in data:
            value = (value ^ byte) * 0x100000001B3 % 2**64
        ids.append(value & mask)
    return ids


def mean_rows(own, rows, ids):
    """The sum, in single precision and in this order, times 1 / n, as fastText's getWordVector."""
    total = np.zeros(rows.shape[1], np.float32)
    parts = ([own] if own is not None else []) + [rows[i] for i in ids]
    for part in parts:
        total = total + part.astype(np.float32)
    return total * np.float32(1 / len(parts)) if parts else total


# --- vector files ---------------------------------------------------------------------------------


def nearest_float32(text):
    """The float32 next to a decimal number; of two as near, the one with an even last bit."""
    exact = abs(Fraction(Decimal(text)))
    largest = np.finfo(np.float32).max
    near = np.float32(min(exact, Fraction(float(largest))))
    around = {x: Fraction(float(x)) for x in (near, np.nextafter(near, np.float32(0)))}
    if near < largest:
        above = np.nextafter(near, np.float32(np.inf))
        around[above] = Fraction(float(above))
    else:
        around[np.float32(np.inf)] = Fraction(2) ** 128
    found = min(around, key=lambda x: (abs(around[x] - exact), int(x.view(np.uint32)) & 1))
    return -float(found) if text.startswith("-") else float(found)


def vector_lines(text, dims):
    """Words and rows of lines as they stand there: the last `dims` fields are numbers."""
    words, rows = [], []
    for line in text.split(b"\n"):
        if fields := line.rstrip(b" \t\r").replace(b"\t", b" "):
            parts = fields.rsplit(b" ", dims)
            words.append(line[: len(parts[0])].strip(b" \t"))
            rows.append([nearest_float32(part.decode()) for part in parts[1:]])
    return words, np.array(rows, np.float32).reshape(len(rows), dims)


# --- phrases --------------------------------------------------------------------------------------


def count_phrases(sentences, delimiter, connectors, max_size=None):
    """Counts of words and of pairs by name, and the number of all words."""
    counts, n_words, min_reduce = {}, 0, 1
    for sentence in sentences:
        n_words += len(sentence)
        places = [i for i, word in enumerate(sentence) if word not in connectors]
        names = [sentence[i] for i in places]
        for begin, end in itertools.pairwise(places):
            names.append(delimiter.join(sentence[begin : end + 1]))
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        if max_size is not None and len(counts) > max_size:
            counts = {name: count for name, count in counts.items() if count >= min_reduce}
            min_reduce += 1
    return counts, n_words


def join_phrases(sentence, connectors, score):
    """Tokens with the scores of phrases; `score` gives a name, and a score or None."""
    result, position = [], 0
    while position < len(sentence):
        word = sentence[position]
        rest = range(position + 1, len(sentence))
        end = next((i for i in rest if sentence[i] not in connectors), None)
        if word not in connectors and end is not None:
            name, found = score(word, sentence[end], sentence[position + 1 : end])
            if found is not None:
                result.append((name, found))
                position = end + 1
                continue
        result.append((word, None))
        position += 1
    return result


def best_sums(plus, minus, questions, exclude):
    """For each question (a, b, c) the column with the highest plus[b] + plus[c] - minus[a]."""
    best = []
    for (a, b, c), left_out in zip(questions, exclude, strict=True):
        sums = [
            (np.float32(np.float32(plus[b, i] + plus[c, i]) - minus[a, i]), -i)
            for i in range(plus.shape[1])
            if i not in left_out
        ]
        score, column = max(sums, default=(-np.inf, 1))
        best.append((score, -column if score > -np.inf else -1))
    return best


def cos_add(vectors, a, b, c):
    """The row that 3CosAdd answers with."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = units @ units[b] + units @ units[c] - units @ units[a]
    scores[[a, b, c]] = -np.inf
    return int(scores.argmax())


def cos_mul(vectors, a, b, c):
    """The row that 3CosMul answers with."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    moved = [(units @ units[i] + 1) / 2 for i in (a, b, c)]
    scores = moved[1] * moved[2] / (moved[0] + 0.001)
    scores[[a, b, c]] = -np.inf
    return int(scores.argmax())


def compactness_positions(members, outlier):
    """The place of an outlier by compactness, from 0 to 1, as its authors define it."""
    words = [*members, outlier]
    units = [w / np.linalg.norm(w) for w in words]

    def compactness(without):
        rest = [u for i, u in enumerate(units) if i != without]
        n = len(rest)
        return sum(rest[i] @ rest[j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    scores = [compactness(i) for i in range(len(words))]
    # By falling compactness of the rest, the outlier comes first where it belongs least.
    return sum(score < scores[-1] for score in scores[:-1]) / len(members)


# --- approximate search ---------------------------------------------------------------------------


def walk_graph(vectors, lists, entry, query, k, expansion):
    """Malkov and Yashunin 2018, algorithms 2 and 5: the best nodes that a walk finds, best first.

    `lists` has the neighbours by node and level.
    """

    def score(node):
        return float(np.dot(vectors[node].astype(np.float64), query.astype(np.float64)))

    at = entry
    for level in range(len(lists[entry]) - 1, 0, -1):
        while (best := max([*lists[at][level], at], key=lambda n: (score(n), n == at))) != at:
            at = best
    seen, candidates, held = {at}, [at], [at]
    while candidates:
        node = max(candidates, key=score)
        candidates.remove(node)
        if len(held) >= expansion and score(node) <= min(map(score, held)):
            break
        for neighbour in lists[node][0]:
            if neighbour in seen:
                continue
            seen.add(neighbour)
            if len(held) >= expansion:
                worst = min(held, key=score)
                if score(neighbour) <= score(worst):
                    continue
                held.remove(worst)
            held.append(neighbour)
            candidates.append(neighbour)
    return sorted(held, key=score, reverse=True)[:k]
