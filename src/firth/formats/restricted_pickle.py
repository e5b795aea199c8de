"""A reader of pickles that builds plain data and NumPy arrays, and nothing else.

A pickle is a program for a stack machine, and Python's own reader runs whatever it names. This one
is an interpreter of its own for the operations that saved data need. It imports nothing and calls
nothing: a name in the file becomes a `Reference`, an object a `Record` with its fields, an array a
`PickledArray`. Names outside of a short list are refused, since who reads them should know.

Nothing can take memory that the file does not justify: the pickle lies in memory whole, what it
claims is checked against that, long strings of bytes are views of it, and numbers of the memo are
keys, not sizes. Nothing recurses, and only strings, bytes and numbers become keys of a dict, so
that no nesting can exhaust the stack.

Operations are those of protocol 2 to 5 (``pickletools`` tells them all); gensim never wrote older.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from firth.formats._pickle_stack import PickleStack, Record, Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firth.errors import FormatError

__all__ = ["PickledArray", "Record", "Reference", "load_restricted", "load_with_end"]

_MAX_DIMENSIONS = 32
_MOST_NUMBERS = 1 << 58  # of 16 bytes at most, which NumPy counts with 63 bits
# Where the names come from that a file may have, though none of them is ever imported.
_KNOWN_MODULES: Final = ("gensim", "numpy", "scipy.sparse")
_KNOWN_NAMES: Final = {
    *(("builtins", name) for name in ("hash", "int", "float", "complex", "bool", "str", "bytes")),
    *(("builtins", name) for name in ("bytearray", "list", "tuple", "dict", "set", "frozenset")),
    *(("builtins", name) for name in ("object", "long", "unicode")),
    ("collections", "defaultdict"),
    ("collections", "OrderedDict"),
    ("collections", "Counter"),
    ("_codecs", "encode"),
    ("copyreg", "_reconstructor"),
}
_PYTHON_2_MODULES: Final = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_MAX_MEMO_GAP = 16
_GETS: Final = frozenset(b"hj")
# Operations that have bytes of the file behind them.
_WITH_BYTES: Final = frozenset(b"\x80\x95\x8c\x8dXCB\x8e\x96UTGjMJKhqr\x8a\x8bc")
_DTYPE_CODES: Final = frozenset(
    f"{kind}{size}"
    for kind, sizes in {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "b": (1,)}.items()
    for size in sizes
)


class PickledDtype:
    """The type of the numbers of an array: a code such as "f4" and the order of the bytes."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "="

    @property
    def is_object(self) -> bool:
        """Whether it is for Python objects."""
        return self.code.startswith("O")


class PickledArray:
    """A NumPy array in the file; `values` is an array, or a list where it holds Python objects."""

    __slots__ = ("shape", "values")

    def __init__(self) -> None:
        self.values: NDArray[Any] | list[Any] | None = None
        self.shape: tuple[int, ...] = ()


def load_restricted(
    data: bytes | memoryview, name: str, *, unwanted: frozenset[str] = frozenset()
) -> Any:
    """Read a pickle.

    Parameters
    ----------
    data : bytes or memoryview
        The file; what follows the pickle in it is not looked at. Arrays of the result are views.
    name : str
        Of the file, for messages.
    unwanted : frozenset of str
        Fields whose dicts are not kept, to save memory.

    Returns
    -------
    object
        Strings, numbers, bytes (as memoryviews), None, lists, tuples, dicts and sets of these; and
        `Reference`, `Record` and `PickledArray`.

    Raises
    ------
    FormatError
        If the file is no pickle, is cut off, or asks for anything but building data: with the
        position in bytes.
    """
    return _Machine(memoryview(data), name, unwanted).run()[0]


def load_with_end(data: bytes | memoryview, name: str) -> tuple[Any, int]:
    """Read a pickle as `load_restricted` does, and tell where it ends too."""
    return _Machine(memoryview(data), name, frozenset()).run()


class _Machine(PickleStack):
    """The machine: names and objects, and the loop over all operations."""

    def refuse(self, what: str) -> FormatError:
        """Make the error for what would be more than data."""
        return self.fail(
            f"{what}. firth reads arrays and plain data from pickles and runs nothing. If you "
            f"trust the file, open it with the program that wrote it and save the vectors alone: "
            f"in gensim by model.wv.save_word2vec_format(...)"
        )

    def run(self) -> tuple[Any, int]:
        """Carry out all operations; returns what is on top of the stack at the end, and where."""
        data, memo, stack = self.data, self.memo, self.stack
        push = stack.append
        remember = memo.append
        others = _OPERATIONS
        position = 0
        try:
            while True:
                code = data[position]
                self.at = position
                # By falling frequency in a file of word vectors; the rest goes by the table. A
                # string that ends behind the file is noticed at the operation after it.
                if code == 0x8C:  # SHORT_BINUNICODE
                    end = position + 2 + data[position + 1]
                    push(str(data[position + 2 : end], "utf-8", "surrogatepass"))
                    position = end
                elif code == 0x94:  # MEMOIZE
                    remember(stack[-1])
                    position += 1
                elif code == 0x6A:  # LONG_BINGET
                    push(memo[int.from_bytes(data[position + 1 : position + 5], "little")])
                    position += 5
                elif code == 0x4D:  # BININT2
                    push(data[position + 1] | data[position + 2] << 8)
                    position += 3
                elif code == 0x4A:  # BININT
                    push(int.from_bytes(data[position + 1 : position + 5], "little", signed=True))
                    position += 5
                elif code == 0x4B:  # BININT1
                    push(data[position + 1])
                    position += 2
                elif code == 0x68:  # BINGET
                    push(memo[data[position + 1]])
                    position += 2
                elif code == 0x58:  # BINUNICODE
                    begin = position + 5
                    end = begin + int.from_bytes(data[position + 1 : begin], "little")
                    push(str(data[begin:end], "utf-8", "surrogatepass"))
                    position = end
                elif code == 0x71:  # BINPUT
                    self.remember_at(data[position + 1])
                    position += 2
                elif code == 0x72:  # LONG_BINPUT
                    self.remember_at(int.from_bytes(data[position + 1 : position + 5], "little"))
                    position += 5
                elif code == 0x2E:  # STOP
                    return stack[-1], position + 1
                else:
                    operation = others[code]
                    if operation is None:
                        raise self.fail(
                            f"operation {code:#04x} is none that saved data need; the file is "
                            f"damaged, or no pickle, or means harm"
                        )
                    self.next = position + 1
                    operation(self)
                    position = self.next
        except (IndexError, struct.error):
            raise self.fail(self.why_it_ended()) from None
        except UnicodeDecodeError as error:
            raise self.fail(f"a string is not UTF-8: {error.reason}; it is damaged") from None

    def remember_at(self, number: int) -> None:
        """Store the top of the stack under a number, which counts up (Python 2 left some out)."""
        memo = self.memo
        if number > len(memo) + _MAX_MEMO_GAP:
            raise self.fail(
                f"stores something as number {number:,}, where {len(memo):,} is next; the file is "
                f"damaged or means harm"
            )
        while len(memo) <= number:
            memo.append(None)
        memo[number] = self.stack[-1]

    def why_it_ended(self) -> str:
        """Say what is missing for the operation that is carried out."""
        if self.at < self.size and self.data[self.at] in _GETS and self.at + 5 <= self.size:
            return "refers to something that was never stored; the file is damaged"
        if not self.stack and self.at < self.size and self.data[self.at] not in _WITH_BYTES:
            return "takes something from an empty stack; the file is damaged"
        return f"the file ends too early, after {self.size:,} bytes; it is cut off"

    # --- names and objects ----------------------------------------------------------------------

    def refer(self, module: object, name: object) -> None:
        if type(module) is not str or type(name) is not str:
            raise self.fail("a name is no text; it is damaged")
        module = _PYTHON_2_MODULES.get(module, module)
        known = (module, name) in _KNOWN_NAMES or any(
            module == prefix or module.startswith(prefix + ".") for prefix in _KNOWN_MODULES
        )
        if not known:
            raise self.refuse(f"the file wants to use {module[:80]!r}.{name[:80]!r}")
        self.stack.append(Reference(module, name))

    def global_name(self) -> None:
        module = self.take_line()
        self.refer(module, self.take_line())

    def stack_global(self) -> None:
        name = self.pop()
        self.refer(self.pop(), name)

    def new_object(self) -> None:
        self.pop()
        kind = self.pop()
        if not isinstance(kind, Reference):
            raise self.fail("makes an object of something that is no class; it is damaged")
        self.count_container()
        self.stack.append(Record(kind))

    def new_object_ex(self) -> None:
        self.pop()
        self.new_object()

    def reduce(self) -> None:
        """Carry out the few calls that build data; any other gives a `Record` without fields."""
        arguments = self.pop()
        function = self.pop()
        if not isinstance(function, Reference) or type(arguments) is not tuple:
            raise self.fail("calls something that is no name; it is damaged")
        self.count_container()
        make = _CALLS.get(function.name) if function.module in _CALL_MODULES else None
        self.stack.append(make(self, arguments) if make else self.make_record(function, arguments))

    def make_record(
        self, function: Reference, arguments: tuple[Any, ...]
    ) -> Record | frozenset[Any] | bytes:
        if function.name == "_reconstructor" and arguments:
            if not isinstance(arguments[0], Reference):
                raise self.fail("makes an object of something that is no class; it is damaged")
            return Record(arguments[0])
        if function.name in {"set", "frozenset"} and arguments and type(arguments[0]) is list:
            # As protocols before the fourth have it.
            self.count_copies(len(arguments[0]))
            self.check_keys(arguments[0])
            return frozenset(arguments[0])
        if function.name == "bytes" and not arguments:
            return b""
        record = Record(function)
        # OrderedDict([[key, value], ...]), as Python 2 wrote it.
        if function.name == "OrderedDict" and arguments and type(arguments[0]) is list:
            self.count_copies(len(arguments[0]))
            for pair in arguments[0]:
                if type(pair) not in {list, tuple} or len(pair) != 2:
                    raise self.fail("an OrderedDict of something that is no pair; it is damaged")
                self.check_keys([pair[0]])
                record.fields[pair[0]] = pair[1]
        return record

    def make_array(self, _arguments: tuple[Any, ...]) -> PickledArray:
        return PickledArray()

    def make_dtype(self, arguments: tuple[Any, ...]) -> PickledDtype:
        code = arguments[0] if arguments else None
        if not isinstance(code, str) or (code not in _DTYPE_CODES and code not in {"O", "O8"}):
            shown = repr(code)[:40]
            raise self.refuse(f"an array of {shown}, where numbers or words belong")
        return PickledDtype(code)

    def make_scalar(self, arguments: tuple[Any, ...]) -> Any:
        if len(arguments) != 2 or not isinstance(arguments[0], PickledDtype):
            raise self.fail("a number without its type; it is damaged")
        return self.to_array(arguments[0], (), arguments[1], fortran=False).item()

    def make_array_from_buffer(self, arguments: tuple[Any, ...]) -> PickledArray:
        if len(arguments) != 4 or not isinstance(arguments[1], PickledDtype):
            raise self.fail("an array without its type; it is damaged")
        data, dtype, shape, order = arguments
        array = PickledArray()
        array.shape = self.check_shape(shape)
        array.values = self.to_array(dtype, array.shape, data, fortran=order == "F")
        return array

    def make_bytes(self, arguments: tuple[Any, ...]) -> bytes:
        """Do what ``_codecs.encode(text, "latin1")`` does: bytes as protocol 2 writes them."""
        if len(arguments) != 2 or not isinstance(arguments[0], str):
            raise self.fail("encodes something that is no text; it is damaged")
        self.count_copies(len(arguments[0]))
        try:
            return arguments[0].encode("latin-1")
        except UnicodeEncodeError:
            raise self.fail("bytes that are no bytes; it is damaged") from None

    def build(self) -> None:
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, PickledArray):
            self.fill_array(target, state)
        elif isinstance(target, PickledDtype):
            if type(state) is not tuple or len(state) < 2 or state[1] not in {"<", ">", "|", "="}:
                raise self.fail("a type of numbers without the order of its bytes; it is damaged")
            if len(state) > 4 and (state[2] is not None or state[3] is not None):
                raise self.refuse("an array of structures, where numbers belong")
            target.order = state[1]
        elif isinstance(target, Record):
            # Objects with __slots__ have a pair: None or a dict, and the slots.
            parts = state if type(state) is tuple and len(state) == 2 else (state,)
            for part in parts:
                if type(part) is dict and not target.fields:
                    target.fields = part
                elif type(part) is dict:
                    self.count_copies(len(part))
                    target.fields = target.fields | part
        else:
            raise self.fail("sets the state of something that has none; it is damaged")

    def fill_array(self, array: PickledArray, state: object) -> None:
        if type(state) is not tuple or len(state) != 5 or not isinstance(state[2], PickledDtype):
            raise self.fail("an array without shape, type and numbers; it is damaged")
        _version, shape, dtype, fortran, data = state
        array.shape = self.check_shape(shape)
        if not dtype.is_object:
            array.values = self.to_array(dtype, array.shape, data, fortran=bool(fortran))
        elif type(data) is list and len(data) == math.prod(array.shape):
            array.values = data
        else:
            raise self.fail("an array of words without its words; it is damaged")

    def check_shape(self, shape: object) -> tuple[int, ...]:
        if type(shape) is int:
            shape = (shape,)
        if (
            type(shape) is not tuple
            or len(shape) > _MAX_DIMENSIONS
            or not all(type(n) is int and n >= 0 for n in shape)
            or math.prod(max(n, 1) for n in shape) > _MOST_NUMBERS
        ):
            raise self.fail("an array whose shape is none; it is damaged")
        return shape

    def to_array(
        self, dtype: PickledDtype, shape: tuple[int, ...], data: object, *, fortran: bool
    ) -> NDArray[Any]:
        if isinstance(data, str):  # a string of Python 2 that happens to be ASCII
            self.count_copies(len(data))
            data = data.encode("latin-1", "replace")
        if not isinstance(data, bytes | bytearray | memoryview) or dtype.is_object:
            raise self.fail("an array whose numbers are no bytes; it is damaged")
        numbers = np.dtype(dtype.order.replace("|", "=") + dtype.code)
        claimed = math.prod(shape) * numbers.itemsize
        if claimed != len(data):
            raise self.fail(
                f"an array of shape {shape} needs {claimed:,} bytes, but there are {len(data):,}; "
                f"it is damaged"
            )
        flat = np.frombuffer(data, numbers) if claimed else np.zeros(0, numbers)
        return flat.reshape(shape, order="F" if fortran else "C")


_CALL_MODULES: Final = frozenset(
    {
        "numpy",
        "numpy.core.multiarray",
        "numpy._core.multiarray",
        "numpy.core.numeric",
        "numpy._core.numeric",
        "_codecs",
    }
)
_CALLS: Final[dict[str, Callable[[_Machine, tuple[Any, ...]], Any]]] = {
    "_reconstruct": _Machine.make_array,
    "_frombuffer": _Machine.make_array_from_buffer,
    "dtype": _Machine.make_dtype,
    "scalar": _Machine.make_scalar,
    "encode": _Machine.make_bytes,
}
_OPERATIONS: Final[list[Callable[[_Machine], None] | None]] = [None] * 256
for _code, _operation in {
    0x80: _Machine.proto,
    0x95: _Machine.frame,
    0x28: _Machine.mark,
    0x30: _Machine.drop,
    0x31: _Machine.drop_to_mark,
    0x32: _Machine.duplicate,
    0x4E: _Machine.none,
    0x88: _Machine.true,
    0x89: _Machine.false,
    0x8A: _Machine.long1,
    0x8B: _Machine.long4,
    0x47: _Machine.float8,
    0x8D: _Machine.text8,
    0x43: _Machine.bytes1,
    0x42: _Machine.bytes4,
    0x8E: _Machine.bytes8,
    0x96: _Machine.bytes8,
    0x55: _Machine.string1,
    0x54: _Machine.string4,
    0x5D: _Machine.empty_list,
    0x61: _Machine.append,
    0x65: _Machine.appends,
    0x6C: _Machine.list_of,
    0x29: _Machine.empty_tuple,
    0x74: _Machine.tuple_of,
    0x85: _Machine.tuple1,
    0x86: _Machine.tuple2,
    0x87: _Machine.tuple3,
    0x7D: _Machine.empty_dict,
    0x73: _Machine.set_item,
    0x75: _Machine.set_items,
    0x64: _Machine.dict_of,
    0x8F: _Machine.empty_set,
    0x90: _Machine.add_items,
    0x91: _Machine.frozen_set,
    0x63: _Machine.global_name,
    0x93: _Machine.stack_global,
    0x52: _Machine.reduce,
    0x81: _Machine.new_object,
    0x92: _Machine.new_object_ex,
    0x62: _Machine.build,
}.items():
    _OPERATIONS[_code] = _operation
