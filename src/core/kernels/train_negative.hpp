// Skip-gram and CBOW with negative sampling (Mikolov et al. 2013, "Distributed Representations of
// Words and Phrases and their Compositionality", equation 4), a chunk of the corpus at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

// More would not fit the fixed buffers of a window; published settings go up to 25.
constexpr int kMaxNegative = 255;

// The noise distribution. Words of equal count, which follow each other, are a run: a run is drawn
// from an alias table (Walker 1977), then a word of it. There are far fewer counts than words, so that
// the table stays in the nearest caches. Column i stands for run i when 32 random bits are below
// `limit`, else for run `alias`.
struct NoiseColumn {
    uint32_t limit;
    uint32_t alias;
};
struct Noise {
    const NoiseColumn *columns;   // n_runs
    const uint32_t *run_starts;   // n_runs + 1: the first word of each run, and n_words
    size_t n_runs;
};

struct NegativeSampling {
    float *input;    // (n_words, stride): the vectors that are kept
    float *output;   // (n_words, stride): the vectors of the words as targets
    size_t stride;   // floats from row to row: a multiple of 16, so that a row is whole cache lines
    size_t n_words;  // below 2^32
    // A token of word w is kept when 32 random bits are below or equal keep_limits[w].
    const uint32_t *keep_limits;
    Noise noise;
    int window;
    int negative;
    bool shrink_windows;
    bool cbow;
    bool cbow_mean;
    bool one_by_one;  // change rows after each pair instead of after many; slow
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
// time, a core waits more than it works. With many negatives there is enough work in one, and a
// context should not get the changes of too many targets at once.
constexpr int kMaxBatch = 4;
static constexpr int batch_size(int negative) {
    const int n = 24 / (1 + negative);
    return n < 1 ? 1 : n > kMaxBatch ? kMaxBatch : n;
}

// Room to work in, all of it written before it is read.
constexpr size_t kRowsBlock = 8;     // row pointers are copied in blocks of this size
static constexpr size_t contexts_capacity(int window) {
    return 2 * static_cast<size_t>(window) + kRowsBlock;
}
struct Scratch {
    float **kept;                  // n_ids + kRowsBlock
    uint32_t *kept_sentence_ends;  // n_sentences
    float **contexts;              // 2 * kMaxBatch * contexts_capacity(window)
    float *scores;                 // kMaxBatch * 4 * (1 + negative) + 32
    float *hidden;                 // (kMaxBatch + 2) * stride
};

struct ChunkResult {
    double loss = 0;         // summed over the examples
    int64_t n_examples = 0;  // skip-gram: pairs of a context and a centre word; CBOW: centre words
    int64_t n_kept = 0;      // words left by subsampling
};

FIRTH_DECLARE_KERNELS(
    ChunkResult train_negative(const NegativeSampling &model, const Chunk &chunk, float alpha,
                               uint64_t seed, const Scratch &scratch);
    // A chain of fused multiply-adds in registers: the floating-point operations that were done,
    // which over the time they took are the machine's peak.
    double multiply_add_in_registers(int64_t n_rounds, float *sink);)

}  // namespace firth
