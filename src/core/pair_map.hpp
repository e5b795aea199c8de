// A hash table from 64-bit keys to 64-bit values, for counting pairs of ids.
//
// Open addressing with linear probing; a slot is 16 bytes, so that a look-up is one cache miss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hash.hpp"

namespace firth {

// The hash of a key. The highest bits choose a table where there are many, the lowest a slot in it.
inline uint64_t hash_of_key(uint64_t key) {
    return multiply_and_fold(key ^ 0xa0761d6478bd642f, 0xe7037ed1a0b428db);
}

class PairMap {
  public:
    // The only key that cannot be stored.
    static constexpr uint64_t kNoKey = ~uint64_t{0};
    struct Slot {
        uint64_t key, value;
    };

    size_t size() const { return size_; }
    const std::vector<Slot> &slots() const { return slots_; }

    void prefetch(uint64_t hash) const {
        if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)], 1);
    }

    // The value of a key, or null.
    const uint64_t *find(uint64_t key, uint64_t hash) const {
        if (slots_.empty()) return nullptr;
        const Slot &slot = slots_[place_of(key, hash)];
        return slot.key == key ? &slot.value : nullptr;
    }

    // The value of a key, which is `fresh` where the key is new.
    uint64_t &at(uint64_t key, uint64_t hash, uint64_t fresh = 0) {
        if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? 64 : slots_.size() * 2);
        Slot &slot = slots_[place_of(key, hash)];
        if (slot.key != key) {
            slot = {key, fresh};
            ++size_;
        }
        return slot.value;
    }

    // Drops all keys whose value is below a limit, and the memory that they took.
    void keep_from(uint64_t limit) {
        std::vector<Slot> all = std::move(slots_);
        size_t n = 0;
        for (const Slot &slot : all) n += slot.key != kNoKey && slot.value >= limit;
        slots_ = {};
        size_ = 0;
        size_t n_slots = 64;
        while (n * 2 > n_slots) n_slots *= 2;
        resize(n_slots);
        for (const Slot &slot : all)
            if (slot.key != kNoKey && slot.value >= limit)
                at(slot.key, hash_of_key(slot.key)) = slot.value;
    }

  private:
    size_t place_of(uint64_t key, uint64_t hash) const {
        const size_t mask = slots_.size() - 1;
        size_t place = hash & mask;
        while (slots_[place].key != kNoKey && slots_[place].key != key) place = (place + 1) & mask;
        return place;
    }

    void resize(size_t n_slots) {
        std::vector<Slot> larger(n_slots, Slot{kNoKey, 0});
        larger.swap(slots_);
        for (const Slot &slot : larger)
            if (slot.key != kNoKey) slots_[place_of(slot.key, hash_of_key(slot.key))] = slot;
    }

    std::vector<Slot> slots_;  // a power of two, at most three quarters full
    size_t size_ = 0;
};

}  // namespace firth
