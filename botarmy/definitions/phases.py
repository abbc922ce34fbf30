"""The `phases:` dialect of workflows: ordered phases with agents, templates, dependencies and outputs."""

from __future__ import annotations

from dataclasses import dataclass

from botarmy.artifacts import KINDS
from botarmy.checks import CheckName
from botarmy.definitions.diagnostics import Problems
from botarmy.definitions.fields import Fields, kind_of
from botarmy.definitions.near import suggestion
from botarmy.definitions.purposes import MEASURES
from botarmy.definitions.source import Source
from botarmy.definitions.templates import stem_of
from botarmy.definitions.tree import Mapping, Scalar, Sequence
from botarmy.records import Approval, GateRule, Phase, Workflow


@dataclass
class PhaseDraft:
    """A phase and where its references stand."""

    phase: Phase
    node: Mapping
    name: Scalar
    agent: Scalar
    template: Scalar
    dependencies: list[Scalar]
    outputs: list[Scalar]
    checklist: Scalar | None


@dataclass
class WorkflowDraft:
    """A workflow of the phases dialect and where its references stand."""

    source: Source
    workflow: Workflow
    phases: list[PhaseDraft]
    complete: bool = True  # False where a phase could not be read, or two have one name: then nothing can be missed


def read_phases(fields: Fields, problems: Problems) -> WorkflowDraft | None:
    """Read a workflow whose `phases:` stand at the top or inside of `workflow:`."""
    head = fields.fields("workflow")
    body = head if head is not None and "phases" in head.node.pairs else fields
    title = head if head is not None else fields
    identifier = title.name("id") or None
    name = title.scalar("name", required=identifier is None)
    default = title.choice("approval", [one.value for one in Approval], Approval.when_needed.value)
    version, description = title.text("version"), title.text("description")
    title.text("type")
    before = len(problems.errors)
    phases = _read_list(body, problems, Approval(default))
    complete = len(problems.errors) == before
    fields.finish()
    if head is not None:
        head.finish()
    if not phases:
        return None
    complete = complete and len({one.phase.name for one in phases}) == len(phases)
    _check_graph(body, phases, complete=complete)
    workflow = Workflow(
        name=_name(identifier, name, fields.source),
        version=version,
        description=description,
        phases=tuple(one.phase for one in phases),
        sha256=fields.source.sha256,
    )
    return WorkflowDraft(fields.source, workflow, phases, complete)


def _name(identifier: Scalar | None, name: Scalar | None, source: Source) -> str:
    for one in (identifier, name):
        if one is not None and " " not in one.text:
            return one.text
    return stem_of(source.file)


def _read_list(body: Fields, problems: Problems, approval: Approval) -> list[PhaseDraft]:
    nodes = body.nodes("phases", required=True)
    if not nodes and body.has("phases"):
        problems.add("no-phases", body.source, body.position("phases"), "The workflow has no phase.")
    found: list[PhaseDraft] = []
    for number, node in enumerate(nodes, 1):
        if not isinstance(node, Mapping):
            body.problem("wrong-type", node, f"Phase {number} is {kind_of(node)}; it must be a mapping.")
            continue
        one = _read_phase(Fields(node, body.source, problems, f"phase {number}"), approval)
        if one is not None:
            found.append(one)
    return found


def _read_phase(fields: Fields, approval: Approval) -> PhaseDraft | None:
    name = fields.name("name", required=True)
    if name is not None:
        fields.where = f'phase "{name.text}"'
    agent, template = fields.name("agent", required=True), fields.name("template", required=True)
    fields.text("description")
    dependencies = fields.scalars("dependencies", single=True)
    outputs = _known(fields, "expected_outputs", KINDS, "unknown-output", required=True)
    checks = _known(fields, "checks", [one.value for one in CheckName], "unknown-check")
    empty = fields.node.get("expected_outputs")
    if isinstance(empty, Sequence) and not empty.items:
        fields.problem("empty-value", empty, f"{fields.where} has no outputs.")
    gate, checklist = _read_gate(fields, approval)
    fields.finish()
    if name is None or agent is None or template is None:
        return None
    phase = Phase(
        name=name.text,
        agent=agent.text,
        template=template.text.removesuffix(".yaml"),
        dependencies=tuple(one.text for one in dependencies),
        expected_outputs=tuple(one.text for one in outputs),
        checks=tuple(one.text for one in checks),
        gate=gate,
    )
    return PhaseDraft(phase, fields.node, name, agent, template, dependencies, outputs, checklist)


def _known(fields: Fields, key: str, known: object, code: str, *, required: bool = False) -> list[Scalar]:
    names = [str(one) for one in known]  # type: ignore[attr-defined]
    found: list[Scalar] = []
    for one in fields.scalars(key, required=required):
        if one.text in [other.text for other in found]:
            fields.problem("duplicate-name", one, f'"{one.text}" stands twice in {key} of {fields.where}.')
        elif one.text in names:
            found.append(one)
        else:
            what = code.removeprefix("unknown-")
            fields.problem(code, one, f'"{one.text[:80]}" is no known {what}.', suggestion(one.text, names, f"{what}s"))
    return found


def _read_gate(fields: Fields, approval: Approval) -> tuple[GateRule, Scalar | None]:
    words = [one.value for one in Approval]
    approval = Approval(fields.choice("approval", words, approval.value))
    gate = fields.fields("gate")
    if gate is None:
        return GateRule(approval=approval), None
    default = GateRule()
    rule = GateRule(
        approval=Approval(gate.choice("approval", words, approval.value)),
        quality=gate.number("quality", default.quality, 0, 1),
        confidence=gate.number("confidence", default.confidence, 0, 1),
        max_attempts=int(gate.number("max_attempts", default.max_attempts, 1, 20, whole=True)),
        measures=_read_measures(gate),
    )
    checklist = gate.name("checklist")
    gate.finish()
    return rule, checklist


def _read_measures(gate: Fields) -> dict[str, float]:
    measures = gate.fields("measures")
    found: dict[str, float] = {}
    for key, _ in measures.node.pairs.values() if measures else ():
        assert measures is not None  # noqa: S101 - narrows for the type checker
        if key.text not in MEASURES:
            hint = suggestion(key.text, MEASURES, "measures")
            measures.problem("unknown-measure", key, f'"{key.text[:80]}" is no known measure.', hint)
            measures.known.add(key.text)
            continue
        found[key.text] = measures.number(key.text, 1.0, 0, 1)
    return found


# -- the graph


def _check_graph(body: Fields, phases: list[PhaseDraft], *, complete: bool) -> None:
    names = [one.phase.name for one in phases]
    _check_outputs(body, phases)
    if not complete:
        return  # who depends on whom cannot be told
    for one in phases:
        for dependency in one.dependencies:
            if dependency.text not in names:
                message = f'"{dependency.text[:80]}" is no phase of this workflow.'
                body.problem("unknown-phase", dependency, message, suggestion(dependency.text, names, "phases"))
    cycles = _cycles(phases)
    for cycle in cycles:
        first = next(one for one in phases if one.phase.name == cycle[0])
        where = next(node for node in first.dependencies if node.text == cycle[1])
        body.problem("dependency-cycle", where, f"The phases depend in a circle: {' → '.join(cycle)}.")
    _check_order(body, phases, {name for cycle in cycles for name in cycle})


def _check_outputs(body: Fields, phases: list[PhaseDraft]) -> None:
    makers: dict[str, str] = {}
    seen: set[str] = set()
    for one in phases:
        if one.phase.name in seen:
            body.problem("duplicate-name", one.name, f'There is already a phase "{one.phase.name}".')
        seen.add(one.phase.name)
        for output in one.outputs:
            if output.text in makers:
                message = f'Phase "{makers[output.text]}" already makes {output.text}.'
                body.problem("output-twice", output, message)
            makers.setdefault(output.text, one.phase.name)


def _cycles(phases: list[PhaseDraft]) -> list[list[str]]:
    """Return each circle once, beginning with the phase that stands first in the file."""
    needs = {one.phase.name: one.phase.dependencies for one in phases}
    found: list[list[str]] = []
    in_cycle: set[str] = set()
    for start in needs:
        path = _path(needs, start, start) if start not in in_cycle else None
        if path is not None:
            found.append(path)
            in_cycle |= set(path)
    return found


def _path(needs: dict[str, tuple[str, ...]], start: str, goal: str) -> list[str] | None:
    """Return the shortest way from a phase back to the goal."""
    queue, seen = [[start]], {start}
    while queue:
        path = queue.pop(0)
        for name in needs.get(path[-1], ()):
            if name == goal:
                return [*path, name]
            if name not in seen:
                seen.add(name)
                queue.append([*path, name])
    return None


def _check_order(body: Fields, phases: list[PhaseDraft], in_cycle: set[str]) -> None:
    names = [one.phase.name for one in phases]
    for number, one in enumerate(phases):
        for dependency in one.dependencies:
            later = dependency.text in names[number + 1 :]
            if later and not {dependency.text, one.phase.name} <= in_cycle:
                message = f'Phase "{one.phase.name}" stands before "{dependency.text}", on which it depends.'
                body.problem("dependency-order", dependency, message)
