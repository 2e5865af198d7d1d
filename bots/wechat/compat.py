"""Makes `wechaty_puppet_service` 0.8 importable beside today's libraries, and keeps it quiet.

`wechaty` itself is never imported: it takes two seconds, writes a folder into the working directory and keeps the
contacts of all bots of a process in one place.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from types import ModuleType

_CHATTY = ("PuppetService", "WechatyPuppetServiceConfig", "FileBox", "Puppet")


class WeChatNotInstalled(RuntimeError):
    """The extra `wechat` is missing."""


def prepare() -> None:
    """Load the library, so that `bots.wechat.connection` can be imported. Raises `WeChatNotInstalled`."""
    if "telnetlib" not in sys.modules and importlib.util.find_spec("telnetlib") is None:
        # gone in Python 3.13; the library imports it for a ping that is never sent here
        telnetlib = ModuleType("telnetlib")
        vars(telnetlib)["Telnet"] = object
        sys.modules["telnetlib"] = telnetlib
    try:
        import pyee
        import pyee.asyncio

        # pyee 12 moved the class the library still looks for at the package root.
        vars(pyee).setdefault("AsyncIOEventEmitter", pyee.asyncio.AsyncIOEventEmitter)
        import wechaty_puppet_service  # noqa: F401  (loading it is the point)
    except ImportError as error:
        reason = f"WeChat needs its libraries ({error}): install them with `pip install 'daixin[wechat]'`"
        raise WeChatNotInstalled(reason) from error
    for name in _CHATTY:
        # The library prints past everybody's logging, and a warning of its constructor shows the token.
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.ERROR)
    # at its finest, the HTTP/2 library logs the headers, and the token is one
    logging.getLogger("hpack").setLevel(logging.INFO)
