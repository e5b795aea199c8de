// Vectors of the widest registers that the instruction set has, in the language that GCC and Clang
// share. Everything here is static: the same source is compiled for several sets, and no function of
// one may stand in for another's at link time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace firth::FIRTH_ISA {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif

typedef float vfloat __attribute__((vector_size(lanes * 4)));
typedef int32_t vint __attribute__((vector_size(lanes * 4)));
typedef double vdouble __attribute__((vector_size(lanes * 4)));

static inline vfloat load(const float *p) {
    vfloat v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
static inline void store(float *p, vfloat v) { std::memcpy(p, &v, sizeof v); }
static inline vfloat broadcast(float x) { return vfloat{} + x; }
static inline vfloat select(vint mask, vfloat yes, vfloat no) {
    return (vfloat)((mask & (vint)yes) | (~mask & (vint)no));
}

typedef float vhalf __attribute__((vector_size(lanes * 2)));
static inline vhalf lower_half(vfloat v) {
    vhalf half;
    std::memcpy(&half, &v, sizeof half);
    return half;
}
static inline vhalf upper_half(vfloat v) {
    vhalf half;
    std::memcpy(&half, reinterpret_cast<const char *>(&v) + sizeof half, sizeof half);
    return half;
}

// Sums of neighbouring lanes: those of a, then those of b.
static inline vfloat add_pairs(vfloat a, vfloat b) {
#if defined(__AVX512F__)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX__)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

// The sums of N vectors from number First on, one a lane: a transposing reduction, log2(N) rounds of
// add_pairs. Behind the Count vectors that there are, zeros.
template <int First, int N, int Count>
static inline vfloat sum_each(const vfloat (&v)[Count]) {
    if constexpr (First >= Count)
        return vfloat{};
    else if constexpr (N == 1)
        return v[First];
    else
        return add_pairs(sum_each<First, N / 2>(v), sum_each<First + N / 2, N / 2>(v));
}

// Stores the sums of all vectors one after the other, and zeros up to a whole vector.
template <int First = 0, int Count>
static inline void store_sums(float *sums, const vfloat (&v)[Count]) {
    store(sums + First, sum_each<First, lanes>(v));
    if constexpr (First + lanes < Count) store_sums<First + lanes>(sums, v);
}

static inline float sum(vfloat v) {
    float total = 0;
    for (int i = 0; i < lanes; ++i) total += v[i];
    return total;
}

// e^-z for z >= 0, relative error below 2e-7: 2^n times a Taylor polynomial on [-ln2/2, ln2/2].
static inline vfloat exp_of_minus(vfloat z) {
    const vfloat limit = broadcast(86.0f);  // e^-86 is still a normal number
    z = select(z < limit, z, limit);
    const vfloat exponent = z * -1.44269504f;
    const vint n = __builtin_convertvector(exponent - 0.5f, vint);
    const vfloat whole = __builtin_convertvector(n, vfloat);
    const vfloat r = (-z - whole * 0.693359375f) + whole * 2.12194440e-4f;
    vfloat p = r * (1.0f / 720) + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * (vfloat)((n + 127) << 23);
}

}  // namespace firth::FIRTH_ISA
