"""The provider branch of the error tree survives pickling with its details, and keys never show."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest

from botarmy import errors
from botarmy.completion import Usage
from botarmy.redact import redact


def kinds(root: type[errors.ProviderError]) -> list[type[errors.ProviderError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize("kind", kinds(errors.ProviderError), ids=lambda kind: kind.code)
def test_pickling_keeps_the_details(kind: type[errors.ProviderError]) -> None:
    error = kind(
        "m", hint="h", provider="p", model="x", status=429, request_id="r", retry_after=1.5, usage=Usage(input_tokens=3)
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert again.details() == error.details()
    assert str(again) == "m"


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in kinds(errors.ProviderError)]
    assert len(codes) == len(set(codes))


def test_budget_figures_survive() -> None:
    error = errors.BudgetExceeded(
        "m", scope="phase Build", limit=Decimal("1.5"), committed=Decimal(1), wanted=Decimal("0.7")
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (again.scope, again.limit, again.committed, again.wanted) == (
        "phase Build",
        Decimal("1.5"),
        Decimal(1),
        Decimal("0.7"),
    )


@pytest.mark.parametrize(
    "secret",
    ["sk-proj-abcdefghijkl123", "AIza" + "a1B2" * 8, "Bearer abc.def-ghi_123", "ya29.abcdefghij123"],
)
def test_forms_of_keys_are_masked(secret: str) -> None:
    assert redact(f"wrong key {secret}!") == "wrong key [secret]!"


def test_named_secrets_are_masked_but_short_words_stay() -> None:
    assert redact("my hidden-word and none", ["hidden-word", "none"]) == "my [secret] and none"
