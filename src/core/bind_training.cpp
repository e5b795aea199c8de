#include "bindings.hpp"

void bind_training(nb::module_ &) {}
