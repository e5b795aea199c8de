"""The codes of an index: one bit for each of some numbers of a row, and four, read by the core.

Gao and Long 2024, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for
Approximate Nearest Neighbor Search", on vectors less their mean, and on no more of their principal
axes than matter. With a row u of length 1, the mean c, r = u - c, the axes P (turned at random, so
that no bit knows more than another) and s the signs of r P::

    u . q  =  c . q + r . c + r . (q - c)
    r . (q - c)  is about  |r P|^2 / sum |r P| * s . (q - c) P

The first term is the same for all rows. r . c and the factor of s are kept with each row.

All rows are looked at by their signs. The best of them are looked at again by codes of four bits
for each number of r P (see `firth.approximate._fine_codes`), and few by their vectors.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from firth import _core
from firth.approximate._axes import check_lengths, principal_axes, sampled_units
from firth.approximate._fine_codes import fine_codes, fine_row_bytes, no_fine_codes, write_factors
from firth.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# The layout of a block; see core/kernels/scan_codes.hpp.
_BLOCK_ROWS, _GROUP_BITS, _GROUP_BYTES = 64, 4, 32
# Two groups of bits go through a register together.
_BITS_STEP = 2 * _GROUP_BITS
MOST_BITS = 4096
_BLOCKS_AT_A_TIME = 128
# A thread is worth starting for so many bytes of codes, or rows with fine ones.
_BYTES_A_THREAD = 1 << 20
_ROWS_A_THREAD = 1 << 14
# Rows that fine codes keep: some for each that is wanted, and one in so many of those that signs
# had chosen.
_FEWEST_KEPT, _KEPT_FOR_EACH, _ONE_KEPT_OF = 32, 6, 64


@dataclass(frozen=True)
class Factors:
    """What the numbers kept for each row have to be multiplied by."""

    scale_step: float
    offset_step: float
    fine_scale_step: float


class SignCodes:
    """Codes of rows, in which a search looks for candidates.

    Parameters
    ----------
    tensors : dict of str to numpy.ndarray
        ``codes`` and ``factors`` of blocks of rows, ``fine`` codes of rows, ``axes`` (vector_size,
        bits) and ``centre`` (vector_size,), as `tensors` gives them.
    factors : Factors
        What the factors mean.
    n_rows : int
        How many rows there are.
    dim : int
        The number of dimensions of a row.
    where : str
        What to call this in messages.

    Raises
    ------
    FormatError
        If the tensors do not fit each other.
    """

    def __init__(
        self,
        tensors: dict[str, NDArray[Any]],
        factors: Factors,
        n_rows: int,
        dim: int,
        where: str,
    ) -> None:
        n_blocks = -(-n_rows // _BLOCK_ROWS)
        axes = tensors.get("axes", np.empty((0, 0)))
        n_bits = axes.shape[1] if axes.ndim == 2 else 0
        expected: dict[str, tuple[type, tuple[int, ...]]] = {
            "axes": (np.float32, (dim, n_bits)),
            "centre": (np.float32, (dim,)),
            "codes": (np.uint8, (n_blocks, n_bits // _GROUP_BITS * _GROUP_BYTES)),
            "factors": (np.int16, (n_blocks, 2 * _BLOCK_ROWS)),
            "fine": (np.uint8, (n_rows, fine_row_bytes(n_bits))),
        }
        if not 0 < n_bits <= MOST_BITS or n_bits % _BITS_STEP:
            raise FormatError(f"{where}: axes for {n_bits:,} bits: build the index again")
        for name, (dtype, shape) in expected.items():
            there = tensors.get(name, np.empty(0))
            if there.dtype != dtype or there.shape != shape:
                raise FormatError(
                    f"{where}: {name!r} is {there.dtype} of shape {there.shape}, where "
                    f"{np.dtype(dtype)} of shape {shape} belongs: build the index again"
                )
        for name in ("axes", "centre"):
            check_lengths(name, tensors[name], where)
        self.about = {"bits": n_bits} | asdict(factors)
        self.tensors = {name: tensors[name] for name in expected}
        self._axes = axes
        self._shift = tensors["centre"] @ axes
        self._n_bytes = tensors["codes"].nbytes
        self._scanned = _core.SignCodes(
            tensors["codes"], tensors["factors"], n_rows, factors.scale_step, factors.offset_step
        )
        self._fine = _core.FineCodes(
            tensors["fine"], n_bits, factors.fine_scale_step, factors.offset_step
        )

    @classmethod
    def build(
        cls,
        matrix: NDArray[Any],
        norms: NDArray[np.float32],
        rows: NDArray[np.int64],
        n_bits: int | None,
        random: np.random.Generator,
        done: Callable[[int], None],
    ) -> Self:
        """Make the codes of the rows of a matrix; only `rows`, rising, have a direction.

        `n_bits` None chooses them by the variance. `done` is told of rows as they are done.
        """
        dim = matrix.shape[1]
        units = sampled_units(matrix, norms, rows)
        centre = units.mean(axis=0)
        principal = principal_axes(units - centre, n_bits, random)[:, :MOST_BITS]
        # Bits that there are no axes for are always set, and asked for with 0.
        n_bits = max(n_bits or 0, principal.shape[1])
        n_bits = -(-n_bits // _BITS_STEP) * _BITS_STEP
        axes = np.zeros((dim, n_bits), np.float32)
        axes[:, : principal.shape[1]] = principal
        coded = _Coded(matrix, norms, axes, centre, done)
        kept_scales, scale_step = _in_16_bits(coded.scales, rows)
        kept_offsets, offset_step = _in_16_bits(coded.offsets, rows)
        fine_scales, fine_scale_step = _in_16_bits(coded.fine_scales, rows)
        write_factors(coded.fine, n_bits, fine_scales, kept_offsets)
        kept = np.stack([kept_scales, kept_offsets]).reshape(2, -1, _BLOCK_ROWS)
        tensors = {
            "codes": coded.codes,
            "factors": kept.transpose(1, 0, 2).reshape(len(coded.codes), -1),
            "fine": coded.fine,
            "axes": axes,
            "centre": centre,
        }
        factors = Factors(scale_step, offset_step, fine_scale_step)
        return cls(tensors, factors, len(matrix), dim, "the index")

    @classmethod
    def open(cls, tensors: dict[str, NDArray[Any]], about: dict[str, Any], where: str) -> Self:
        """Open the codes of a file that says this about itself."""
        factors = Factors(*(about[field.name] for field in fields(Factors)))
        return cls(tensors, factors, about["n_rows"], about["vector_size"], where)

    def candidates(
        self, directions: NDArray[np.float32], n_wanted: int, expansion: int, n_threads: int
    ) -> NDArray[np.int64]:
        """Find rows among which the `n_wanted` nearest of each direction probably are.

        The signs choose `expansion`, or twice `n_wanted` if that is more, of which the fine codes
        keep those that are worth their vectors; -1 stands for none.
        """
        rows = np.empty((len(directions), max(expansion, 2 * n_wanted)), np.int64)
        turned = np.empty((len(directions), self._axes.shape[1]), np.float32)
        _core.turn(directions, self._axes, self._shift, turned)
        worth = max(1, len(directions) * self._n_bytes // _BYTES_A_THREAD)
        self._scanned.nearest(turned, min(n_threads, worth), rows)
        n_kept = max(_FEWEST_KEPT, _KEPT_FOR_EACH * n_wanted, expansion // _ONE_KEPT_OF)
        if n_kept >= rows.shape[1]:
            return rows
        kept = np.empty((len(directions), n_kept), np.int64)
        worth = max(1, rows.size // _ROWS_A_THREAD)
        self._fine.choose(turned, rows, min(n_threads, worth), kept)
        return kept


class _Coded:
    """The codes of all rows, with the scale and the offset of each as they are."""

    def __init__(
        self,
        matrix: NDArray[Any],
        norms: NDArray[np.float32],
        axes: NDArray[np.float32],
        centre: NDArray[np.float32],
        done: Callable[[int], None],
    ) -> None:
        n_rows, n_bits = len(matrix), axes.shape[1]
        n_blocks = -(-n_rows // _BLOCK_ROWS)
        self.codes = np.empty((n_blocks, n_bits // _GROUP_BITS * _GROUP_BYTES), np.uint8)
        self.scales, self.offsets, self.fine_scales = np.zeros(
            (3, n_blocks * _BLOCK_ROWS), np.float32
        )
        self.fine = no_fine_codes(n_rows, n_bits)
        for block in range(0, n_blocks, _BLOCKS_AT_A_TIME):
            n_units = min(_BLOCKS_AT_A_TIME, n_blocks - block) * _BLOCK_ROWS
            some = slice(block * _BLOCK_ROWS, block * _BLOCK_ROWS + n_units)
            lengths = norms[some, None]
            there = np.isfinite(lengths) & (lengths > 0)
            units = np.zeros((n_units, len(axes)), np.float32)
            np.divide(matrix[some], lengths, out=units[: len(lengths)], where=there)
            units -= centre
            turned = units @ axes
            sums = np.abs(turned).sum(axis=1)
            squares = np.einsum("ij,ij->i", turned, turned)
            np.divide(squares, sums, out=self.scales[some], where=sums > 0)
            self.offsets[some] = units @ centre
            self.codes[block : block + n_units // _BLOCK_ROWS] = _packed(turned >= 0)
            nibbles, self.fine_scales[some] = fine_codes(turned, self.scales[some])
            self.fine[some, : n_bits // 2] = nibbles[: len(lengths)]
            done(int(there.sum()))


def _in_16_bits(
    values: NDArray[np.float32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int16], float]:
    """Round values to 32,767 steps on each side of 0, as far as those of some rows go."""
    most = np.iinfo(np.int16).max
    step = float(np.abs(values[rows]).max()) / most
    return np.clip(np.rint(values / (step or 1)), -most, most).astype(np.int16), step


def _packed(signs: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Lay signs, shape (rows of whole blocks, bits), out as the core reads them."""
    groups = signs.reshape(len(signs), -1, _GROUP_BITS) @ (
        1 << np.arange(_GROUP_BITS, dtype=np.uint8)
    )
    # Of each group: rows 0-15, 16-31, 32-47 and 48-63 of a block.
    quarters = groups.reshape(-1, 4, 16, groups.shape[1]).astype(np.uint8)
    first, second = quarters[:, :2], quarters[:, 2:]
    # As (block, quarter, row, group), to be (block, group, row, quarter).
    return np.ascontiguousarray((first | second << 4).transpose(0, 3, 2, 1)).reshape(
        len(quarters), -1
    )
