"""Checks that need more than one file: does what is named exist, and does it fit?"""

from __future__ import annotations

from collections.abc import Collection

from botarmy.definitions.diagnostics import Problems, Severity
from botarmy.definitions.library import Library
from botarmy.definitions.markdown import references
from botarmy.definitions.models import Template
from botarmy.definitions.near import suggestion
from botarmy.definitions.phases import PhaseDraft, WorkflowDraft
from botarmy.definitions.purposes import PURPOSE_INPUTS, asked_of_model
from botarmy.definitions.roles import RoleDraft
from botarmy.definitions.sequences import SequenceDraft, agents_of
from botarmy.definitions.source import Source
from botarmy.definitions.teams import TeamDraft
from botarmy.definitions.templates import stem_of
from botarmy.definitions.tree import Scalar

BUILT_IN_AGENTS = ("analyst", "architect", "coder", "tester", "deployer")
"""The roles that have code of their own; they need no file."""

FOLDER_KINDS = {
    "tasks": "task",
    "templates": "template",
    "checklists": "checklist",
    "data": "data",
    "utils": "utility",
    "workflows": "workflow",
    "agents": "agent",
    "agent-teams": "team",
}


def known_agents(library: Library) -> tuple[str, ...]:
    """Return the agents of all layers and the built-in ones."""
    return tuple(sorted({*library.names("agent"), *BUILT_IN_AGENTS}))


class _Reporter:
    """Reports an unknown name at its place."""

    def __init__(self, source: Source, problems: Problems, severity: Severity | None = None) -> None:
        self.source = source
        self.problems = problems
        self.severity = severity

    def unknown(self, code: str, node: Scalar, what: str, known: Collection[str], plural: str = "") -> None:
        hint = suggestion(node.text, known, plural or f"{what}s")
        message = f'There is no {what} "{node.text[:80]}".'
        where = self.source.at(node.line, node.column)
        self.problems.add(code, self.source, where, message, hint=hint, severity=self.severity)


# -- workflows of the phases dialect


def check_phases(draft: WorkflowDraft, library: Library, problems: Problems) -> None:
    """Check agents, templates, prompts, checklists and inputs of every phase."""
    report = _Reporter(draft.source, problems)
    for one in draft.phases:
        agents = known_agents(library)
        if one.agent.text not in agents:
            report.unknown("unknown-agent", one.agent, "agent", agents)
        _check_template(one, library, report)
        if one.checklist is not None and one.checklist.text not in library.entries["checklist"]:
            report.unknown("unknown-checklist", one.checklist, "checklist", library.names("checklist"))
    if draft.complete:
        _check_inputs(draft, problems)


def _check_template(one: PhaseDraft, library: Library, report: _Reporter) -> None:
    stem = one.phase.template
    if stem not in library.entries["template"]:
        report.unknown("unknown-template", one.template, "template", library.names("template"))
        return
    template = library.made("template", stem)[0]
    if not isinstance(template, Template):
        where = report.source.at(one.template.line, one.template.column)
        report.problems.add("unknown-template", report.source, where, f'The template "{stem}" has errors of its own.')
        return
    for output, node in zip(one.phase.expected_outputs, one.outputs, strict=True):
        for purpose in asked_of_model((output,)):
            if purpose not in template.purposes:
                where = report.source.at(node.line, node.column)
                message = f'The template "{stem}" has no prompt for {purpose}.'
                report.problems.add("no-prompt", report.source, where, message)


def _check_inputs(draft: WorkflowDraft, problems: Problems) -> None:
    """Every input of a prompt is made by the phase itself or by one that it depends on, directly or by others."""
    by_name = {one.phase.name: one for one in draft.phases}
    for one in draft.phases:
        reached = _reached(one.phase.name, by_name)
        made = {kind for name in reached for kind in by_name[name].phase.expected_outputs}
        purposes = asked_of_model(one.phase.expected_outputs)
        needed = {name for purpose in purposes for name in PURPOSE_INPUTS.get(purpose, ())}
        lost = sorted(needed - made - {"brief", "sentences"})
        if lost:
            makers = [p.phase.name for p in draft.phases if set(p.phase.expected_outputs) & set(lost)]
            hint = f"Add {', '.join(makers)} to its dependencies." if makers else "Add a phase that makes it."
            message = f'Phase "{one.phase.name}" needs {", ".join(lost)}, which nothing before it makes.'
            where = draft.source.at(one.name.line, one.name.column)
            problems.add("output-unmade", draft.source, where, message, hint=hint)


def _reached(name: str, by_name: dict[str, PhaseDraft]) -> set[str]:
    reached, open_names = set(), [name]
    while open_names:
        current = open_names.pop()
        if current in by_name and current not in reached:
            reached.add(current)
            open_names += by_name[current].phase.dependencies
    return reached


# -- BMAD: what is unknown comes from outside, and is told as a warning


def check_sequence(draft: SequenceDraft, library: Library, problems: Problems) -> None:
    """Check the agents and the templates, tasks and checklists that steps name."""
    report = _Reporter(draft.source, problems, Severity.warning)
    agents = known_agents(library)
    usable = [name for kind in ("template", "task", "checklist") for name in library.entries[kind]]
    for one in draft.steps:
        if one.agent is not None and not set(agents_of(one.agent.text)) <= set(agents):
            report.unknown("unknown-agent", one.agent, "agent", agents)
        for node in one.uses:
            if stem_of(node.text) not in usable and node.text not in usable:
                report.unknown("unknown-reference", node, "template, task or checklist", usable, "names")
        for route in one.step.routes:
            _check_route(route.agent, one.node.get("routes"), agents, report)


def _check_route(agent: str, node: object, agents: Collection[str], report: _Reporter) -> None:
    if not agent or set(agents_of(agent)) <= set(agents):
        return
    routes = getattr(node, "pairs", {})
    for _, (_, inner) in routes.items():
        found = inner.get("agent") if hasattr(inner, "get") else None
        if isinstance(found, Scalar) and found.text == agent:
            report.unknown("unknown-agent", found, "agent", agents)


def check_role(draft: RoleDraft, library: Library, problems: Problems) -> None:
    """Check the files that an agent depends on."""
    for folder, node in draft.dependencies:
        kind = FOLDER_KINDS[folder]
        name = stem_of(node.text) if node.text.casefold().endswith((".md", ".yaml", ".yml")) else node.text
        if name not in library.entries[kind]:
            known = [entries[-1].path.rsplit("/", 1)[-1] for entries in library.entries[kind].values()]
            report = _Reporter(draft.source, problems, Severity.warning)
            report.unknown("unknown-reference", node, f"file in {folder}", known, "files")


def check_team(draft: TeamDraft, library: Library, providers: Collection[str] | None, problems: Problems) -> None:
    """Check a team's agents, workflows and providers; BMAD's teams may name what is not here."""
    report = _Reporter(draft.source, problems, Severity.warning if draft.foreign else None)
    agents = known_agents(library)
    for node in draft.agents:
        if node.text not in agents:
            report.unknown("unknown-agent", node, "agent", agents)
    for node in draft.workflows:
        if library.workflow_stem(stem_of(node.text)) is None:
            report.unknown("unknown-workflow", node, "workflow", library.names("workflow"))
    for node in draft.providers if providers is not None else ():
        if node.text not in (providers or ()):
            report.unknown("unknown-provider", node, "provider", providers or ())


def check_text_references(source: Source, library: Library, problems: Problems) -> None:
    """Report files of the directory that a Markdown text names and that do not exist."""
    for line, column, folder, name in references(source):
        kind = FOLDER_KINDS[folder]
        if stem_of(name) not in library.entries[kind] and not _is_example(name):
            known = [entries[-1].path.rsplit("/", 1)[-1] for entries in library.entries[kind].values()]
            message = f'There is no file "{name}" in {folder}.'
            hint = suggestion(name, known, "files")
            problems.add("unknown-reference", source, source.at(line, column), message, hint=hint)


def _is_example(name: str) -> bool:
    return stem_of(name).casefold() in {"name", "file", "example", "template-name", "create-doc-example"}
