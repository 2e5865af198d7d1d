"""What an operator sets: `DAIXIN_…` in the environment or `.env`; any of them also as `…_FILE` naming a file.

Only what the whole program needs; a platform's own settings stand in its folder and read the same way.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

PREFIX = "DAIXIN_"


class FileSecrets(PydanticBaseSettingsSource):
    """`DAIXIN_X_FILE=/run/secrets/x` gives `DAIXIN_X` the file's text, without its last line break."""

    def get_field_value(self, field: object, field_name: str) -> tuple[str | None, str, bool]:
        prefix = str(self.config.get("env_prefix", PREFIX))
        path = os.environ.get(f"{prefix}{field_name}_FILE".upper())
        return (Path(path).read_text().rstrip("\r\n") if path else None), field_name, False

    def __call__(self) -> dict[str, str]:
        found = {name: self.get_field_value(None, name)[0] for name in self.settings_cls.model_fields}
        return {name: value for name, value in found.items() if value is not None}


class EnvSettings(BaseSettings):
    """Base of all settings: environment first, then `…_FILE`, then `.env`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSecrets(settings_cls), dotenv_settings


class Settings(EnvSettings):
    """The program's own settings."""

    database_url: str = Field("sqlite:///data/daixin.db", description="SQLite for one machine, PostgreSQL beyond")
    public_url: str = Field("http://127.0.0.1:8000", description="how the world reaches our web pages")
    secret_key: SecretStr = Field(SecretStr(""), description="signs cookies and keys hashes; at least 32 characters")
    vault_keys: SecretStr = Field(
        SecretStr(""), description="keys that personal details are sealed with, by commas, the newest first; "
                                   "without one they are sealed with a key made of the secret key"
    )  # fmt: skip
    payout_approve_above: str = Field(
        "", description="up to which amount a withdrawal needs no second person, as `CNY=500,USD=80`; "
                        "in a currency that is not named every one does"
    )  # fmt: skip
    web_host: str = "127.0.0.1"
    web_port: int = Field(8000, ge=0, le=65535)
    trusted_proxies: str = Field(
        "", description="our own reverse proxies (addresses or networks, by commas); only they may name a visitor"
    )
    admins: str = Field("", description="who may manage campaigns beside the platforms' own group admins: "
                        "`platform:account`, by commas")  # fmt: skip
    api_rate: str = Field(
        "1000 per 10 seconds", description="how often each key of a brand's programs may ask of /api/v1"
    )
    webhook_allow: str = Field(
        "", description="addresses or networks of our own, by commas, that webhooks may be sent to; else only the open "
                        "internet, and only by https"
    )  # fmt: skip
    open_to_brands: bool = Field(
        False, description="whether the admin of any group may start a brand of their own here, as for a hosted service"
    )
    data_folder: str = Field(
        "", description="where exported files are kept until they are a week old; shared by every `web` and `worker`; "
                        "beside the database where that is SQLite, else `data`"
    )  # fmt: skip
    log_json: bool = Field(False, description="one JSON object per log line")

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address with the driver we ship named."""
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url

    @property
    def exports_folder(self) -> Path:
        """Where exported files are."""
        beside = self.database_url.removeprefix("sqlite:///")
        embedded = Path(beside).parent if beside != self.database_url else Path("data")
        return (Path(self.data_folder) if self.data_folder else embedded) / "exports"
