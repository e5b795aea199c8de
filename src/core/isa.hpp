// The instruction sets that the kernels are compiled for, and the choice among them.
#pragma once

#include <string>
#include <vector>

namespace firth {

enum class Isa { baseline, avx2, avx512 };

// The sets that this machine can run, widest last.
std::vector<Isa> supported_isas();

// The set in use: the widest that this machine runs, or the one that the environment
// variable FIRTH_ISA or select_isa() named.
Isa current_isa();
void select_isa(Isa isa);

const char *isa_name(Isa isa);
Isa isa_from_name(const std::string &name);  // throws std::invalid_argument

}  // namespace firth

// Calls FUNCTION in the namespace of the instruction set in use. Each kernel header
// declares its functions once in every namespace with FIRTH_DECLARE_KERNELS.
#ifdef FIRTH_X86
#define FIRTH_DISPATCH(FUNCTION, ...)                                      \
    (firth::current_isa() == firth::Isa::avx512 ? avx512::FUNCTION(__VA_ARGS__) \
     : firth::current_isa() == firth::Isa::avx2 ? avx2::FUNCTION(__VA_ARGS__)   \
                                                : baseline::FUNCTION(__VA_ARGS__))
#define FIRTH_DECLARE_KERNELS(DECLARATIONS) \
    namespace baseline { DECLARATIONS }     \
    namespace avx2 { DECLARATIONS }         \
    namespace avx512 { DECLARATIONS }
#else
#define FIRTH_DISPATCH(FUNCTION, ...) baseline::FUNCTION(__VA_ARGS__)
#define FIRTH_DECLARE_KERNELS(DECLARATIONS) namespace baseline { DECLARATIONS }
#endif
