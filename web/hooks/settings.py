"""What an operator may set about shops."""

from __future__ import annotations

from pydantic import Field

from core.settings import EnvSettings


class ShopEnv(EnvSettings):
    """Read like the program's own settings."""

    youzan_url: str = Field("https://open.youzanyun.com", description="where Youzan's own interface answers")
