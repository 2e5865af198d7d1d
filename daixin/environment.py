"""Reads settings from the environment, and says clearly which one is wrong."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from core.errors import BadInput
from core.settings import EnvSettings

S = TypeVar("S", bound=EnvSettings)


def read_environment(kind: type[S]) -> S:
    """These settings from the environment, `…_FILE` and `.env`.

    Raises `BadInput`: setting (name, said), setting_file (path, said).
    """
    try:
        return kind()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"])
        raise BadInput("setting", name=f"{kind.model_config['env_prefix']}{name}".upper(), said=first["msg"]) from None
    except OSError as error:
        raise BadInput("setting_file", path=error.filename, said=error.strerror) from None
