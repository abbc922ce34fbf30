"""What an exported repository holds: one commit for each completed phase, decided here without touching a disk or git.

The same project gives the same commits: dates are those of the attempts, and nothing depends on when or where it is
exported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botarmy.checks import FileText
from botarmy.decisions import APPROVAL, DecisionLine
from botarmy.export_documents import Part, brief_document, evidence_document, provenance_note, traceability_document
from botarmy.overview import Snapshot, decisions_of, gate_of, latest_attempt, model_note, phase_order, status_label
from botarmy.records import ArtifactVersion, Attempt, GateRequest, Record, Status
from botarmy.unsafe_text import visible_line

ProductFiles = Callable[[dict[str, dict[str, Any]]], Sequence[FileText]]
"""Gives the software's files for the contents of the artifacts that there are: see botarmy/agents/product.py."""

_OWN_FOLDER = "botarmy-docs"
COMPLETED = frozenset({Status.completed, Status.approved})


class Commit(Record):
    """One commit.

    Attributes:
        phase: the completed phase.
        author: the agent's name in the form that git takes, without the address.
        email: an address in the reserved domain .invalid: it can never belong to anybody.
        when: the time the attempt was finished, with its time zone.
        message: subject, blank line, trailers; LF line ends.
        files: the whole tree after the commit, sorted by path.
    """

    phase: str
    author: str
    email: str
    when: datetime
    message: str
    files: tuple[FileText, ...]


def plan_commits(
    snapshot: Snapshot, versions: Mapping[str, ArtifactVersion], product_files: ProductFiles
) -> tuple[Commit, ...]:
    """Plan the history of an export: one commit for each completed phase, in the order of the workflow.

    Args:
        snapshot: the project with its attempts, evidence and gates.
        versions: the current version of each artifact kind.
        product_files: gives the software's files for the artifacts made so far.

    Returns:
        The commits, oldest first; empty where no phase is completed.
    """
    done = completed_attempts(snapshot)
    commits: list[Commit] = []
    held: dict[str, ArtifactVersion] = {}
    for position, attempt in enumerate(done):
        held.update({kind: each for kind, each in versions.items() if each.provenance.phase == attempt.phase})
        last = position == len(done) - 1
        part = Part(
            snapshot=snapshot,
            done=done[: position + 1],
            versions=dict(held),
            state=_state(snapshot) if last else f"after {visible_line(attempt.phase)}",
        )
        commits.append(_commit(part, product_files({kind: each.content for kind, each in held.items()})))
    return tuple(commits)


def completed_attempts(snapshot: Snapshot) -> tuple[Attempt, ...]:
    """Return the last attempt of each phase that is completed, in the order of the workflow.

    A phase that was never begun (an optional one) is passed over; nothing after one that is being worked on counts.
    """
    done: list[Attempt] = []
    for phase, _ in phase_order(snapshot):
        attempt = latest_attempt(snapshot, phase)
        if attempt is None:
            continue
        if attempt.status not in COMPLETED or attempt.finished_at is None:
            break
        done.append(attempt)
    return tuple(done)


def commit_message(
    attempt: Attempt,
    made: Mapping[str, ArtifactVersion],
    gate: GateRequest | None,
    slug: str,
    decisions: Sequence[DecisionLine] = (),
) -> str:
    """Write the message: a subject, and trailers from typed fields only.

    Comments, summaries and names from the brief stay out: text of others could look like a trailer.

    Args:
        attempt: the completed attempt.
        made: the artifacts of the phase by kind.
        gate: the gate that let it pass.
        slug: the project's.
        decisions: all that was decided in the project; what belongs to this phase and counts is named.
    """
    subject = f"{visible_line(attempt.phase)}: {', '.join(made) or 'no artifacts'}"
    trailers = [
        f"Project: {visible_line(slug)}",
        f"Phase: {visible_line(attempt.phase)}",
        f"Attempt: {attempt.number}",
        *(f"Artifact: {kind}@{version.version} {version.sha256}" for kind, version in made.items()),
    ]
    trailers += _before_it_passed(attempt.phase, decisions)
    if gate is not None and gate.decided_by:
        trailers.append(f"Decided-By: {visible_line(gate.decided_by)}")
    return f"{subject}\n\n" + "\n".join(trailers) + "\n"


def _before_it_passed(phase: str, decisions: Sequence[DecisionLine]) -> list[str]:
    """Name who rejected earlier attempts at the phase and who amended its artifacts, in the order in which they did."""
    trailers = []
    for line in decisions:
        if line.phase != phase or line.set_aside:
            continue
        by = visible_line(line.by)
        if line.version is not None:
            trailers.append(f"Amended-By: {by} ({visible_line(line.kind)}@{line.version})")
        elif line.kind == APPROVAL and line.what == Status.rejected.value:
            trailers.append(f"Rejected-By: {by} (attempt {line.attempt})")
    return trailers


def _state(snapshot: Snapshot) -> str:
    return status_label(snapshot.project.status, model_note(snapshot.heads))


def _commit(part: Part, product: Sequence[FileText]) -> Commit:
    attempt = part.done[-1]
    agent = re.sub(r"[^a-z0-9-]+", "-", attempt.agent.lower()).strip("-") or "agent"
    made = {kind: each for kind, each in part.versions.items() if each.provenance.phase == attempt.phase}
    return Commit(
        phase=attempt.phase,
        author=f"BotArmy {agent}",
        email=f"{agent}@botarmy.invalid",
        when=attempt.finished_at or attempt.started_at,
        message=commit_message(
            attempt,
            made,
            gate_of(part.snapshot, attempt),
            part.snapshot.project.slug,
            decisions_of(part.snapshot),
        ),
        files=tree(part, product),
    )


def tree(part: Part, product: Sequence[FileText]) -> tuple[FileText, ...]:
    """Lay out a whole tree: the software at the top, our documents where they do not stand in its way.

    Args:
        part: what belongs to this tree.
        product: the software's files.
    """
    files = {file.path: file.content for file in product}
    readme = next((path for path in files if path.lower() == "readme.md"), "README.md")
    own = files.get(readme, f"# {visible_line(part.snapshot.project.name)}\n")
    files[readme] = f"{own.rstrip()}\n\n{provenance_note(part)}"
    taken = {path.casefold() for path in files}
    folder = _documents_folder(files)
    for path, content in _documents(part, folder):
        files[_free(path, taken)] = content
    return tuple(FileText(path=path, content=files[path]) for path in sorted(files))


def _documents(part: Part, folder: str) -> list[tuple[str, str]]:
    return [
        *((f"{folder}/{kind}.md", version.markdown) for kind, version in part.versions.items()),
        (f"{folder}/evidence.md", evidence_document(part)),
        ("BRIEF.md", brief_document(part.snapshot.project.brief)),
        ("TRACEABILITY.md", traceability_document(part)),
    ]


def _documents_folder(product: Iterable[str]) -> str:
    """Return "docs", or as the software spells that folder, or our own where the software has a file of that name."""
    for path in product:
        top, _, rest = path.partition("/")
        if top.casefold() == "docs":
            return top if rest else _OWN_FOLDER
    return "docs"


def _free(path: str, taken: set[str]) -> str:
    """Give way to the software's own file of that name (also where only the case differs)."""
    free = path
    while free.casefold() in taken:
        stem = free.rpartition("/")[2].removesuffix(".md")
        free = f"{_OWN_FOLDER}/{stem}.md" if free == path else f"{_OWN_FOLDER}/{stem}-.md"
    taken.add(free.casefold())
    return free
