"""Options of a role that are refused: with them a call could cost more than was reserved for it, or be another call.

What a call can cost at most is reckoned from its messages, its schema and its output limit, at the list price (see
botarmy/budget.py). An option that BotArmy sets itself would replace one of these, and others multiply the price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botarmy.errors import SettingsError

_OUTPUT_LIMIT = "BotArmy limits the answer, and reserves what that can cost"
_ANSWERS = "more than one answer is paid and one is read"
_CONTENT = "BotArmy makes the request's content, and counts it for the budget"
_MODEL = "it would ask another model than the one whose price is reckoned; name that in model_name, or as a fallback"
_FORM = "BotArmy sets the form of the answer"
_STREAM = "BotArmy chooses how the answer is sent, and needs its usage"
_TIER = "it changes the price; the budget reckons with the list price"
_TOOLS = "tools are paid beside the tokens, and no agent uses them"
_CACHE = "writing to a cache can cost more than the input that is reckoned"
_OTHER_OUTPUT = "it makes output that is paid beside the answer"
_STORED = "it brings in content kept at the vendor, which nobody can count before the call"
_KEPT = "BotArmy has nothing kept at the vendor"

_SHARED = {
    **dict.fromkeys(("model", "models", "fallbacks", "route"), _MODEL),
    **dict.fromkeys(("messages", "input", "contents", "system", "instructions"), _CONTENT),
    **dict.fromkeys(("stream", "stream_options"), _STREAM),
    **dict.fromkeys(("n", "best_of", "candidate_count"), _ANSWERS),
    **dict.fromkeys(("service_tier", "speed", "inference_geo"), _TIER),
    **dict.fromkeys(("tools", "tool_choice", "mcp_servers"), _TOOLS),
    "store": _KEPT,
}
_OPENAI = {
    **_SHARED,
    **dict.fromkeys(("prompt_cache_retention", "prompt_cache_options"), _CACHE),
}
_REFUSED: dict[str, dict[str, str]] = {
    "chat": {
        **_OPENAI,
        **dict.fromkeys(("functions", "function_call", "web_search_options", "plugins"), _TOOLS),
        **dict.fromkeys(("modalities", "audio", "prediction"), _OTHER_OUTPUT),
        "response_format": _FORM,
        "n_predict": _OUTPUT_LIMIT,
    },
    "responses": {
        **_OPENAI,
        **dict.fromkeys(("conversation", "previous_response_id", "prompt", "context_management"), _STORED),
        **dict.fromkeys(("background", "background_options"), _STREAM),
        "access_programs": _TIER,
        "max_tool_calls": _TOOLS,
        "image": _OTHER_OUTPUT,
        "text": _FORM,
    },
    "messages": {
        **_SHARED,
        **dict.fromkeys(("container", "thread", "context_management", "compaction"), _STORED),
        **dict.fromkeys(("billing_policy", "fallback_credit_token"), _TIER),
        **dict.fromkeys(("output_config", "output_format"), _FORM),
        "cache_control": _CACHE,
    },
    "generateContent": {
        **_SHARED,
        **dict.fromkeys(("response_mime_type", "response_schema", "response_json_schema", "response_format"), _FORM),
        **dict.fromkeys(
            (
                "response_modalities",
                "speech_config",
                "image_config",
                "translation_config",
                "audio_transcription_config",
            ),
            _OTHER_OUTPUT,
        ),
        **dict.fromkeys(("model_selection_config", "routing_config"), _MODEL),
        **dict.fromkeys(("cached_content", "continuation_token", "automatic_continuation"), _STORED),
        **dict.fromkeys(("tool_config", "automatic_function_calling"), _TOOLS),
        "system_instruction": _CONTENT,
        "generation_config": "options are put into generationConfig already; name the field itself",
    },
}


def refuse_options(api: str, provider: str, options: Mapping[str, Any]) -> None:
    """Refuse options that would make the reservation for a call meaningless.

    Args:
        api: chat, responses, messages or generateContent.
        provider: for the message.
        options: what is to be added to every request.

    Raises:
        SettingsError: names each such option and why.
    """
    found = [f"{name!r}: {why}" for name, why in _refused(api, options)]
    if found:
        raise SettingsError(
            f"options of provider {provider} are refused: {'; '.join(found)}",
            hint="Take them out of `options` in the configuration of its row in llm_provider_configs "
            "(docs/providers.md lists what is refused, and what to use instead).",
        )


def _refused(api: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = {_folded(name): why for name, why in _REFUSED[api].items()}
    for name in options:
        folded = _folded(name)
        if folded in known:
            yield name, known[folded]
        elif folded.startswith("max") and "token" in folded:
            yield name, _OUTPUT_LIMIT


def _folded(name: str) -> str:
    """Return a name as all its spellings: maxOutputTokens and max_output_tokens are one field for Google."""
    return name.replace("_", "").replace("-", "").casefold()
