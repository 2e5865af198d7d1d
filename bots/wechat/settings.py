"""What one WeChat account needs to be run: its gateway and how hard it may be driven."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WeChatSettings:
    """One gateway of one account.

    endpoint: `host:port`. It is demanded because without one the client library asks a public service for it, with
        the token in the address of the request.
    tls_ca, tls_name: a CA file, and the name on the gateway's certificate where it is not the host of the endpoint.
    messages_per_second_per_chat, messages_per_minute: above them WeChat restricts the account.
    call_timeout, keepalive: seconds. A frozen gateway is noticed within `keepalive` plus five seconds.
    backoff: seconds before each new attempt to connect; the last one repeats.
    """

    endpoint: str
    token: str = field(repr=False)
    tls: bool = False
    tls_ca: str | None = None
    tls_name: str | None = None
    messages_per_second_per_chat: float = 1
    messages_per_minute: int = 40
    call_timeout: float = 20
    keepalive: float = 10
    backoff: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30)

    def __post_init__(self) -> None:
        host, _, port = self.endpoint.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"the endpoint of the WeChat gateway must be host:port, not {self.endpoint!r}")
        if not self.token.strip():
            raise ValueError("the WeChat gateway needs a token")
        if self.messages_per_second_per_chat <= 0 or self.messages_per_minute <= 0:
            raise ValueError("an account that may send nothing is of no use: both message rates must be above zero")
        if not self.backoff:
            raise ValueError("backoff needs at least one delay")

    @property
    def host(self) -> str:
        """The host of the endpoint, without the brackets of an IPv6 address."""
        return self.endpoint.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of the endpoint."""
        return int(self.endpoint.rpartition(":")[2])
