// Memory that grows to a size which nobody knows beforehand, without a second copy of it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace firth {

// Zeroed or arbitrary bytes; what was not written to takes no memory where the system allows it.
class GrowingMemory {
  public:
    GrowingMemory() = default;
    GrowingMemory(const GrowingMemory &) = delete;
    GrowingMemory &operator=(const GrowingMemory &) = delete;
    ~GrowingMemory() { free_memory(data_, capacity_); }

    char *data() const { return data_; }
    size_t capacity() const { return capacity_; }

    // Makes room for at least `size` bytes; those that are there stay.
    void reserve(size_t size) {
        if (size <= capacity_) return;
        resize(size > capacity_ + capacity_ / 2 ? size : capacity_ + capacity_ / 2);
    }

    // Gives the memory away, cut to `size` bytes: free it with free_memory(pointer, size).
    char *release(size_t size) {
        if (size != capacity_) resize(size);
        capacity_ = 0;
        return std::exchange(data_, nullptr);
    }

#if defined(__linux__)
    // The system moves pages by changing their addresses.
    static void free_memory(void *data, size_t size) noexcept {
        if (data) munmap(data, whole_pages(size));
    }

  private:
    static size_t whole_pages(size_t size) { return (size + 4095) / 4096 * 4096; }

    void resize(size_t size) {
        if (size == 0) {
            free_memory(std::exchange(data_, nullptr), std::exchange(capacity_, 0));
            return;
        }
        void *moved = data_ ? mremap(data_, whole_pages(capacity_), whole_pages(size),
                                     MREMAP_MAYMOVE)
                            : mmap(nullptr, whole_pages(size), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (moved == MAP_FAILED) throw std::bad_alloc();
        data_ = static_cast<char *>(moved);
        capacity_ = size;
        // Fewer page faults now, fewer misses of the address cache whenever the rows are searched.
        madvise(data_, whole_pages(size), MADV_HUGEPAGE);
    }
#else
    static void free_memory(void *data, size_t) noexcept { std::free(data); }

  private:
    void resize(size_t size) {
        if (size == 0) {
            std::free(std::exchange(data_, nullptr));
            capacity_ = 0;
            return;
        }
        void *moved = std::realloc(data_, size);
        if (!moved) throw std::bad_alloc();
        data_ = static_cast<char *>(moved);
        capacity_ = size;
    }
#endif

    char *data_ = nullptr;
    size_t capacity_ = 0;
};

}  // namespace firth
