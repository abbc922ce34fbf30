"""From a library to what a run uses: checked workflows, templates with their agents, assembled teams."""

from __future__ import annotations

from collections.abc import Mapping

from botarmy.definitions.compile import Compiled, check_kinds, compile_sequence
from botarmy.definitions.diagnostics import InvalidDefinition, Problems
from botarmy.definitions.library import Library
from botarmy.definitions.models import Checklist, StepSequence, Team, TeamMember, Template
from botarmy.definitions.near import suggestion
from botarmy.definitions.phases import PhaseDraft, WorkflowDraft
from botarmy.definitions.references import check_phases, check_team
from botarmy.definitions.roles import system_text
from botarmy.definitions.sequences import SequenceDraft, agents_of
from botarmy.errors import DefinitionError, UnknownName
from botarmy.records import Phase, Workflow, digest

Flags = Mapping[str, bool]


def resolve_workflow(library: Library, name: str, flags: Flags | None = None) -> Workflow:
    """Return a workflow of either dialect, checked against everything that it names.

    Raises:
        UnknownName: there is none of this name, or it has no such condition or route to decide.
        DefinitionError: it has problems; all of them are told.
    """
    entry = library.entry("workflow", name)
    made, found = library.made_of(entry)
    problems = Problems()
    problems.found += found.found
    if isinstance(made, WorkflowDraft):
        see_decidable(name, (), flags)
        check_phases(made, library, problems)
        problems.raise_errors()
        return _with_checklists(made, library)
    problems.raise_errors()
    if isinstance(made, SequenceDraft):
        return resolve_sequence(library, name, flags).workflow
    raise InvalidDefinition.of(problems.found)


def resolve_sequence(library: Library, name: str, flags: Flags | None = None) -> Compiled:
    """Return a BMAD workflow compiled to phases, with what was left out.

    Raises:
        UnknownName: there is none of this name, it is not of this dialect, or it has no such condition or route to decide.
        DefinitionError: it has problems.
    """
    entry = library.entry("workflow", name)
    made, problems = library.made_of(entry)
    problems.raise_errors()
    if not isinstance(made, SequenceDraft):
        raise UnknownName(f'"{name}" is no workflow of steps.', hint="Name a workflow with a `sequence:`.")
    see_decidable(name, decidable(made.sequence), flags)
    compiled = compile_sequence(made.sequence, library, flags)
    check_kinds(compiled)
    return compiled


def decidable(sequence: StepSequence) -> tuple[str, ...]:
    """Return what can be decided of a workflow before it runs: conditions, actions and names of steps, and routes."""
    names = [name for step in sequence.steps for name in (step.condition, step.action, step.name)]
    names += [route.name for step in sequence.steps for route in step.routes]
    return tuple(dict.fromkeys(name for name in names if name))


def see_decidable(workflow: str, known: tuple[str, ...], flags: Flags | None) -> None:
    """See that what was decided is there to be decided: a misspelt name would be passed over in silence.

    Raises:
        UnknownName: it is not; the hint names the nearest.
    """
    for name in flags or {}:
        if name not in known:
            hint = suggestion(name, known) if known else "Only BMAD workflows have conditions and routes."
            raise UnknownName(
                f'The workflow "{workflow}" has no condition or route "{name}".',
                hint=hint or f"`botarmy explain workflow {workflow}` shows them.",
            )


def _with_checklists(draft: WorkflowDraft, library: Library) -> Workflow:
    phases = []
    for one in draft.phases:
        checklist = library.checklist(one.checklist.text) if one.checklist is not None else None
        phases.append(_with_checklist(one, checklist) if checklist is not None else one.phase)
    workflow = draft.workflow.model_copy(update={"phases": tuple(phases)})
    return workflow.model_copy(update={"sha256": digest([workflow.sha256, workflow.model_dump(mode="json")["phases"]])})


def _with_checklist(one: PhaseDraft, checklist: Checklist) -> Phase:
    """Let a checklist's items become criteria: measures and checks where evidence decides, questions where it cannot.

    A threshold that the workflow itself sets stays.
    """
    gate = one.phase.gate
    measures = {item.measure: item.least for item in checklist.items if item.measure} | gate.measures
    checks = dict.fromkeys([*one.phase.checks, *(item.check for item in checklist.items if item.check)])
    questions = tuple(item.text for item in checklist.items if not item.measure and not item.check)
    rule = gate.model_copy(update={"measures": measures, "questions": questions})
    return one.phase.model_copy(update={"gate": rule, "checks": tuple(checks)})


def resolve_template(library: Library, stem: str, agent: str = "", flags: Flags | None = None) -> Template:
    """Return a template with its agent's file in front; "WORKFLOW/PHASE" names one that a BMAD step was compiled to.

    Raises:
        UnknownName: there is none of this name.
        DefinitionError: it has problems.
    """
    if "/" in stem:
        compiled = resolve_sequence(library, stem.split("/", 1)[0], flags)
        if stem not in compiled.templates:
            hint = suggestion(stem, compiled.templates, "templates of this workflow")
            raise UnknownName(f'The workflow has no phase with the template "{stem}".', hint=hint)
        return compiled.templates[stem]
    template = library.template(stem)
    if agent not in library.entries["agent"]:
        return template
    role = library.role(agent).role
    sha256 = digest([template.sha256, role.sha256])
    files = (*template.files, role.file)
    return template.model_copy(update={"preamble": system_text(role), "sha256": sha256, "files": files})


def resolve_team(library: Library, name: str, workflow: Workflow) -> dict[str, TeamMember]:
    """Return who does the work of each agent that a workflow names, with provider and model ("" = by settings).

    What the team says of the member counts first, then the team, then the agent's own file.

    Raises:
        UnknownName: there is no such team.
        DefinitionError: the team is wrong, lacks an agent, or is not made for the workflow.
    """
    draft = library.team_draft(name)
    problems = Problems()
    check_team(draft, library, None, problems)
    problems.raise_errors()
    team = draft.team
    if team.workflows and library.workflow_stem(workflow.name) not in map(library.workflow_stem, team.workflows):
        raise DefinitionError(
            f'Team "{name}" ({team.file}) does not do the workflow "{workflow.name}".',
            hint=f"It does: {', '.join(team.workflows)}. Name another team, or add the workflow to the file.",
        )
    members = {one.agent: one for one in team.members}
    needed = dict.fromkeys(agent for phase in workflow.phases for agent in agents_of(phase.agent))
    lacking = [agent for agent in needed if agent not in members and not team.everyone]
    if lacking:
        raise DefinitionError(
            f'Team "{name}" ({team.file}) lacks {", ".join(lacking)}, needed by the workflow "{workflow.name}". '
            "[team-lacks-agent]",
            hint='Add them to `agents:`, or "*" for everyone.',
        )
    return {agent: _member(library, team, members.get(agent, TeamMember(agent=agent))) for agent in needed}


def _member(library: Library, team: Team, member: TeamMember) -> TeamMember:
    """A model belongs to the provider beside which it is named, so both come from the same place."""
    role = library.role(member.agent).role if member.agent in library.entries["agent"] else None
    for place in (member, team, role):
        if place is not None and (place.provider or place.model):
            return TeamMember(agent=member.agent, provider=place.provider, model=place.model)
    return TeamMember(agent=member.agent)
