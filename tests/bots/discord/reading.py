"""Discord's markdown as a person sees it: a small reader, written apart from the adapter's writer."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<fence>`+)(?P<code>.*?[^`])(?P=fence)(?!`)"
    r"|\\(?P<escaped>[^0-9A-Za-z\s])"
    r"|<(?P<link>https?://[^ >]+)>"
    r"|\[(?P<label>(?:\\.|[^\]\\])*)\]\(<(?P<url>[^>]+)>\)"
    r"|(?P<ping>@everyone|@here|<@[!&]?\d+>|<#\d+>|<a?:\w+:\d+>)"
    r"|(?P<mark>\*+|_+|~~|\|\|)"
    r"|(?P<start>^(?:#{1,3} |-# |>>> |> |[-*+] |\d+\. ))"
    r"|(?P<other>.)",
    re.DOTALL | re.MULTILINE,
)


def read(content: str) -> str:
    """The words without styling; a mention, which must never happen, reads as `PING`."""
    return "".join(map(_shown, _TOKEN.finditer(content)))


def _shown(token: re.Match[str]) -> str:
    if token["code"] is not None:
        code = token["code"]
        return code[1:-1] if code.startswith(" `") or code.endswith("` ") else code
    if token["label"] is not None:
        return read(token["label"])
    if token["ping"]:
        return "PING"
    return token["escaped"] or token["link"] or token["other"] or ""
