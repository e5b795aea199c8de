#include "bindings.hpp"

void bind_neighbours(nb::module_ &) {}
