// A 64-bit hash of short byte strings: the one hash of firth, for counting words and for the index
// of a saved vocabulary. Word indexes on disk depend on it, so that its values never change.
#pragma once

#include <cstdint>
#include <cstring>

namespace firth {

namespace detail {

// Multiplies to 128 bits and folds the halves: the mixing step of wyhash (Wang Yi, public domain).
inline uint64_t mix(uint64_t a, uint64_t b) {
    const __uint128_t product = static_cast<__uint128_t>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <typename T>
inline T load_little_endian(const char *p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "firth's files are little-endian");
    return value;
}

}  // namespace detail

inline uint64_t hash_bytes(const char *bytes, size_t length) {
    using detail::load_little_endian;
    using detail::mix;
    constexpr uint64_t k0 = 0xa0761d6478bd642f, k1 = 0xe7037ed1a0b428db, k2 = 0x8ebc6af09c88c6e3;
    const char *p = bytes;
    size_t rest = length;
    uint64_t state = k0;
    for (; rest > 16; rest -= 16, p += 16)
        state = mix(load_little_endian<uint64_t>(p) ^ k1, load_little_endian<uint64_t>(p + 8) ^ state);
    uint64_t a = 0, b = 0;
    if (rest >= 8) {
        a = load_little_endian<uint64_t>(p);
        b = load_little_endian<uint64_t>(p + rest - 8);
    } else if (rest >= 4) {
        a = load_little_endian<uint32_t>(p);
        b = load_little_endian<uint32_t>(p + rest - 4);
    } else if (rest > 0) {
        a = static_cast<uint64_t>(static_cast<uint8_t>(p[0])) << 16 |
            static_cast<uint64_t>(static_cast<uint8_t>(p[rest >> 1])) << 8 |
            static_cast<uint8_t>(p[rest - 1]);
    }
    return mix(k1 ^ length, mix(a ^ k2, b ^ state));
}

}  // namespace firth
