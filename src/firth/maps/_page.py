"""A map as a page of HTML that is complete in itself."""

from __future__ import annotations

import base64
import json
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.maps import _colours
from firth.maps._groups import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.maps._map import WordMap

_STEPS = 65535  # coordinates are whole numbers of 16 bits: a tenth of a pixel on a large screen
_LONGEST = 200  # characters of a word that are kept
_SHADES = 65535


def page(word_map: WordMap, *, theme: str, title: str | None) -> str:
    """Make the page of a map."""
    _colours.theme_of(theme)
    template = resources.files("firth.maps").joinpath("page.html").read_text("utf-8")
    heading = word_map.title if title is None else title
    # Read once from left to right, so that no word is taken for a mark.
    parts = {
        "title": escape(heading),
        "theme": "dark" if theme == "dark" else "auto",
        "data": _as_json(_data(word_map)),
    }
    head, *rest = template.split("{{")
    filled = [head]
    for piece in rest:
        name, _, text = piece.partition("}}")
        filled += [parts[name], text]
    return "".join(filled)


def _data(word_map: WordMap) -> dict[str, Any]:
    colouring = word_map.colouring
    low = word_map.coordinates.min(axis=0)
    spread = float((word_map.coordinates.max(axis=0) - low).max()) or 1.0
    places = np.rint((word_map.coordinates - low) / spread * _STEPS)
    data: dict[str, Any] = {
        "words": [shown(word, _LONGEST) for word in word_map.words],
        "places": _base64(places, "<u2"),
        "rows": _base64(word_map.rows, "<i4"),
        "near": _base64(word_map.neighbours, "<u4"),
        "cosines": _base64(np.rint(word_map.cosines * 1000), "<i2"),
        "n_near": word_map.neighbours.shape[1],
        "middle": word_map.words.index(word_map.around)
        if word_map.around in word_map.words
        else -1,
        "title": colouring.title,
    }
    if word_map.counts.any():
        data["counts"] = [int(count) for count in word_map.counts]
    if colouring.is_scale:
        known = np.nan_to_num(colouring.values, nan=-1.0)
        shades = np.where(known < 0, _SHADES, np.rint(known * (_SHADES - 1)))
        data |= {
            "values": _base64(shades, "<u2"),
            "ends": colouring.ends,
            "scale": {
                name: _colours.viridis_steps(theme) for name, theme in _colours.THEMES.items()
            },
        }
    else:
        data |= {
            "groups": _base64(colouring.groups, "<i2"),
            "names": colouring.names,
            "colours": list(_colours.GROUPS),
        }
    return data


def _base64(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode("ascii")


def _as_json(data: Any) -> str:
    """Write JSON that no word can break out of: the end of a script begins with a bracket."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
