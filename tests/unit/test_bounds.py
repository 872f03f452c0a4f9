"""What we lean on and do not own, and what a process may keep."""

import inspect

import granian.server.mp as granian
import pytest
from flask import Flask

from server.lead_tokens import queries
from tests.factories import Account


def test_granian_has_the_inner_names_that_we_use() -> None:
    source = "".join(inspect.getsource(each) for each in granian.MPServer.__mro__[:-1])
    used = ["_respawn_workers", "respawned_wrks", "main_loop_interrupt", ".wrks", ".birth"]
    missing = [name for name in used if name not in source + inspect.getsource(granian)]
    assert not missing, f"server/lib/web_server.py uses what this granian has no more: {missing}"
    assert hasattr(granian, "_wsgi_call_wrap"), "server/lib/web_server.py replaces granian's _wsgi_call_wrap"


def test_grants_together_hold_so_much(app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ENTRIES_MOST", 100)
    with app.app_context():
        for _ in range(40):
            assert queries.find_grant(account.token(), fresh=True) is not None
            held = [queries.entries(grant) for _, grant in queries._kept.values()]
            assert len(held) == 1 or sum(held) <= 100
