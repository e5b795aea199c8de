import errno
import json
import os
import stat
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from firth import _core
from firth.errors import FormatError, OutputError, ParameterError, SourceError
from firth.storage import (
    _folders,
    check_target,
    open_tensors,
    read_config,
    save_tensors,
    write_config,
    write_folder,
)

DTYPES = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"]


@st.composite
def tensor_dicts(draw):
    array = st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
    )
    return draw(st.dictionaries(st.text('abö_ "\\', min_size=1, max_size=5), array, max_size=4))


@given(tensors=tensor_dicts())
def test_tensors_come_back_as_they_went_and_safetensors_reads_them_too(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("t") / "a.safetensors"
    save_tensors(path, tensors, {"made by": "a test"})
    ours = open_tensors(path)
    for other in (ours, load_file(path)):
        assert other.keys() == tensors.keys()
        for name, array in tensors.items():
            assert other[name].dtype == array.dtype
            assert other[name].shape == array.shape
            assert other[name].tobytes() == array.tobytes()
    assert all(not array.flags.writeable for array in ours.values())


def test_files_of_safetensors_are_read(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    save_file({"a": array, "b": array[:2].astype(np.int64)}, tmp_path / "x")
    tensors = open_tensors(tmp_path / "x")
    assert (tensors["a"] == array).all()
    assert tensors["b"].dtype == np.int64


def test_strided_and_big_endian_arrays_are_written_in_order(tmp_path):
    array = np.arange(12, dtype=">f4").reshape(3, 4).T[::2]
    save_tensors(tmp_path / "x", {"a": array})
    assert (open_tensors(tmp_path / "x")["a"] == array).all()


def test_views_are_of_the_mapped_file_and_survive_its_replacement(tmp_path):
    save_tensors(tmp_path / "x", {"a": np.ones(1000)})
    view = open_tensors(tmp_path / "x")["a"]
    assert view.base is not None
    assert view.__array_interface__["data"][0] % 64 == 0
    save_tensors(tmp_path / "x", {"b": view[:1]})
    assert view.sum() == 1000
    assert open_tensors(tmp_path / "x")["b"].tolist() == [1]
    assert names(tmp_path) == ["x"]


def test_tensors_are_not_written_over_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OutputError, match="exists and is no file"):
            save_tensors(path, {"a": np.ones(1)})
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        save_tensors(tmp_path / "no" / "x", {"a": np.ones(1)})


def test_others_may_read_what_is_written(tmp_path):
    umask = os.umask(0o022)
    try:
        with write_folder(tmp_path / "m") as folder:
            write_config(folder, "vocab")
            save_tensors(folder / "a.safetensors", {"a": np.ones(1)})
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "m/a.safetensors").stat().st_mode) == 0o644


def test_unknown_dtype_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="'a' has dtype complex64"):
        save_tensors(tmp_path / "x", {"a": np.ones(2, np.complex64)})
    assert not (tmp_path / "x").exists()


def raw_file(path, header, data=b"", claimed=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if claimed is None else claimed) + text + data)
    return path


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (b"not json", b"", "byte 8 should start a JSON header"),
        (b"[" * 100_000, b"", "byte 8 should start a JSON header"),
        (b"[1]", b"", "byte 8 should start a JSON object, not an array"),
        (b'{"a": {}, "a": {}}', b"", "a name occurs twice"),
        ({"a": 3}, b"", "lacks its dtype"),
        ({"a": {**GOOD, "dtype": "F8_E4M3"}}, b"", "dtype 'F8_E4M3'; known are"),
        ({"a": {**GOOD, "dtype": ["F32"]}}, b"", "known are"),
        ({"a": {**GOOD, "shape": [-2]}}, b"", "no list of sizes"),
        ({"a": {**GOOD, "shape": [True, 2]}}, b"", "no list of sizes"),
        ({"a": {**GOOD, "shape": 2}}, b"", "no list of sizes"),
        ({"a": {**GOOD, "data_offsets": [0]}}, b"", "no begin and end"),
        ({"a": {**GOOD, "shape": [3]}}, b"12345678", "has 8 bytes, but its shape .3. needs 12"),
        ({"a": {**GOOD, "data_offsets": [8, 16]}}, b"x" * 16, "starts at byte"),
        ({"a": GOOD, "b": GOOD}, b"x" * 8, "starts at byte"),
        ({"a": GOOD}, b"1234567", "is cut off: its header asks for"),
        ({"a": GOOD}, b"123456789", "has bytes that belong to nothing"),
        ({"a": {**GOOD, "shape": [1] * 99 + [2]}}, b"12345678", "maximum supported dimension"),
    ],
)
def test_damaged_tensor_files_say_what_and_where(tmp_path, header, data, message):
    path = raw_file(tmp_path / "x.safetensors", header, data)
    with pytest.raises(FormatError, match=message) as caught:
        open_tensors(path)
    assert str(path) in str(caught.value)


def test_header_longer_than_the_file_takes_no_memory(tmp_path):
    path = raw_file(tmp_path / "x", {"a": GOOD}, claimed=1 << 60)
    with pytest.raises(FormatError, match="byte 0 claims a header of 1,152,921,504,606,846,976"):
        open_tensors(path)


def test_short_missing_and_unreadable_tensor_files(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    with pytest.raises(FormatError, match="3 bytes are too few"):
        open_tensors(tmp_path / "x")
    with pytest.raises(FormatError, match="y: this file is missing"):
        open_tensors(tmp_path / "y")
    with pytest.raises(FormatError, match="cannot be opened"):
        open_tensors(tmp_path)


def test_unaligned_tensors_are_copied(tmp_path):
    header = {
        "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [1, 9]},
    }
    path = raw_file(tmp_path / "x", header, b"\x07" + np.array([1, 2], np.float32).tobytes())
    tensor = open_tensors(path)["b"]
    assert tensor.flags.aligned
    assert tensor.tolist() == [1, 2]


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_no_changed_byte_does_worse_than_a_format_error(tmp_path_factory, position, byte):
    path = tmp_path_factory.mktemp("t") / "x"
    save_tensors(path, {"a": np.arange(5, dtype=np.float32), "b": np.arange(3)})
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content)
    try:
        for array in open_tensors(path).values():
            array.sum()
    except FormatError:
        pass


# --- config ---------------------------------------------------------------------------------------


def test_config_comes_back(tmp_path):
    fields = {"sizes": np.int64(3), "path": tmp_path, "text": "søt", "nested": {"a": [1, None]}}
    write_config(tmp_path, "vocab", **fields)
    config = read_config(tmp_path, "corpus", "vocab")
    assert config == {
        "format": "firth",
        "format_version": 1,
        "kind": "vocab",
        "sizes": 3,
        "path": str(tmp_path),
        "text": "søt",
        "nested": {"a": [1, None]},
    }


def test_config_that_json_cannot_hold(tmp_path):
    with pytest.raises(ParameterError, match="cannot hold set"):
        write_config(tmp_path, "vocab", a={1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1, column 2 is no JSON"),
        ("\xff", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "written by another program"),
        ('{"model_type": "bert"}', "written by another program"),
        ('{"format": "firth"}', '"format_version" is None'),
        ('{"format": "firth", "format_version": 99}', "written by a later firth"),
        ('{"format": "firth", "format_version": 1, "kind": "corpus"}', "of kind 'corpus', not 'x'"),
    ],
)
def test_foreign_config(tmp_path, text, message):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(FormatError, match=message):
        read_config(tmp_path, "x")


def test_no_config(tmp_path):
    with pytest.raises(SourceError, match="no such folder"):
        read_config(tmp_path / "no")
    with pytest.raises(FormatError, match=r"no config\.json in it"):
        read_config(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(FormatError, match="this is a file"):
        read_config(tmp_path / "file")


# --- folders --------------------------------------------------------------------------------------


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_half_way(target, error):
    with write_folder(target) as folder:
        (folder / "half").touch()
        raise error


def write_version(target, text):
    with write_folder(target) as folder:
        write_config(folder, "vocab")
        (folder / "data").write_text(text)


def test_a_folder_appears_whole_and_is_replaced_whole(tmp_path):
    target = tmp_path / "made" / "above" / "model"
    write_version(target, "1")
    held = (target / "data").open()
    with write_folder(target) as folder:
        assert folder.parent == target.parent
        write_config(folder, "vocab")
        (folder / "data").write_text("2")
        assert (target / "data").read_text() == "1"
    assert (target / "data").read_text() == "2"
    assert held.read() == "1"
    held.close()
    assert names(target.parent) == ["model"]
    assert read_config(target)["files"] == ["config.json", "data"]


def test_replacing_without_an_exchange_of_names(tmp_path, monkeypatch):
    def cannot(a, b):
        raise OSError(errno.EINVAL, "no such call here")

    monkeypatch.setattr(_core, "exchange_paths", cannot)
    write_version(tmp_path / "m", "1")
    write_version(tmp_path / "m", "2")
    assert (tmp_path / "m/data").read_text() == "2"
    assert names(tmp_path) == ["m"]


def test_a_failed_replacement_leaves_the_old_folder(tmp_path, monkeypatch):
    def fails(a, b):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(_core, "exchange_paths", fails)
    write_version(tmp_path / "m", "1")
    with pytest.raises(OutputError, match="the disk reports an error"):
        write_version(tmp_path / "m", "2")
    assert (tmp_path / "m/data").read_text() == "1"
    assert names(tmp_path) == ["m"]


def test_exchange_paths_of_the_core(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    _core.exchange_paths(os.fsencode(tmp_path / "a"), os.fsencode(tmp_path / "b"))
    assert (tmp_path / "a").read_text() == "b"
    with pytest.raises(FileNotFoundError):
        _core.exchange_paths(os.fsencode(tmp_path / "a"), os.fsencode(tmp_path / "none"))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_a_failure_nothing_is_left(tmp_path, error):
    write_version(tmp_path / "old", "1")
    for target in (tmp_path / "old", tmp_path / "new" / "er"):
        with pytest.raises(error):
            fail_half_way(target, error)
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old/data").read_text() == "1"


def test_a_link_to_the_folder_is_kept(tmp_path):
    write_version(tmp_path / "real", "1")
    (tmp_path / "link").symlink_to("real")
    write_version(tmp_path / "link", "2")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/data").read_text() == "2"


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "m").mkdir()
    write_version(tmp_path / "m", "1")
    assert (tmp_path / "m/data").read_text() == "1"


def test_targets_that_are_something_else_are_refused(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/thesis.tex").touch()
    write_version(tmp_path / "model", "1")
    (tmp_path / "model/notes.txt").touch()
    for name, message in (
        ("file", "this is a file, not a folder"),
        ("folder", "is no folder of firth"),
        ("file/below", "is a file; choose another place"),
        ("model", r"would delete notes\.txt"),
    ):
        with pytest.raises(OutputError, match=message):
            check_target(tmp_path / name)
        with pytest.raises(OutputError, match=message), write_folder(tmp_path / name):
            pytest.fail("the block must not run")
    assert (tmp_path / "file").read_text() == "precious"
    assert (tmp_path / "folder/thesis.tex").exists()
    assert (tmp_path / "model/notes.txt").exists()


def test_what_was_put_there_meanwhile_is_not_replaced(tmp_path):
    writing = write_folder(tmp_path / "m")
    writing.__enter__()
    (tmp_path / "m").mkdir()
    (tmp_path / "m/thesis.tex").touch()
    with pytest.raises(OutputError, match="is no folder of firth"):
        writing.__exit__(None, None, None)
    assert names(tmp_path) == ["m"]


def test_place_without_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(_folders.os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(OutputError, match=f"no permission to write in {tmp_path}"):
        check_target(tmp_path / "m")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "cannot be written: the disk is full; free some space"),
        (errno.EROFS, "read-only"),
        (errno.EDQUOT, "quota is used up"),
    ],
)
def test_a_disk_that_fills_up(tmp_path, number, message):
    with pytest.raises(OutputError, match=message) as caught, write_folder(tmp_path / "m"):
        raise OSError(number, os.strerror(number))
    assert caught.value.errno == number
    assert names(tmp_path) == []


def test_a_real_write_that_does_not_fit(tmp_path):
    """A limit on the size of files stands in for a disk that fills up; in a process of its own."""
    code = f"""
import resource, signal, sys
import numpy as np
from firth.errors import OutputError
from firth.storage import save_tensors, write_config, write_folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    with write_folder({str(tmp_path / "m")!r}) as folder:
        write_config(folder, "vocab")
        save_tensors(folder / "a.safetensors", {{"a": np.ones(100_000)}})
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path = tmp_path / "m/a.safetensors"
    assert f"{path}: cannot be written: the file would be larger than" in done.stdout
    assert names(tmp_path) == []


def test_errors_of_reading_inside_the_block_pass_as_they_are(tmp_path):
    with pytest.raises(PermissionError), write_folder(tmp_path / "m"):
        raise PermissionError(errno.EACCES, "no", str(tmp_path / "source.txt"))
    with pytest.raises(OutputError), write_folder(tmp_path / "m") as folder:
        raise PermissionError(errno.EACCES, "no", str(folder / "x"))
