// Training with windows, a chunk of the corpus at a time: skip-gram and CBOW (Mikolov et al. 2013a), with
// negative sampling (2013b, equation 4), hierarchical softmax (2013b, section 2.1) or both, of words or
// of words with their character n-grams (Bojanowski et al. 2017).
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

constexpr int kMaxNegative = 255;  // published settings go up to 25
constexpr int kMaxPath = 128;      // the deepest Huffman tree of 64-bit counts has less

// The noise distribution. Words of equal count, which follow each other, are a run: a run is drawn
// from an alias table (Walker 1977), then a word of it. There are far fewer counts than words, so that
// the table stays in the nearest caches. Column i stands for run i when 32 random bits are below
// `limit`, else for run `alias`.
struct NoiseColumn {
    uint32_t limit;
    uint32_t alias;
};
struct Noise {
    const NoiseColumn *columns;  // n_runs
    const uint32_t *run_starts;  // n_runs + 1: the first word of each run, and n_words
    size_t n_runs;
};

// The path of each word through a Huffman tree: nodes[offsets[w] .. offsets[w + 1]), of which the first
// n_positive[w] have the label 1 (a 0 in the word's code), the others 0.
struct Paths {
    const uint64_t *offsets;  // n_words + 1; null where hierarchical softmax is off
    const uint32_t *nodes;
    const uint8_t *n_positive;
    int longest;
};

// Rows of the input matrix whose mean is the input of a word: rows[offsets[w] .. offsets[w + 1]).
struct Parts {
    const uint64_t *offsets;  // n_words + 1; null where a word has one row, of its own number
    const uint32_t *rows;
};

// The rows that every thread changes all the time would go from core to core with each change, and lose
// some on the way. So a thread works on copies of the first rows of each matrix (those of the most
// frequent words, and of the nodes nearest to the root), and exchanges them with the shared ones now and
// then.
struct HotRows {
    size_t n;              // 0: all rows are worked on where they are
    const float *updates;  // n: how often a row is changed for a centre word of the text, on average
};

struct WindowModel {
    float *input;          // (n_inputs, stride): the vectors that are kept
    float *targets;        // (n_words, stride): words as targets; null without negative sampling
    float *nodes;          // (n_nodes, stride): inner nodes of the tree; null without paths
    size_t stride;         // floats from row to row: a multiple of 16, so that a row is whole cache lines
    size_t n_words;        // below 2^32
    // A token of word w is kept when 32 random bits are below or equal keep_limits[w].
    const uint32_t *keep_limits;
    Noise noise;
    Paths paths;
    Parts parts;
    const float *lock_factors;  // n_inputs: what changes of a row are multiplied with, or null
    HotRows hot_input, hot_targets, hot_nodes;
    int n_threads;  // that train at the same time
    int window;
    int negative;  // 0 without negative sampling
    bool shrink_windows;
    bool cbow;
    bool cbow_mean;
    bool one_by_one;  // change rows after each pair instead of after many; slow

    // Inputs that are more than a row of the matrix are worked on in a place of their own.
    bool is_staged() const { return parts.offsets || lock_factors; }
    size_t n_hot_rows() const { return hot_input.n + hot_targets.n + hot_nodes.n; }
    int most_targets() const { return paths.longest + (negative > 0 ? 1 + negative : 0); }
};

// Whole sentences: ids[0 .. n_ids), cut behind the positions in sentence_ends, which count from
// first_position on.
struct Chunk {
    const uint32_t *ids;
    size_t n_ids;
    const int64_t *sentence_ends;
    size_t n_sentences;
    int64_t first_position;
};

// Centre words that are trained together: scores of all of them are formed before any row changes.
// While the sums of one are being reduced, the multiplications of the next are under way; one at a
// time, a core waits more than it works. With many targets there is enough work in one, and a context
// should not get the changes of too many at once, nor a target those of too many contexts; the paths of all
// words meet in the first nodes of a Huffman tree.
constexpr int kTile = 6;  // contexts of a window that are trained together, at most
constexpr int kMaxBatch = 4;
constexpr int kUsualPath = 12;
static constexpr int batch_size(int negative, bool has_paths, bool cbow) {
    const int n = 24 / ((negative > 0 ? 1 + negative : 0) + (has_paths ? kUsualPath : 0));
    const int most = cbow ? kMaxBatch : has_paths ? 1 : 2;
    return n < 1 ? 1 : n > most ? most : n;
}

// Windows that follow each other share their negatives by twos: rows of noise come from far away, and a
// pair of windows needs half as many. Four of them would learn measurably worse.
constexpr int kWindowsPerNoise = 2;
static constexpr int noise_sets(int batch_size) {
    return (batch_size + kWindowsPerNoise - 1) / kWindowsPerNoise;
}

// Positions whose inputs can be staged at a time: all that the windows of a batch reach.
static constexpr size_t stage_capacity(int window) {
    size_t n = 1;
    while (n < 2 * static_cast<size_t>(window) + kMaxBatch) n *= 2;
    return n;
}

// Room to work in, all of it written before it is read.
constexpr size_t kRowsBlock = 8;     // row pointers are copied in blocks of this size
static constexpr size_t contexts_capacity(int window) {
    return 2 * static_cast<size_t>(window) + kRowsBlock;
}
static inline size_t targets_capacity(const WindowModel &model) {
    return static_cast<size_t>(model.most_targets()) + kRowsBlock;
}
static constexpr size_t scores_capacity(size_t most_targets) {
    return kMaxBatch * kTile * most_targets + 32;
}
struct Scratch {
    float **kept;                  // n_ids + kRowsBlock: the input of each word
    uint32_t *kept_words;          // n_ids + 1
    uint32_t *kept_sentence_ends;  // n_sentences
    float **contexts;              // 2 * kMaxBatch * contexts_capacity(window)
    float **targets;               // 2 * kMaxBatch * targets_capacity(model)
    float **negatives;             // noise_sets(kMaxBatch) * negative
    const float **ahead;           // kMaxBatch * (most_targets + 1) + kRowsBlock
    float *scores;                 // scores_capacity(most_targets)
    float *signs;                  // as many
    float *hidden;                 // (kMaxBatch + 2) * stride
    float *stage;                  // 2 * stage_capacity(window) * stride where the model is staged
    float *hot_rows;               // 2 * n_hot_rows * stride
};

struct ChunkResult {
    double loss = 0;         // summed over the examples
    int64_t n_examples = 0;  // skip-gram: pairs of a context and a centre word; CBOW: centre words
    int64_t n_kept = 0;      // words left by subsampling
};

FIRTH_DECLARE_KERNELS(
    ChunkResult train_chunk(const WindowModel &model, const Chunk &chunk, float alpha, uint64_t seed,
                            const Scratch &scratch);
    // A chain of fused multiply-adds in registers: the floating-point operations that were done,
    // which over the time they took are the machine's peak.
    double multiply_add_in_registers(int64_t n_rounds, float *sink);)

}  // namespace firth
