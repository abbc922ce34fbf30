"""Costs: exact, by whose price, and unknown rather than 0."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.completion import Usage
from botarmy.errors import SettingsError
from botarmy.pricing import UNKNOWN, OwnPrice, Prices, parse_own_prices

COUNTS = st.integers(0, 10**9)


def test_listed_price_counts_cached_input_once() -> None:
    usage = Usage(input_tokens=1000, output_tokens=10, cached_tokens=3, cache_write_tokens=4)
    cost = Prices().cost("anthropic", "claude-sonnet-4-5", usage)
    assert cost.usd == Decimal("0.0031449")
    assert cost.price_version.startswith("genai-prices ")


def test_unknown_model_is_unknown_and_not_free() -> None:
    assert Prices().cost("openai", "no-such-model", Usage(input_tokens=1)) == UNKNOWN
    assert Prices().cost("openai", "gpt-4o", Usage(input_tokens=1), base_url="http://127.0.0.1:1/v1") == UNKNOWN


def test_keyless_providers_are_known_to_be_free() -> None:
    assert Prices().cost("offline", "scaffold-1", Usage()).usd == Decimal(0)


def test_own_price_comes_first_and_has_its_version() -> None:
    prices = Prices(parse_own_prices('{"openai/gpt-4o": {"input": 1.1, "output": "2"}}', "prices.json"))
    cost = prices.cost("openai", "gpt-4o", Usage(input_tokens=1, output_tokens=1))
    assert cost.usd == Decimal("0.0000031")
    assert cost.price_version.startswith("own:")


@given(plain=COUNTS, cached=COUNTS, written=COUNTS, output=COUNTS)
def test_buckets_are_inclusive(plain: int, cached: int, written: int, output: int) -> None:
    price = OwnPrice(input=Decimal("1.3"), output=Decimal("7.7"), cached_input=Decimal("0.13"), cache_write=Decimal(2))
    usage = Usage(
        input_tokens=plain + cached + written, cached_tokens=cached, cache_write_tokens=written, output_tokens=output
    )
    millionths = plain * Decimal("1.3") + cached * Decimal("0.13") + written * 2 + output * Decimal("7.7")
    assert price.of(usage) * 1_000_000 == millionths


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "are not JSON"),
        ("[]", "are no object"),
        (
            '{"gpt": {"input": 1, "output": 1}, "a/b": {"input": -1}}',
            "'gpt' is not of the form provider/model; a/b: input",
        ),
    ],
)
def test_all_problems_of_a_price_list_in_one_message(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match="prices") as caught:
        parse_own_prices(text, "prices.json")
    assert problem in caught.value.message
