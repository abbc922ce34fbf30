"""Which providers serve which role: from `llm_provider_configs`, else the environment, else offline.

Everything is checked before any call is made, and all problems come in one message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field

from botarmy.completion import Provider
from botarmy.errors import BotArmyError, SettingsError
from botarmy.pricing import Prices, parse_own_prices
from botarmy.rate_limit import RateLimit, parse_rate_limits
from botarmy.records import ProviderConfig, Record
from botarmy.settings import ROLES
from providers.models import model_problem
from providers.registry import ProviderSettings, create_provider, near_match

_CONFIGURATION_KEYS = ("fallbacks", "options")


class Choice(Record):
    """One provider with one model; `options` are fields that are added to each of its requests."""

    provider: str
    model: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    def __str__(self) -> str:
        """As it is written in settings: provider/model."""
        return f"{self.provider}/{self.model}" if self.model else self.provider


class RoleSettings(ProviderSettings, Protocol):
    """What the role map needs of botarmy.settings.Settings."""

    @property
    def botarmy_prices(self) -> Path | None: ...  # noqa: D102 - the names are those of the environment
    @property
    def botarmy_rate_limits(self) -> Path | None: ...  # noqa: D102

    def choice_of(self, role: str) -> Any:
        """Return provider and model of a role."""
        ...

    def fallbacks_of(self, role: str) -> tuple[str, ...]:
        """Return the further providers of a role as "provider/model", in the order of failover."""
        ...


class RoleMap(Mapping[str, Sequence[Provider]]):
    """Role -> its providers, in the order of failover. A provider that serves several roles is one object."""

    def __init__(self, providers: Mapping[str, Sequence[Provider]]) -> None:
        self._providers = dict(providers)

    def __getitem__(self, role: str) -> Sequence[Provider]:
        return self._providers[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)

    @property
    def deterministic(self) -> bool:
        """Whether no model is involved at all: such a project ends as a scaffold."""
        return all(provider.deterministic for served in self._providers.values() for provider in served)

    async def aclose(self) -> None:
        """Close all connections of the running loop."""
        for provider in {id(p): p for served in self._providers.values() for p in served}.values():
            close = getattr(provider, "aclose", None)
            if close is not None:
                await close()


def resolve_roles(
    settings: RoleSettings,
    configs: Iterable[ProviderConfig] = (),
    *,
    everyone: str | None = None,
    roles: Sequence[str] = ROLES,
    prices: Prices | None = None,
) -> RoleMap:
    """Return the role map.

    Args:
        settings: keys, addresses, and the environment's choice for each role.
        configs: rows of llm_provider_configs; a row wins over the environment.
        everyone: "provider" or "provider/model" that serves all roles, whatever else is configured.
        roles: the roles that are needed.
        prices: by which new models are admitted; those of the settings where None.

    Raises:
        SettingsError: unknown provider or model, missing key, a model without structured output, an unknown word in
            a row's configuration: all problems in one message, with near matches.
    """
    known_prices = prices or load_prices(settings)
    problems: list[str] = []
    made: dict[str, Provider | None] = {}

    def provider_of(role: str, choice: Choice) -> Provider | None:
        name = f"{choice} {choice.options}"
        if name not in made:
            provider, problem = _make(choice, settings, known_prices)
            made[name] = provider
            if problem:
                problems.append(f"{role}: {problem}")
        return made[name]

    rows = {config.agent: config for config in configs}
    served: dict[str, tuple[Provider, ...]] = {}
    for role in roles:
        choices, wrong = _choices(role, rows.get(role), settings, everyone)
        problems += [f"{role}: {problem}" for problem in wrong]
        served[role] = tuple(p for p in (provider_of(role, choice) for choice in choices) if p is not None)
    problems += [
        f"llm_provider_configs names the agent {agent!r}, which is no role{near_match(agent, roles)}"
        for agent in rows
        if agent not in ROLES and agent not in roles
    ]
    if problems:
        raise SettingsError(
            "the roles cannot be filled:\n" + "\n".join(f"- {problem}" for problem in problems),
            hint="Mend the settings (botarmy doctor shows them), or use provider offline, which needs no key.",
        )
    return RoleMap(served)


def load_prices(settings: RoleSettings) -> Prices:
    """Return the prices in force: those of the file BOTARMY_PRICES before the list of genai-prices.

    Raises:
        SettingsError: the file cannot be read or is wrong.
    """
    file = settings.botarmy_prices
    return Prices(parse_own_prices(_text(file, "BOTARMY_PRICES"), str(file))) if file else Prices()


def load_rate_limits(settings: RoleSettings) -> dict[str, RateLimit]:
    """Return the limits of the file BOTARMY_RATE_LIMITS: "provider/model" -> requests and tokens a minute.

    Raises:
        SettingsError: the file cannot be read or is wrong.
    """
    file = settings.botarmy_rate_limits
    if file is None:
        return {}
    try:
        data = json.loads(_text(file, "BOTARMY_RATE_LIMITS"))
    except json.JSONDecodeError as error:
        raise SettingsError(f"the rate limits in {file} are not JSON: {error}") from error
    return parse_rate_limits(data, str(file))


def _text(file: Path, variable: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names {file}, which cannot be read: {error}") from error


def _choice(text: str) -> Choice:
    provider, _, model = text.strip().partition("/")
    return Choice(provider=provider, model=model or None)


def _choices(
    role: str, row: ProviderConfig | None, settings: RoleSettings, everyone: str | None
) -> tuple[list[Choice], list[str]]:
    """Return a role's choices in the order of failover, and what is wrong with its configuration."""
    if everyone:
        return [_choice(everyone)], []
    if row is None:
        chosen = settings.choice_of(role)
        first = Choice(provider=chosen.provider, model=chosen.model)
        return [first, *map(_choice, settings.fallbacks_of(role))], []
    wrong = [
        f"unknown word {key!r} in its configuration{near_match(key, _CONFIGURATION_KEYS)}"
        for key in row.configuration
        if key not in _CONFIGURATION_KEYS
    ]
    options, fallbacks = row.configuration.get("options", {}), row.configuration.get("fallbacks", [])
    if not isinstance(options, dict):
        wrong.append("`options` of its configuration must be an object")
        options = {}
    if not isinstance(fallbacks, list) or not all(isinstance(item, str) for item in fallbacks):
        wrong.append('`fallbacks` of its configuration must be a list of "provider/model"')
        fallbacks = []
    first = Choice(provider=row.provider, model=row.model or None, options=options)
    return [first, *map(_choice, fallbacks)], wrong


def _make(choice: Choice, settings: RoleSettings, prices: Prices) -> tuple[Provider | None, str]:
    """Return the provider, or None and what is wrong."""
    try:
        provider = create_provider(choice.provider, choice.model, settings, choice.options)
    except BotArmyError as error:
        return None, f"{error.message}. {error.hint}".strip()
    own_server = getattr(provider, "base_url", None)
    problem = None if own_server else model_problem(choice.provider, choice.model or "", prices)
    return provider, problem or ""
