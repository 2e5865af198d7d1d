"""Over https the name is what is proven, though the connection goes to the address that was looked at."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core import clock, ids
from referral.webhooks.deliveries import Load, Sending
from referral.webhooks.sending import Sender
from tests.house import House, fresh_sqlite
from tests.referral.webhooks.receiver import LOOPBACK, Receiver, serving

SECRET = "whsec_" + "A" * 43 + "="


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Only for its writer: one kind of database is enough."""
    opened = House(fresh_sqlite(tmp_path))
    yield opened
    opened.close()


def certificate(folder: Path, name: str) -> Path:
    """A certificate for this name, signed by itself, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(("name", "error"), [("hook.example", None), ("other.example", "tls"), (None, "tls")])
async def test_who_answers_must_be_who_was_meant(
    house: House, tmp_path: Path, name: str | None, error: str | None
) -> None:
    """Under their own name; under another; with a certificate nobody vouches for."""
    path = certificate(tmp_path, name or "hook.example")
    trusting = ssl.create_default_context(cafile=str(path) if name else None)

    async def ask(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    receiver = Receiver()
    async with serving(receiver, ssl_certfile=str(path), ssl_keyfile=str(path)):
        port = receiver.url.split(":")[2].partition("/")[0]
        sender = Sender(house.writer, LOOPBACK, ask=ask, tls=trusting)
        one = Sending(ids.new(), ids.new(), 1, "campaign.moved", clock.now(), {}, 1, False)
        (outcome,) = await sender._send_all(Load(f"https://hook.example:{port}/hook", [SECRET], [one]))
        assert outcome.error == error
        assert [heard.checked(SECRET)["sequence"] for heard in receiver.heard] == ([] if error else [1])
