"""The lines that say what to do next."""

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


def test_a_finished_run_says_two_things_on_two_lines() -> None:
    made = project().model_copy(update={"slug": "books", "status": Status.completed})
    assert next_command(made, None).splitlines() == [
        "Take it out: botarmy export books DIR",
        "What proves it: botarmy show books",
    ]


@pytest.mark.parametrize("status", [Status.waiting, Status.failed, Status.stopped])
def test_a_directory_that_is_not_written_yet_is_said_and_named_again(status: Status) -> None:
    made = project().model_copy(update={"slug": "books", "status": status})
    said = next_command(made, Path("my out"))
    assert said.splitlines()[-1] == (
        "my out is not written yet: it is when the project is completed, by: botarmy run --project books --out 'my out'"
    )
    if status is not Status.stopped:
        assert said.count("--out 'my out'") == 2
    assert "--out" not in next_command(made, None)
