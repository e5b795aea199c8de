"""What this process may use of the machine."""

import os

__all__ = ["usable_cores"]


def usable_cores() -> int:
    """Count the cores that this process may run on; a container or a job may have fewer than all.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
