"""Secrets at rest: sealed under one key, which several processes make at once and only one of them keeps."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from server.lib.vault import Vault, kept_key

SECRET = "hunter2 é 手机"


@pytest.mark.parametrize("key", ["", "k" * 32])
def test_what_was_sealed_is_opened_again_by_who_has_the_key(tmp_path: Path, key: str) -> None:
    sealed = Vault(tmp_path / "data" / "secret.key", key).seal(SECRET)
    assert SECRET not in sealed
    assert Vault(tmp_path / "data" / "secret.key", key).open(sealed) == SECRET
    assert Vault(tmp_path / "other.key", "another key of thirty-two letters").open(sealed) is None
    assert Vault(tmp_path / "data" / "secret.key", key).open("nothing that was sealed, é") is None
    # With the setting no file is made.
    assert (tmp_path / "data").exists() == (key == "")


def test_the_same_text_is_never_sealed_alike(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "secret.key")
    assert vault.seal(SECRET) != vault.seal(SECRET)


def test_the_content_of_the_file_may_move_to_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    sealed = Vault(file).seal(SECRET)
    assert Vault(tmp_path / "none", file.read_text()).open(sealed) == SECRET


def test_the_key_is_for_its_owner_alone_and_long_enough_for_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    before = os.umask(0)
    try:
        key = kept_key(file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) >= 32
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_of_processes_that_make_a_key_at_once_all_have_the_same(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(5):
        file = tmp_path / str(attempt) / "secret.key"
        start, found = context.Barrier(6), context.SimpleQueue()

        def make(file: Path = file, start: object = start, found: object = found) -> None:
            start.wait()  # type: ignore[attr-defined]
            found.put(kept_key(file))  # type: ignore[attr-defined]

        processes = [context.Process(target=make) for _ in range(6)]
        for process in processes:
            process.start()
        keys = {found.get() for _ in processes}
        for process in processes:
            process.join()
        assert keys == {file.read_text()}
        assert [path.name for path in file.parent.iterdir()] == ["secret.key"]
