"""The `botarmy` command: a table of names, each imported only when it is called.

Reads must answer at once, so nothing here imports Prefect, SQLAlchemy or rich; `botarmy --help` reads the summaries
from the table instead of importing every command.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

import click

from cli.failures import run_guarded

OBJECTS = 50_000
"""How many objects are made before Python looks for garbage. By default 700 (Python 3.11), and a twelfth of the CPU time of
`run` goes into looking at modules, which are no garbage."""


class Entry(NamedTuple):
    """Where a command lives and what it does, in one line."""

    module: str
    attribute: str
    summary: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Run": {
        "run": Entry("cli.run", "run", "Take a brief to finished, tested software."),
        "submit": Entry("cli.submit", "submit", "Queue a brief for the worker."),
        "rerun": Entry("cli.rerun", "rerun", "Go through a project's phases again from one on."),
        "cancel": Entry("cli.cancel", "cancel", "Stop a project's run; nothing is lost."),
        "up": Entry("cli.up", "up", "Start Postgres, the Prefect server with its UI, and a worker."),
        "down": Entry("cli.up", "down", "Stop what `up` started."),
    },
    "Look": {
        "projects": Entry("cli.projects", "projects", "List the projects, newest first."),
        "show": Entry("cli.show", "show", "Show a project's phases, verdicts, artifacts and evidence."),
        "trace": Entry("cli.trace", "trace", "Follow each requirement to files, tests, evidence and approval."),
        "audit": Entry("cli.audit", "audit", "List who changed what, when, on which hash."),
        "artifacts": Entry("cli.artifact", "artifacts", "List a project's artifacts and their versions."),
        "artifact": Entry("cli.artifact", "artifact", "Print an artifact, or compare two versions of it."),
        "costs": Entry("cli.costs", "costs", "Show what a project cost, per role and model."),
        "export": Entry("cli.export", "export", "Write a project as a git repository."),
    },
    "Decide": {
        "inbox": Entry("cli.inbox", "inbox", "List the gates that wait for a person."),
        "approve": Entry("cli.decide", "approve", "Approve a gate."),
        "reject": Entry("cli.decide", "reject", "Send a phase back with a comment."),
        "amend": Entry("cli.decide", "amend", "Replace an artifact of a waiting gate; its checks run again."),
        "rollback": Entry("cli.rollback", "rollback", "Go back to the artifact versions of a phase."),
        "purge": Entry("cli.purge", "purge", "Delete a project for good."),
    },
    "Tend": {
        "doctor": Entry("cli.doctor", "doctor", "Say what is wrong on this machine and how to mend it."),
        "db": Entry("cli.db", "db", "Upgrade, downgrade, back up or restore the database."),
        "notify": Entry("cli.notify", "notify", "Have a webhook called when a gate opens."),
        "lint": Entry("cli.lint", "lint", "Report every problem in a .bmad-core directory."),
        "explain": Entry("cli.explain", "explain", "Show a resolved template, workflow or team and its sources."),
    },
}
"""Section -> command name -> where it is; a command whose module is absent is not offered."""


def _entries() -> Iterator[tuple[str, str, Entry]]:
    for section, commands in SECTIONS.items():
        for name, entry in commands.items():
            yield section, name, entry


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands whose module is there, in the order of the sections."""
        return [name for _, name, entry in _entries() if find_spec(entry.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        """Import the command, or return None when there is none of that name."""
        entry = next((entry for _, name, entry in _entries() if name == cmd_name), None)
        if entry is None or find_spec(entry.module) is None:
            return None
        command = getattr(importlib.import_module(entry.module), entry.attribute, None)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with its nearest neighbour."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise click.UsageError(unknown_command(args[0], self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, from the table alone."""
        offered = set(self.list_commands(ctx))
        for section, commands in SECTIONS.items():
            rows = [(name, entry.summary) for name, entry in commands.items() if name in offered]
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)


def unknown_command(name: str, known: list[str]) -> str:
    """Say that there is no such command and which one may be meant."""
    import difflib  # only on the way to an error

    near = difflib.get_close_matches(name, known, n=1)
    return f'there is no command "{name}"' + (f"; did you mean `botarmy {near[0]}`?" if near else "")


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # not needed by any other call

        click.echo(f"botarmy {version('botarmy')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def botarmy() -> None:
    """Take a product brief through a governed software life cycle.

    What was built, from which requirement, by which model, at what cost, what proves it, and who approved it.
    Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 waiting for a decision, 4 stopped by a decision or a limit.
    """


def main() -> None:
    """Run the command line; every way out of it is an exit code and at most three lines of error."""
    gc.set_threshold(OBJECTS)
    sys.exit(run_guarded(botarmy, sys.argv[1:]))


if __name__ == "__main__":
    main()
