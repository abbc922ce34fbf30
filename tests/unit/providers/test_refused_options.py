"""Options with which a call could cost more than was reserved for it are refused before any call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from botarmy.errors import SettingsError
from botarmy.records import ProviderConfig
from botarmy.settings import Settings
from providers.options import refuse_options
from tasks.roles import resolve_roles

HARMLESS = {
    "chat": {
        *("frequency_penalty", "logit_bias", "logprobs", "metadata", "moderation", "parallel_tool_calls"),
        *("presence_penalty", "prompt_cache_key", "reasoning_effort", "safety_identifier", "seed", "stop"),
        *("temperature", "top_logprobs", "top_p", "user", "verbosity"),
    },
    "responses": {
        *("include", "metadata", "moderation", "parallel_tool_calls", "prompt_cache_key", "reasoning"),
        *("safety_identifier", "temperature", "top_logprobs", "top_p", "truncation", "user"),
    },
    "messages": {
        *("betas", "diagnostics", "metadata", "stop_sequences", "temperature", "thinking", "top_k", "top_p"),
        *("user_profile_id", "workspace_id"),  # headers
    },
    "generateContent": {
        *("audio_timestamp", "enable_affective_dialog", "enable_enhanced_civic_answers", "frequency_penalty"),
        *("logprobs", "media_resolution", "presence_penalty", "response_logprobs", "seed", "stop_sequences"),
        *("temperature", "thinking_config", "top_k", "top_p"),
    },
}


def fields_of(api: str) -> set[str]:
    """Return the fields of a request body as the vendor's SDK names them."""
    if api == "generateContent":
        from google.genai.types import GenerationConfig  # noqa: PLC0415

        return set(GenerationConfig.model_fields)
    from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming as Messages  # noqa: PLC0415
    from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming as Chat  # noqa: PLC0415
    from openai.types.responses.response_create_params import ResponseCreateParamsStreaming as Responses  # noqa: PLC0415

    made: Any = {"chat": Chat, "responses": Responses, "messages": Messages}[api]
    return set(made.__required_keys__ | made.__optional_keys__)


def refused(api: str, name: str) -> bool:
    try:
        refuse_options(api, "vendor", {name: 1})
    except SettingsError as error:
        assert repr(name) in error.message  # noqa: PT017
        return True
    return False


@pytest.mark.parametrize("api", sorted(HARMLESS))
def test_each_field_that_the_sdk_knows_is_judged(api: str) -> None:
    """A new version of an SDK brings new fields: each must be found harmless here, or be refused."""
    fields = fields_of(api) | HARMLESS[api]
    assert {name for name in fields if not refused(api, name)} == HARMLESS[api]


@pytest.mark.parametrize(
    ("api", "name"),
    [
        *((api, name) for api in HARMLESS for name in ("n", "max_tokens", "max_completion_tokens", "maxOutputTokens")),
        *((api, name) for api in HARMLESS for name in ("model", "stream", "service_tier", "tools", "max_new_tokens")),
        *(("generateContent", name) for name in ("candidateCount", "responseMimeType", "systemInstruction")),
        *(("chat", name) for name in ("best_of", "n_predict", "response_format", "MAX_TOKENS")),
    ],
)
def test_options_that_cost_are_refused(api: str, name: str) -> None:
    assert refused(api, name)


def test_all_of_a_role_are_named_in_the_problem_of_its_settings() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    options = {"max_completion_tokens": 128_000, "n": 4, "temperature": 0}
    config = ProviderConfig(
        agent="coder", provider="openai", model="gpt-4o", configuration={"options": options}, updated_at=moment
    )
    settings = Settings(openai_api_key=SecretStr("sk-canary-0123456789abcdefghij"), _env_file=None)
    with pytest.raises(SettingsError) as caught:
        resolve_roles(settings, [config])
    for part in ("coder: ", "'max_completion_tokens': ", "'n': ", "llm_provider_configs"):
        assert part in caught.value.message
    assert "temperature" not in caught.value.message
