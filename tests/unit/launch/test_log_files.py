from pathlib import Path

from launch.log_files import bound


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
