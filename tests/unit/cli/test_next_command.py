"""The one line that says what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from botarmy.records import Status
from cli.run import next_command
from tests.factories import project


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.completed, "botarmy export books DIR"),
        (
            Status.waiting,
            "botarmy inbox books shows it and how to decide, then botarmy run --project books --provider openai/m",
        ),
        (Status.failed, "go on with: botarmy run --project books --provider openai/m"),
        (Status.stopped, "botarmy rerun books --from PHASE"),
    ],
)
def test_the_provider_of_the_run_is_named_again_where_it_goes_on(status: Status, words: str) -> None:
    made = project().model_copy(update={"slug": "books", "status": status})
    assert words in next_command(made, None, "openai/m")
    assert "--provider" not in next_command(made, None)


def test_an_export_is_named() -> None:
    made = project().model_copy(update={"status": Status.completed})
    assert "The software is in out" in next_command(made, Path("out"))
