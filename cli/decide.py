"""`botarmy approve`, `reject` and `amend`: a person's answer to a gate.

The decision is written first, in one transaction that also asks for the run to be resumed; resuming comes after, and
whoever tends the runs does it again where it fails here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import click

from botarmy.crashpoints import point
from botarmy.errors import BotArmyError, InputError, TooLarge
from botarmy.records import GateRequest, Project
from cli.failures import warn
from cli.gate_address import Found, find_gate
from cli.person import by_option, person
from cli.reading import reading, run, settings, working
from cli.terminal import clean, one_line, say, write_json

APPROVE, REJECT = "approve", "reject"
_COMMENT_LIMIT = 20_000

_yes = click.option(
    "--yes", is_flag=True, help="Decide whatever is open now, also where GATE does not say which it is."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.command()
@click.argument("gate")
@click.option("--comment", default="", help="A remark, kept with the decision.")
@by_option
@_yes
@_json
def approve(gate: str, comment: str, by: str | None, yes: bool, as_json: bool) -> None:
    """Approve GATE: "PROJECT/PHASE@ID" as the inbox prints it, or "PROJECT", "PROJECT/PHASE".

    The beginning of the gate's id, at least 8 characters of it, will do as well.

    The decision binds exactly the artifact versions that the gate shows. Where another question has answered to the last
    two before, it is shown and confirmed at a terminal, and refused without one.
    """
    _decide(gate, APPROVE, checked_comment(comment), person(by), yes=yes, as_json=as_json)


@click.command()
@click.argument("gate")
@click.option("--comment", required=True, metavar="TEXT", help="What must be different; the next attempt is told.")
@by_option
@_yes
@_json
def reject(gate: str, comment: str, by: str | None, yes: bool, as_json: bool) -> None:
    """Reject GATE: the phase is done again with the comment, within the workflow's limit of attempts."""
    if not comment.strip():
        raise InputError("A rejection needs a comment.", hint="Say with --comment what must be different.")
    _decide(gate, REJECT, checked_comment(comment), person(by), yes=yes, as_json=as_json)


@click.command()
@click.argument("gate")
@click.option("--artifact", "kind", required=True, metavar="KIND", help="Which artifact of the gate is replaced.")
@click.option("--file", "path", required=True, type=click.Path(path_type=Path), help="Its new content as JSON, whole.")
@by_option
@_json
def amend(gate: str, kind: str, path: Path, by: str | None, as_json: bool) -> None:
    """Replace an artifact of GATE by a new version; its checks run again and the gate opens again.

    Amending is not approving. `botarmy artifact PROJECT KIND --json` prints the present version; its "content" is
    what FILE holds.
    """
    name = person(by)
    text = read_amended(path, settings().max_artifact_bytes)
    voided, project, resumed = run(_amend(gate, kind, text, name))
    if as_json:
        write_json(_entry(voided, project, resumed) | {"amended": kind, "by": name})
        return
    say(f"{kind} of {project.slug}/{voided.phase} amended by {name}; the gate opens again with the new version.")
    _say_how_on(project, resumed)


def _decide(text: str, decision: str, comment: str, by: str, *, yes: bool, as_json: bool) -> None:
    found = run(_found(text))
    asked = not found.certain and not yes
    if asked:
        _see_confirmed(text, found, decision)
    decided, resumed = run(_written_then_resumed(found.gate, decision, by, comment))
    if as_json:
        write_json(_entry(decided, found.project, resumed))
        return
    done = "approved" if decision == APPROVE else "rejected"
    what = "" if decided.kind == "approval" else f" ({decided.kind})"
    say(f"{found.project.slug}/{decided.phase} attempt {decided.attempt}{what} {done} by {by}.")
    for line in () if asked else _bound(decided):
        say(line)
    _say_how_on(found.project, resumed)


def _see_confirmed(text: str, found: Found, decision: str) -> None:
    """Show the question that is open now and ask whether it is the one that is meant.

    Raises:
        InputError: nobody is there to say so, or says no.
    """
    command = f"botarmy {decision} {quote(found.address)}"
    look = f"`botarmy inbox {quote(found.address)}` shows it"
    if not sys.stdin.isatty():
        raise InputError(
            f'"{one_line(text, 80)}" does not say which question was read: more than one has answered to it.',
            hint=f"{look}, `{command}` decides it; --yes decides whatever is open.",
        )
    gate = found.gate
    for line in (
        f"{found.address}, attempt {gate.attempt}: {gate.verdict.decision.value}",
        *(f"  - {one_line(reason)}" for reason in gate.verdict.reasons),
        *_bound(gate),
    ):
        click.echo(clean(line), err=True)
    if not click.confirm(f"{decision.capitalize()} this?", err=True):
        raise InputError("Nothing was decided.", hint=f"{look}.")


def _bound(gate: GateRequest) -> Iterator[str]:
    """Name the versions that the decision binds."""
    versions = {each["kind"]: each["version"] for each in gate.payload.get("documents", ())}
    for kind, sha256 in gate.hashes.items():
        version = f" version {versions[kind]}" if kind in versions else ""
        yield f"  {one_line(kind)}{version} {sha256[:12]}"


async def _found(text: str) -> Found:
    async with reading() as view:
        return await find_gate(view, text)


async def _written_then_resumed(gate: GateRequest, decision: str, by: str, comment: str) -> tuple[GateRequest, str]:
    async with working() as work:
        decided = await work.gates.decide(gate.id, decision, by, comment, hashes=gate.hashes)
        point("decided.before", gate.phase)
    point("decided.after", gate.phase)
    return decided, await _resumed(decided)


async def _amend(address: str, kind: str, text: str, by: str) -> tuple[GateRequest, Project, str]:
    from tasks.amend import amend as amend_artifact
    from tasks.runtime import open_runtime
    from tasks.selection import Selection

    async with open_runtime(settings()) as runtime:
        async with runtime.database.read() as view:
            gate, project, _ = await find_gate(view, address)
        voided = await amend_artifact(await runtime.serving(Selection.of(project)), gate, kind, text, by=by)
    return voided, project, await _resumed(voided)


async def _resumed(gate: GateRequest) -> str:
    """Wake the suspended run; a failure costs nothing: the decision stands and asks for it."""
    if not gate.flow_run_id:
        return ""
    try:
        from flows.resume import resume_gate

        return await resume_gate(gate)
    except BotArmyError as error:
        warn(f"The decision is written, but the run was not resumed: {error}. It is resumed as soon as that works.")
        return ""


def _say_how_on(project: Project, resumed: str) -> None:
    say(
        one_line(resumed)
        if resumed
        else f"To go on: `botarmy run --project {project.slug}`, or a worker (`botarmy up`)."
    )


def _entry(gate: GateRequest, project: Project, resumed: str) -> dict[str, Any]:
    return {
        "id": str(gate.id),
        "project": project.slug,
        "phase": gate.phase,
        "attempt": gate.attempt,
        "decision": gate.decision,
        "by": gate.decided_by,
        "comment": gate.comment,
        "hashes": gate.hashes,
        "resumed": resumed,
    }


def checked_comment(comment: str) -> str:
    """Return the comment without control characters.

    Raises:
        TooLarge: it is longer than 20,000 characters.
    """
    text = clean(comment).strip()
    if len(text) > _COMMENT_LIMIT:
        raise TooLarge(
            f"The comment has {len(text):,} characters; {_COMMENT_LIMIT:,} are allowed.",
            hint="Keep it to what must be different.",
        )
    return text


def read_amended(path: Path, limit: int) -> str:
    """Read the amended content.

    Raises:
        InputError: the file is missing, unreadable, not UTF-8.
        TooLarge: it is longer than an artifact may be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(
            f"Cannot read {path}. {error.strerror}.", hint="Name a JSON file that you may read."
        ) from error
    if len(data) > limit:
        raise TooLarge(f"{path} has more than {limit:,} bytes.", hint="BOTARMY_MAX_ARTIFACT_BYTES sets the limit.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text. Byte {error.start} does not fit.", hint="Save it as UTF-8."
        ) from error
