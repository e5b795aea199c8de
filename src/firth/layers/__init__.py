"""Layers of neural networks that hold word vectors: PyTorch, Keras 3 and JAX (Flax NNX).

`firth.layers.torch`, `firth.layers.keras` and `firth.layers.jax` offer the same functions. Each
needs the extra of its name, and is imported when it is first used.

>>> import numpy as np, torch
>>> import firth
>>> layer = firth.layers.torch.embedding(np.array([[1, 2], [3, 4]], np.float32))
>>> layer(torch.tensor([[1, 0, 1]])).shape
torch.Size([1, 3, 2])
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firth.layers import jax, keras, torch

__all__ = ["jax", "keras", "torch"]


def __getattr__(name: str) -> Any:
    # Written out in full: "from firth.layers import torch" would come here again.
    if name == "torch":
        import firth.layers.torch
    elif name == "keras":
        import firth.layers.keras
    elif name == "jax":
        import firth.layers.jax  # noqa: F401
    else:
        raise AttributeError(f"module 'firth.layers' has no attribute {name!r}")
    return sys.modules[f"firth.layers.{name}"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
