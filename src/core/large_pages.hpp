// Arrays that are looked at here and there lie on large pages where the system has them: fewer misses of
// the address cache, and fewer faults while they fill.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace firth {

template <typename T>
struct LargePages {
    using value_type = T;

    LargePages() = default;
    template <typename U>
    LargePages(const LargePages<U> &) {}

    T *allocate(size_t n) {
        if (n > static_cast<size_t>(-1) / sizeof(T) - kPage) throw std::bad_alloc();
        const size_t size = n * sizeof(T);
        const bool is_large = size >= kPage;
        void *memory = is_large ? std::aligned_alloc(kPage, (size + kPage - 1) / kPage * kPage)
                                : std::malloc(size);
        if (!memory) throw std::bad_alloc();
#if defined(__linux__)
        if (is_large) madvise(memory, size, MADV_HUGEPAGE);
#endif
        return static_cast<T *>(memory);
    }
    void deallocate(T *memory, size_t) noexcept { std::free(memory); }

    friend bool operator==(const LargePages &, const LargePages &) { return true; }

  private:
    static constexpr size_t kPage = size_t{2} << 20;
};

}  // namespace firth
