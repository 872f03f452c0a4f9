"""Stamps of hosted scripts: what they show, and for how long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.consent.stamp import Freshness, make_stamp, read_stamp
from server.lib.vault import Vault

KEY = b"k" * 32
TOKEN = "pub_0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 12, 1, 14, 26, 43, tzinfo=UTC)
STAMP = make_stamp(KEY, TOKEN, 7, NOW)


@pytest.mark.parametrize(
    ("later", "shows"),
    [
        (timedelta(minutes=-11), Freshness.FRESH),
        (timedelta(minutes=-20), Freshness.STALE),
        (timedelta(), Freshness.FRESH),
        (timedelta(hours=24), Freshness.FRESH),
        (timedelta(hours=24, minutes=10), Freshness.STALE),
        (timedelta(days=400), Freshness.STALE),
    ],
)
def test_a_stamp_is_fresh_for_a_day(later: timedelta, shows: Freshness) -> None:
    stamp = read_stamp(KEY, TOKEN, 7, STAMP, NOW + later)
    assert stamp.freshness == shows
    assert stamp.fetched_at == datetime(2026, 12, 1, 14, 20, tzinfo=UTC)


def test_all_who_fetch_within_ten_minutes_get_the_same() -> None:
    assert make_stamp(KEY, TOKEN, 7, NOW + timedelta(minutes=3)) == STAMP
    assert make_stamp(KEY, TOKEN, 7, NOW + timedelta(minutes=4)) != STAMP


@pytest.mark.parametrize(
    ("key", "token", "disclosure_id", "text"),
    [
        (b"j" * 32, TOKEN, 7, STAMP),
        (KEY, TOKEN[:-1] + "0", 7, STAMP),
        (KEY, TOKEN, 8, STAMP),
        (KEY, TOKEN, None, STAMP),
        (KEY, TOKEN, 7, STAMP[:-1] + ("0" if STAMP[-1] != "0" else "1")),
        (KEY, TOKEN, 7, f"{int(STAMP.partition('-')[0], 16) + 1:x}-{STAMP.partition('-')[2]}"),
        (KEY, TOKEN, 7, STAMP.upper()),
        (KEY, TOKEN, 7, f"0{STAMP}"),
        (KEY, TOKEN, 7, ""),
        (KEY, TOKEN, 7, "x" * 8192),
    ],
)
def test_a_stamp_of_something_else_is_forged(key: bytes, token: str, disclosure_id: int | None, text: str) -> None:
    stamp = read_stamp(key, token, disclosure_id, text, NOW)
    assert (stamp.freshness, stamp.fetched_at) == (Freshness.FORGED, None)


def test_a_vault_has_one_key_for_each_purpose(tmp_path: Path) -> None:
    vault, again = Vault(tmp_path / "secret.key"), Vault(tmp_path / "secret.key")
    assert vault.signing_key("stamp") == again.signing_key("stamp") != vault.signing_key("receipt")
    assert vault.signing_key("stamp") != Vault(tmp_path / "secret.key", "another key").signing_key("stamp")
