"""The records: immutable, strict, hashed in one way only."""

import pickle

import pytest
from pydantic import ValidationError

from botarmy.completion import CompletionRequest, Message
from botarmy.errors import BotArmyError, Duplicate, LimitReached
from botarmy.records import Measure, canonical_json, digest


def test_records_refuse_change_and_unknown_fields() -> None:
    measure = Measure(name="coverage", value=0.5)
    with pytest.raises(ValidationError):
        measure.value = 1.0  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Measure.model_validate({"name": "coverage", "value": 1, "score": 2})


def test_canonical_json_is_one_form() -> None:
    assert canonical_json({"b": 1, "a": "ä"}) == '{"a":"ä","b":1}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_request_hash_follows_what_decides_the_answer() -> None:
    def request(brief: str) -> CompletionRequest:
        return CompletionRequest(
            role="analyst",
            purpose="project_plan",
            inputs={"brief": brief},
            messages=(Message(role="user", content="Write."),),
            output_schema={"type": "object"},
        )

    assert request("a").content_hash == request("a").content_hash
    assert request("a").content_hash != request("b").content_hash


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(Duplicate("taken", hint="choose another")))  # noqa: S301 (our own bytes)
    assert isinstance(error, Duplicate)
    assert (error.message, error.hint, error.code) == ("taken", "choose another", "duplicate")
    assert isinstance(error, BotArmyError)
    assert LimitReached.exit_code == 4
