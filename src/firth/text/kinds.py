"""How messages call a value that is not what it should be."""

from __future__ import annotations

import os


def kind_of(value: object) -> str:
    """Say what a value is, for messages."""
    if isinstance(value, os.PathLike):
        return "a path"
    names = {
        str: "a string",
        bytes: "bytes",
        int: "an int",
        float: "a float",
        dict: "a dict",
        list: "a list",
        tuple: "a tuple",
        type(None): "None",
    }
    return names.get(type(value), f"an object of type {type(value).__name__}")


def hint_for(value: object) -> str:
    """Say what to do about a value that is not what it should be."""
    if isinstance(value, (bytes, bytearray)):
        return ": decode them, for example with .decode('utf-8')"
    if isinstance(value, (list, tuple)):
        return ": lists of tokens go without tokenizer="
    return ""
