// Work on several threads, whose exceptions reach the caller.
#pragma once

#include <atomic>
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

// Calls work(i) for each i below n on so many threads, each taking the next one that is left, so that a
// thread which is kept from its core holds nobody up. The calling thread calls use(i) in the order of
// the numbers, each as soon as it can, until one of them gives false; it is one of the threads.
template <typename Work, typename Use>
void on_threads_in_order(size_t n, size_t n_threads, const Work &work, const Use &use) {
    std::atomic<size_t> next{0};
    std::vector<std::atomic<int>> done(n);  // 1: done; 2: failed
    const auto work_on_next = [&] {
        const size_t i = next.fetch_add(1);
        if (i >= n) return false;
        struct Mark {
            std::atomic<int> &done;
            int value = 2;
            ~Mark() {
                done.store(value);
                done.notify_all();
            }
        } mark{done[i]};
        work(i);
        mark.value = 1;
        return true;
    };
    on_threads_each(n_threads, [&](size_t thread) {
        if (thread + 1 < n_threads) {
            while (work_on_next()) {
            }
            return;
        }
        bool goes_on = true;
        for (size_t used = 0; goes_on && used < n; ++used) {
            while (done[used].load() == 0)
                if (!work_on_next()) done[used].wait(0);
            goes_on = done[used].load() == 1 && use(used);
        }
        next.store(n);
    });
}

}  // namespace firth
