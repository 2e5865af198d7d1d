"""What can go wrong, as named classes that carry a code and parameters; the words are in the catalogue.

DaixinError
├── Refused            a business rule said no (422)
│   ├── NotFound       (404)
│   ├── Conflict       (409)
│   └── NotAllowed     (403)
├── BadInput           what was given cannot be read (400)
└── Unavailable        the machine cannot do it now: disk full, database gone (503)
"""

from __future__ import annotations

from typing import Any


class DaixinError(Exception):
    """`code` is the message id `error.<code>` in the catalogue; `params` fill its placeholders."""

    status = 500

    def __init__(self, code: str, /, **params: Any) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params


class Refused(DaixinError):
    """A rule of the house says no, and says which."""

    status = 422


class NotFound(Refused):
    """There is no such thing, or not for this brand."""

    status = 404


class Conflict(Refused):
    """It is already so, or somebody else was first."""

    status = 409


class NotAllowed(Refused):
    """This person may not do that."""

    status = 403


class BadInput(DaixinError):
    """What was given cannot be read."""

    status = 400


class Unavailable(DaixinError):
    """Try again later: storage is full or the database is gone. Nothing was half-written."""

    status = 503
