"""`botarmy export`: a project as a git repository, one commit for each completed phase."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from botarmy.errors import ExportError
from botarmy.export import Commit, plan_commits
from botarmy.overview import Snapshot
from botarmy.records import ArtifactVersion, Record
from cli.git import find_git, write_history
from cli.placing import check_destination, staged, write_marker
from cli.reading import EXPORTED, database, fetch_snapshot, run
from cli.terminal import say, write_json


class Exported(Record):
    """What was written where."""

    directory: str
    head: str
    commits: int
    files: int


@click.command()
@click.argument("project")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export(project: str, directory: Path, as_json: bool) -> None:
    """Write PROJECT to DIRECTORY as a git repository with the software at its top.

    DIRECTORY must be absent, empty, or a former export of the same project that nobody has changed; that one is
    replaced as a whole.
    """
    done = run(export_project(project, directory))
    if as_json:
        write_json(done.model_dump())
    else:
        say(f"{done.commits} commits, {done.files} files in {done.directory}")


def see_free(directory: Path) -> None:
    """See, before a run begins, that its result can be exported to a directory.

    Raises:
        InputError: it is a file, or holds something other than an export in which nothing was changed.
        ExportError: git is missing.
    """
    find_git()
    check_destination(directory.resolve(), None)


async def export_project(project: str, directory: Path, *, actor: str = "cli", replace_other: bool = False) -> Exported:
    """Export a project by name.

    Args:
        project: slug or id.
        directory: where to; see the command.
        actor: who is named in the audit event.
        replace_other: whether an untouched export of another project may be replaced.

    Returns:
        What was written.

    Raises:
        UnknownName: there is no such project.
        InputError: the directory holds something else.
        ExportError: git is missing, or the directory cannot be written.
        UnsafePath: a generated path is refused; nothing is written.
    """
    async with database() as opened:
        async with opened.read() as view:
            snapshot = await fetch_snapshot(view, project)
            versions = await view.artifacts.heads(snapshot.project.id)
        done = write_export(snapshot, versions, directory, replace_other=replace_other)
        async with opened.work(actor=actor) as work:
            found, detail = snapshot.project, done.model_dump()
            await work.audit.add(found.id, actor, EXPORTED, found.slug, detail=detail)
    return done


def write_export(
    snapshot: Snapshot, versions: Mapping[str, ArtifactVersion], directory: Path, *, replace_other: bool = False
) -> Exported:
    """Write a project's repository to a directory: all of it, or nothing.

    Args:
        snapshot: the project.
        versions: the current version of each artifact kind.
        directory: where to.
        replace_other: whether an untouched export of another project may be replaced.

    Raises:
        see export_project.
    """
    from botarmy.agents.product import product_files

    find_git()
    destination = directory.resolve()
    project = snapshot.project
    check_destination(destination, None if replace_other else str(project.id))
    commits = plan_commits(snapshot, versions, product_files)
    if not commits:
        raise ExportError(
            f'"{project.slug}" cannot be exported yet. No phase of it is completed.',
            hint=f"`botarmy show {project.slug}` says how far it is.",
        )
    with staged(destination) as tree:
        head = _build(tree, commits)
        write_marker(tree, str(project.id), project.slug, head)
    return Exported(directory=str(destination), head=head, commits=len(commits), files=len(commits[-1].files))


def _build(tree: Path, commits: tuple[Commit, ...]) -> str:
    from sandbox.tree import check_paths, write_tree

    for commit in commits:
        check_paths(commit.files)
    write_tree(commits[-1].files, tree)
    return write_history(tree, commits)
