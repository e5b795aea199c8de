"""The families by name, for what is kept in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError
from firth.subwords._fasttext import FastTextSubwords
from firth.subwords._finalfusion import ExplicitSubwords, FinalfusionSubwords
from firth.subwords._floret import FloretSubwords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.subwords._subwords import Subwords

_FAMILIES: dict[str, type[Subwords]] = {
    each.family: each
    for each in (FastTextSubwords, FloretSubwords, FinalfusionSubwords, ExplicitSubwords)
}


def subwords_from(config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Subwords:
    """Make subwords again of what their `config`, with their "family", and `tensors` gave.

    Raises
    ------
    ParameterError
        If the family is unknown, or something is missing, of another type, or does not fit.
    """
    family = _FAMILIES.get(str(config.get("family")))
    if family is None:
        raise ParameterError(
            f"the family of subwords is {config.get('family')!r}; known are {', '.join(_FAMILIES)}"
        )
    try:
        return family.from_parts(config, tensors)
    except KeyError as error:
        raise ParameterError(f"{family.family} subwords lack {error}") from error
    except (TypeError, AttributeError) as error:
        raise ParameterError(f"{family.family} subwords: {error}") from error
