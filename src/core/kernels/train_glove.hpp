// GloVe (Pennington, Socher and Manning 2014, "GloVe: Global Vectors for Word Representation", equation
// 8) by AdaGrad (Duchi, Hazan and Singer 2011), a chunk of co-occurrences at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

// Everything of a word lies together: its vector, the sums of squared gradients of that, its vector as
// a context, and the sums for that.
struct Glove {
    float *rows;     // (n_words, 4, stride)
    float *biases;   // (n_words, 4): bias, its sum of squares, bias as a context, its sum
    size_t stride;   // floats of a vector: a multiple of 16
    size_t n_words;
    float learning_rate;
    float x_max;
    float alpha;
    bool symmetric;  // each pair of words stands for both orders, and trains both
};

struct Cooccurrence {
    uint32_t row;
    uint32_t column;
    float value;  // above 0
};

struct GloveResult {
    double loss = 0;      // weighted squared errors, halved and summed
    int64_t n_terms = 0;  // how many of them
};

// Co-occurrences of one row that are trained one after the other, while the row is at hand. Longer
// ones are cut, so that no thread holds a row for long that another one needs too.
constexpr int kGroup = 16;

// Where groups of co-occurrences of the same row begin; returns how many there are. `starts` has room
// for n. The order is random.
FIRTH_DECLARE_KERNELS(
    GloveResult train_glove(const Glove &model, const Cooccurrence *cooccurrences, size_t n,
                            uint64_t seed, uint32_t *starts);)

}  // namespace firth
