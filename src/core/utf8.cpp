#include "utf8.hpp"

#include <cstdint>
#include <cstring>

namespace firth {

namespace {

// How many bytes at the front are a whole character (then `valid`), or the longest beginning of one.
size_t leading_part(const unsigned char *p, size_t length, bool &valid) {
    valid = true;
    if (p[0] < 0x80) return 1;
    const unsigned first = p[0];
    // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
    const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    const size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    valid = false;
    if (size == 0) return 1;
    if (length < 2 || p[1] < lowest || p[1] > highest) return 1;
    for (size_t i = 2; i < size; ++i)
        if (i >= length || (p[i] & 0xC0) != 0x80) return i;
    valid = true;
    return size;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
    const auto *p = reinterpret_cast<const unsigned char *>(bytes.data());
    size_t i = 0;
    while (i < bytes.size()) {
        for (; i + 8 <= bytes.size(); i += 8) {
            uint64_t word;
            std::memcpy(&word, p + i, 8);
            if (word & 0x8080808080808080) break;
        }
        if (i == bytes.size()) break;
        bool valid;
        i += leading_part(p + i, bytes.size() - i, valid);
        if (!valid) return false;
    }
    return true;
}

std::string repaired_utf8(std::string_view bytes, bool replace) {
    const auto *p = reinterpret_cast<const unsigned char *>(bytes.data());
    std::string result;
    for (size_t i = 0; i < bytes.size();) {
        bool valid;
        const size_t size = leading_part(p + i, bytes.size() - i, valid);
        if (valid)
            result.append(bytes.substr(i, size));
        else if (replace)
            result.append("\xEF\xBF\xBD");
        i += size;
    }
    return result;
}

}  // namespace firth
