// Numbers of 16 bits (IEEE 754 binary16), rounded to nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

namespace firth {

inline uint16_t to_half(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000)  // NaN: the top of its payload is kept, and it stays NaN
        return static_cast<uint16_t>(sign | 0x7E00 | (magnitude >> 13 & 0x1FF));
    if (magnitude >= 0x477FF000)  // 65520 and more round to infinity
        return static_cast<uint16_t>(sign | 0x7C00);
    if (magnitude < 0x38800000) {  // below 2^-14: subnormal; adding 0.5 rounds at the right bit
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000));
    }
    const uint32_t odd = magnitude >> 13 & 1;
    return static_cast<uint16_t>(sign | (magnitude - 0x38000000 + 0xFFF + odd) >> 13);
}

inline float from_half(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, rest = half & 0x7FFF;
    if (rest >= 0x7C00)
        return std::bit_cast<float>(sign | 0x7F800000 | (rest & 0x3FF) << 13);
    if (rest < 0x400) {  // subnormal: the number of units of 2^-24
        const float value = static_cast<float>(rest) * 0x1p-24f;
        return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
    }
    return std::bit_cast<float>(sign | ((rest << 13) + 0x38000000));
}

}  // namespace firth
