"""The container: against the safetensors library, and against damage of every kind."""

import hashlib
import json
import mmap
import os
import stat

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import cbow
from cbow.errors import ModelFileError, OutputError
from cbow.system import safetensors_file
from cbow.system.safetensors_file import read, strict_json, write

ARRAYS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: name != "__metadata__"),
    st.sampled_from(["<f8", "<f4", "<i8", "u1"]).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))
    ),
    max_size=5,
)
TEXT = st.text(st.characters(codec="utf-8"))


def compose(header, data=b"", length=None):
    """Put a file together by hand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return size.to_bytes(8, "little") + text + data


def entry(start=0, end=8, dtype="F64", shape=(1,)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.safetensors"


@pytest.mark.slow
@given(ARRAYS, TEXT)
def test_the_bytes_are_the_librarys(tmp_path_factory, tensors, text):
    path = tmp_path_factory.getbasetemp() / "bytes.safetensors"
    write(path, tensors, {"note": text})
    ordered = {
        name: np.ascontiguousarray(each).reshape(each.shape) for name, each in tensors.items()
    }
    assert path.read_bytes() == safetensors.numpy.save(ordered, metadata={"note": text})


@pytest.mark.slow
@given(ARRAYS, TEXT)
def test_what_is_written_is_read(tmp_path_factory, tensors, text):
    path = tmp_path_factory.getbasetemp() / "round.safetensors"
    write(path, tensors, {"note": text})
    found, metadata = read(path)
    assert metadata == {"note": text}
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.aligned
        assert found[name].flags.c_contiguous
        assert not found[name].flags.writeable


def test_the_library_reads_it(path):
    tensors = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(3)}
    write(path, tensors, {"note": "é"})
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"note": "é"}
    for name, array in safetensors.numpy.load_file(path).items():
        np.testing.assert_array_equal(array, tensors[name])


def test_memory_order_and_byte_order_do_not_matter(path):
    plain = np.arange(12, dtype=np.float32).reshape(3, 4)
    views = [
        np.asfortranarray(plain),
        plain.astype(">f4"),
        np.repeat(plain, 2, axis=1)[:, ::2],
        np.ascontiguousarray(plain.T).T,
    ]
    write(path, {"a": plain}, {})
    expected = path.read_bytes()
    for view in views:
        write(path, {"a": view}, {})
        assert path.read_bytes() == expected


def test_the_order_of_the_arrays_does_not_matter(path):
    tensors = {"b": np.zeros(2), "a": np.zeros(3, np.uint8), "c": np.zeros(1)}
    write(path, tensors, {})
    expected = path.read_bytes()
    write(path, dict(reversed(tensors.items())), {})
    assert path.read_bytes() == expected


def test_what_cannot_be_written(path, tmp_path):
    with pytest.raises(ModelFileError, match="array a holds complex128, but must hold one of"):
        write(path, {"a": np.zeros(1, complex)}, {})
    with pytest.raises(OutputError, match="does not exist"):
        write(tmp_path / "no" / "file", {}, {})
    assert list(tmp_path.iterdir()) == []


def test_others_may_read_the_file(path):
    old = os.umask(0o022)
    try:
        write(path, {}, {})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_file_may_be_replaced_while_its_arrays_are_in_use(path):
    write(path, {"a": np.arange(10)}, {})
    mapped = read(path).tensors["a"]
    write(path, {"a": mapped}, {"written": "from itself"})
    write(path, {"a": np.zeros(3)}, {})
    np.testing.assert_array_equal(mapped, np.arange(10))


def test_the_arrays_stay_on_disk(path):
    write(path, {"a": np.arange(1000)}, {})
    array = read(path).tensors["a"]
    while not isinstance(array, mmap.mmap):
        array = array.base


NO_NUMBERS = "shape and offsets of the array 'a' are not all whole numbers of 0 or more; give a"

DAMAGED = {
    "empty": (b"", "does not begin like a safetensors file"),
    "short": (b"\x02\x00\x00", "does not begin like"),
    "only a length": (b"\x02" + bytes(7), "does not begin like"),
    "header longer than the file": (compose({}, length=3), "does not begin like"),
    "absurd length": (compose({}, length=2**63), "does not begin like"),
    "length 0": (bytes(100), "does not begin like"),
    "text": (b"the king and the queen and the land\n" * 9, "does not begin like"),
    "pickle": (b"\x80\x04\x95" + bytes(5) + b"\x8c\x08builtins" * 9, "does not begin like"),
    "zip": (b"PK\x03\x04" + bytes(100), "does not begin like"),
    "not UTF-8": (compose(b'{"\xff": 1}'), "header is not JSON"),
    "not JSON": (compose(b"{'a': 1}"), "header is not JSON"),
    "cut JSON": (compose(b'{"a":'), "header is not JSON"),
    "name twice": (compose(b'{"a": {}, "a": {}}'), "not JSON .a name occurs twice."),
    "NaN": (compose(b'{"a": NaN}'), "not JSON .NaN is no number."),
    "infinity": (compose(b'{"a": 1e999}'), "not JSON ..1e999. is too large."),
    "deep": (compose(b"[" * 200_000), "not JSON .nested too deep."),
    "many digits": (compose(b'{"a": ' + b"9" * 10_000 + b"}"), "header is not JSON"),
    "list": (compose([1, 2]), "not a table of arrays"),
    "metadata a list": (compose({"__metadata__": [1]}), "metadata are not a table of texts"),
    "metadata numbers": (compose({"__metadata__": {"a": 1}}), "not a table of texts"),
    "entry a number": (compose({"a": 1}), "does not describe the array 'a'"),
    "entry a text": (compose({"a": "b"}), "does not describe"),
    "entry empty": (compose({"a": {}}), "does not describe"),
    "one offset": (compose({"a": {**entry(), "data_offsets": [0]}}, bytes(8)), "not describe"),
    "offsets a number": (compose({"a": {**entry(), "data_offsets": 0}}, bytes(8)), "not describe"),
    "shape a number": (compose({"a": {**entry(), "shape": 1}}, bytes(8)), "not describe"),
    "unknown kind": (compose({"a": entry(dtype="BF16")}, bytes(8)), "of the kind 'BF16'"),
    "kind a list": (compose({"a": entry(dtype=["F64"])}, bytes(8)), "of the kind"),
    "shape of texts": (compose({"a": entry(shape="1")}, bytes(8)), NO_NUMBERS),
    "shape of booleans": (compose({"a": entry(shape=[True])}, bytes(8)), NO_NUMBERS),
    "shape of fractions": (compose({"a": entry(shape=[1.0])}, bytes(8)), NO_NUMBERS),
    "negative shape": (compose({"a": entry(shape=[-1, -1])}, bytes(8)), NO_NUMBERS),
    "negative offset": (compose({"a": entry(-8, 0)}, bytes(8)), NO_NUMBERS),
    "offset a text": (compose({"a": entry(0, "8")}, bytes(8)), NO_NUMBERS),
    "offset nothing": (compose({"a": entry(None, 8)}, bytes(8)), NO_NUMBERS),
    "huge shape": (compose({"a": entry(shape=[2**70, 0])}, bytes(8)), "larger than the file"),
    "beyond the end": (compose({"a": entry(0, 800, shape=[100])}, bytes(8)), "larger than"),
    "end missing": (compose({"a": entry()}, bytes(7)), "take 8 bytes, but it holds 7"),
    "wrong shape": (compose({"a": entry(shape=[2])}, bytes(8)), "'a' does not fill its place"),
    "wrong kind": (compose({"a": entry(dtype="F32")}, bytes(8)), "does not fill its place"),
    "offsets swapped": (compose({"a": entry(8, 0)}, bytes(8)), "does not fill its place"),
    "many dimensions": (compose({"a": entry(shape=[1] * 99)}, bytes(8)), "not fill its place"),
    "hole": (compose({"a": entry(8, 16)}, bytes(16)), "not where the one before it ends"),
    "overlap": (compose({"a": entry(), "b": entry(4, 12)}, bytes(12)), "'b' is not where"),
    "more data": (compose({"a": entry()}, bytes(9)), "take 8 bytes, but it holds 9"),
    "data for nothing": (compose({}, bytes(1)), "take 0 bytes, but it holds 1"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage(path, kind):
    content, message = DAMAGED[kind]
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_the_largest_header(path, monkeypatch):
    monkeypatch.setattr(safetensors_file, "LONGEST_HEADER", 10)
    path.write_bytes(compose(b"{}" + b" " * 8))
    assert read(path) == ({}, {})
    path.write_bytes(compose(b"{}" + b" " * 9))
    with pytest.raises(ModelFileError, match="does not begin like"):
        read(path)


def test_the_smallest_file(path):
    path.write_bytes(compose({}))
    assert read(path) == ({}, {})


def test_arrays_need_not_be_listed_in_order(path):
    path.write_bytes(compose({"b": entry(8, 16), "a": entry()}, bytes(8) + np.float64(1).tobytes()))
    assert read(path).tensors["b"].tolist() == [1]


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(
        ModelFileError, match=r"nothing cannot be opened .No such file or directory"
    ):
        read(tmp_path / "nothing")
    with pytest.raises(ModelFileError, match="is not a regular file; give the name of one"):
        read(tmp_path)
    with pytest.raises(ModelFileError, match=r"cannot be opened .*null"):
        read("a\0b")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ModelFileError, match="is not a regular file; give the name of one"):
        read(pipe)


def test_a_file_that_may_not_be_read(path, monkeypatch):
    write(path, {}, {})

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(
        ModelFileError, match=r"cannot be opened .Permission denied.; check its name"
    ):
        read(path)


@pytest.mark.parametrize("text", ["1", '{"a": [1.5, null, true, "x"]}', " {} ", "-0.0", "1e308"])
def test_json(text):
    assert strict_json(text) == json.loads(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content)
    try:
        read(path)
    except ModelFileError:
        assert content.strip() != b"{}"


# -- checksums ---------------------------------------------------------------------------------

SOME = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.empty((0, 3), np.int64)}


def test_checksums_are_those_of_the_arrays_and_of_the_texts(path):
    safetensors_file.write(path, SOME, {"cbow": "é", "more": "x"})
    contents = safetensors_file.read(path, check=safetensors_file.ALL)
    assert json.loads(contents.metadata["sha256"]) == {
        "arrays": {
            name: hashlib.sha256(array.tobytes()).hexdigest()
            for name, array in SOME.items()
        },
        "metadata": hashlib.sha256(b'{"cbow": "\\u00e9", "more": "x"}').hexdigest(),
    }  # fmt: skip
    assert safetensors_file.verified(contents) == {"a": True, "none": True, "metadata": True}
    # What was read and is written again has checksums of its own.
    safetensors_file.write(path, {"b": SOME["a"]}, contents.metadata)
    contents = safetensors_file.read(path, check=safetensors_file.ALL)
    assert safetensors_file.verified(contents) == {"b": True, "metadata": True}


def test_files_of_other_programs_get_no_checksums(path):
    safetensors_file.write(path, SOME, {"format": "pt"})
    assert path.read_bytes() == safetensors.numpy.save(SOME, {"format": "pt"})
    contents = safetensors_file.read(path, check=safetensors_file.ALL)
    assert safetensors_file.verified(contents) is None


@pytest.mark.parametrize(
    ("tensors", "texts", "wrong"),
    [
        ({"a": SOME["a"] + 1}, {}, "a"),
        ({"b": SOME["a"]}, {}, "b"),
        ({"none": None}, {}, "none"),
        ({}, {"cbow": "other"}, "metadata"),
        ({}, {"more": "other"}, "metadata"),
        ({}, {"sha256": "{"}, "none, a, metadata"),
        ({}, {"sha256": "[]"}, "none, a, metadata"),
        ({}, {"sha256": '{"arrays": 1, "metadata": 1}'}, "none, a, metadata"),
        ({}, {"sha256": '{"arrays": {}, "metadata": ""}'}, "none, a, metadata"),
    ],
)
def test_what_was_changed_is_named(path, tensors, texts, wrong):
    safetensors_file.write(path, SOME, {"cbow": "text"})
    _, metadata = safetensors_file.read(path)
    arrays = {n: array for n, array in {**SOME, **tensors}.items() if array is not None}
    path.write_bytes(safetensors.numpy.save(arrays, {**metadata, **texts}))
    state = safetensors_file.verified(safetensors_file.read(path))
    assert ", ".join(name for name, same in state.items() if not same) == wrong
    size = path.stat().st_size
    for check in (size, safetensors_file.SMALL, safetensors_file.ALL):
        with pytest.raises(ModelFileError, match=f"for the checksum of '{wrong}' differs; give a"):
            safetensors_file.read(path, check=check)
    safetensors_file.read(path, check=size - 1)  # larger files are not read to their end


LONG = "x" * 10**6


@pytest.mark.parametrize(
    "header",
    [
        {LONG: {}},
        {LONG: entry(dtype=LONG)},
        {"a": entry(dtype=LONG)},
        {LONG: entry(shape=[-1])},
        {LONG: entry(end=10**9, shape=[10**9])},
        {LONG: entry(end=9)},
        {LONG: entry(start=8, end=16)},
        b'{"a": 1' + b"0" * 10**6 + b".5}",
        b'{"a": {"dtype": "F64", "shape": [1e' + b"9" * 10**6 + b"]}}",
    ],
    ids=range(9),
)
def test_a_message_shows_little_of_a_hostile_value(path, header):
    path.write_bytes(compose(header, bytes(16)))
    with pytest.raises(ModelFileError) as caught:
        read(path)
    assert len(str(caught.value).removeprefix(str(path))) < 600


@pytest.mark.parametrize(
    "content",
    [
        {"format_version": 10**4000},
        {"format_version": 2, "config": {LONG: 1}, "report": {}},
        {"format_version": 2, "config": {"window": LONG}, "report": {}},
        {"format_version": 2, "config": {"activation": LONG}, "report": {}},
        {"checkpoint_version": 10**4000},
        {"vectors_version": 10**4000},
    ],
    ids=range(6),
)
def test_nor_of_hostile_metadata(path, content):
    safetensors_file.write(path, {"a": np.zeros(1)}, {"cbow": json.dumps(content)})
    for opener in (cbow.load, cbow.load_vectors, cbow.resume):
        with pytest.raises(ModelFileError) as caught:
            opener(path)
        assert len(str(caught.value).removeprefix(str(path))) < 800


def test_a_message_names_few_of_many_arrays(path):
    texts = {"cbow": "{}", "sha256": "{}"}
    arrays = {f"{i}{LONG[:1000]}": np.zeros(1) for i in range(50)}
    path.write_bytes(safetensors.numpy.save(arrays, texts))
    for opener in (lambda path: read(path, check=safetensors_file.ALL), cbow.load, cbow.resume):
        with pytest.raises(ModelFileError) as caught:
            opener(path)
        assert len(str(caught.value).removeprefix(str(path))) < 600
