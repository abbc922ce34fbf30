"""Settings from the environment and from `.env`; secrets never show in a message, a log or a repr."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from errno import EISDIR
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from botarmy.errors import SettingsError
from botarmy.records import Record

ROLES = ("analyst", "architect", "coder", "tester", "deployer")
DEFAULT_PROVIDER = "offline"
_ROLE_PREFIXES = tuple(f"{role.upper()}_AGENT_" for role in ROLES)


class RoleChoice(Record):
    """Which provider and model serve a role; model None means the provider's own default."""

    provider: str
    model: str | None = None


def _postgres_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None and urlsplit(value.get_secret_value()).scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("must be a PostgreSQL address such as postgresql://user:password@host:5432/botarmy")
    return value


def _web_url(value: str | None) -> str | None:
    if value is not None:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a full web address such as https://models.example.org/v1")
    return value


WebUrl = Annotated[str | None, AfterValidator(_web_url)]
RoleText = Annotated[str | None, Field(min_length=1, max_length=200)]


class Settings(BaseSettings):
    """All that can be set from outside. The environment wins over `.env`; an empty value counts as not set.

    Build it with `load_settings`, which reports every problem at once and shows no values.

    Attributes:
        database_url: PostgreSQL to use; None starts the embedded server under `botarmy_home`.
        botarmy_home: folder of the embedded server, logs and locks.
        botarmy_by: the name that decisions are recorded under when `--by` is not given.
        botarmy_openai_api: which of OpenAI's two APIs is asked; None: responses at the vendor, chat elsewhere.
        botarmy_prices: a JSON file of your own prices, in USD for a million tokens; see docs/providers.md.
        botarmy_rate_limits: a JSON file of requests and tokens a minute by provider and model.
        botarmy_record: folder into which every exchange with a model is written.
        botarmy_replay: folder that the provider `recorded` answers from.
        max_brief_bytes: largest brief that is read, in bytes.
        max_artifact_bytes: largest artifact version that is stored, in bytes of JSON.
        max_log_bytes: how much of a check's output is kept as evidence, in bytes.
        recovery_window_s: how long a run must be gone before upkeep starts another for its project, in seconds.
        hold_limit_s: after how long without a sign of life a run loses its project, in seconds.
        abandoned_call_s: after how long the reservation of a model call that no live run makes is closed, in seconds;
            longer than any call may take.
        lost_run_hours: how far back upkeep looks for submitted runs that died before they made their project, in hours.
        reminder_hours: after how long an open gate is named in upkeep's log, in hours.
        gate_expiry_hours: after how long an undecided gate stops its project, in hours; None never.
        db_pool_size: most connections that one process holds to PostgreSQL.
        prefect_api_url: a Prefect server of your own; None means that ours is started.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    database_url: Annotated[SecretStr | None, AfterValidator(_postgres_url)] = None
    redis_url: SecretStr | None = None
    prefect_api_url: WebUrl = None

    openai_api_key: SecretStr | None = None
    openai_base_url: WebUrl = None
    anthropic_api_key: SecretStr | None = None
    gemini_api_key: SecretStr | None = None
    google_application_credentials: Path | None = None
    google_cloud_project: str | None = None
    google_cloud_location: str | None = None
    anthropic_base_url: WebUrl = None
    google_gemini_base_url: WebUrl = None
    botarmy_openai_api: Literal["chat", "responses"] | None = None

    analyst_agent_provider: RoleText = None
    analyst_agent_model: RoleText = None
    analyst_agent_fallback: RoleText = None
    architect_agent_provider: RoleText = None
    architect_agent_model: RoleText = None
    architect_agent_fallback: RoleText = None
    coder_agent_provider: RoleText = None
    coder_agent_model: RoleText = None
    coder_agent_fallback: RoleText = None
    tester_agent_provider: RoleText = None
    tester_agent_model: RoleText = None
    tester_agent_fallback: RoleText = None
    deployer_agent_provider: RoleText = None
    deployer_agent_model: RoleText = None
    deployer_agent_fallback: RoleText = None

    botarmy_home: Path = Path(".botarmy")
    botarmy_by: Annotated[str | None, Field(max_length=200)] = None
    botarmy_prices: Path | None = None
    botarmy_rate_limits: Path | None = None
    botarmy_record: Path | None = None
    botarmy_replay: Path | None = None
    max_brief_bytes: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        default=1_000_000, validation_alias="BOTARMY_MAX_BRIEF_BYTES"
    )
    max_artifact_bytes: Annotated[int, Field(ge=1_000, le=250_000_000)] = Field(
        default=8_000_000, validation_alias="BOTARMY_MAX_ARTIFACT_BYTES"
    )
    max_log_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = Field(
        default=200_000, validation_alias="BOTARMY_MAX_LOG_BYTES"
    )
    recovery_window_s: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=60.0, validation_alias="BOTARMY_RECOVERY_WINDOW_S"
    )
    abandoned_call_s: Annotated[float, Field(ge=60, le=604_800)] = Field(
        default=3_600.0, validation_alias="BOTARMY_ABANDONED_CALL_S"
    )
    lost_run_hours: Annotated[float, Field(gt=0, le=10_000)] = Field(
        default=24.0, validation_alias="BOTARMY_LOST_RUN_HOURS"
    )
    reminder_hours: Annotated[float, Field(gt=0, le=10_000)] = Field(
        default=24.0, validation_alias="BOTARMY_REMINDER_HOURS"
    )
    hold_limit_s: Annotated[float, Field(ge=1, le=3_600)] = Field(default=60.0, validation_alias="BOTARMY_HOLD_LIMIT_S")
    gate_expiry_hours: Annotated[float | None, Field(gt=0, le=100_000)] = Field(
        default=None, validation_alias="BOTARMY_GATE_EXPIRY_HOURS"
    )
    db_pool_size: Annotated[int, Field(ge=1, le=500)] = Field(default=10, validation_alias="BOTARMY_DB_POOL_SIZE")

    @property
    def gate_expiry(self) -> timedelta | None:
        """After how long an undecided gate stops its project; None never."""
        return None if self.gate_expiry_hours is None else timedelta(hours=self.gate_expiry_hours)

    def provider_of(self, role: str) -> str:
        """Return the name of the provider that serves a role: "offline" unless one is set."""
        return self.choice_of(role).provider

    def choice_of(self, role: str) -> RoleChoice:
        """Return provider and model of one role.

        Raises:
            SettingsError: there is no such role.
        """
        if role not in ROLES:
            raise SettingsError(f"There is no role {role!r}.", hint=f"The roles are {', '.join(ROLES)}.")
        provider = getattr(self, f"{role}_agent_provider")
        model = getattr(self, f"{role}_agent_model")
        return RoleChoice(provider=provider or DEFAULT_PROVIDER, model=model)

    def fallbacks_of(self, role: str) -> tuple[str, ...]:
        """Return the further providers of a role as "provider/model", in the order in which they are tried."""
        listed = getattr(self, f"{role}_agent_fallback") or ""
        return tuple(part.strip() for part in listed.split(",") if part.strip())


def setting_names() -> tuple[str, ...]:
    """Return the environment name of every setting, in the order of the class."""
    return tuple(
        field.validation_alias if isinstance(field.validation_alias, str) else name.upper()
        for name, field in Settings.model_fields.items()
    )


def role_map(settings: Settings) -> dict[str, RoleChoice]:
    """Return provider and model of every role.

    Raises:
        SettingsError: a role names a model but no provider that could serve it.
    """
    problems = [
        f"{role.upper()}_AGENT_MODEL is set, but {role.upper()}_AGENT_PROVIDER is not: the model would not be used"
        for role in ROLES
        if getattr(settings, f"{role}_agent_model") and not getattr(settings, f"{role}_agent_provider")
    ]
    if problems:
        raise SettingsError(
            _sentence(problems), hint="Set the provider beside the model, or remove the model to use 'offline'."
        )
    return {role: settings.choice_of(role) for role in ROLES}


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment and `.env`, and report everything that is wrong with them in one error.

    Args:
        env_file: the file to read beside the environment; it may be absent. None reads the environment only.

    Raises:
        SettingsError: values that do not fit, `.env` that cannot be read, names in it that are no setting.
    """
    problems = _unknown_names(_read_env_file(env_file))
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors(include_url=False, include_input=False)]
        raise SettingsError(_sentence(problems), hint="See .env.example for every setting and its form.") from None
    if problems:
        raise SettingsError(_sentence(problems), hint="See .env.example for every setting.")
    role_map(settings)
    return settings


def _read_env_file(env_file: Path | None) -> Mapping[str, str | None]:
    if env_file is None or not env_file.exists():
        return {}
    try:
        if env_file.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        return dotenv_values(env_file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"{env_file} cannot be read: {reason}.", hint="Make it a readable UTF-8 text file, or remove it."
        ) from error


def _unknown_names(names: Iterable[str]) -> list[str]:
    """Name the BOTARMY_* and role settings that nobody reads: a misspelt limit must not be ignored in silence.

    Only the file is judged: the environment may hold names of other programs.
    """
    known = setting_names()
    problems = []
    for name in names:
        ours = name.upper().startswith("BOTARMY_") or name.upper().startswith(_ROLE_PREFIXES)
        if ours and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            problems.append(f"{name} is no setting" + (f" (did you mean {near[0]}?)" if near else ""))
    return problems


def _problem(detail: Mapping[str, Any]) -> str:
    name = str(detail["loc"][0]).upper()
    where = "" if name in os.environ else " (in .env)"
    return f"{name}{where}: {str(detail['msg']).removeprefix('Value error, ')}"


def _sentence(problems: Iterable[str]) -> str:
    found = list(problems)
    if len(found) == 1:
        return f"A setting cannot be used: {found[0]}."
    return f"{len(found)} settings cannot be used: " + "; ".join(found) + "."
