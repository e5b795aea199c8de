"""The errors that firth raises.

Every message says what was wrong, where (file, line or byte offset), and what to do::

    FirthError
    ├── ParameterError (ValueError)          a parameter outside of its range
    ├── InputError (ValueError)              something that was given cannot be used
    │   ├── SourceError (OSError)            a file or folder that cannot be found or read
    │   │   └── DownloadError                a file that the network does not give, or gives wrong
    │   ├── TextError                        text that cannot be read: encoding, archive, field
    │   ├── VocabularyError                  no words, or none left
    │   └── FormatError                      a model folder or vector file that is not what it says
    ├── WordNotFoundError (KeyError)         a word that has no vector
    ├── OutputError (OSError)                a result that cannot be written
    ├── ClusterError (RuntimeError)          a cluster that is not there, or cannot do the work
    └── MissingExtraError (ImportError)      an optional package that is not installed

Each also derives from the built-in error that the same slip raises elsewhere in Python, so that
``except KeyError`` around ``wv["word"]`` goes on working.
"""


class FirthError(Exception):
    """Base of all errors that firth raises on purpose."""


class ParameterError(FirthError, ValueError):
    """A parameter is outside of its range or does not go with another one."""


class InputError(FirthError, ValueError):
    """Something that was given (text, vectors, words) cannot be used."""


class SourceError(InputError, OSError):
    """A file or folder cannot be found or read."""


class DownloadError(SourceError):
    """A file cannot be fetched from the network, or what came is not what was published."""


class TextError(InputError):
    """Text cannot be read: wrong encoding, a damaged archive, a missing field."""


class VocabularyError(InputError):
    """A vocabulary has no words, or none that the settings keep."""


class FormatError(InputError):
    """A model folder or vector file is not what it claims to be."""


class WordNotFoundError(FirthError, KeyError):
    """A word has no vector."""

    def __str__(self) -> str:
        # KeyError shows the representation of its message, quotes and all.
        return str(self.args[0]) if self.args else ""


class OutputError(FirthError, OSError):
    """A result cannot be written: the target is something else, or the disk is full."""


class ClusterError(FirthError, RuntimeError):
    """A cluster is not where it should be, its nodes differ, or it has lost what it needs."""


class MissingExtraError(FirthError, ImportError):
    """An optional package is not installed.

    Parameters
    ----------
    package : str
        The package that is missing, as it is imported.
    extra : str
        The extra of firth that brings it.
    purpose : str
        What it is needed for, to complete "... needs".
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed: "
            f"pip install 'firth[{extra}]'"
        )
