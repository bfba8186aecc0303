import resource
import stat
from pathlib import Path

from launch.log_files import bound, make_folder, open_log


def test_a_log_within_its_limit_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 10)
    assert not bound(log, limit_bytes=10)
    assert not bound(tmp_path / "absent.log")


def test_a_log_past_its_limit_starts_again_and_the_one_before_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab") as written:
        written.write(b"x" * 11)
        written.flush()
        assert bound(log, limit_bytes=10)
        written.write(b"y")
    assert log.read_bytes() == b"y"
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 11


def test_a_log_is_bounded_where_there_is_no_room_for_the_one_before(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * 100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        assert bound(log, limit_bytes=10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.read_bytes() == b""


def test_logs_are_their_owners_also_those_that_an_older_version_left_open(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    for name in ("a.log", "a.log.1"):
        (folder / name).touch(mode=0o644)
    make_folder(folder)
    with open_log(folder / "a.log") as log:
        log.write(b"x" * 11)
    with open_log(folder / "b.log"):
        pass
    assert bound(folder / "a.log", limit_bytes=10)
    assert (folder / "a.log.1").read_bytes() == b"x" * 11
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"logs": 0o700, "a.log": 0o600, "a.log.1": 0o600, "b.log": 0o600}
