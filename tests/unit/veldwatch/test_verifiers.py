import shutil
import subprocess
from pathlib import Path

import bcrypt
import pytest

from veldwatch.verifiers import bcrypt_verifier, is_secret_of, new_secret, pbkdf2_verifier


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 46 and secret.startswith("vd_") for secret in made)


def test_only_the_secret_itself_fits_its_verifiers() -> None:
    secret = new_secret()
    verifier = pbkdf2_verifier(secret)
    assert is_secret_of(verifier, secret)
    assert not is_secret_of(verifier, secret + "x")
    assert not is_secret_of(verifier, "")
    assert not is_secret_of(verifier, "\udc80")
    assert bcrypt.checkpw(secret.encode(), bcrypt_verifier(secret).encode())
    assert pbkdf2_verifier(secret) != verifier


def test_a_verifier_of_mosquittos_own_tool_is_understood(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not on this machine")
    file = tmp_path / "passwords"
    file.touch(mode=0o600)
    subprocess.run([tool, "-b", file, "meter", "a secret"], check=True)
    assert is_secret_of(file.read_text(encoding="ascii").strip().partition(":")[2], "a secret")
