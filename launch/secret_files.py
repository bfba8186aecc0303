"""Make the secrets of a deployment: one file each below `deploy/secrets`, which Compose mounts at `/run/secrets`.

`make secrets` runs this with the machine's own Python, before anything is installed: only the standard library is used.

Who may read them: Compose mounts a secret's file as it is, with the owner and mode that it has here, and each container
has an account of its own (70, 472, 10001), which under a rootless engine is yet another one of the machine. So a file
lets everybody read, and the folder around it lets in nobody but its owner: what is mounted can be read in the container
that it is mounted in, and nothing can be read on the machine.

Values are hexadecimal with a letter first: they stand in connection strings, in Grafana's settings, which expand `$`,
and in files of brokers, which read other characters in their own ways.
"""

import argparse
import secrets
import stat
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.own_authority import CERTIFIED, make_certificates
from launch.whole_files import write
from veldwatch.errors import ConfigurationInvalid, VeldwatchError

_RANDOM_BYTES = 20
_PLAIN = frozenset(string.ascii_letters + string.digits + "_-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A file of one line.

    Attributes:
        purpose: who shows it to whom.
        given: somebody else chooses it: its file begins empty.
        rotation: what makes a new value hold, in this order; empty: it is not to be changed.
    """

    purpose: str
    given: bool = False
    rotation: Sequence[str] = ()


SECRETS: Mapping[str, Secret] = {
    "db_password": Secret(
        purpose="the programs, to the database",
        rotation=(
            "docker compose exec db sh /etc/veldwatch/set-password.sh",
            "docker compose restart ingest rules notify maintain api accounts backups simulators",
        ),
    ),
    "grafana_db_password": Secret(
        purpose="Grafana, to the database, as grafana_ro",
        rotation=("docker compose run --rm migrate", "docker compose restart grafana"),
    ),
    "grafana_admin_password": Secret(
        purpose="the person who administers Grafana, as admin",
        rotation=("docker compose exec grafana sh /etc/veldwatch/set-admin-password.sh",),
    ),
    "grafana_secret_key": Secret(purpose="encrypts what Grafana stores; a changed one makes that unreadable"),
    "mqtt_ingest_password": Secret(
        purpose="ingest, to the broker", rotation=("docker compose restart accounts ingest",)
    ),
    "mqtt_ingest_client_id": Secret(
        purpose="ingest's session: whoever knows it could take over what waits there, and with another one it is lost"
    ),
    "mqtt_devices_password": Secret(
        purpose="gateways and devices that share the account `devices`, to the broker",
        rotation=("docker compose restart accounts", "tell whoever uses the account `devices`"),
    ),
    "mqtt_simulators_password": Secret(
        purpose="simulated devices, to the broker", rotation=("docker compose restart accounts simulators",)
    ),
    "smtp_password": Secret(purpose="notify, to a mail server that asks for it", given=True),
    "proxy.key": Secret(purpose="the proxy's key, with PROXY_TLS=files", given=True),
}


def make_secrets(folder: Path) -> list[str]:
    """Make what is not there yet, and give the names of what was made; nothing is ever overwritten.

    Raises:
        ConfigurationInvalid: others can read the folder, or a file in it cannot be used.
    """
    _check_folder(folder)
    made = [name for name, secret in SECRETS.items() if _make(folder / name, secret)]
    _open_to_containers(folder)
    check_secrets(folder)
    return made


def rotate(folder: Path, name: str) -> Sequence[str]:
    """Write a new value into the file that is there, and give what is to be done so that it holds.

    The file stays the same one: containers that run have it mounted, and see the new value at once.

    Raises:
        ConfigurationInvalid: there is no such secret, or this one cannot be changed by a new value alone.
    """
    _check_folder(folder)
    secret = SECRETS.get(name)
    path = folder / name
    if secret is None or not path.is_file():
        raise ConfigurationInvalid(f"bad --rotate: {name!r} (expected one of {', '.join(SECRETS)}, made before)")
    if secret.given:
        raise ConfigurationInvalid(f"bad --rotate: {name!r} (others choose it: write it into {str(path)!r})")
    if not secret.rotation:
        raise ConfigurationInvalid(f"bad --rotate: {name!r} (not to be changed: {secret.purpose})")
    write(path, new_value(), mode=0o444)
    return secret.rotation


def check_secrets(folder: Path) -> None:
    """Look whether each secret is there and holds nothing that one of its readers would misread.

    Raises:
        ConfigurationInvalid: naming the file, never what is in it.
    """
    _check_folder(folder)
    for path in _closed(folder):
        raise ConfigurationInvalid(f"bad secret {str(path)!r}: containers cannot read it (run `make secrets`)")
    for name, secret in SECRETS.items():
        path = folder / name
        try:
            value = path.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationInvalid(f"bad secret {str(path)!r}: {error} (run `make secrets`)") from error
        if secret.given:
            continue
        if not value or not set(value) <= _PLAIN or value[0] not in string.ascii_letters:
            raise ConfigurationInvalid(
                f"bad secret {str(path)!r} (expected letters, digits, `_`, `-` and `.`, beginning with a letter)"
            )


def check_mounted(folders: Sequence[Path]) -> None:
    """Look whether every container's account can read the folders that are mounted; a clone under umask 077 is closed.

    Raises:
        ConfigurationInvalid: with the command that opens them, and leaves the secrets' folder alone.
    """
    closed = [str(path) for folder in folders for path in _walk(folder) if not _is_open(path)]
    if closed:
        names = " ".join(map(str, folders))
        raise ConfigurationInvalid(
            f"containers cannot read {closed[0]!r} and what else is closed to others: {len(closed)} in all"
            f" (find {names} -path '*/secrets' -prune -o -exec chmod a+rX {{}} +)"
        )


def new_value() -> str:
    """Make a value of 160 random bits."""
    return "p" + secrets.token_hex(_RANDOM_BYTES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; 0: the secrets are there and can be used."""
    parser = argparse.ArgumentParser(
        prog="make secrets", description="Make the secrets that docker-compose.yml mounts."
    )
    parser.add_argument("--folder", type=Path, default=Path("deploy/secrets"))
    parser.add_argument("--certificates", type=Path, default=Path("deploy/tls"), help="where certificates go")
    parser.add_argument(
        "--mounted", type=Path, nargs="*", default=[Path("deploy"), Path("dashboards")], help="what containers read too"
    )
    parser.add_argument(
        "--server", action="append", default=[], metavar="NAME", help="name in the broker's certificate"
    )
    parser.add_argument("--rotate", choices=[*SECRETS, *CERTIFIED], metavar="NAME", help="give this one a new value")
    parser.add_argument("--check", action="store_true", help="make nothing; look whether all are there")
    chosen = parser.parse_args(arguments)
    try:
        for line in _carry_out(chosen):
            print(line)  # noqa: T201  # a command without any package
    except VeldwatchError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _carry_out(chosen: argparse.Namespace) -> list[str]:
    folder: Path = chosen.folder
    if chosen.check:
        check_mounted(chosen.mounted)
        check_secrets(folder)
        return [f"{len(SECRETS)} secrets in {folder}"]
    if chosen.rotate in SECRETS:
        steps = rotate(folder, chosen.rotate)
        return [f"{folder / chosen.rotate}: a new value; it holds after", *(f"  {step}" for step in steps)]
    check_mounted(chosen.mounted)
    made = make_secrets(folder)
    made += make_certificates(folder, chosen.certificates, chosen.server, anew=chosen.rotate or "")
    _open_to_containers(folder)
    if chosen.rotate:
        return [*(f"made {name}" for name in made), f"it holds after\n  {CERTIFIED[chosen.rotate]}"]
    lines = [f"made {name}" for name in made] or ["all are there already"]
    empty = [name for name, secret in SECRETS.items() if secret.given and not (folder / name).stat().st_size]
    return [*lines, *(f"{folder / name} is empty ({SECRETS[name].purpose})" for name in empty)]


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode & 0o777
    except OSError as error:
        raise ConfigurationInvalid(f"bad folder of secrets: {str(folder)!r} ({error.strerror})") from error
    if mode & 0o077:
        raise ConfigurationInvalid(
            f"bad folder of secrets: {str(folder)!r} has mode {mode:o}, so others of this machine could read them"
            f" (chmod 700 {folder}; a file system without modes cannot hold secrets)"
        )


def _closed(folder: Path) -> list[Path]:
    mounted = [folder / name for name in (*SECRETS, *CERTIFIED)]
    return [path for path in mounted if path.exists() and not _is_open(path)]


def _open_to_containers(folder: Path) -> None:
    """Let everybody read what a person put there, as what is made here: the folder lets in nobody but its owner."""
    for path in _closed(folder):
        try:
            path.chmod(path.stat().st_mode | 0o444)
        except OSError as error:
            raise ConfigurationInvalid(f"bad secret {str(path)!r}: {error.strerror} (chmod a+r {path})") from error


def _walk(path: Path) -> Iterator[Path]:
    if path.name == "secrets" or not path.exists():
        return
    yield path
    if path.is_dir():
        try:
            entries = sorted(path.iterdir())
        except PermissionError:
            return
        for entry in entries:
            yield from _walk(entry)


def _is_open(path: Path) -> bool:
    needed = stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH
    return path.stat().st_mode & needed == needed


def _make(path: Path, secret: Secret) -> bool:
    if path.exists():
        return False
    try:
        write(path, "" if secret.given else new_value(), mode=0o644 if secret.given else 0o444)
    except OSError as error:
        raise ConfigurationInvalid(f"cannot write {str(path)!r}: {error.strerror}") from error
    return True


if __name__ == "__main__":
    sys.exit(main())
