"""Encoded corpora that are kept, so that training again on the same text starts at once.

They lie in ``corpora`` of firth's cache folder, the last used ``FIRTH_CORPUS_CACHE_GB`` gigabytes
of them (10 unless told otherwise; 0 keeps none). The name of a folder is a hash of all that its
content depends on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import time
from typing import TYPE_CHECKING

from firth.errors import ParameterError
from firth.storage import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_GIGABYTES = 10.0
# Half-written folders this old belong to processes that were killed.
_STALE_SECONDS = 2 * 24 * 3600


def corpus_folder(fingerprint: dict[str, object]) -> Path | None:
    """Tell where the corpus with this fingerprint is kept, whether it is there or not."""
    cache = cache_folder()
    if cache is None:
        return None
    text = json.dumps(fingerprint, sort_keys=True)
    return cache / "corpora" / hashlib.sha256(text.encode()).hexdigest()[:32]


def cache_limit_bytes() -> int:
    """Tell how much all corpora that are kept may take.

    Raises
    ------
    ParameterError
        ``FIRTH_CORPUS_CACHE_GB`` is no number.
    """
    value = os.environ.get("FIRTH_CORPUS_CACHE_GB", "")
    try:
        gigabytes = float(value) if value else DEFAULT_GIGABYTES
    except ValueError:
        gigabytes = math.nan
    if not math.isfinite(gigabytes):
        raise ParameterError(
            f"FIRTH_CORPUS_CACHE_GB is {value!r}, not a number: give the gigabytes that encoded "
            f"texts may take, such as 10, or 0 to keep none"
        )
    return int(gigabytes * 1e9)


def mark_used(folder: Path) -> None:
    """Note that a corpus was used just now, so that it is not the first to go."""
    with contextlib.suppress(OSError):
        os.utime(folder, (time.time(),) * 2)


def trim(keep: Path) -> bool:
    """Remove the corpora used longest ago until the rest is within the limit.

    One that another process has open stays readable there until it is closed.

    Returns
    -------
    bool
        Whether `keep`, which is never removed here, is within the limit itself.
    """
    limit = cache_limit_bytes()
    found: list[tuple[float, int, Path]] = []
    with contextlib.suppress(OSError):
        for folder in keep.parent.iterdir():
            with contextlib.suppress(OSError):
                files = [folder.stat(), *(file.stat() for file in folder.iterdir())]
                size = sum(file.st_size for file in files[1:])
                if not folder.name.startswith("."):
                    found.append((files[0].st_mtime, size, folder))
                # A leading dot: it is being written by another process, or was until a kill.
                elif time.time() - max(file.st_mtime for file in files) > _STALE_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
    total = sum(size for _, size, _ in found)
    for _, size, folder in sorted(found):
        if total <= limit:
            break
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
    return total <= limit
