"""Arrays on disk: tensors that open by memory map, and folders that appear whole or not at all.

A folder of firth holds a ``config.json`` (what it is and how it was made) and one or more
``.safetensors`` files.
"""

from firth.storage._cache import cache_folder
from firth.storage._folders import check_target, read_config, write_config, write_folder
from firth.storage._tensors import open_tensors, save_tensors
from firth.storage._writing import output_errors

__all__ = [
    "cache_folder",
    "check_target",
    "open_tensors",
    "output_errors",
    "read_config",
    "save_tensors",
    "write_config",
    "write_folder",
]
