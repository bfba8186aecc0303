import pytest

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.notifications import Channel, check_address


@pytest.mark.parametrize("address", ["ops@example.org", "on.call+night@sub.example.org", "root@localhost"])
def test_a_plain_mail_address_is_taken(address: str) -> None:
    check_address(Channel.EMAIL, address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ops",
        "@example.org",
        "ops@",
        "a@b@c",
        "ops@example.org\nBcc: x@example.org",
        "ops@example.org, other@example.org",
        "Ops <ops@example.org>",
        "ops@exämple.org",
        "a" * 250 + "@example.org",
    ],
)
def test_what_could_mean_something_else_in_a_mail_is_refused_by_name(address: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="bad e-mail address: "):
        check_address(Channel.EMAIL, address)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/hook?a=b",
        "http://127.0.0.1:8080/",
        "http://[::1]:80/x",
        "https://example.org./",
        "https://wächter.example/",
        f"https://{'a' * 63}.example.org/",
    ],
)
def test_an_http_address_is_taken(address: str) -> None:
    check_address(Channel.WEBHOOK, address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "example.org/hook",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://user:password@example.org/",
        "http://example.org/a b",
        "http://example.org/\r\nx: y",
        "http://example.org:99999/",
        "http://[::1/",
        "http://example.org/#part",
        "https://hooks..example.org/x",
        "http://.example.org/",
        "http://./",
        f"https://{'a' * 64}.example.org/",
        f"https://{'a.' * 127}example.org/",
    ],
)
def test_any_other_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="bad webhook address: "):
        check_address(Channel.WEBHOOK, address)
