"""Requests to begin with, and what a fuzzer makes of them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.unit import table

DATA = Path(__file__).parent.parent / "data"

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TYPES = ["", FORM, JSON, "multipart/form-data; boundary=b", "text/plain", "text/csv", "application/x+json"]
# What a reader may stumble over, as it stands on the wire.
PIECES = [
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"null", b"true", b"-0", b"1e999", b"1e-999", b"NaN"),
    *(b"Infinity",),
    *(b"9" * 19, b"-" + b"9" * 20, b"9007199254740993", b"18446744073709551616", b"1e18", b"1.5e20", b"0.1", b"1_0"),
    *(b"\\u0000", b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\x", b"\\", b"/*", b"'", b"\xef\xbb\xbf", b"\xff"),
    *(b"&", b"=", b"+", b"%", b"%00", b"%5B", b"%5D", b"%e9", b"%C3%A9", b"%F0%9F%98%80", b"%ed%a0%80", b"%zz", b";"),
    *(b"a[b]=1", b"a[]=1", b"a[0]=1", b"a[1]=1", b"a[b][c]=1", b"a[[b]]=1", b"[a]=1", b"a[", b"data.x=1", b"data.=1"),
    *(b"data[x]=1", b"data=1", b"\t", b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\xc2\xa0", b"\x0b", b"\x00", b"--b"),
    *(b"--b--",),
    *(b"--b\r\n", b"\r\n--b--\r\n", b"Content-Disposition: form-data; name=a\r\n\r\n", b'name="a[b]"'),
    *(b"name*=utf-8''%ff",),
    *(b'filename=""', b'filename="x.csv"', b"Content-Type: text/plain\r\n", b"Content-Transfer-Encoding: base64\r\n"),
    *(b'{"a":', b'[{"a":', b'{"data":{"x":1}}', b'{"numbers":[', b"[],", b"{},", b'"",', b"lead_token="),
    *(b"caller_id=%2B1",),
]  # fmt: skip
LARGE = 256 * 1024


@dataclass(frozen=True)
class Message:
    """What the reader gets of one request."""

    query: bytes = b""
    body: bytes = b""
    content_type: str = ""
    encoding: str = ""
    # The announced length less that of the body; None announces none.
    missing: int | None = 0
    chunked: bool = False
    broken: bool = False

    @property
    def size(self) -> int:
        """How much was sent."""
        return len(self.query) + len(self.body)


def corpus() -> list[Message]:
    """The requests of the tables: wild clients, forms, bodies of every type, lists of numbers; and some of our own."""
    found = [*of_wild_clients(), *OWN]
    for row in (*table("wire_bodies.csv"), *table("wire_charsets.csv")):
        found.append(Message(body=row["body"].encode("latin-1"), content_type=row["type"]))
    for row in table("wire_forms.csv"):
        form = row["form"].encode()
        found += [Message(query=form), Message(body=form, content_type=FORM)]
    for name in ("suppression_bodies.csv", "wrong_suppression_bodies.csv"):
        with (DATA / name).open(newline="", encoding="utf-8") as file:
            found += [Message(body=row["body"].encode(), content_type=row["type"]) for row in csv.DictReader(file)]
    return list(dict.fromkeys(found))


def of_wild_clients() -> Iterator[Message]:
    """What the programs out there send."""
    for cases in json.loads((DATA / "wild_clients.json").read_text(encoding="utf-8")).values():
        for case in cases:
            query = case.get("query", "").encode()
            told = case.get("headers", {}).get("Content-Type")
            if "json" in case:
                yield Message(query, json.dumps(case["json"]).encode(), told or JSON)
            elif "multipart" in case:
                yield Message(query, multipart(case["multipart"]), told or TYPES[3])
            elif "form" in case:
                yield Message(query, case["form"].encode(), told or FORM)
            else:
                yield Message(query, case.get("body", "").encode("utf-8", "surrogateescape"), told or "")


def multipart(pairs: list[Any]) -> bytes:
    """The fields of a form as parts."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{pair[0]}"\r\n\r\n{pair[1]}\r\n'.encode() for pair in pairs]
    return b"".join(parts) + b"--b--\r\n"


OWN = [
    Message(body=multipart([("a", "1"), ("data[x]", "é"), ("tags[]", "")]), content_type=TYPES[3]),
    Message(body=b'{"a": {"b": [1, 2.5, null, true, "x"]}, "data.x": 1, " k\\t": 1e300}', content_type=JSON),
    Message(body=b'{"a": "\\ud800", "b": 99999999999999999999, "c": [[[[]]]]}', content_type=JSON),
    Message(body=b'\xef\xbb\xbfnumber\n+17192221234;x\n"7192225678\n', content_type="text/csv"),
    Message(body=b'{"a": 1}', content_type=JSON, encoding="gzip"),
    Message(body=b'{"a": 1}', content_type=JSON, chunked=True),
    Message(body=b'{"a": 1}', content_type=JSON, broken=True),
    Message(body=multipart([(f"k{number}", "1") for number in range(501)]), content_type=TYPES[3]),
    Message(
        body=b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.csv"\r\n\r\nx\r\n--b--\r\n',
        content_type=TYPES[3],
    ),
    Message(body=b"a=1", content_type=FORM, missing=3),
    Message(body=b"a=1&b=2", content_type=FORM, missing=None),
    Message(body=b'{"a":' * 25 + b"1" + b"}" * 25, content_type=JSON),
    Message(query=b"a" + b"[b]" * 22 + b"=1"),
    Message(body=b"&".join(b"k%d=1" % number for number in range(501)), content_type=FORM),
]


def mutated(message: Message, others: list[Message], random: Random) -> Message:
    """The message, changed in a few places."""
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        chance = random.random()
        if chance < 0.12:
            message = replace(message, **circumstances(message, random))
        elif chance < 0.3:
            message = replace(message, query=changed(message.query, random.choice(others).query, random))
        else:
            message = replace(message, body=changed(message.body, random.choice(others).body, random))
    if random.random() < 0.001:
        message = replace(message, body=(message.body + b" ") * (LARGE // (len(message.body) + 1) + 1))
    return replace(message, query=message.query[: LARGE + 2], body=message.body[: LARGE + 2])


def circumstances(message: Message, random: Random) -> dict[str, Any]:
    """Another header."""
    told = message.content_type.encode("latin-1", "replace")
    return random.choice(
        [
            {"content_type": random.choice(TYPES)},
            {"content_type": changed(told, b"; charset=utf-8", random).decode("latin-1")},
            {"encoding": random.choice(["", "identity", "gzip", "Identity ", "\x00"])},
            {"missing": random.choice([0, 0, None, 1, -1, 10**20])},
            {"chunked": not message.chunked},
            {"broken": random.random() < 0.2},
        ]
    )


def changed(text: bytes, other: bytes, random: Random) -> bytes:
    """Some bytes of the text replaced, left out, repeated, or taken from another."""
    start = random.randrange(len(text) + 1)
    end = min(len(text), start + random.choice((1, 1, 2, 4, 16, 64)))
    cut = text[start:end]
    match random.randrange(7):
        case 0:
            cut = bytes([random.randrange(256)])
        case 1:
            cut = b""
        case 2:
            cut *= random.choice((2, 2, 3, 30, 600))
        case 3 | 4:
            cut = random.choice(PIECES)
        case 5:
            cut += random.choice(PIECES)
        case _:
            cut = other[random.randrange(len(other) + 1) :][:64]
    return text[:start] + cut + text[end:]
