"""Blocks: valid UTF-8 that splits no token, however the bytes arrive."""

import codecs
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import ParameterError, TextError
from firth.text import encoding, open_text
from firth.text.encoding import check_errors, cut_blocks, encode_with, gather_blocks, valid_blocks

WHITESPACE = " \t\n\r\x0b\x0c"
texts = st.text(st.sampled_from("ab\u00e9\u6f22😀\u00a0\u2028" + WHITESPACE), max_size=120)


def read(data: bytes, **options: str) -> bytes:
    return b"".join(open_text(io.BytesIO(data), **options).blocks())


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    begin = 0
    for size in sizes:
        yield data[begin : begin + size]
        begin += size
    yield data[begin:]


@given(texts, st.lists(st.integers(0, 40), max_size=10))
def test_blocks_hold_the_text_and_split_no_token(text: str, sizes: list[int]) -> None:
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK_SIZE", 16)
        blocks = list(cut_blocks(pieces(data, sizes), "text"))
    ended = data if data.endswith(b"\n") or not data else data + b"\n"
    assert b"".join(blocks) == ended
    assert all(blocks)
    assert [token for block in blocks for token in block.split()] == data.split()
    for block in blocks:
        block.decode()
        assert block[-1:].decode() in WHITESPACE
        # Cut within a line only where the block has no other line end.
        assert block.endswith(b"\n") or b"\n" not in block


def test_blocks_are_about_one_mebibyte() -> None:
    line = b"a line of some words\n"
    blocks = list(cut_blocks([line * 100_000] * 10, "text"))
    assert b"".join(blocks) == line * 1_000_000
    assert all(3 << 18 < len(block) <= 2 << 20 for block in blocks[:-1])
    assert all(block.endswith(b"\n") for block in blocks)


def test_a_line_longer_than_a_block_is_cut_after_whitespace() -> None:
    data = b"word\t" * 2_000_000
    blocks = list(cut_blocks([data], "text"))
    assert b"".join(blocks) == data + b"\n"
    assert len(blocks) > 2
    assert all(block.endswith(b"\t") for block in blocks[:-1])


def test_a_text_that_ends_with_its_block_gets_its_line_end() -> None:
    data = b"x" * ((4 << 20) - 1) + b" "
    assert b"".join(cut_blocks([data], "text")) == data + b"\n"
    data = data[:-1] + b"\n"
    assert b"".join(cut_blocks([data], "text")) == data


def test_64_mebibytes_without_whitespace_are_no_text() -> None:
    long = b"x" * (1 << 20)
    with pytest.raises(TextError, match=r"dump.bin: no whitespace in the 64 MiB from byte 8"):
        list(cut_blocks([b"a line\n ", *[long] * 65], "dump.bin"))
    data = [b"a line\n", *[long] * 60]
    assert sum(map(len, cut_blocks(data, "text"))) == 7 + (60 << 20) + 1


def test_small_blocks_are_gathered() -> None:
    blocks = [b"a small file\n"] * 1_000_000
    gathered = list(gather_blocks(blocks))
    assert b"".join(gathered) == b"".join(blocks)
    assert all(3 << 18 < len(block) <= 1 << 20 for block in gathered[:-1])
    assert list(gather_blocks([])) == []


# --- encoding -----------------------------------------------------------------------------------

LATIN = "un café noir".encode("latin-1")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ("replace", "un caf\ufffd noir\n"),
        ("ignore", "un caf noir\n"),
        ("backslashreplace", "un caf\\xe9 noir\n"),
    ],
)
def test_policies_are_those_of_open(errors: str, expected: str) -> None:
    assert read(LATIN, errors=errors).decode() == expected


@given(st.binary(max_size=60), st.sampled_from(["replace", "ignore", "backslashreplace"]))
def test_a_policy_makes_of_blocks_what_it_makes_of_the_whole(data: bytes, errors: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK_SIZE", 8)
        blocks = list(valid_blocks(cut_blocks([data[:20], data[20:]], "text"), "text", errors))
    ended = data if data.endswith(b"\n") or not data else data + b"\n"
    assert b"".join(blocks).decode() == ended.decode("utf-8", errors)


def test_the_place_of_what_is_not_utf8_counts_from_the_beginning_of_the_text() -> None:
    with pytest.raises(TextError, match=r"not UTF-8 at byte 6 of its text \(0xe9\)") as raised:
        read(LATIN)
    assert "errors='replace'" in str(raised.value)
    assert "iconv -f latin1 -t utf-8" in str(raised.value)
    far = b"line\n" * 2_000_000
    with pytest.raises(TextError, match=rf"at byte {len(far) + 6} "):
        read(far + LATIN)
    with pytest.raises(TextError, match="at byte 9 "):
        read(codecs.BOM_UTF8 + LATIN)


def test_a_byte_order_mark_is_dropped_at_the_start_of_a_file_only() -> None:
    assert read(codecs.BOM_UTF8 + b"one") == b"one\n"
    assert read(codecs.BOM_UTF8) == b""
    assert read(b"one " + codecs.BOM_UTF8) == b"one " + codecs.BOM_UTF8 + b"\n"


@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_utf16_and_utf32_are_named(name: str, errors: str) -> None:
    for data in ("text".encode(name), getattr(codecs, f"BOM_{name.upper().replace('-', '')}_BE")):
        with pytest.raises(TextError, match=rf"byte-order mark of {name.upper()}") as raised:
            read(data, errors=errors)
        assert f"iconv -f {name}" in str(raised.value)


def test_text_full_of_nul_is_refused_unless_that_is_asked_for() -> None:
    data = "no mark at all".encode("utf-16-le")
    with pytest.raises(TextError, match="UTF-16 without a byte-order mark, or a binary file"):
        read(data)
    assert read(data, errors="replace") == data + b"\n"
    assert read(b"one \0 is fine") == b"one \0 is fine\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"file.txt".ljust(257, b"\0") + b"ustar\x0000".ljust(255, b"\0"), "is a tar archive"),
        (b"PAR1 and so on", "is a Parquet file: name it .parquet"),
        (b"%PDF-1.7\n", "is a PDF: convert it to text"),
    ],
)
def test_files_that_are_no_texts_are_called_by_their_name(data: bytes, message: str) -> None:
    with pytest.raises(TextError, match=message):
        read(data)


@pytest.mark.parametrize("errors", ["surrogateescape", "surrogatepass", "xmlcharrefreplace"])
def test_policies_that_make_no_utf8_are_refused(errors: str) -> None:
    with pytest.raises(ParameterError, match=rf"errors='{errors}' does not make text"):
        open_text(["text"], errors=errors)


def test_unknown_policies_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"errors='loose' is not known: use 'strict'"):
        check_errors("loose")
    with pytest.raises(ParameterError, match="errors is None, not a string"):
        check_errors(None)  # type: ignore[arg-type]


def test_a_registered_policy_may_read_mixed_encodings() -> None:
    def as_latin(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return error.object[error.start : error.end].decode("latin-1"), error.end

    codecs.register_error("firth-test-latin", as_latin)
    assert read("déjà ".encode() + LATIN, errors="firth-test-latin").decode() == (
        "déjà un café noir\n"
    )
    codecs.register_error("firth-test-bad", lambda error: ("\ud800", error.end))  # type: ignore[attr-defined]
    with pytest.raises(TextError, match=r"makes text of .* that is not UTF-8"):
        read(LATIN, errors="firth-test-bad")


def test_lone_surrogates_are_encoded_by_the_policy() -> None:
    assert encode_with("caf\udce9", "replace", "text") == "caf\ufffd".encode()
    assert encode_with("caf\udce9", "backslashreplace", "text") == b"caf\\xe9"
    assert encode_with("a\ud800b", "ignore", "text") == b"ab"
    assert encode_with("a\ud800b", "replace", "text").decode().strip("ab\ufffd") == ""
    with pytest.raises(UnicodeEncodeError):
        encode_with("a\ud800b", "strict", "text")
