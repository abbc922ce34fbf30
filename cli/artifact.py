"""`botarmy artifacts` and `botarmy artifact`: the named work products and their versions."""

from __future__ import annotations

import difflib

import click

from botarmy.records import ArtifactHead, ArtifactVersion
from cli.reading import reading, run
from cli.terminal import clean, say, to_json, when, write_json, write_table

_DIFF_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@click.argument("project")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def artifacts(project: str, as_json: bool) -> None:
    """List the current artifacts of PROJECT."""
    heads = run(_heads(project))
    if as_json:
        write_json({"artifacts": [_entry(version) for version in heads]})
    elif not heads:
        say("No artifacts yet.")
    else:
        columns = ("ARTIFACT", "VERSION", "STALE", "PHASE", "ATTEMPT", "AGENT", "MADE BY", "CREATED (UTC)", "SHA256")
        write_table(columns, [_row(version) for version in heads])


async def _heads(project: str) -> tuple[ArtifactHead, ...]:
    async with reading() as view:
        found = await view.projects.get(project)
        return await view.artifacts.summaries(found.id)


def _entry(version: ArtifactVersion | ArtifactHead) -> dict[str, object]:
    return version.model_dump(mode="json", exclude={"content", "markdown", "id", "project_id"})


def _row(version: ArtifactHead) -> tuple[str, ...]:
    made = version.provenance
    return (
        version.kind,
        str(version.version),
        "stale" if version.stale else "",
        made.phase,
        str(made.attempt),
        made.agent,
        f"{made.provider}/{made.model}",
        when(version.created_at),
        version.sha256[:12],
    )


@click.command()
@click.argument("project")
@click.argument("kind")
@click.option("--version", "number", type=click.IntRange(1), help="Which version; the current one by default.")
@click.option("--diff", nargs=2, type=click.IntRange(1), metavar="N M", help="Show what changed from version N to M.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with content and provenance.")
def artifact(project: str, kind: str, number: int | None, diff: tuple[int, int] | None, as_json: bool) -> None:
    """Print the artifact KIND of PROJECT as Markdown, or compare two versions."""
    if diff and number:
        raise click.UsageError("--version and --diff cannot be used together")
    if diff:
        _write_diff(*run(_pair(project, kind, diff)), as_json)
        return
    version = run(_version(project, kind, number))
    if as_json:
        write_json(version.model_dump(mode="json"))
    else:
        say(version.markdown)


async def _version(project: str, kind: str, number: int | None) -> ArtifactVersion:
    async with reading() as view:
        found = await view.projects.get(project)
        return await view.artifacts.get(found.id, kind, number)


async def _pair(project: str, kind: str, numbers: tuple[int, int]) -> tuple[ArtifactVersion, ArtifactVersion]:
    async with reading() as view:
        found = await view.projects.get(project)
        before, after = [await view.artifacts.get(found.id, kind, number) for number in numbers]
        return before, after


def _write_diff(before: ArtifactVersion, after: ArtifactVersion, as_json: bool) -> None:
    lines = diff_lines(before, after)
    if as_json:
        ends = {"from": _entry(before), "to": _entry(after)}
        write_json({"kind": before.kind, **ends, "diff": lines})
        return
    for line in lines or ["No difference."]:
        click.secho(clean(line), fg=_DIFF_COLOURS.get(line[:1]))


def diff_lines(before: ArtifactVersion, after: ArtifactVersion) -> list[str]:
    """Compare two versions: as documents, or where those are the same, as JSON."""
    texts = (before.markdown, after.markdown)
    if before.markdown == after.markdown and before.sha256 != after.sha256:
        texts = (to_json(before.content), to_json(after.content))
    old, new = (f"{version.kind}@{version.version}" for version in (before, after))
    return list(difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), old, new, lineterm=""))
