"""What Prefect keeps of a project beside our tables (briefs, forms, answers, documents, logs), deleted with it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from botarmy.errors import UnknownName
from flows.api import TERMINAL, call, delete_flow_run, read_flow_run
from flows.server import PrefectApi

_PAGE = 200
"""Prefect gives so many at a time."""


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """What was deleted in Prefect.

    Attributes:
        runs: how many flow runs.
        documents: how many versions of documents.
        unknown: the runs that this Prefect does not have.
    """

    runs: int
    documents: int
    unknown: tuple[str, ...]


def clear(api: PrefectApi, project_id: UUID, slug: str, flow_run_ids: Collection[str]) -> Cleared:
    """Delete the flow runs of a project and the documents that they published; said again, it goes on.

    Args:
        api: the Prefect API.
        project_id: the project.
        slug: its slug.
        flow_run_ids: its runs, as our tables know them. Others that were submitted for it and have not begun are found.

    Raises:
        Unavailable: Prefect does not answer.
        PrefectRefused: it says no.
    """
    known = {each for each in flow_run_ids if _is_prefects(each)}
    called = {run["name"] for each in known if (run := read_flow_run(api, each)) is not None}
    runs = sorted(known | set(_submitted(api, {slug, str(project_id)}, called, known)))
    documents = _delete_documents(api, runs)
    deleted = [run for run in runs if delete_flow_run(api, run)]
    return Cleared(runs=len(deleted), documents=documents, unknown=tuple(sorted(known - set(deleted))))


def _is_prefects(flow_run_id: str) -> bool:
    try:
        UUID(flow_run_id)
    except ValueError:
        return False
    return True


def _submitted(api: PrefectApi, names: set[str], called: set[str], known: Collection[str]) -> Iterable[str]:
    """Return the runs that were submitted for the project by its name, or in the place of one of its runs.

    Args:
        api: the Prefect API.
        names: how the project can be named.
        called: the names of its known runs; who takes a run's place is called as it is.
        known: the known runs.
    """
    wanted = {"name": {"any_": sorted({*names, *(f"{each}-recovered" for each in names), *called})}}
    for run in _pages(api, "flow_runs", wanted, sort="ID_DESC"):
        given = run["parameters"]
        if given.get("instead_of") in known or (not _is_over(run) and given.get("project") in names):
            yield run["id"]


def _is_over(run: dict[str, Any]) -> bool:
    """Tell whether a run has ended: its project, if it had one, is in our tables, and may be a former one of that slug."""
    return run["state_type"] in TERMINAL


def _pages(api: PrefectApi, what: str, wanted: dict[str, Any], **more: Any) -> Iterable[dict[str, Any]]:
    offset = 0
    while found := call(api, "POST", f"/{what}/filter", {what: wanted, "limit": _PAGE, "offset": offset, **more}):
        yield from found
        offset += len(found)


def _delete_documents(api: PrefectApi, runs: list[str]) -> int:
    """Delete by the run and not by the key: another project's keys may begin with this one's slug."""
    count = 0
    wanted = {"flow_run_id": {"any_": runs}}
    while runs and (found := call(api, "POST", "/artifacts/filter", {"artifacts": wanted, "limit": _PAGE})):
        for each in found:
            with contextlib.suppress(UnknownName):
                call(api, "DELETE", f"/artifacts/{each['id']}")
        count += len(found)
    return count
