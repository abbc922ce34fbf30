"""Which models may be chosen: known to the price list (or priced by configuration), and able to answer by a schema."""

from __future__ import annotations

import difflib
import re

from botarmy.pricing import Prices

SELLERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}
# Without a native schema mode. From the vendors' documentation; all later models have one.
_WITHOUT_SCHEMA = {
    "openai": re.compile(
        r"^(gpt-3\.5|gpt-4$|gpt-4-|chatgpt-|o1-mini|o1-preview|davinci|babbage|text-|tts|whisper|gpt-(audio|realtime|live"
        r"|image|transcribe)|.*-(audio|realtime|transcribe|tts|search|image|instruct)\b|.*moderation|gpt-4o-2024-05-13)"
    ),
    "anthropic": re.compile(
        r"^claude-(v?1|v?2|instant|3|opus-4-0|opus-4-2025|sonnet-4-0|sonnet-4-2025|opus-4$|sonnet-4$)"
    ),
    "gemini": re.compile(
        r"^(gemini-1\.0|gemini-pro$|gemma|.*(-tts|-image|-live|-embedding|embedding-|robotics|omni|nano))"
    ),
}


def model_problem(provider: str, model: str, prices: Prices) -> str | None:
    """Return why a vendor's model cannot be used, in one sentence with near matches; None if it can.

    A model that is newer than the price list is admitted by giving its price in the configuration.
    """
    seller = SELLERS.get(provider)
    if seller is None:
        return None
    without = _WITHOUT_SCHEMA.get(provider)
    if without is not None and without.match(model):
        return f"{provider} model {model} cannot answer by a schema (structured output); choose a later one"
    if f"{provider}/{model}" in prices.own or _is_listed(seller, model):
        return None
    near = difflib.get_close_matches(model, _listed(provider, seller), n=3, cutoff=0.6)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return (
        f"{provider} model {model!r} is not known{meant}"
        " (a model newer than the price list is admitted by its price in BOTARMY_PRICES)"
    )


def _is_listed(seller: str, model: str) -> bool:
    import genai_prices  # noqa: PLC0415 - its price list is read at the first use

    try:
        genai_prices.calc_price(genai_prices.Usage(input_tokens=1), model_ref=model, provider_id=seller)
    except LookupError:
        return False
    return True


def _listed(provider: str, seller: str) -> list[str]:
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

    models = next(entry.models for entry in get_snapshot().providers if entry.id == seller)
    without = _WITHOUT_SCHEMA[provider]
    return [model.id for model in models if not without.match(model.id)]
