"""Word vectors for other programs, in the form that each of them opens by itself."""

from firth.exports._export import TARGETS, export

__all__ = ["TARGETS", "export"]
