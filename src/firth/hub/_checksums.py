"""Checksums as the catalogue writes them: "sha256:..." or "md5:..."."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 1 << 20


class Digest:
    """The checksums of bytes as they come: sha256, and the kind that they will be compared with."""

    def __init__(self, expected: str | None = None) -> None:
        self._expected = expected
        kinds = {"sha256"} | ({expected.partition(":")[0]} if expected else set())
        self._digests = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}

    def update(self, data: bytes) -> None:
        """Take more bytes."""
        for digest in self._digests.values():
            digest.update(data)

    def update_from(self, path: Path) -> None:
        """Take the bytes of a file."""
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                self.update(block)

    @property
    def sha256(self) -> str:
        """The sha256 of all bytes so far, in hexadecimal digits."""
        return self._digests["sha256"].hexdigest()

    @property
    def is_expected(self) -> bool:
        """Whether the bytes have the checksum that was expected, if one was."""
        if self._expected is None:
            return True
        kind, _, digits = self._expected.partition(":")
        return self._digests[kind].hexdigest() == digits.lower()

    @property
    def found(self) -> str:
        """The checksum that the bytes have, of the kind that was expected."""
        kind = self._expected.partition(":")[0] if self._expected else "sha256"
        return f"{kind}:{self._digests[kind].hexdigest()}"
