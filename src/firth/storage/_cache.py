"""Where firth keeps what can be made or fetched again."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path | None:
    """Tell where firth keeps what can be made or fetched again: ``FIRTH_CACHE``, or the user's.

    None for a user without a home, as in some containers.
    """
    try:
        if chosen := os.environ.get("FIRTH_CACHE"):
            return Path(chosen).expanduser()
        if sys.platform == "darwin":
            return Path("~/Library/Caches/firth").expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "firth"
    except RuntimeError:
        return None
