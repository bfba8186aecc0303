"""`make secrets`: what it makes, whom it lets read, what it never does."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from launch import secret_files
from launch.own_authority import CERTIFIED
from launch.secret_files import SECRETS, check_secrets, main, make_secrets, rotate
from tests.unit.deploy.compose import COMPOSE, MOSQUITTO, PROXY, document, services
from veldwatch.errors import ConfigurationInvalid

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deploy" / "secrets"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    return tmp_path / "deploy" / "tls"


def _run(folder: Path, certificates: Path, *more: str) -> int:
    return main(["--folder", str(folder), "--certificates", str(certificates), "--mounted", str(certificates), *more])


def test_every_secret_is_another_one_that_no_reader_misreads(folder: Path) -> None:
    assert make_secrets(folder) == [*SECRETS]
    values = [(folder / name).read_text() for name, secret in SECRETS.items() if not secret.given]
    assert len(set(values)) == len(values)
    assert all(value.isalnum() and value[0].isalpha() and len(value) == 41 for value in values)


def test_the_folder_lets_in_its_owner_alone_and_every_container_reads_what_it_is_given(folder: Path) -> None:
    make_secrets(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in SECRETS:
        assert (folder / name).stat().st_mode & stat.S_IROTH, name


@pytest.mark.parametrize("name", ["smtp_password", "db_password", "broker.key", "ingest.pem"])
def test_what_a_person_brought_for_the_owner_alone_is_opened_to_containers(
    folder: Path, certificates: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, certificates) == 0
    (folder / name).chmod(0o600)
    assert _run(folder, certificates, "--check") == 2
    assert f"{name}': containers cannot read it" in capsys.readouterr().err
    assert _run(folder, certificates) == 0
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o644
    assert _run(folder, certificates, "--check") == 0


@pytest.mark.parametrize("more", [[], ["--check"]])
@pytest.mark.parametrize("mask", [0o077, 0o027])
def test_a_clone_that_others_cannot_read_is_refused_with_what_opens_it(
    tmp_path: Path, mask: int, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy, dashboards = tmp_path / "deploy", tmp_path / "dashboards"
    make_secrets(deploy / "secrets")
    for file in (deploy / "nats" / "nats.conf", dashboards / "json" / "fleet" / "overview.json"):
        file.parent.mkdir(parents=True)
        file.write_text("{}", encoding="utf-8")
    for path in (deploy, dashboards, *(each for each in tmp_path.rglob("*") if "secrets" not in each.parts)):
        path.chmod(path.stat().st_mode & ~mask)
    words = ["--folder", str(deploy / "secrets"), "--certificates", str(deploy / "tls")]
    words += [*more, "--mounted", str(deploy), str(dashboards)]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"containers cannot read {str(deploy)!r}" in said
    subprocess.run(["sh", "-c", said.split(" (")[-1].strip().removesuffix(")")], check=True)
    assert stat.S_IMODE((deploy / "secrets").stat().st_mode) == 0o700
    assert main([word for word in words if word != "--check"]) == 0
    assert main(words) == 0


def test_what_is_looked_at_is_what_compose_mounts() -> None:
    deployment = document((COMPOSE, MOSQUITTO, PROXY))["services"].values()
    mounted = [volume for service in deployment for volume in service.get("volumes", []) if isinstance(volume, str)]
    sources = {volume.split(":")[0] for volume in mounted if volume.startswith("./")}
    assert sources
    assert all(source.startswith(("./deploy/", "./dashboards/")) for source in sources)


def test_a_second_time_changes_nothing(folder: Path, certificates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder, certificates) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    capsys.readouterr()
    assert _run(folder, certificates) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert "all are there already" in capsys.readouterr().out


def test_what_a_person_wrote_stays_and_what_is_missing_is_added(folder: Path) -> None:
    make_secrets(folder)
    (folder / "smtp_password").write_text("anything: $ goes\n", encoding="utf-8")
    (folder / "db_password").unlink()
    assert make_secrets(folder) == ["db_password"]
    assert (folder / "smtp_password").read_text() == "anything: $ goes\n"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(ConfigurationInvalid, match=f"has mode {mode:o}.*chmod 700"):
        make_secrets(folder)
    assert not [*folder.iterdir()]


@pytest.mark.parametrize("value", ["", "1begins", "with$dollar", "two words", 'quo"te', "p@ss", "p/w", "two\nlines"])
def test_a_value_that_a_reader_would_misread_is_refused_and_not_shown(folder: Path, value: str) -> None:
    make_secrets(folder)
    path = folder / "grafana_db_password"
    path.chmod(0o644)
    path.write_text(value, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match="grafana_db_password") as caught:
        check_secrets(folder)
    assert not value or value not in str(caught.value)


def test_what_is_missing_is_named(folder: Path) -> None:
    make_secrets(folder)
    (folder / "db_password").unlink()
    with pytest.raises(ConfigurationInvalid, match=r"db_password.*make secrets"):
        check_secrets(folder)


def test_a_new_value_goes_into_the_file_that_containers_have_mounted(
    folder: Path, certificates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_secrets(folder)
    path = folder / "db_password"
    before, inode = path.read_text(), path.stat().st_ino
    assert _run(folder, certificates, "--rotate", "db_password") == 0
    assert path.read_text() != before
    assert path.stat().st_ino == inode
    said = capsys.readouterr().out
    assert "set-password.sh" in said
    assert "restart ingest" in said
    assert path.read_text() not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smtp_password", "others choose it"),
        ("grafana_secret_key", "not to be changed"),
        ("mqtt_ingest_client_id", "not to be changed"),
        ("unknown", "expected one of"),
    ],
)
def test_what_a_new_value_alone_would_break_is_not_rotated(folder: Path, name: str, said: str) -> None:
    make_secrets(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConfigurationInvalid, match=said):
        rotate(folder, name)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_broker_gets_a_certificate_of_an_own_authority(folder: Path, certificates: Path) -> None:
    assert _run(folder, certificates, "--server", "mqtt.example.org", "--server", "192.0.2.7") == 0
    verified = _openssl(
        "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "mqtt.example.org",
        "-CAfile", str(certificates / "ca.crt"), str(certificates / "broker.crt"),
    )  # fmt: skip
    assert verified.endswith("OK")
    text = _openssl("x509", "-in", str(certificates / "broker.crt"), "-noout", "-ext", "subjectAltName")
    assert "DNS:broker, DNS:localhost, IP Address:127.0.0.1, DNS:mqtt.example.org, IP Address:192.0.2.7" in text
    assert "PRIVATE KEY" in (folder / "ingest.pem").read_text()
    assert {path.name for path in certificates.iterdir()} == {"ca.crt", "broker.crt"}


def test_a_certificate_is_made_anew_by_the_same_authority(folder: Path, certificates: Path) -> None:
    _run(folder, certificates)
    before = {path.name: path.read_bytes() for path in (*folder.iterdir(), *certificates.iterdir())}
    assert _run(folder, certificates, "--rotate", "broker.key") == 0
    after = {path.name: path.read_bytes() for path in (*folder.iterdir(), *certificates.iterdir())}
    assert {name for name in before if before[name] != after[name]} == {"broker.key", "broker.crt"}


def test_a_certificate_of_somebody_else_is_left_alone(folder: Path, certificates: Path) -> None:
    theirs = _of_somebody_else(folder, certificates, "DNS:*.example.org")
    (folder / "broker.key").rename(folder.parent / "broker.key")
    assert _run(folder, certificates) == 2
    (folder.parent / "broker.key").rename(folder / "broker.key")
    assert _run(folder, certificates, "--server", "mqtt.example.org") == 0
    assert (certificates / "broker.crt").read_text() == theirs
    assert (folder / "ingest.pem").read_bytes() == b""
    assert not (folder / "ca.key").exists()
    assert _run(folder, certificates, "--rotate", "broker.key") == 2


def _of_somebody_else(folder: Path, certificates: Path, name: str) -> str:
    folder.mkdir(mode=0o700, parents=True)
    certificates.mkdir()
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=theirs",
        "-addext", f"subjectAltName={name}", "-keyout", str(folder / "broker.key"),
        "-out", str(certificates / "broker.crt"),
    )  # fmt: skip
    return (certificates / "broker.crt").read_text()


def test_a_name_that_comes_later_is_missed_in_the_certificate(
    folder: Path, certificates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, certificates, "--server", "broker") == 0
    assert _run(folder, certificates, "--server", "mqtt.example.org") == 2
    said = capsys.readouterr().err
    assert "broker.crt' does not name 'mqtt.example.org'" in said
    assert "make secrets ROTATE=broker.key, then docker compose restart broker" in said
    assert _run(folder, certificates, "--server", "192.0.2.7") == 2
    both = ("--server", "mqtt.example.org", "--server", "192.0.2.7")
    assert _run(folder, certificates, *both, "--rotate", "broker.key") == 0
    assert _run(folder, certificates, *both) == 0


def test_a_name_that_somebody_else_s_certificate_has_not_is_missed(
    folder: Path, certificates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _of_somebody_else(folder, certificates, "DNS:mqtt.example.org")
    assert _run(folder, certificates, "--server", "broker") == 2
    assert "does not name 'broker', by which devices come (ask its authority" in capsys.readouterr().err


_KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from launch.secret_files import main
left = int(sys.argv[2])
def counted(call):
    def counting(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return call(*arguments, **options)
    return counting
for name in ("replace", "chmod"):
    setattr(Path, name, counted(getattr(Path, name)))
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize(
    "missing", [{"db_password"}, {*CERTIFIED, "ca.key", "ca.crt", "broker.crt"}], ids=["a secret", "certificates"]
)
def test_it_goes_on_wherever_it_was_killed(folder: Path, certificates: Path, missing: set[str]) -> None:
    assert _run(folder, certificates) == 0
    for path in (*folder.iterdir(), *certificates.iterdir()):
        if path.name in missing:
            path.unlink()
    for own, tls in _killed_at_each_change(folder, certificates):
        assert _run(own, tls) == 0
        assert (own / "ingest.pem").stat().st_size
        assert _openssl("verify", "-CAfile", str(tls / "ca.crt"), str(tls / "broker.crt")).endswith("OK")


@pytest.mark.parametrize("name", ["db_password", "broker.key"])
def test_a_rotation_that_was_killed_is_made_again(folder: Path, certificates: Path, name: str) -> None:
    assert _run(folder, certificates) == 0
    for own, tls in _killed_at_each_change(folder, certificates, "--rotate", name):
        assert (own / name).stat().st_size
        assert _run(own, tls, "--rotate", name) == 0
        assert _run(own, tls) == 0


def _killed_at_each_change(folder: Path, certificates: Path, *more: str) -> Generator[tuple[Path, Path]]:
    """Give copies, in each of which one change of a file after another was the last one."""
    for changes in range(60):
        own, tls = folder.with_name(f"secrets-{changes}"), certificates.with_name(f"tls-{changes}")
        shutil.copytree(folder, own)
        shutil.copytree(certificates, tls)
        arguments = ["--folder", str(own), "--certificates", str(tls), "--mounted", str(tls), *more]
        command = [sys.executable, "-c", _KILLED, str(REPOSITORY), str(changes), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            assert changes > 1
            return
        assert done.returncode == 9, done.stderr
        yield own, tls
    pytest.fail("it never ends")


def test_a_certificate_that_is_not_of_its_key_is_noticed(
    folder: Path, certificates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So it is after a rotation that was killed between the two."""
    assert _run(folder, certificates) == 0
    before = (certificates / "broker.crt").read_text()
    assert _run(folder, certificates, "--rotate", "broker.key") == 0
    (certificates / "broker.crt").write_text(before)
    assert _run(folder, certificates) == 2
    assert "broker.crt' is not of" in capsys.readouterr().err
    assert _run(folder, certificates, "--rotate", "broker.key") == 0
    assert _run(folder, certificates) == 0


def test_a_key_that_is_there_is_never_replaced_unasked(folder: Path, certificates: Path) -> None:
    assert _run(folder, certificates) == 0
    (certificates / "broker.crt").unlink()
    (certificates / "ca.crt").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert _run(folder, certificates) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_without_openssl_it_is_said_what_to_do(
    folder: Path, certificates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert _run(folder, certificates) == 2
    assert "no `openssl` on this machine" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["two words", "name,DNS:other", "näme"])
def test_a_name_that_is_none_never_reaches_openssl(folder: Path, certificates: Path, name: str) -> None:
    assert _run(folder, certificates, "--server", name) == 2
    assert not (certificates / "broker.crt").exists()


def test_it_runs_on_a_python_without_any_package(folder: Path, certificates: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", _ISOLATED, str(REPOSITORY), str(folder), str(certificates)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {*SECRETS, *CERTIFIED} <= {path.name for path in folder.iterdir()}


_ISOLATED = """
import sys
sys.path.insert(0, sys.argv[1])
from launch.secret_files import main
sys.exit(main(["--folder", sys.argv[2], "--certificates", sys.argv[3], "--mounted"]))
"""


def test_every_rotation_names_services_that_there_are() -> None:

    for secret in SECRETS.values():
        for step in secret.rotation:
            words = step.split()
            if words[:3] == ["docker", "compose", "restart"]:
                assert set(words[3:]) <= set(services()), step
    assert secret_files.new_value() != secret_files.new_value()


def _openssl(*arguments: str) -> str:
    done = subprocess.run(
        ["openssl", *arguments], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
