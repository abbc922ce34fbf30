"""Providers by name. Nothing of a vendor is imported before a provider of that vendor is made and used."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from botarmy.completion import Provider
from botarmy.errors import SettingsError
from providers.options import refuse_options

Options = Mapping[str, Any]
KEYLESS = "or use provider offline, which needs no key (it is no model: it makes a scaffold)."


class ProviderSettings(Protocol):
    """What providers need to know of botarmy.settings.Settings."""

    @property
    def openai_api_key(self) -> SecretStr | None: ...  # noqa: D102 - the names are those of the environment
    @property
    def openai_base_url(self) -> str | None: ...  # noqa: D102
    @property
    def botarmy_openai_api(self) -> str | None: ...  # noqa: D102
    @property
    def anthropic_api_key(self) -> SecretStr | None: ...  # noqa: D102
    @property
    def anthropic_base_url(self) -> str | None: ...  # noqa: D102
    @property
    def gemini_api_key(self) -> SecretStr | None: ...  # noqa: D102
    @property
    def google_gemini_base_url(self) -> str | None: ...  # noqa: D102
    @property
    def google_application_credentials(self) -> Path | None: ...  # noqa: D102
    @property
    def google_cloud_project(self) -> str | None: ...  # noqa: D102
    @property
    def google_cloud_location(self) -> str | None: ...  # noqa: D102
    @property
    def botarmy_record(self) -> Path | None: ...  # noqa: D102
    @property
    def botarmy_replay(self) -> Path | None: ...  # noqa: D102


def create_provider(
    name: str, model: str | None, settings: ProviderSettings, options: Mapping[str, Any] | None = None
) -> Provider:
    """Return the provider of that name; with BOTARMY_RECORD set, one that records what it does.

    Args:
        name: one of known_providers().
        model: the vendor's name of the model; None only where the provider has but one.
        settings: keys and addresses.
        options: fields that are added to each request of a vendor's, e.g. {"temperature": 0}.

    Raises:
        SettingsError: no such provider (with near matches), no model, no key (says a keyless way on), or an option
            with which a call could cost more than is reserved for it.
    """
    make = _MAKERS.get(name)
    if make is None:
        raise SettingsError(f"there is no provider {name!r}{near_match(name, _MAKERS)}", hint=_list_hint())
    provider = make(model, settings, dict(options or {}))
    if settings.botarmy_record is None or name == "recorded":
        return provider
    from providers.recorded import Recorder  # noqa: PLC0415

    return Recorder(provider, settings.botarmy_record, secrets_of(settings))


def known_providers() -> tuple[str, ...]:
    """Return the names that create_provider takes."""
    return tuple(_MAKERS)


def secrets_of(settings: ProviderSettings) -> tuple[str, ...]:
    """Return all keys, for masking."""
    keys = (settings.openai_api_key, settings.anthropic_api_key, settings.gemini_api_key)
    return tuple(key.get_secret_value() for key in keys if key is not None)


def near_match(name: str, names: Iterable[str]) -> str:
    """Return "; did you mean …?" where something is near, else nothing."""
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _list_hint() -> str:
    return f"The providers are {', '.join(_MAKERS)}."


def _needs_model(provider: str, model: str | None) -> str:
    if not model:
        raise SettingsError(
            f"provider {provider} needs a model, and none is named",
            hint="Name it for the role, e.g. CODER_AGENT_MODEL, or use provider offline.",
        )
    return model


def _needs_key(provider: str, variable: str, key: SecretStr | None) -> str:
    if key is None or not key.get_secret_value().strip():
        raise SettingsError(f"provider {provider} needs a key, and {variable} is not set", hint=f"Set it, {KEYLESS}")
    return key.get_secret_value().strip()


def _offline(_model: str | None, _settings: ProviderSettings, _options: Options) -> Provider:
    from providers.offline.provider import OfflineProvider  # noqa: PLC0415

    return OfflineProvider()


def _openai(model: str | None, settings: ProviderSettings, options: Options) -> Provider:
    """Make the adapter: the vendor's own servers speak responses, other servers chat completions."""
    chosen = _needs_model("openai", model)
    base_url = settings.openai_base_url or None
    if base_url and settings.openai_api_key is None:
        key = "none"  # servers of one's own mostly want none, but the SDK wants some word
    else:
        key = _needs_key("openai", "OPENAI_API_KEY", settings.openai_api_key)
    api = settings.botarmy_openai_api or ("chat" if base_url else "responses")
    refuse_options(api, "openai", options)
    if api == "responses":
        from providers.openai_responses import OpenAIResponses  # noqa: PLC0415

        return OpenAIResponses(chosen, api_key=key, base_url=base_url, options=options)
    from providers.openai_chat import OpenAIChat  # noqa: PLC0415

    return OpenAIChat(chosen, api_key=key, base_url=base_url, options=options)


def _anthropic(model: str | None, settings: ProviderSettings, options: Options) -> Provider:
    from providers.anthropic_messages import AnthropicMessages  # noqa: PLC0415

    chosen = _needs_model("anthropic", model)
    key = _needs_key("anthropic", "ANTHROPIC_API_KEY", settings.anthropic_api_key)
    refuse_options("messages", "anthropic", options)
    return AnthropicMessages(chosen, api_key=key, base_url=settings.anthropic_base_url or None, options=options)


def _gemini(model: str | None, settings: ProviderSettings, options: Options) -> Provider:
    """Make the adapter: by key where there is one, else on Vertex by the service account."""
    from providers.gemini import Gemini, Vertex  # noqa: PLC0415

    chosen = _needs_model("gemini", model)
    refuse_options("generateContent", "gemini", options)
    base_url = settings.google_gemini_base_url or None
    if settings.gemini_api_key is not None:
        key = _needs_key("gemini", "GEMINI_API_KEY", settings.gemini_api_key)
        return Gemini(chosen, api_key=key, base_url=base_url, options=options)
    if settings.google_application_credentials is None:
        raise SettingsError(
            "provider gemini needs GEMINI_API_KEY, or GOOGLE_APPLICATION_CREDENTIALS for Vertex; neither is set",
            hint=f"Set one of them, {KEYLESS}",
        )
    missing = [
        variable
        for variable, value in (
            ("GOOGLE_CLOUD_PROJECT", settings.google_cloud_project),
            ("GOOGLE_CLOUD_LOCATION", settings.google_cloud_location),
        )
        if not value
    ]
    if missing:
        raise SettingsError(
            f"provider gemini on Vertex needs {' and '.join(missing)}",
            hint="Set the project and a location such as europe-west4 or global, or set GEMINI_API_KEY.",
        )
    vertex = Vertex(
        credentials_file=settings.google_application_credentials,
        project=settings.google_cloud_project or "",
        location=settings.google_cloud_location or "",
    )
    return Gemini(chosen, vertex=vertex, base_url=base_url, options=options)


def _recorded(_model: str | None, settings: ProviderSettings, _options: Options) -> Provider:
    from providers.recorded import Recorded  # noqa: PLC0415

    if settings.botarmy_replay is None:
        raise SettingsError(
            "provider recorded needs a folder of recordings, and BOTARMY_REPLAY is not set",
            hint="Record a project with BOTARMY_RECORD=DIR first, then replay with BOTARMY_REPLAY=DIR.",
        )
    return Recorded(settings.botarmy_replay)


_MAKERS: dict[str, Callable[[str | None, ProviderSettings, Options], Provider]] = {
    "offline": _offline,
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "recorded": _recorded,
}
