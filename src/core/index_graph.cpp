#include "index_graph.hpp"

namespace firth {

int64_t first_wrong_byte(const uint8_t *bytes, size_t n_bytes, const GraphShape &shape) {
    const auto [n_nodes, n_rows, connectivity, connectivity_base] = shape;
    if (n_bytes / level_bytes < n_nodes) return static_cast<int64_t>(n_bytes);
    const auto level_of = [&](size_t node) { return read<int16_t>(bytes + node * level_bytes); };
    size_t at = n_nodes * level_bytes;
    for (size_t node = 0; node < n_nodes; ++node) {
        const int16_t top = level_of(node);
        if (top < 0) return static_cast<int64_t>(node * level_bytes);
        const size_t size = list_begin(shape, static_cast<size_t>(top) + 1);
        if (n_bytes - at < size) return static_cast<int64_t>(n_bytes);
        if (read<uint64_t>(bytes + at) >= n_rows) return static_cast<int64_t>(at);
        if (read<int16_t>(bytes + at + key_bytes) != top)
            return static_cast<int64_t>(at + key_bytes);
        size_t list = at + key_bytes + level_bytes;
        for (int level = 0; level <= top; ++level) {
            const size_t room = level == 0 ? connectivity_base : connectivity;
            const size_t count = read<uint32_t>(bytes + list);
            if (count > room) return static_cast<int64_t>(list);
            list += count_bytes;
            for (size_t i = 0; i < count; ++i) {
                const uint32_t neighbour = read<uint32_t>(bytes + list + i * slot_bytes);
                // On the lowest level are all: their levels need not be fetched.
                if (neighbour >= n_nodes || (level > 0 && level_of(neighbour) < level))
                    return static_cast<int64_t>(list + i * slot_bytes);
            }
            list += room * slot_bytes;
        }
        at += size;
    }
    return at == n_bytes ? -1 : static_cast<int64_t>(at);
}

}  // namespace firth
