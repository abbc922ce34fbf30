"""Providers by name. Nothing of a vendor is imported before a provider of that vendor is made and used."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from pydantic import SecretStr

from botarmy.completion import Provider
from botarmy.errors import SettingsError

KEYLESS = "or use provider offline, which needs no key (it is no model: it makes a scaffold)."


class ProviderSettings(Protocol):
    """What providers need to know of botarmy.settings.Settings."""

    openai_api_key: SecretStr | None
    openai_base_url: str | None
    anthropic_api_key: SecretStr | None
    gemini_api_key: SecretStr | None


def create_provider(name: str, model: str | None, settings: ProviderSettings) -> Provider:
    """Return the provider of that name.

    Args:
        name: one of known_providers().
        model: the vendor's name of the model; None only where the provider has but one.
        settings: keys and addresses.

    Raises:
        SettingsError: no such provider (with near matches), no model, no key; says a keyless way on.
    """
    make = _MAKERS.get(name)
    if make is None:
        raise SettingsError(f"there is no provider {name!r}{near_match(name, _MAKERS)}", hint=_list_hint())
    return make(model, settings)


def known_providers() -> tuple[str, ...]:
    """Return the names that create_provider takes."""
    return tuple(_MAKERS)


def near_match(name: str, names: Any) -> str:
    """Return "; did you mean …?" where something is near, else nothing."""
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _list_hint() -> str:
    return f"The providers are {', '.join(_MAKERS)}."


def _needs_model(provider: str, model: str | None) -> str:
    if not model:
        raise SettingsError(
            f"provider {provider} needs a model",
            hint="Name it for the role, e.g. CODER_AGENT_MODEL, or use provider offline.",
        )
    return model


def _needs_key(provider: str, variable: str, key: SecretStr | None) -> str:
    if key is None or not key.get_secret_value().strip():
        raise SettingsError(f"provider {provider} needs a key, and {variable} is not set", hint=f"Set it, {KEYLESS}")
    return key.get_secret_value()


def _offline(_model: str | None, _settings: ProviderSettings) -> Provider:
    provider: Provider = import_module("providers.offline.provider").OfflineProvider()
    return provider


def _openai(model: str | None, settings: ProviderSettings) -> Provider:
    from providers.openai_chat import OpenAIChat  # noqa: PLC0415

    chosen = _needs_model("openai", model)
    base_url = settings.openai_base_url or None
    if base_url and settings.openai_api_key is None:
        key = "none"  # servers of one's own mostly want none, but the SDK wants some word
    else:
        key = _needs_key("openai", "OPENAI_API_KEY", settings.openai_api_key)
    return OpenAIChat(chosen, api_key=key, base_url=base_url)


_MAKERS: dict[str, Callable[[str | None, ProviderSettings], Provider]] = {"offline": _offline, "openai": _openai}
