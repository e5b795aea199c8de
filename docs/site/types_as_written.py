"""Types of docstrings as they are written.

Griffe reads ``numpy.ndarray, shape (n_words, vector_size)`` as a tuple of Python, and shows it with
brackets; it means an array and its shape.
"""

from __future__ import annotations

from typing import Any

import griffe


class TypesAsWritten(griffe.Extension):
    """Take tuples in the types of docstrings for the text that they are."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through all docstrings of a package, once it is loaded."""
        objects: list[Any] = [pkg]
        while objects:
            one = objects.pop()
            objects += [member for member in one.members.values() if not member.is_alias]
            for section in one.docstring.parsed if one.docstring else ():
                for item in section.value if isinstance(section.value, list) else ():
                    if isinstance(getattr(item, "annotation", None), griffe.ExprTuple):
                        item.annotation = ", ".join(map(_text, item.annotation.elements))


def _text(part: object) -> str:
    if isinstance(part, griffe.ExprCall):
        sizes = [str(argument) for argument in part.arguments]
        return f"{part.function} ({', '.join(sizes)}{',' * (len(sizes) == 1)})"
    return str(part)
