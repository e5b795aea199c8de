#include "bindings.hpp"

void bind_vocabulary(nb::module_ &) {}
