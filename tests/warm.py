"""Imported by the servers that fork the runs tests kill: what each of those would begin with, half of its life."""

from __future__ import annotations

from cryptography.hazmat.backends.openssl import backend  # noqa: F401  # loaded by the first key
from sqlalchemy.orm import configure_mappers

import daixin.models  # noqa: F401  # every table must be known
from daixin import collector
from tests.sharing import share_compiled

configure_mappers()
share_compiled()
collector.settle()  # a fork copies every page on which garbage is looked for
