#include "isa.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace firth {

std::vector<Isa> supported_isas() {
    std::vector<Isa> isas{Isa::baseline};
#ifdef FIRTH_X86
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        isas.push_back(Isa::avx2);
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            isas.push_back(Isa::avx512);
    }
#endif
    return isas;
}

const char *isa_name(Isa isa) {
    switch (isa) {
        case Isa::avx512: return "avx512";
        case Isa::avx2: return "avx2";
        default: return "baseline";
    }
}

Isa isa_from_name(const std::string &name) {
    for (Isa isa : supported_isas())
        if (name == isa_name(isa)) return isa;
    std::string message = "no instruction set '" + name + "' on this machine; it has:";
    for (Isa isa : supported_isas()) message += std::string(" ") + isa_name(isa);
    throw std::invalid_argument(message);
}

namespace {

Isa initial_isa() {
    if (const char *name = std::getenv("FIRTH_ISA"); name && *name) return isa_from_name(name);
    return supported_isas().back();
}

Isa &chosen_isa() {
    static Isa isa = initial_isa();
    return isa;
}

}  // namespace

Isa current_isa() { return chosen_isa(); }
void select_isa(Isa isa) { chosen_isa() = isa; }

}  // namespace firth
