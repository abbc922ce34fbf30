from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from botarmy.errors import BriefError, LimitReached, UnknownName
from cli.failures import run_guarded, split_reason, wants_json
from cli.main import botarmy


def command(error: BaseException | None = None, result: int | None = None) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    @click.argument("word", required=False)
    def act(as_json: bool, word: str | None) -> int | None:
        if error is not None:
            raise error
        return result

    return act


def test_an_error_of_ours_is_three_lines_and_its_exit_code(capsys):
    error = UnknownName('No project is called "x". The nearest is "y".', hint="`botarmy projects` lists them.")
    assert run_guarded(command(error), []) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        'error: No project is called "x".',
        '  why: The nearest is "y".',
        "  fix: `botarmy projects` lists them.",
    ]


def test_with_json_the_error_is_on_stdout_as_well(capsys):
    assert run_guarded(command(BriefError("It is empty.", hint="Write one.")), ["--json"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"error": {"code": "bad-brief", "message": "It is empty.", "hint": "Write one."}}
    assert "It is empty." in shown.err


def test_a_limit_is_exit_4(capsys):
    assert run_guarded(command(LimitReached("Used up.")), []) == 4
    assert "fix" not in capsys.readouterr().err


def test_wrong_usage_is_exit_2_and_names_the_help(capsys):
    assert run_guarded(command(), ["--jsn"]) == 2
    shown = capsys.readouterr()
    assert "No such option" in shown.err
    assert "--help" in shown.err
    assert "Traceback" not in shown.err


def test_wrong_usage_with_json_is_json(capsys):
    assert run_guarded(command(), ["--json", "--bad"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_the_unforeseen_says_how_to_get_the_traceback(capsys, monkeypatch):
    monkeypatch.delenv("BOTARMY_DEBUG", raising=False)
    assert run_guarded(command(ZeroDivisionError("by zero")), []) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in shown
    assert "BOTARMY_DEBUG=1" in shown
    assert "Traceback" not in shown


def test_debug_gives_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("BOTARMY_DEBUG", "1")
    assert run_guarded(command(ZeroDivisionError("by zero")), []) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_quiet(capsys, error):
    assert run_guarded(command(error), []) == 130
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_an_error_cannot_act_on_the_terminal(capsys):
    run_guarded(command(UnknownName("No \x1b[2Jproject.")), [])
    assert "\x1b[2J" not in capsys.readouterr().err


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (3, 3)])
def test_a_command_can_return_its_exit_code(result, code):
    assert run_guarded(command(result=result), []) == code


def test_a_command_can_exit():
    assert run_guarded(command(click.exceptions.Exit(1)), []) == 1


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(["show", "x", "--json"], True), (["show", "x"], False), (["show", "--", "--json"], False), ([], False)],
)
def test_json_is_seen_before_the_line_is_parsed(words, wanted):
    assert wants_json(words) is wanted


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("One thing.", ("One thing.", "")),
        ("It failed. The disk is full.", ("It failed.", "The disk is full.")),
        ("file e. g. x is bad", ("file e. g. x is bad", "")),
        ("Two problems:\na\nb", ("Two problems:", "a\nb")),
    ],
)
def test_a_message_is_what_and_why(message, parts):
    assert split_reason(message) == parts


def test_no_heavy_module_is_needed_to_fail():
    # In a process of its own: in this one the tests of other rooms may have loaded Prefect.
    program = "import sys, cli.main, cli.failures; print(sorted({'prefect', 'sqlalchemy', 'pydantic_settings'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("words", [[], ["db"]])
def test_without_arguments_a_group_prints_its_help_plainly_and_ends_as_click_does(capsys, words):
    assert run_guarded(botarmy, words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: botarmy ")
    assert "error:" not in shown.err
    assert "why:" not in shown.err
