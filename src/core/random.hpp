// SplitMix64 (Steele, Lea and Flood 2014), a counter-based generator: the i-th number is a hash of
// seed + i * golden ratio. A stream costs nothing to start, so every chunk of the corpus has its own
// and training does not depend on which thread takes which chunk.
#pragma once

#include <cstdint>

namespace firth {

struct RandomStream {
    uint64_t state;

    // Always inlined, since kernels of several instruction sets have it: see kernels/simd.hpp.
    [[gnu::always_inline]] uint64_t next() {
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
};

}  // namespace firth
