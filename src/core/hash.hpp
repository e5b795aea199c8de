// A 64-bit hash of short byte strings: the one hash of firth, for counting words and for the index
// of a saved vocabulary. Word indexes on disk depend on it, so that its values never change.
//
// The string is read as little-endian 64-bit words, the last one filled up with zeros; each is mixed
// in by a 128-bit product, the step of wyhash (Wang Yi, public domain). Words of up to eight bytes,
// most of any text, cost two products and no loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace firth {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "firth's files are little-endian");

template <typename T>
inline T load_bytes(const char *p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

// The first eight bytes of a string as one number, filled up with zeros; reads nothing behind it.
inline uint64_t load_padded(const char *p, size_t length) {
    if (length >= 8) return load_bytes<uint64_t>(p);
    if (length >= 4) {
        const uint64_t low = load_bytes<uint32_t>(p), high = load_bytes<uint32_t>(p + length - 4);
        return low | high << (8 * (length - 4));
    }
    uint64_t word = 0;
    for (size_t i = 0; i < length; ++i)
        word |= static_cast<uint64_t>(static_cast<uint8_t>(p[i])) << (8 * i);
    return word;
}

inline uint64_t multiply_and_fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 uint128;
    const uint128 product = static_cast<uint128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The hash of a string whose first eight bytes, load_padded(bytes, length), are at hand.
inline uint64_t hash_bytes(const char *bytes, size_t length, uint64_t first_word) {
    constexpr uint64_t k0 = 0xa0761d6478bd642f, k1 = 0xe7037ed1a0b428db, k2 = 0x8ebc6af09c88c6e3;
    uint64_t state = multiply_and_fold(first_word ^ k0, k1 ^ length);
    for (size_t i = 8; i < length; i += 8)
        state = multiply_and_fold(load_padded(bytes + i, length - i) ^ state, k1);
    return multiply_and_fold(state, k2);
}

inline uint64_t hash_bytes(const char *bytes, size_t length) {
    return hash_bytes(bytes, length, load_padded(bytes, length));
}

}  // namespace firth
