// Vectors of the widest registers that the instruction set has, in the language that GCC and Clang
// share. Everything here is static: the same source is compiled for several sets, and no function of
// one may stand in for another's at link time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace firth::FIRTH_ISA {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int registers = 32;
#else
constexpr int registers = 16;
#endif

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
    return mask ? yes : no;
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

// In each pair of blocks of S lanes: the sum of a's in the first, that of b's in the second. By a blend and
// a shuffle instead of two shuffles, for which a core has fewer units.
template <int S, size_t... I>
static inline vfloat add_blocks(vfloat a, vfloat b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I & S ? lanes + I : I)...) +
           __builtin_shufflevector(a, b, (I & S ? lanes + I - S : I + S)...);
}

// The sums of N vectors from number First on, one a lane: a transposing reduction in log2(N) rounds.
// Behind the Count vectors that there are, zeros.
template <int First, int N, int Count>
static inline vfloat sum_each(const vfloat (&v)[Count]) {
    if constexpr (First >= Count)
        return vfloat{};
    else if constexpr (N == 1)
        return v[First];
    else
        return add_blocks<N / 2>(sum_each<First, N / 2>(v), sum_each<First + N / 2, N / 2>(v),
                                 std::make_index_sequence<lanes>());
}

// Stores the sums of all vectors one after the other, and zeros up to a whole vector.
template <int First = 0, int Count>
static inline void store_sums(float *sums, const vfloat (&v)[Count]) {
    store(sums + First, sum_each<First, lanes>(v));
    if constexpr (First + lanes < Count) store_sums<First + lanes>(sums, v);
}

// The first n lanes, for any n.
static inline vint first_lanes(int n) {
    vint lane;
    for (int i = 0; i < lanes; ++i) lane[i] = i;
    return lane < n;
}

static inline float sum(vfloat v) {
    float total = 0;
    for (int i = 0; i < lanes; ++i) total += v[i];
    return total;
}

// e^-z for z >= 0, relative error below 2e-7: 2^n times a Taylor polynomial on [-ln2/2, ln2/2].
// Beyond 60 it is e^-60. Much smaller ones, times a learning rate, would be no normal numbers any more, with
// which a processor takes a hundred times as long.
static inline vfloat exp_of_minus(vfloat z) {
    const vfloat limit = broadcast(60.0f);
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

// Natural logarithm of positive normal numbers, relative error of x below 2e-7: the exponent, and the
// polynomial of Cephes' logf for the mantissa, between sqrt(1/2) and sqrt(2).
static inline vfloat log_of(vfloat x) {
    const vint bits = (vint)x;
    // The exponent counts from sqrt(1/2) up, so that mantissas lie around 1.
    const vint shifted = bits - 0x3f3504f3;
    const vint exponent = shifted >> 23;
    const vfloat m = (vfloat)((shifted & 0x007fffff) + 0x3f3504f3) - 1.0f;
    const vfloat e = __builtin_convertvector(exponent, vfloat);
    vfloat p = m * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    const vfloat square = m * m;
    return p * m * square + e * -2.12194440e-4f - square * 0.5f + m + e * 0.693359375f;
}

}  // namespace firth::FIRTH_ISA
