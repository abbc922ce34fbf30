"""How the command line ends: exit codes, errors in three short lines, no traceback for what we know."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence

import click

from botarmy.errors import BotArmyError
from cli.terminal import clean, write_json

DEBUG_VARIABLE = "BOTARMY_DEBUG"
INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE, which Windows does not name
BAD_USAGE = 2
_PROGRAM = "botarmy"
_COMPLETION_VARIABLE = "_BOTARMY_COMPLETE"


def run_guarded(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a click command and turn whatever happens into an exit code.

    Args:
        command: the command to run.
        arguments: the words after the program's name.

    Returns:
        The exit code. Errors have been reported on stderr, and on stdout as JSON where `--json` was asked for.
    """
    as_json = wants_json(arguments)
    _never_fail_to_encode()
    try:
        result = _invoke(command, arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence, see _ending
        return _ending(error, as_json)
    return result if isinstance(result, int) else 0


def _ending(error: BaseException, as_json: bool) -> int:
    """Report what ended a command, as far as anything is to be said, and return the exit code."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            return INTERRUPTED
        case BrokenPipeError():
            _drop_output()
            return BROKEN_PIPE
        case click.ClickException():
            return _report_usage(error, as_json)
        case BotArmyError():
            return report(error, as_json)
    return _report_unexpected(error, as_json)


def _invoke(command: click.Command, arguments: Sequence[str]) -> object:
    """Do what `Command.main` does, without its own ways of ending (it prints on Ctrl-C, and exits 1 on a broken pipe)."""
    instruction = os.environ.get(_COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(command, {}, _PROGRAM, _COMPLETION_VARIABLE, instruction)
    with command.make_context(_PROGRAM, list(arguments)) as context:
        return command.invoke(context)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` was given, also when the rest of the line cannot be understood."""
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    return "--json" in words[:end]


def report(error: BotArmyError, as_json: bool) -> int:
    """Say what happened, why and how to mend it; return the exit code."""
    _say(error.code, error.message, error.hint, as_json)
    return error.exit_code


def warn(text: str) -> None:
    """Say on stderr what the user should know though the command went well."""
    click.echo(click.style("warning: ", bold=True) + clean(text), err=True)


def _report_usage(error: click.ClickException, as_json: bool) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)  # a group without a command: help, and the exit code of click
        return BAD_USAGE
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "botarmy"
    message = error.format_message()
    _say("usage", message[:1].upper() + message[1:], f"`{path} --help` shows what it takes.", as_json)
    return BAD_USAGE


def _report_unexpected(error: BaseException, as_json: bool) -> int:
    if os.environ.get(DEBUG_VARIABLE, "") not in {"", "0"}:
        traceback.print_exception(error)
    message = f"BotArmy failed in a way that it did not foresee. {type(error).__name__}: {error}"
    hint = f"Run it again with {DEBUG_VARIABLE}=1 to get the traceback, and report it."
    _say("unexpected", message, hint, as_json)
    return 1


def _say(code: str, message: str, hint: str, as_json: bool) -> None:
    what, why = split_reason(message)
    lines = [("error: ", what), ("  why: ", why), ("  fix: ", hint)]
    text = "\n".join(click.style(label, bold=True) + clean(line) for label, line in lines if line)
    click.echo(text, err=True)
    if as_json:
        write_json({"error": {"code": code, "message": message, "hint": hint}})


def split_reason(message: str) -> tuple[str, str]:
    """Split a message into what happened (its first sentence) and why (the rest, maybe empty)."""
    line, _, rest = message.partition("\n")
    if rest:
        return line, rest
    end = line.find(". ")
    following = line[end + 2 : end + 3]
    if end > 0 and (following.isupper() or following.isdigit() or following in '"`'):
        return line[: end + 1], line[end + 2 :]
    return line, ""


def _never_fail_to_encode() -> None:
    """A terminal that cannot show a character shows a question mark; it must not end the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _drop_output() -> None:
    """Point stdout at nothing, so that the interpreter's last flush stays quiet as well."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
    except (OSError, ValueError):
        return
