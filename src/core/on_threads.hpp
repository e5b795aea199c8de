// Work on several threads, whose exceptions reach the caller.
#pragma once

#include <exception>
#include <thread>
#include <vector>

namespace firth {

// Calls work(i) for each i below n, each on a thread of its own, the last on the calling one.
template <typename Work>
void on_threads_each(size_t n, const Work &work) {
    std::vector<std::exception_ptr> errors(n);
    const auto guarded = [&](size_t i) {
        try {
            work(i);
        } catch (...) {
            errors[i] = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    others.reserve(n);
    size_t started = 0;
    try {
        for (; started + 1 < n; ++started) others.emplace_back(guarded, started);
    } catch (const std::system_error &) {
        // No more threads are to be had: the calling one does the rest.
    }
    for (size_t i = started; i < n; ++i) guarded(i);
    for (std::thread &other : others) other.join();
    for (const std::exception_ptr &error : errors)
        if (error) std::rethrow_exception(error);
}

}  // namespace firth
