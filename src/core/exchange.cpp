#include "exchange.hpp"

#include <cerrno>

#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <cstdio>
#endif

namespace firth {

int exchange_paths(const char *a, const char *b) {
#if defined(__linux__) && defined(SYS_renameat2)
    constexpr unsigned exchange = 2;  // RENAME_EXCHANGE; not every C library has renameat2()
    return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, exchange) == 0 ? 0 : errno;
#elif defined(__APPLE__)
    return renamex_np(a, b, RENAME_SWAP) == 0 ? 0 : errno;
#else
    (void)a, (void)b;
    return ENOSYS;
#endif
}

}  // namespace firth
