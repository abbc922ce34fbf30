"""Which definitions a project uses, and which provider serves each agent of its workflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botarmy.definitions.models import TeamMember
from botarmy.errors import DefinitionError, InputError
from botarmy.records import Project, ProviderConfig, Record, Workflow
from botarmy.settings import ROLES, Settings
from storage.definitions import Core, core_directories, load_core, parse_flags

STANDS_IN = "analyst"
"""An agent beyond the five roles is served by this role's provider, unless a team or the database names another."""


class Selection(Record):
    """What a project was started with; pinned in its settings, so that every later run uses the same.

    Attributes:
        workflow: name of the workflow.
        bmad: absolute path of a .bmad-core directory that lies over the project's and ours, or "".
        team: name of a team, or "".
        decided: conditions and routes of BMAD workflows: "NAME" or "NAME=no".
    """

    workflow: str = "sdlc"
    bmad: str = ""
    team: str = ""
    decided: tuple[str, ...] = ()

    @classmethod
    def of(cls, project: Project) -> Selection:
        """Return what the project pinned."""
        known = {name: project.settings[name] for name in ("bmad", "team", "decided") if name in project.settings}
        return cls(workflow=project.workflow, **known)

    def pinned(self) -> dict[str, Any]:
        """Return what is kept in the project's settings."""
        return self.model_dump(mode="json", exclude={"workflow"}, exclude_defaults=True)

    def core(self) -> Core:
        """Return the definitions in force.

        Raises:
            DefinitionError: the directory is not there (any more).
            SettingsError: a decided condition cannot be read.
        """
        return load_core(*core_directories(Path(self.bmad) if self.bmad else None), flags=parse_flags(self.decided))


def chosen(given: Mapping[str, Any]) -> Selection:
    """Return a new project's selection: what was given, and the defaults for what was left out.

    Args:
        given: workflow, team, bmad, decided; an empty value counts as left out.
    """
    return Selection(**{name: value for name, value in given.items() if value})


def see_usable(selection: Selection, settings: Settings) -> None:
    """See, before anything is begun, that the definitions are there and whole. Keys are for the process that runs them.

    Raises:
        UnknownName: there is no such workflow or team.
        DefinitionError: the directory is not there, a file is wrong, or the team lacks an agent of the workflow.
        SettingsError: a decided condition cannot be read.
    """
    core = selection.core()
    agents = agents_of(core.workflow(selection.workflow))
    rows_for(agents, settings, (), core.team(selection.team, selection.workflow) if selection.team else {})


def see_same(project: Project, given: Mapping[str, Any]) -> None:
    """See that nothing else was given than the project was begun with: it keeps its definitions to its end.

    Args:
        project: an existing project.
        given: as in `chosen`; what was left out is not looked at.

    Raises:
        InputError: something differs; the message says what the project has.
        SettingsError: a decided condition cannot be read.
    """
    pinned = Selection.of(project)
    other = [name for name in given if given[name] and not _same(name, given[name], getattr(pinned, name))]
    if other:
        has = ", ".join(_worded(name, getattr(pinned, name)) for name in other)
        wanted = ", ".join(_worded(name, given[name]) for name in other)
        raise InputError(
            f"The project {project.slug} was begun with {has}; it cannot go on with {wanted}. "
            "A project keeps its definitions.",
            hint=f"Leave that out to go on with {project.slug}; for a new project give the brief and another name: "
            "botarmy run BRIEF --project NAME",
        )


def _same(name: str, given: Any, pinned: Any) -> bool:
    if name == "decided":
        return parse_flags(tuple(given)) == parse_flags(tuple(pinned))
    return bool(given == pinned)


def _worded(name: str, value: Any) -> str:
    word = {"bmad": "directory", "decided": "conditions"}.get(name, name)
    text = ", ".join(value) if name == "decided" else str(value)
    return f"{word} {text}" if text else f"no {word}"


def agents_of(workflow: Workflow) -> tuple[str, ...]:
    """Return the workflow's agents, each once, in order."""
    return tuple(dict.fromkeys(phase.agent for phase in workflow.phases))


def rows_for(
    agents: Iterable[str], settings: Settings, stored: Iterable[ProviderConfig], team: Mapping[str, TeamMember]
) -> tuple[ProviderConfig, ...]:
    """Return the provider rows of a workflow's agents: the team's word first, then the database's.

    Args:
        agents: the workflow's agents.
        settings: the environment's choice for each of the five roles.
        stored: rows of llm_provider_configs.
        team: provider and model of each agent as the team has it; empty ones come from elsewhere.

    Raises:
        DefinitionError: the team names a model without a provider.
    """
    rows = {row.agent: row for row in stored}
    for agent in agents:
        member = team.get(agent)
        if member is not None and member.provider:
            rows[agent] = _row(agent, member.provider, member.model)
        elif member is not None and member.model:
            raise DefinitionError(
                f"The team gives {agent} the model {member.model} but no provider.", hint="Name its provider as well."
            )
        elif agent not in rows and agent not in ROLES:
            choice = settings.choice_of(STANDS_IN)
            rows[agent] = _row(agent, choice.provider, choice.model or "")
    wanted = {*agents, *ROLES}
    return tuple(row for row in rows.values() if row.agent in wanted)


def _row(agent: str, provider: str, model: str) -> ProviderConfig:
    return ProviderConfig(agent=agent, provider=provider, model=model, updated_at=datetime.now(UTC))
