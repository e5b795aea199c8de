// UTF-8: whether bytes are it, and what to make of those that are not.
#pragma once

#include <string>
#include <string_view>

namespace firth {

bool is_utf8(std::string_view bytes);

// The bytes without what is not UTF-8, or with U+FFFD in its place: once for each longest part that
// begins a character and does not complete it (Unicode 15, section 3.9), as Python does.
std::string repaired_utf8(std::string_view bytes, bool replace);

}  // namespace firth
