"""The role map: who serves whom, and everything that is wrong in one message, before any call."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from botarmy.errors import SettingsError
from botarmy.records import ProviderConfig
from botarmy.settings import ROLES, load_settings, setting_names
from providers.registry import create_provider, known_providers
from tasks.roles import Choice, load_prices, load_rate_limits, resolve_roles

KEY = SecretStr("sk-canary-0123456789abcdefghij")
ROLE = ("analyst",)


@dataclass
class Env:
    """Settings as this test wants them."""

    openai_api_key: SecretStr | None = KEY
    openai_base_url: str | None = None
    botarmy_openai_api: str | None = None
    anthropic_api_key: SecretStr | None = KEY
    anthropic_base_url: str | None = None
    gemini_api_key: SecretStr | None = KEY
    google_gemini_base_url: str | None = None
    google_application_credentials: Path | None = None
    google_cloud_project: str | None = None
    google_cloud_location: str | None = None
    botarmy_record: Path | None = None
    botarmy_replay: Path | None = None
    botarmy_prices: Path | None = None
    botarmy_rate_limits: Path | None = None
    chosen: dict[str, str] = field(default_factory=dict)
    fallbacks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def choice_of(self, role: str) -> Choice:
        provider, _, model = self.chosen.get(role, "openai/gpt-4o").partition("/")
        return Choice(provider=provider, model=model or None)

    def fallbacks_of(self, role: str) -> tuple[str, ...]:
        return self.fallbacks.get(role, ())


def row(agent: str, provider: str, model: str, **configuration: Any) -> ProviderConfig:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return ProviderConfig(agent=agent, provider=provider, model=model, configuration=configuration, updated_at=moment)


def names(env: Env, *configs: ProviderConfig, **more: Any) -> list[str]:
    served = resolve_roles(env, configs, roles=ROLE, **more)["analyst"]
    return [f"{type(provider).__name__} {provider.model}" for provider in served]


def test_the_environment_serves_with_its_fallbacks() -> None:
    env = Env(fallbacks={"analyst": ("anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash")})
    assert names(env) == ["OpenAIResponses gpt-4o", "AnthropicMessages claude-sonnet-4-5", "Gemini gemini-2.5-flash"]


def test_a_row_wins_over_the_environment() -> None:
    config = row("analyst", "anthropic", "claude-sonnet-4-5", fallbacks=["openai/gpt-4o"], options={"temperature": 0})
    assert names(Env(), config) == ["AnthropicMessages claude-sonnet-4-5", "OpenAIResponses gpt-4o"]


def test_one_provider_for_everyone() -> None:
    role_map = resolve_roles(Env(), everyone="gemini/gemini-2.5-flash")
    assert {id(served[0]) for served in role_map.values()} == {id(role_map["coder"][0])}
    assert not role_map.deterministic


async def test_a_role_map_closes_each_provider_once() -> None:
    role_map = resolve_roles(Env(), everyone="openai/gpt-4o")
    assert (len(role_map), set(role_map)) == (5, set(ROLES))
    await role_map.aclose()  # nothing was opened: that is no error


def test_a_server_of_ones_own_takes_any_model_and_no_key() -> None:
    env = Env(openai_base_url="http://127.0.0.1:11434/v1", openai_api_key=None, chosen={"analyst": "openai/qwen3/x"})
    assert names(env) == ["OpenAIChat qwen3/x"]


def test_all_problems_come_in_one_message() -> None:
    env = Env(
        anthropic_api_key=None,
        gemini_api_key=None,
        chosen={
            "analyst": "opnai/gpt-4o",
            "architect": "openai/gpt-4oo",
            "coder": "anthropic/claude-sonnet-4-5",
            "tester": "openai/gpt-3.5-turbo",
            "deployer": "openai",
        },
        fallbacks={"coder": ("gemini/gemini-2.5-flash", "recorded")},
    )
    with pytest.raises(SettingsError) as caught:
        resolve_roles(env, [row("analist", "openai", "gpt-4o")])
    told = caught.value.message
    for part in (
        "analyst: there is no provider 'opnai'; did you mean openai?",
        "architect: openai model 'gpt-4oo' is not known; did you mean gpt-4o",
        "coder: provider anthropic needs a key, and ANTHROPIC_API_KEY is not set. Set it, or use provider offline",
        "coder: provider gemini needs GEMINI_API_KEY, or GOOGLE_APPLICATION_CREDENTIALS",
        "coder: provider recorded needs a folder of recordings, and BOTARMY_REPLAY is not set",
        "tester: openai model gpt-3.5-turbo cannot answer by a schema",
        "deployer: provider openai needs a model",
        "agent 'analist', which is no role; did you mean analyst?",
    ):
        assert part in told
    assert KEY.get_secret_value() not in told


def test_wrong_configurations_are_named() -> None:
    config = row("analyst", "openai", "gpt-4o", optionz={}, options=3, fallbacks="x")
    with pytest.raises(SettingsError) as caught:
        resolve_roles(Env(), [config], roles=ROLE)
    for part in ("'optionz' in its configuration; did you mean options?", "`options`", "`fallbacks`"):
        assert part in caught.value.message


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4"),
        ("openai", "o1-mini"),
        ("openai", "text-embedding-3-small"),
        ("anthropic", "claude-3-5-sonnet-latest"),
        ("anthropic", "claude-opus-4-0"),
        ("gemini", "gemini-2.5-flash-image"),
    ],
)
def test_models_without_structured_output_are_refused(provider: str, model: str) -> None:
    with pytest.raises(SettingsError, match="structured output"):
        names(Env(chosen={"analyst": f"{provider}/{model}"}))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2024-08-06"),
        ("openai", "gpt-4.1-mini"),
        ("openai", "gpt-5.2"),
        ("openai", "o3"),
        ("anthropic", "claude-opus-4-1"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-haiku-4-5"),
        ("gemini", "gemini-2.5-pro"),
        ("gemini", "gemini-3-flash-preview"),
    ],
)
def test_models_with_structured_output_are_taken(provider: str, model: str) -> None:
    assert names(Env(chosen={"analyst": f"{provider}/{model}"}))[0].endswith(f" {model}")


def test_a_model_newer_than_the_list_is_admitted_by_its_price(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"openai/brandnew-1": {"input": 1, "output": 2}}')
    env = Env(botarmy_prices=file, chosen={"analyst": "openai/brandnew-1"})
    assert names(env) == ["OpenAIResponses brandnew-1"]
    file.write_text("{")
    with pytest.raises(SettingsError, match="are not JSON"):
        load_prices(env)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_prices(Env(botarmy_prices=tmp_path / "absent.json"))


def test_rate_limits_are_read(tmp_path: Path) -> None:
    file = tmp_path / "limits.json"
    file.write_text('{"openai/gpt-4o": {"requests": 5}}')
    assert load_rate_limits(Env(botarmy_rate_limits=file))["openai/gpt-4o"].requests == 5
    file.write_text("{")
    with pytest.raises(SettingsError, match="are not JSON"):
        load_rate_limits(Env(botarmy_rate_limits=file))
    assert load_rate_limits(Env()) == {}


def test_vertex_needs_project_and_location() -> None:
    env = Env(gemini_api_key=None, google_application_credentials=Path("account.json"))
    with pytest.raises(SettingsError, match="GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION"):
        create_provider("gemini", "gemini-2.5-pro", env)
    env.google_cloud_project, env.google_cloud_location = "shop", "global"
    assert create_provider("gemini", "gemini-2.5-pro", env).model == "gemini-2.5-pro"


def test_which_api_of_openai_is_asked() -> None:
    made = [
        type(create_provider("openai", "gpt-4o", Env(botarmy_openai_api=api, openai_base_url=url))).__name__
        for api, url in ((None, None), (None, "http://h/v1"), ("chat", None), ("responses", "http://h/v1"))
    ]
    assert made == ["OpenAIResponses", "OpenAIChat", "OpenAIChat", "OpenAIResponses"]


def test_the_registry_imports_nothing_of_a_vendor() -> None:
    code = (
        "import sys, providers.registry, tasks.calls, tasks.roles\n"
        "print([m for m in ('openai', 'anthropic', 'google.genai', 'httpx2', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_known_providers() -> None:
    assert known_providers() == ("offline", "openai", "anthropic", "gemini", "recorded")


def test_the_settings_of_the_environment_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANALYST_AGENT_PROVIDER", "anthropic")
    monkeypatch.setenv("ANALYST_AGENT_MODEL", "claude-sonnet-4-5")
    monkeypatch.setenv("ANALYST_AGENT_FALLBACK", "openai/gpt-4o, offline")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k-123456")
    monkeypatch.setenv("OPENAI_API_KEY", "k-654321")
    monkeypatch.setenv("BOTARMY_RECORD", str(tmp_path))
    served = resolve_roles(load_settings(None))
    assert [provider.name for provider in served["analyst"]] == ["anthropic", "openai", "offline"]
    assert [provider.name for provider in served["coder"]] == ["offline"]
    assert type(served["analyst"][0]).__name__ == "Recorder"
