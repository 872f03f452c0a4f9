"""Reading a request, whatever it holds: forms, JSON, multipart, limits, and what cannot be read."""

import io
import json
import time
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.lib.wire import (
    FORM,
    Limits,
    Note,
    Unreadable,
    first_bad_character,
    merge,
    parse_json,
    read_body,
    read_query,
)
from tests.unit import table

JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=b"
LIMIT = Limits().body_bytes


class Stream(io.BytesIO):
    """A body that arrives in pieces, and remembers how much was asked of it."""

    asked = 0

    def __init__(self, body: bytes, piece: int = 100_000) -> None:
        super().__init__(body)
        self.piece = piece

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0, "a read without a size waits for the end of the connection"
        self.asked += size
        return super().read(min(size, self.piece))


class BrokenStream(io.BytesIO):
    """A body whose connection breaks behind its first bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if piece := super().read(4):
            return piece
        raise ConnectionResetError


def environ(body: bytes, content_type: str = JSON, **more: Any) -> dict[str, Any]:
    return {
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": Stream(body),
        "wsgi.input_terminated": True,
        **more,
    }


def chunked(body: bytes, content_type: str = JSON, **more: Any) -> dict[str, Any]:
    return {
        "CONTENT_TYPE": content_type,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": Stream(body),
        "wsgi.input_terminated": True,
        **more,
    }


def query(text: str) -> dict[str, Any]:
    return read_query({"QUERY_STRING": text.encode().decode("latin-1")})


def refusal(request: dict[str, Any], limits: Limits | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_body(request, limits or Limits())
    assert caught.value.message.endswith(".")
    return caught.value


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


# Forms


@pytest.mark.parametrize("row", table("wire_forms.csv"), ids=lambda row: row["case"])
def test_a_form_spells_its_tree_in_the_query_string_and_in_the_body(row: dict[str, str]) -> None:
    tree = json.loads(row["tree"])
    assert query(row["form"]) == tree
    assert read_body(environ(row["form"].encode(), FORM)) == tree


def test_a_request_without_a_query_string_has_no_parameters() -> None:
    assert read_query({}) == {}


def test_a_query_string_that_is_not_utf_8_is_malformed() -> None:
    for text in ("a=\xe9", "a=%E9"):
        with pytest.raises(Unreadable, match="query string is not UTF-8") as caught:
            read_query({"QUERY_STRING": text})
        assert caught.value.code == "malformed_body"


def test_more_than_500_fields_are_too_large_before_anything_is_built() -> None:
    full = "&".join(f"k{number}=1" for number in range(500))
    assert len(query(full)) == 500
    assert len(read_body(environ(full.encode(), FORM))) == 500
    assert refusal(environ(full.encode() + b"&more=1", FORM)).code == "too_large"
    with pytest.raises(Unreadable, match="more than 500 fields") as caught:
        query(full + "&more=1")
    assert caught.value.code == "too_large"


def test_brackets_nest_as_deep_as_json_may_and_no_deeper() -> None:
    assert "a" in query("a" + "[b]" * 19 + "=1")
    with pytest.raises(Unreadable, match="nested too deeply") as caught:
        query("a" + "[b]" * 20 + "=1")
    assert (caught.value.code, caught.value.parameter) == ("malformed_body", "a")


def test_the_parameter_that_is_nested_too_deeply_can_be_shown_in_an_answer() -> None:
    with pytest.raises(Unreadable) as caught:
        query("%00" + "a" * 100 + "[b]" * 20 + "=1")
    assert caught.value.parameter == "\ufffd" + "a" * 63


# Bodies of every type


@pytest.mark.parametrize("row", table("wire_bodies.csv"), ids=lambda row: row["case"])
def test_a_body_is_read_by_its_type_or_refused_by_name(row: dict[str, str]) -> None:
    body = row["body"].encode("latin-1")
    if row["result"].startswith("{"):
        result = read_body(environ(body, row["type"]))
        assert json.dumps(result) == json.dumps(json.loads(row["result"]))
    else:
        error = refusal(environ(body, row["type"]))
        assert error.code == row["result"]
        assert error.body == body


@pytest.mark.parametrize("row", table("wire_charsets.csv"), ids=lambda row: row["case"])
def test_a_body_of_an_old_page_is_read_and_what_was_guessed_or_repaired_is_named(row: dict[str, str]) -> None:
    notes: list[Note] = []
    request = environ(row["body"].encode("latin-1"), row["type"])
    if row["result"].startswith("{"):
        assert json.dumps(read_body(request, notes=notes)) == json.dumps(json.loads(row["result"]))
        assert " ".join(f"{note.parameter}:{note.code}" for note in notes) == row["noted"]
    else:
        with pytest.raises(Unreadable, match=row["noted"]) as caught:
            read_body(request, notes=notes)
        assert caught.value.code == row["result"]


@pytest.mark.parametrize("query", ["a=\xe9", "a=%E9"])
def test_a_query_string_of_an_old_page_is_read_and_named(query: str) -> None:
    notes: list[Note] = []
    assert read_query({"QUERY_STRING": query}, notes=notes) == {"a": "é"}
    assert notes == [Note("a", "charset_guessed")]


def test_the_notes_about_a_body_end_somewhere() -> None:
    notes: list[Note] = []
    assert len(parse_json(b'{"a": [' + b'"\xe9",' * 50_000 + b"1]}", notes=notes)["a"]) == 50_001
    assert len(notes) == 20_000


def test_a_request_without_any_header_reads_as_empty() -> None:
    assert read_body({"wsgi.input": Stream(b"")}) == {}


def test_json_sent_as_a_form_is_told_which_header_it_lacks() -> None:
    assert "Send Content-Type: application/json" in refusal(environ(b'{"a": 1}', FORM)).message


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
def test_a_compressed_body_is_not_unpacked(encoding: str) -> None:
    error = refusal(environ(b"{}", HTTP_CONTENT_ENCODING=encoding))
    assert error.code == "unsupported_media_type"


def test_a_body_may_say_that_it_is_not_compressed() -> None:
    assert read_body(environ(b'{"a": 1}', HTTP_CONTENT_ENCODING="Identity")) == {"a": 1}


# JSON


def test_the_depth_of_json_is_20_and_no_more() -> None:
    for reason in ("1", "1e20"):  # The second is read by the second reader.
        assert parse_json(b'{"a":' * 20 + reason.encode() + b"}" * 20)
        for text in (
            b'{"a":' * 21 + reason.encode() + b"}" * 21,
            b'{"a":' + b"[" * 20 + reason.encode() + b"]" * 20 + b"}",
        ):
            with pytest.raises(Unreadable, match="nested too deeply") as caught:
                parse_json(text)
            assert caught.value.code == "malformed_body"


def test_brackets_within_texts_are_no_depth() -> None:
    text = json.dumps({"a": "[" * 30 + '\\"' + "{" * 30, "b": "\ud800"})
    assert parse_json(text.encode())["a"].startswith("[[[")


@pytest.mark.parametrize("piece", [b"[", b'{"a":', b'[{"a":', b'"', b'\\"', b'"\\"', b"[],", b'{"s":"\\ud800","a":['])
def test_endless_nesting_and_endless_texts_take_one_pass(piece: bytes) -> None:
    body = (b'{"a":[' + piece * 200_000)[:LIMIT]
    started = time.process_time()
    assert refusal(environ(body)).code == "malformed_body"
    # Two passes would be quick as well; a pass for each bracket would take minutes.
    assert time.process_time() - started < 10


def test_brackets_beside_one_another_are_no_depth() -> None:
    for reason in ("1", "1e20"):
        assert len(parse_json(f'{{"a": [{"[]," * 50}{reason}]}}'.encode())["a"]) == 51


def test_no_json_is_an_empty_object() -> None:
    for text in (b"", b" \n", b" null "):
        assert parse_json(text) == {}


def test_an_integer_of_5000_digits_is_kept_as_its_digits() -> None:
    for digits in ("9" * 5000, "-" + "9" * 5000):
        assert parse_json(f'{{"a": {digits}}}'.encode()) == {"a": digits}


def test_half_a_surrogate_pair_can_be_named() -> None:
    assert first_bad_character(parse_json(rb'{"data": {"x": "a\ud800"}}')) == "data.x"


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_both_json_readers_read_alike(value: Any) -> None:
    text = json.dumps({"value": value}, ensure_ascii=False)
    by_either = parse_json(text.encode(errors="surrogatepass")) if _encodable(text) else None
    forced = parse_json((json.dumps({"value": value})[:-1] + ', "forced": "\\ud800"}').encode())
    assert by_either is None or json.dumps(by_either["value"]) == json.dumps(forced["value"])
    assert json.dumps(forced["value"]) == json.dumps(_tidied(value))


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _tidied(value: Any) -> Any:
    """What is left of a JSON value, said independently: no white space about keys and behind texts, safe integers."""
    if isinstance(value, str):
        return value.rstrip()
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if isinstance(value, dict):
        return {key.strip(" \t\r\n\v\f\u00a0\ufeff"): _tidied(item) for key, item in value.items()}
    if type(value) is int and abs(value) > 2**53:
        return str(value)
    return value


# Multipart


def test_a_multipart_form_is_read_like_any_other() -> None:
    parts = part("a", b"1+1 \r\n") + part("data[x]", "é".encode()) + part("tags[]", b"") + part("a", b"2%20")
    expected = {"a": "2%20", "data": {"x": "é"}, "tags": [""]}
    assert read_body(environ(parts + b"--b--\r\n", MULTIPART)) == expected
    assert read_body(environ(parts + b"--b--", 'Multipart/Form-Data; boundary="b"; charset=utf-8')) == expected
    assert read_body(environ(b"--b--\r\n", MULTIPART)) == {}


def test_a_part_without_a_name_is_a_field_without_one() -> None:
    body = b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n"
    assert read_body(environ(body, MULTIPART)) == {"": "1"}


def test_a_file_is_refused_and_an_empty_file_input_is_not() -> None:
    empty = part("f", b"", '; filename=""\r\nContent-Type: application/octet-stream') + b"--b--\r\n"
    assert read_body(environ(part("a", b"1") + empty, MULTIPART)) == {"a": "1", "f": ""}
    file = part("f", b"x", '; filename="x.csv"') + b"--b--\r\n"
    assert refusal(environ(file, MULTIPART)).code == "unsupported_media_type"


@pytest.mark.parametrize(
    "body",
    [
        part("a", b"1"),
        part("a", b"\xff") + b"--b--\r\n",
        b"--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a"',
        b"--c\r\n\r\n--c--",
        b"a=1",
    ],
    ids=["no end", "not UTF-8", "no disposition", "cut", "another boundary", "a form"],
)
def test_a_broken_multipart_body_is_malformed(body: bytes) -> None:
    assert refusal(environ(body, MULTIPART)).code == "malformed_body"


def test_more_than_500_parts_are_too_large() -> None:
    parts = b"".join(part(f"k{number}", b"1") for number in range(500))
    assert len(read_body(environ(parts + b"--b--\r\n", MULTIPART))) == 500
    assert refusal(environ(parts + part("more", b"1") + b"--b--\r\n", MULTIPART)).code == "too_large"


@pytest.mark.parametrize("piece", [b"\r\n", b"\r", b"--b ", b"\r\n--bx", b"a:b\n", b" \r\n"])
def test_a_multipart_body_made_to_be_slow_is_not(piece: bytes) -> None:
    body = (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + piece * LIMIT)[:LIMIT]
    started = time.process_time()
    refusal(environ(body, MULTIPART))
    # Two passes would be quick as well; a pass for each bracket would take minutes.
    assert time.process_time() - started < 10


# How much is read


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not() -> None:
    fits = b'{"a": "' + b"x" * (LIMIT - 9) + b'"}'
    assert len(fits) == LIMIT
    assert read_body(environ(fits))
    assert read_body(chunked(fits))
    for request in (environ(fits + b" "), chunked(fits + b" ")):
        error = refusal(request)
        assert error.code == "too_large"
        assert error.body == fits


@pytest.mark.parametrize("announced", [str(10**9), "9" * 5000])
def test_a_body_announced_too_large_is_not_read_to_its_end(announced: str) -> None:
    request = environ(b"x" * 10 * LIMIT, CONTENT_LENGTH=announced)
    assert refusal(request).code == "too_large"
    assert request["wsgi.input"].tell() == LIMIT + 1


def test_a_chunked_body_without_end_is_not_read_to_its_end() -> None:
    request = chunked(b"x" * 10 * LIMIT)
    assert refusal(request).code == "too_large"
    assert request["wsgi.input"].tell() == LIMIT + 1


def test_a_body_that_arrives_byte_by_byte_is_read_whole() -> None:
    for request in (environ(b'{"a": 1}'), chunked(b'{"a": 1}')):
        request["wsgi.input"].piece = 1
        assert read_body(request) == {"a": 1}


def test_no_more_is_asked_of_the_stream_than_was_announced() -> None:
    request = environ(b'{"a": 1}{"next": "request"}', CONTENT_LENGTH="8")
    assert read_body(request) == {"a": 1}
    assert request["wsgi.input"].asked == 8


def test_chunks_count_whatever_content_length_says() -> None:
    assert read_body(chunked(b'{"a": 1}', CONTENT_LENGTH="2")) == {"a": 1}


@pytest.mark.parametrize("announced", ["", "-1", "x", "1.0", "\u00b2"])
def test_a_content_length_that_is_none_is_no_length(announced: str) -> None:
    assert read_body(environ(b'{"a": 1}', CONTENT_LENGTH=announced)) == {"a": 1}


def test_a_stream_whose_end_nobody_marks_is_not_waited_for() -> None:
    request = {"wsgi.input": BrokenStream(), "CONTENT_TYPE": JSON}
    assert read_body(request) == {}


def test_a_body_that_ends_early_is_malformed_although_it_reads_well() -> None:
    error = refusal(environ(b"caller_id=719222", FORM, CONTENT_LENGTH="20"))
    assert (error.code, error.body) == ("malformed_body", b"caller_id=719222")


def test_a_connection_that_breaks_is_malformed() -> None:
    broken = {"wsgi.input": BrokenStream(b'{"a": 1}'), "CONTENT_LENGTH": "20"}
    error = refusal(environ(b"") | broken)
    assert (error.code, error.body) == ("malformed_body", b'{"a": 1}')


# Both places together, and characters that cannot be stored


def test_the_body_wins_over_the_query_string_and_their_trees_merge() -> None:
    under = {"a": 1, "b": {"x": 1, "y": {"z": 1}}, "c": {"x": 1}, "d": 1}
    over = {"a": 2, "b": {"y": {"w": 2}, "v": 2}, "c": 2, "d": {"x": 2}}
    before = json.dumps([under, over])
    assert merge(under, over) == {
        "a": 2,
        "b": {"x": 1, "y": {"z": 1, "w": 2}, "v": 2},
        "c": 2,
        "d": {"x": 2},
    }
    assert json.dumps([under, over]) == before


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"a": "\0"}, "a"),
        ({"a": 1, "data": {"x": ["y", "\ud800"]}}, "data.x.1"),
        ({"data": {"x\0": 1}}, "data.x\ufffd"),
        ({"\udfff": {"a": "\0"}}, "\ufffd"),
        ({"k" * 100: "\0"}, "k" * 64),
        ({"a": 10**30, "b": "\0"}, "b"),
        ({"a": "\\u0000", "\\ud800": "\ufffd\x01\U0001f600", "n": [None, 1.5, True, 10**30]}, None),
        ({}, None),
    ],
)
def test_the_first_nul_or_lone_surrogate_is_named(tree: dict[str, Any], path: str | None) -> None:
    assert first_bad_character(tree) == path


# Whatever comes


BODIES = st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass"))
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *b'{"a": [ ] } " 1 , - null 1e999 NaN \\ud800 99999999999999999999999 \xef\xbb\xbf \xff \0'.split(),
            *b"a[ a[0] [] data. = & ; %5D %e9 --b --b-- name=a filename=x name*=utf-8''%ff".split(),
            *(b"Content-Disposition: form-data; ", b"\n", b"\r\n", b"\r\n\r\n"),
        ]
    ),
    max_size=25,
).map(b"".join)
TYPES = st.sampled_from([JSON, FORM, MULTIPART, "text/plain", "", "multipart/form-data", "application/x+json"])


@given(BODIES | FRAGMENTS, TYPES | st.text(st.characters(max_codepoint=255), max_size=60))
@settings(deadline=None, max_examples=400)
def test_no_body_makes_the_reader_stumble(body: bytes, content_type: str) -> None:
    try:
        tree = read_body(environ(body, content_type))
    except Unreadable:
        return
    first_bad_character(tree)
    json.dumps(tree, allow_nan=False)


@given(BODIES | FRAGMENTS)
@settings(deadline=None, max_examples=200)
def test_no_query_string_makes_the_reader_stumble(raw: bytes) -> None:
    try:
        tree = read_query({"QUERY_STRING": raw.decode("latin-1")})
    except Unreadable:
        return
    first_bad_character(tree)


NAMES = st.text(st.characters(exclude_categories=["Cs", "Nd"], exclude_characters="[]"), min_size=1, max_size=6).map(
    lambda text: text.strip(" \t\r\n\v\f\u00a0\ufeff")
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(str.rstrip)
TREES = st.dictionaries(
    NAMES.filter(lambda name: name and not name.startswith("data.")),
    st.recursive(
        TEXTS,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES.filter(bool), inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def form(tree: dict[str, Any]) -> str:
    """The tree as a browser writes it."""
    return "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in flat(tree))


def flat(value: Any, key: str = "") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(key, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [pair for name, child in items for pair in flat(child, f"{key}[{name}]" if key else str(name))]


@given(TREES)
@settings(deadline=None, max_examples=200)
def test_every_tree_survives_the_way_through_a_form(tree: dict[str, Any]) -> None:
    assert query(form(tree)) == tree


def test_only_the_white_space_of_json_is_nothing() -> None:
    assert read_body(environ(b" \r\n\t")) == {}
    # Text knows more signs that look empty; a body of them is no object.
    assert refusal(environ(b"\x1f")).code == "malformed_body"
    assert refusal(environ("\u2003".encode())).code == "malformed_body"
