"""Two real workflows from the brief to the last document, with scripted completions and real gates."""

from pathlib import Path
from typing import Any

import pytest

from botarmy.agents.author import author
from botarmy.agents.work import PhaseWork
from botarmy.artifacts import Document
from botarmy.gates import evaluate_gate
from botarmy.records import Decision
from storage.definitions import Core, core_directories, load_core
from tests.factories.document_writer import Writer

BRIEF = "# Tool Shelf\n\nMembers lend tools. A tool has a {{name}} and a unique serial number."


async def no_checks(*_: Any) -> Any:
    raise AssertionError("documents run no checks")


async def carry_through(core: Core, name: str) -> tuple[dict[str, Any], dict[str, Decision], Writer]:
    """What a flow does with the compiled workflow: phase by phase, each with what the phases before made."""
    heads: dict[str, Any] = {}
    decisions: dict[str, Decision] = {}
    writer = Writer()
    for phase in core.workflow(name).phases:
        work = PhaseWork(
            phase=phase, brief=BRIEF, artifacts=dict(heads), template=core.template(phase.template, phase.agent)
        )
        asked = len(writer.asked)
        result = await author(work, writer, no_checks)
        assert set(result.artifacts) == set(phase.expected_outputs)
        for content in result.artifacts.values():
            Document.model_validate(content)
        heads |= result.artifacts
        verdict = evaluate_gate(
            phase.gate,
            result.measures,
            result.evidence,
            result.confidence,
            deterministic=len(writer.asked) == asked,  # no model took part in this phase
            open_questions=result.open_questions,
        )
        assert verdict.decision is not Decision.reject, (phase.name, verdict.reasons)
        decisions[phase.name] = verdict.decision
    return heads, decisions, writer


@pytest.mark.parametrize(
    ("name", "documents", "extra"),
    [
        ("greenfield-service", {"project-brief", "prd", "architecture"}, set()),
        ("greenfield-fullstack", {"project-brief", "prd", "front-end-spec", "fullstack-architecture"}, {"ux-expert"}),
    ],
)
async def test_a_real_workflow_runs_to_its_end(bmad: Path, name: str, documents: set[str], extra: set[str]) -> None:
    core = load_core(*core_directories(bmad))
    heads, decisions, writer = await carry_through(core, name)
    later = {"po-master-checklist-review", "sharded-docs", "story", "implementation-files"}
    assert set(heads) == documents | later
    # A person is asked where the templates elicit, and where the review found something.
    asked = {phase for phase, decision in decisions.items() if decision is Decision.needs_approval}
    assert asked == (documents - {"project-brief"}) | {"po-master-checklist-review", "story"}
    roles = {request.purpose: request.role for request in writer.asked}
    assert roles["implementation-files"] == "dev"
    assert {request.role for request in writer.asked} == {"analyst", "pm", "architect", "po", "sm", "dev"} | extra
    assert heads["story"]["parts"] == ["Epic 1 1", "Epic 2: Step 2"], "one for each epic that the PRD names"
    shards = heads["sharded-docs"]["files"]
    for kind in documents:
        whole = "".join(one["content"] for one in shards if one["path"].startswith(f"docs/{kind}/"))
        assert whole == heads[kind]["markdown"]
    for request in writer.asked:
        assert "<brief>\n" + BRIEF + "\n</brief>" in request.messages[1].content, "the brief comes out unchanged"


async def test_switched_on_steps_are_taken(bmad: Path) -> None:
    flags = {"user_wants_story_review": True, "review_implementation": True, "architecture_suggests_prd_changes": False}
    core = load_core(*core_directories(bmad), flags=flags)
    names = [phase.name for phase in core.workflow("greenfield-service").phases]
    assert names == [
        "project-brief", "prd", "architecture", "po-master-checklist-review",
        "project-brief-update", "prd-update", "architecture-update",
        "sharded-docs", "story", "story-update", "implementation-files", "implementation-files-update",
        "implementation-files-update-2",
    ]  # fmt: skip
    skipped = {one.step: one.reason for one in core.sequence("greenfield-service").skipped}
    assert skipped["4. pm: prd.md (if needed)"] == "architecture_suggests_prd_changes does not hold"
    assert "switch it on by epic_complete" in skipped["14. po: epic_retrospective"]


def test_a_chosen_route_ends_the_workflow_after_its_step(bmad: Path) -> None:
    core = load_core(*core_directories(bmad), flags={"single_story": True})
    phases = core.workflow("brownfield-fullstack").phases
    assert [phase.agent for phase in phases] == ["analyst", "pm"]
    assert (
        "brownfield"
        in core.template(phases[1].template)
        .render(phases[1].expected_outputs[0], {"brief": BRIEF, "project_name": "Shelf"})[1]
        .content.casefold()
    )


def test_the_same_files_compile_to_the_same_hash(bmad: Path) -> None:
    one, other = (load_core(*core_directories(bmad)).workflow("greenfield-service") for _ in range(2))
    assert one == other
