"""The stack of a restricted pickle machine: plain values and containers.

See `firth.formats.restricted_pickle`, which adds names and objects.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from firth.errors import FormatError

MAX_PROTOCOL = 5
_MAX_LONG_BYTES = 1 << 10  # of an integer; nothing that is saved needs more
_MAX_KEY = 1 << 60  # hashes of larger numbers can be chosen to be the same
_TEXTS: Final = frozenset({str, bytes, memoryview})
_LONGEST_KEY = 16
# A container takes some 60 bytes of memory, and what saved objects have in the file for one is
# never less than this.
_BYTES_A_CONTAINER = 8


class Reference:
    """A name in the file, which was not imported."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __repr__(self) -> str:
        return f"{self.module}.{self.name}"


class Mark:
    """What the operation MARK puts on the stack."""


MARK: Final = Mark()


class Unwanted(dict[Any, Any]):
    """A dict whose items are not kept."""


class Record:
    """An object in the file: what kind it says that it is, and its fields."""

    __slots__ = ("fields", "kind")

    def __init__(self, kind: Reference) -> None:
        self.kind = kind
        self.fields: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.kind}>"


class PickleStack:
    """The stack of the machine and the operations on plain values; one method for each.

    Attributes
    ----------
    at : int
        Where the operation that is carried out stands in the file.
    next : int
        Where the next one does.
    """

    def __init__(self, data: memoryview, name: str, unwanted: frozenset[str]) -> None:
        self.data = data
        self.size = len(data)
        self.name = name
        self.unwanted = unwanted
        self.stack: list[Any] = []
        self.memo: list[Any] = []
        self.at = 0
        self.next = 0
        self._containers_left = 1024 + self.size // _BYTES_A_CONTAINER
        self._copies_left = 1024 + self.size

    def fail(self, problem: str) -> FormatError:
        """Make the error for what is wrong at the operation that is carried out."""
        return FormatError(f"{self.name}: byte {self.at:,} of the pickle: {problem}")

    def count_container(self) -> None:
        """Count a new container, of which there may be as many as the file can mean."""
        self._containers_left -= 1
        if self._containers_left < 0:
            raise self.fail(
                "more lists and objects than a file of this size can fill; it is damaged or means "
                "harm"
            )

    def count_copies(self, n_items: int) -> None:
        """Count items or bytes that are copied, so that nothing is copied over and over."""
        self._copies_left -= n_items
        if self._copies_left < 0:
            raise self.fail(
                "the same data are copied again and again; the file is damaged or means harm"
            )

    # --- bytes of the file ----------------------------------------------------------------------

    def take(self, n_bytes: int) -> memoryview:
        """Give the next bytes."""
        end = self.next + n_bytes
        if end > self.size:
            raise self.fail(
                f"claims {n_bytes:,} bytes, but {self.size - self.next:,} are left in the file; it "
                f"is cut off or damaged"
            )
        view = self.data[self.next : end]
        self.next = end
        return view

    def take_sized(self, n_length_bytes: int) -> memoryview:
        """Give the next bytes, whose number stands before them."""
        return self.take(int.from_bytes(self.take(n_length_bytes), "little"))

    def take_line(self) -> str:
        """Give the text up to the next line end; names only, which are short."""
        window = bytes(self.data[self.next : self.next + 1024])
        end = window.find(b"\n")
        if end < 0:
            raise self.fail("a name does not end within 1024 bytes; it is damaged")
        self.next += end + 1
        return window[:end].decode("utf-8")

    def pop_mark(self) -> list[Any]:
        """Take everything above the last mark off the stack."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            if stack[at] is MARK:
                items = stack[at + 1 :]
                del stack[at:]
                return items
        raise self.fail("there is no mark on the stack; it is damaged")

    def pop(self) -> Any:
        """Take the top off the stack, which must not be a mark."""
        value = self.stack.pop()
        if value is MARK:
            raise self.fail("a mark stands where a value belongs; it is damaged")
        return value

    # --- plain values ---------------------------------------------------------------------------

    def proto(self) -> None:
        version = self.take(1)[0]
        if version > MAX_PROTOCOL:
            raise self.fail(f"protocol {version} is later than {MAX_PROTOCOL}; update firth")

    def frame(self) -> None:
        length = int.from_bytes(self.take(8), "little")
        if self.next + length > self.size:
            raise self.fail(
                f"claims a frame of {length:,} bytes, but {self.size - self.next:,} are left; the "
                f"file is cut off or damaged"
            )

    def mark(self) -> None:
        self.stack.append(MARK)

    def drop(self) -> None:
        self.stack.pop()

    def drop_to_mark(self) -> None:
        self.pop_mark()

    def duplicate(self) -> None:
        self.stack.append(self.stack[-1])

    def none(self) -> None:
        self.stack.append(None)

    def true(self) -> None:
        self.stack.append(True)

    def false(self) -> None:
        self.stack.append(False)

    def long1(self) -> None:
        self.stack.append(int.from_bytes(self.take_sized(1), "little", signed=True))

    def long4(self) -> None:
        view = self.take_sized(4)
        if len(view) > _MAX_LONG_BYTES:
            raise self.fail(f"a number of {len(view):,} bytes; it is damaged")
        self.stack.append(int.from_bytes(view, "little", signed=True))

    def float8(self) -> None:
        self.stack.append(struct.unpack(">d", self.take(8))[0])

    def text8(self) -> None:
        self.stack.append(str(self.take_sized(8), "utf-8", "surrogatepass"))

    def bytes1(self) -> None:
        self.stack.append(self.take_sized(1))

    def bytes4(self) -> None:
        self.stack.append(self.take_sized(4))

    def bytes8(self) -> None:
        self.stack.append(self.take_sized(8))

    def string1(self) -> None:
        self.stack.append(_python_2_string(self.take_sized(1)))

    def string4(self) -> None:
        self.stack.append(_python_2_string(self.take_sized(4)))

    # --- containers -----------------------------------------------------------------------------

    def empty_list(self) -> None:
        self.count_container()
        self.stack.append([])

    def append(self) -> None:
        item = self.pop()
        self.extend_top([item])

    def appends(self) -> None:
        self.extend_top(self.pop_mark())

    def extend_top(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is list:
            target.extend(items)
        elif not isinstance(target, Record):  # what a record holds beside its fields is not kept
            raise self.fail("items are added to something that is no list; it is damaged")

    def list_of(self) -> None:
        self.count_container()
        self.stack.append(self.pop_mark())

    def empty_tuple(self) -> None:
        self.stack.append(())

    def tuple_of(self) -> None:
        self.stack.append(tuple(self.pop_mark()))

    def tuple1(self) -> None:
        self.stack.append((self.pop(),))

    def tuple2(self) -> None:
        last = self.pop()
        self.stack.append((self.pop(), last))

    def tuple3(self) -> None:
        last, middle = self.pop(), self.pop()
        self.stack.append((self.pop(), middle, last))

    def empty_dict(self) -> None:
        self.count_container()
        stack = self.stack
        field = stack[-1] if stack else None
        is_unwanted = type(field) is str and field in self.unwanted
        stack.append(Unwanted() if is_unwanted else {})

    def set_item(self) -> None:
        value = self.pop()
        self.update_top([self.pop(), value])

    def set_items(self) -> None:
        self.update_top(self.pop_mark())

    def update_top(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is Unwanted:
            return
        if isinstance(target, Record):  # an OrderedDict, or another dict with a name
            target = target.fields
        if type(target) is not dict or len(items) % 2:
            raise self.fail("items are set of something that is no dict; it is damaged")
        keys = items[::2]
        self.check_keys(keys)
        target.update(zip(keys, items[1::2], strict=True))

    def check_keys(self, keys: list[Any]) -> None:
        """Allow what can be hashed without recursion, and not by chosen hashes."""
        for key in keys:
            kind = type(key)
            if kind is not str and not (kind is int and -_MAX_KEY < key < _MAX_KEY):
                if kind in _TEXTS or kind is bool or key is None:
                    continue
                if (
                    kind is tuple
                    and 0 < len(key) <= _LONGEST_KEY
                    and _TEXTS.issuperset(map(type, key))
                ):
                    continue  # the words of a phrase
                raise self.fail(f"a {kind.__name__} as a key, which no saved vectors have")

    def dict_of(self) -> None:
        self.count_container()
        items = self.pop_mark()
        self.stack.append({})
        self.update_top(items)

    def empty_set(self) -> None:
        self.count_container()
        self.stack.append(set())

    def add_items(self) -> None:
        items, target = self.pop_mark(), self.stack[-1]
        if type(target) is not set:
            raise self.fail("items are added to something that is no set; it is damaged")
        self.check_keys(items)
        target.update(items)

    def frozen_set(self) -> None:
        self.count_container()
        items = self.pop_mark()
        self.check_keys(items)
        self.stack.append(frozenset(items))


def _python_2_string(view: memoryview) -> str | memoryview:
    """Give a string of Python 2: text where it is ASCII, else bytes."""
    try:
        return str(view, "ascii")
    except UnicodeDecodeError:
        return view
