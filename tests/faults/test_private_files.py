"""What the product writes is for its own user alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.app import create_app
from server.config import Settings
from server.errors import SettingError
from server.lib import private
from server.lib.private import keep_private
from tests.conftest import new_settings
from tests.live import running_server


def modes(folder: Path) -> set[tuple[bool, int]]:
    """Whether it is a folder, and its rights, of all that lies there and of the folder itself; but for the log, which
    a test writes."""
    found = [folder, *(path for path in folder.rglob("*") if not path.name.startswith("serve-"))]
    return {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}


PRIVATE = {(True, 0o700), (False, 0o600)}


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings whose database has nothing in it."""
    return new_settings(database, request, tmp_path)


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_all_that_is_written_is_private_whatever_the_umask_and_the_rights_before(empty: Settings) -> None:
    with running_server(empty, HANDRAISER_METRICS="true") as live:
        live.post(params={"lead_token": "0" * 32})
        assert modes(empty.data_dir) == PRIVATE
        live.end()
    for path in [empty.data_dir, *empty.data_dir.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    for suffix in ("-wal", "-shm", "-journal"):
        if empty.on_sqlite:
            Path(f"{empty.data_dir / 'handraiser.db'}{suffix}").touch(0o666)
    with running_server(empty, HANDRAISER_METRICS="true"):
        assert modes(empty.data_dir) == PRIVATE


@pytest.mark.usefixtures("open_umask")
def test_a_data_folder_of_another_user_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.geteuid()
    folder = Path("/usr")
    monkeypatch.setattr(private, "KNOWN", {"bin"})
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(SettingError, match=r"belongs to another user\. Give it"):
            keep_private(folder, None)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(("mode", "file"), [(0o1777, "migrate.lock"), (0o755, "hosts")])
def test_a_data_folder_that_others_use_is_refused_and_left_as_it_is(mode: int, file: str, tmp_path: Path) -> None:
    (tmp_path / file).touch()
    tmp_path.chmod(mode)
    with pytest.raises(SettingError, match="used by others too"):
        create_app(Settings(data_dir=tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode
