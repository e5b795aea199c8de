"""Matrices of fastText's quantised models (``.ftz``), as they stand in the middle of a file.

::

    bool   qnorm           whether lengths are quantised on their own
    int64  m, n            rows, columns
    int32  codesize        m * nsubq
    uint8  codes[codesize] for each row the numbers of its centroids
    product quantiser:
        int32    dim, nsubq, dsub, lastdsub
        float32  centroids[dim * 256]
    if qnorm:
        uint8    norm_codes[m]
        product quantiser with dim 1

A row is cut into `nsubq` pieces of `dsub` columns, the last one of `lastdsub`; piece ``p`` of a row
is centroid ``codes[row, p]`` of the 256 of that piece. Joulin et al. (2016), "FastText.zip:
Compressing text classification models", section 3.1. Read only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.formats._fasttext_bytes import ModelBytes

_N_CENTROIDS = 256
# fastText cuts rows into pieces of 2 columns unless it is told otherwise. A row of many columns in
# one code would make a small file fill the memory.
_MOST_COLUMNS = 64


def read_quantised(data: ModelBytes, what: str) -> NDArray[np.float32]:
    """Read a quantised matrix and decode it.

    Returns
    -------
    numpy.ndarray of float32, shape (m, n)
        The rows that fastText makes of it.

    Raises
    ------
    FormatError
        The file is cut off, or its sizes do not fit each other.
    """
    at = data.position
    qnorm, n_rows, dim, n_codes = data.values("<?qqi", f"the sizes of {what}")
    if not (0 <= n_rows < 2**31 and 0 < dim < 2**20 and n_codes >= 0):
        raise data.damaged(at, f"{what} claims {n_rows:,} x {dim:,} numbers in {n_codes:,} codes")
    codes = data.array((n_codes,), "u1", f"the codes of {what}")
    at = data.position
    centroids = _read_centroids(data, dim, f"the quantiser of {what}")
    if len(centroids) * n_rows != n_codes:
        raise data.damaged(
            at,
            f"{what} has {n_codes:,} codes for {n_rows:,} rows of {len(centroids)} pieces; the "
            f"file is damaged",
        )
    codes = codes.reshape(n_rows, len(centroids))
    matrix = np.empty((n_rows, dim), np.float32)
    column = 0
    for piece, table in enumerate(centroids):
        matrix[:, column : column + table.shape[1]] = table[codes[:, piece]]
        column += table.shape[1]
    if qnorm:
        norm_codes = data.array((n_rows,), "u1", f"the lengths of {what}")
        norms = _read_centroids(data, 1, f"the quantiser of the lengths of {what}")[0]
        with np.errstate(over="ignore", invalid="ignore"):
            matrix *= norms[norm_codes]
    return matrix


def _read_centroids(data: ModelBytes, dim: int, what: str) -> list[NDArray[np.float32]]:
    """Read a product quantiser: for each piece of a row its centroids, (256, columns)."""
    at = data.position
    sizes = data.values("<4i", what)
    their_dim, n_pieces, columns, last = sizes
    if (
        their_dim != dim
        or not 1 <= columns <= min(dim, _MOST_COLUMNS)
        or n_pieces != -(-dim // columns)
        or last != dim - (n_pieces - 1) * columns
    ):
        raise data.damaged(
            at, f"{what} claims (dim, nsubq, dsub, lastdsub) = {sizes} for {dim} columns"
        )
    flat = data.array((dim * _N_CENTROIDS,), "<f4", what)
    pieces, begin = [], 0
    for piece in range(n_pieces):
        width = last if piece == n_pieces - 1 else columns
        end = begin + _N_CENTROIDS * width
        pieces.append(flat[begin:end].reshape(_N_CENTROIDS, width))
        begin = end
    return pieces
