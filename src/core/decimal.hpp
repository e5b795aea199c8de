// Decimal numbers to float32, correctly rounded, at the speed of memory where they look as vectors do.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "hash.hpp"

namespace firth {

constexpr size_t kReadBeyond = 16;  // bytes behind a number that `parse_common` may look at

namespace decimal_detail {

// Whether a number that float32 cannot hold is too large, and not too small: by the power of ten of
// its first digit.
inline bool is_large(const char *p, const char *last) {
    int64_t power = 0, exponent = 0;
    bool behind_point = false, has_begun = false;
    for (; p != last && (*p | 0x20) != 'e'; ++p) {
        if (*p == '.') {
            behind_point = true;
        } else if (*p != '-') {
            has_begun |= *p != '0';
            if (!behind_point && has_begun) ++power;
            if (behind_point && !has_begun) --power;
        }
    }
    if (p == last) return power > 0;
    const bool negative = *++p == '-';
    if (negative || *p == '+') ++p;
    // Larger than any number of digits, and far from overflow.
    for (; p != last && exponent < (int64_t{1} << 50); ++p) exponent = 10 * exponent + (*p - '0');
    return power + (negative ? -exponent : exponent) > 0;
}

}  // namespace decimal_detail

// Any number in [first, last), the whole of it: "-0.5", "+1e-3", "7", ".5", "NaN", "inf". Those too
// large for float32 are infinite, those too small are zero. False for anything else.
inline bool parse_any(const char *first, const char *last, float &value) {
    if (first != last && *first == '+') {
        ++first;
        if (first != last && *first == '-') return false;
    }
    if (first == last) return false;
#if defined(__cpp_lib_to_chars)
    const auto [end, error] = std::from_chars(first, last, value);
    if (end != last || error == std::errc::invalid_argument) return false;
    if (error == std::errc::result_out_of_range) {
        value = decimal_detail::is_large(first, last) ? std::numeric_limits<float>::infinity() : 0;
        if (*first == '-') value = -value;
    }
    return true;
#else
    // C++ libraries without it: the program runs in the "C" locale as far as numbers go, since
    // Python never sets another.
    const std::string text(first, last);
    if (text.find_first_of("xX \t\r\n\f\v") != std::string::npos) return false;
    char *end = nullptr;
    value = std::strtof(text.c_str(), &end);
    return end == text.c_str() + text.size();
#endif
}

namespace decimal_detail {

constexpr double kPowers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                              1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
constexpr uint64_t kWhole[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

// How many of the eight characters are digits, from the first on; `digits` are their values.
inline unsigned count_digits(const char *p, uint64_t &digits) {
    digits = load_bytes<uint64_t>(p) ^ 0x3030303030303030;
    const uint64_t others = (digits | (digits + 0x7676767676767676)) & 0x8080808080808080;
    return static_cast<unsigned>(std::countr_zero(others)) / 8;  // 64 / 8 where there are none
}

// The number that the first n of eight digits make, 0 < n <= 8.
inline uint64_t join_digits(uint64_t digits, unsigned n) {
    digits <<= 64 - 8 * n;
    digits = digits * 10 + (digits >> 8);
    constexpr uint64_t pair = 0x000000FF000000FF;
    return ((digits & pair) * 0x000F424000000064 + (digits >> 16 & pair) * 0x0000271000000001) >>
           32;
}

}  // namespace decimal_detail

// A number as vectors have them, "-0.0123": a sign or none, one digit, a point, up to 16 digits.
// Moves p behind it. False, with p anywhere, for all others and for the few whose rounding needs
// more care. Exact: an integer below 2^53 divided by a power of ten up to 10^22 is the correctly
// rounded double (Clinger 1990), and that rounds to the same float32 as the number itself unless
// it lies in the middle of two.
inline bool parse_common(const char *&p, float &value) {
    using namespace decimal_detail;
    const bool negative = *p == '-';
    p += negative;
    const uint64_t first = static_cast<uint64_t>(static_cast<unsigned char>(*p)) - '0';
    if (first > 9 || p[1] != '.') return false;
    p += 2;
    uint64_t digits;
    unsigned n = count_digits(p, digits);
    if (n == 0) return false;
    uint64_t mantissa = first * kWhole[n] + join_digits(digits, n);
    p += n;
    if (n == 8) {
        if (const unsigned more = count_digits(p, digits)) {
            mantissa = mantissa * kWhole[more] + join_digits(digits, more);
            if (more == 8 || mantissa > uint64_t{1} << 53) return false;
            p += more;
            n += more;
        }
    }
    if ((*p | 0x20) == 'e') return false;
    const double exact = static_cast<double>(mantissa) / kPowers[n];
    const uint64_t bits = std::bit_cast<uint64_t>(exact);
    if ((bits & 0x1FFFFFFF) == 0x10000000) return false;
    if (exact < std::numeric_limits<float>::min() && mantissa) return false;
    const float rounded = static_cast<float>(exact);
    value = negative ? -rounded : rounded;
    return true;
}

}  // namespace firth
