"""An authority of one's own for the broker's certificate, made with the machine's `openssl`; standard library only.

Devices and programs are given its certificate, `ca.crt`. For a public name, or an authority that is there already, put
`broker.crt` and `broker.key` in place before, and nothing is made here. Keys lie among the secrets (their folder lets
in nobody else), certificates beside `deploy/tls/README.md`.

A key is written before its certificate, and a key that is there is signed, not replaced: whoever is stopped half-way
goes on with the next call.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from launch.whole_files import write
from veldwatch.errors import ConfigurationInvalid

CERTIFIED = {"broker.key": "docker compose restart broker", "ingest.pem": "docker compose restart ingest"}
"""Keys that can be made anew, with their certificates, and what makes them hold."""

_NAMES = ("broker", "localhost", "127.0.0.1")
_AUTHORITY_DAYS = 3650
# The longest that the clients of some makers accept. Source: Apple, "Requirements for trusted certificates" (HT210176).
_DAYS = 825
# What Python's strict verification (3.13) asks for: key identifiers, and key usage of the authority.
# Source: RFC 5280, 4.2.1.1 to 4.2.1.3.
_CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {subject}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signed]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def make_certificates(keys: Path, certificates: Path, servers: Sequence[str], *, anew: str = "") -> list[str]:
    """Make authority, broker's and ingest's certificates, where the broker has none, and give the files' names.

    Args:
        servers: names or addresses that devices reach the broker by.
        anew: one of `CERTIFIED`, which is replaced.

    Raises:
        ConfigurationInvalid: what is there does not fit together, or `openssl` is absent or refuses.
    """
    broker = certificates / "broker.crt"
    if not anew and broker.exists() and not (keys / "ca.key").exists():
        return _beside_a_certificate(keys, broker, servers)
    if anew and not (keys / "ca.key").exists():
        raise ConfigurationInvalid(f"no {str(keys / 'ca.key')!r} (another authority signed: ask it for the new one)")
    openssl = _Openssl(keys)
    made = _make_authority(openssl, keys, certificates)
    if anew == "ingest.pem" or not (keys / "ingest.pem").exists():
        signed = openssl.sign("ingest", "clientAuth", ("ingest",), certificates / "ca.crt")
        _install(signed, {keys / "ingest.pem": "both"})
        made.append("ingest.pem")
    if anew == "broker.key" or not broker.exists():
        key = None if anew == "broker.key" else keys / "broker.key"
        signed = openssl.sign("broker", "serverAuth", (*_NAMES, *servers), certificates / "ca.crt", key)
        _install(signed, {keys / "broker.key": "key", broker: "certificate"})
        made += ["broker.key", "broker.crt"]
    else:
        _check(keys, broker, servers, "make secrets ROTATE=broker.key, then docker compose restart broker")
    return made


def _make_authority(openssl: "_Openssl", keys: Path, certificates: Path) -> list[str]:
    key, certificate = keys / "ca.key", certificates / "ca.crt"
    if certificate.exists():
        if not key.exists():
            raise ConfigurationInvalid(f"{str(certificate)!r} has no key here (have it sign broker.crt)")
        return []
    _install(openssl.authority("Veldwatch", key), {key: "key", certificate: "certificate"})
    return ["ca.key", "ca.crt"]


def _beside_a_certificate(keys: Path, broker: Path, servers: Sequence[str]) -> list[str]:
    if not (keys / "broker.key").exists():
        raise ConfigurationInvalid(f"{str(broker)!r} has no key (put it into {str(keys / 'broker.key')!r})")
    _check(keys, broker, servers, "ask its authority for one that fits")
    if (keys / "ingest.pem").exists():
        return []
    # Compose mounts it; only MQTT_LISTENER=certificates uses it.
    (keys / "ingest.pem").touch(mode=0o644)
    return ["ingest.pem (empty)"]


def _check(keys: Path, broker: Path, servers: Sequence[str], remedy: str) -> None:
    """Look whether the broker's certificate is of its key and names what devices reach it by, where there is `openssl`.

    Raises:
        ConfigurationInvalid: it is not, or does not; or one of both cannot be read.
    """
    if shutil.which("openssl") is None:
        return
    openssl = _Openssl(keys)
    if openssl.public_key(keys / "broker.key") != openssl.public_key(broker, certificate=True):
        raise ConfigurationInvalid(f"{str(broker)!r} is not of {str(keys / 'broker.key')!r} ({remedy})")
    for server in servers:
        if not openssl.names(broker, server):
            raise ConfigurationInvalid(f"{str(broker)!r} does not name {server!r}, by which devices come ({remedy})")


class _Openssl:
    """Makes keys and certificates: each as the two texts `certificate` and `key`."""

    def __init__(self, keys: Path) -> None:
        found = shutil.which("openssl")
        if found is None:
            raise ConfigurationInvalid(
                "no `openssl` on this machine (install it, or bring broker.crt and broker.key: deploy/tls/README.md)"
            )
        self._command = found
        self._keys = keys

    def authority(self, name: str, key: Path) -> dict[str, str]:
        with tempfile.TemporaryDirectory(dir=self._keys) as made:
            folder = Path(made)
            self._request(folder, name, "serverAuth", "DNS:none", key)
            self._run(
                folder, "req", "-new", "-x509", "-key", "key", "-config", "config", "-extensions", "authority",
                "-days", str(_AUTHORITY_DAYS), "-out", "crt",
            )  # fmt: skip
            return _texts(folder)

    def sign(
        self, name: str, usage: str, names: Sequence[str], authority: Path, key: Path | None = None
    ) -> dict[str, str]:
        with tempfile.TemporaryDirectory(dir=self._keys) as made:
            folder = Path(made)
            self._request(folder, name, usage, ",".join(dict.fromkeys(map(_alternative, names))), key)
            self._run(folder, "req", "-new", "-key", "key", "-config", "config", "-out", "csr")
            self._run(
                folder, "x509", "-req", "-in", "csr", "-CA", str(authority.resolve()),
                "-CAkey", str((self._keys / "ca.key").resolve()), "-CAcreateserial", "-CAserial", "serial",
                "-days", str(_DAYS), "-extfile", "config", "-extensions", "signed", "-out", "crt",
            )  # fmt: skip
            return _texts(folder)

    def public_key(self, file: Path, *, certificate: bool = False) -> str:
        if certificate:
            return self._run(self._keys, "x509", "-in", str(file.resolve()), "-noout", "-pubkey")
        return self._run(self._keys, "pkey", "-in", str(file.resolve()), "-passin", "pass:", "-pubout")

    def names(self, certificate: Path, server: str) -> bool:
        option = "-checkip" if _alternative(server).startswith("IP:") else "-checkhost"
        return "does match" in self._run(
            self._keys, "x509", "-in", str(certificate.resolve()), "-noout", option, server
        )

    def _request(self, folder: Path, subject: str, usage: str, names: str, key: Path | None) -> None:
        text = _CONFIGURATION.format(subject=subject, usage=usage, names=names)
        (folder / "config").write_text(text, encoding="utf-8")
        if key is not None and key.exists():
            self._run(folder, "pkey", "-in", str(key.resolve()), "-out", "key")
        else:
            self._run(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key")

    def _run(self, folder: Path, *arguments: str) -> str:
        command = [self._command, *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise ConfigurationInvalid(f"openssl {arguments[0]}: {done.stderr.strip()[-500:]}")
        return done.stdout


def _alternative(name: str) -> str:
    """Write one name of a certificate as OpenSSL's configuration has it.

    Raises:
        ConfigurationInvalid: it is neither a name nor an address.
    """
    try:
        return f"IP:{ip_address(name)}"
    except ValueError:
        if not name.replace("-", "").replace(".", "").replace("*", "").isalnum() or not name.isascii():
            raise ConfigurationInvalid(f"bad --server: {name!r} (expected a host's name or address)") from None
        return f"DNS:{name}"


def _texts(folder: Path) -> dict[str, str]:
    certificate = (folder / "crt").read_text(encoding="ascii")
    key = (folder / "key").read_text(encoding="ascii")
    return {"certificate": certificate, "key": key, "both": certificate + key}


def _install(texts: dict[str, str], files: dict[Path, str]) -> None:
    for path, which in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, texts[which], mode=0o644 if which == "certificate" else 0o444)
