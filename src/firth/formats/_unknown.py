"""What a file looks like that is in no format of word vectors: for the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firth.formats._source import VectorSource

_MAGICS = (
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
)


def what_it_looks_like(source: VectorSource) -> str:
    """Describe a source that no format recognises, and what to do."""
    head = source.head
    if source.is_folder:
        return "this folder is in no format of word vectors that firth knows"
    if not head:
        return "this file is empty. Get it again"
    for magic, what in _MAGICS:
        if head.startswith(magic):
            return f"this is {what}, no file of word vectors"
    if head.startswith(b"PK\x03\x04"):
        return "this is an archive inside of an archive: unpack the outer one first"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "this is text in UTF-16: convert it to UTF-8 first, with iconv -f UTF-16 -t UTF-8"
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return (
            "this is a page of HTML, no file of word vectors: an address that shows a page was "
            "downloaded in place of the file behind it"
        )
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        return (
            "this is a Git LFS pointer, which stands for the file of vectors: get the file itself "
            "with 'git lfs pull'"
        )
    if start.startswith((b"<?xml", b"<")):
        return "this is XML, no file of word vectors"
    if start.startswith((b"{", b"[")):
        return "this looks like JSON, which is no format of word vectors that firth knows"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return (
            "this is a pickle of Python, which firth does not read, as it may run any program; "
            "save the vectors in another format where you trust it"
        )
    if b"\0" not in head and b"\r" in head and b"\n" not in head:
        return "this is text with line ends of old Macs (CR): convert them to LF first"
    if b"\0" not in head:
        return "this is text, but no words with vectors: each line has a word and its numbers"
    return "these bytes are in no format of word vectors that firth knows"
