// Exchanges two names in the file system in one step.
#pragma once

namespace firth {

// Both paths must exist on one file system. Returns 0, or the error number; ENOSYS where the
// system has no such call.
int exchange_paths(const char *a, const char *b);

}  // namespace firth
