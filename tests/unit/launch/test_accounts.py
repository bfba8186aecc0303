import os
from pathlib import Path

import pytest

from launch.accounts import Account, lock_folder, reaches, service_folder

STRANGER = Account(name="stranger", uid=54321, gid=54321)


@pytest.fixture
def passable(tmp_path: Path) -> Path:
    """Give a folder that strangers can reach, whatever pytest's own folder is."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


def test_whoever_we_are_reaches_our_own_folders(tmp_path: Path) -> None:
    assert reaches(None, tmp_path)


def test_a_stranger_does_not_reach_what_lies_in_a_private_folder(passable: Path) -> None:
    (passable / "private" / "inside").mkdir(parents=True)
    (passable / "private").chmod(0o700)
    assert reaches(STRANGER, passable)
    assert not reaches(STRANGER, passable / "private" / "inside")


def test_a_service_lives_in_the_state_folder_where_its_account_reaches_it(passable: Path) -> None:
    folder = service_folder(passable / "home", "database", STRANGER, elsewhere=passable / "elsewhere")
    assert folder == passable / "home" / "database"
    assert not (passable / "elsewhere").exists()


def test_a_service_lives_elsewhere_where_its_account_does_not_reach_the_state_folder(passable: Path) -> None:
    (passable / "private").mkdir(mode=0o700)
    home = passable / "private" / "home"
    first = service_folder(home, "database", STRANGER, elsewhere=passable / "elsewhere")
    again = service_folder(home, "database", STRANGER, elsewhere=passable / "elsewhere")
    broker = service_folder(home, "broker", STRANGER, elsewhere=passable / "elsewhere")
    assert reaches(STRANGER, first)
    assert first == again
    assert broker.parent == first.parent


def test_what_belongs_to_a_wiped_state_folder_is_removed_once_nobody_uses_it(passable: Path) -> None:
    elsewhere = passable / "elsewhere"
    (passable / "private").mkdir(mode=0o700)
    old = service_folder(passable / "private" / "old", "database", STRANGER, elsewhere=elsewhere)
    lock = lock_folder(old)
    assert lock is not None
    (passable / "private" / "old" / "elsewhere").unlink()

    service_folder(passable / "private" / "new", "database", STRANGER, elsewhere=elsewhere)
    assert old.exists()

    os.close(lock)
    kept = service_folder(passable / "private" / "new", "database", STRANGER, elsewhere=elsewhere)
    assert not old.exists()
    assert kept.exists()


def test_a_folder_is_locked_once_until_the_lock_is_closed(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path)
    assert lock is not None
    assert lock_folder(tmp_path) is None
    os.close(lock)
    again = lock_folder(tmp_path)
    assert again is not None
    os.close(again)
