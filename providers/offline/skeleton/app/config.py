"""The configuration: four environment variables, checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import ConfigError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Config:
    """Where to listen, where to store, how much to log."""

    host: str = "127.0.0.1"
    port: int = 8080
    data_dir: Path = Path("data")
    log_level: str = "INFO"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.data_dir / "app.db"


def read_config(environment: Mapping[str, str]) -> Config:
    """Read HOST, PORT, DATA_DIR and LOG_LEVEL; an empty value counts as not set.

    Raises:
        ConfigError: a value is wrong; the message says which and what is expected.
    """
    default = Config()
    host = environment.get("HOST", "").strip() or default.host
    if any(character.isspace() or character == "/" for character in host):
        raise ConfigError(f"HOST is {host!r}; expected a host name or address such as 127.0.0.1")
    port = _port(environment.get("PORT", "").strip(), default.port)
    data_dir = Path(environment.get("DATA_DIR", "").strip() or default.data_dir)
    level = environment.get("LOG_LEVEL", "").strip().upper() or default.log_level
    if level not in LEVELS:
        raise ConfigError(f"LOG_LEVEL is {level!r}; expected one of {', '.join(LEVELS)}")
    return Config(host, port, data_dir, level)


def _port(text: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ConfigError(f"PORT is {text!r}; expected a whole number from 0 to 65535 (0 picks a free port)")
    return int(text)
