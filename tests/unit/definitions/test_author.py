"""The author: documents from scripted answers, conditions, repeats, reviews and updates."""

from typing import Any

import pytest

from botarmy.agents.author import author
from botarmy.agents.choosing import agent_of
from botarmy.agents.registry import AGENTS
from botarmy.agents.work import PhaseResult, PhaseWork
from botarmy.artifacts import Document
from botarmy.completion import Completion, CompletionRequest, Usage
from botarmy.definitions.compile import Compiled, compile_sequence
from botarmy.definitions.library import Layer, Library
from botarmy.definitions.sequences import SequenceDraft
from botarmy.errors import DefinitionError, InvalidOutput
from botarmy.render import render_markdown
from storage.definitions import default_directory, load_core

WORKFLOW = """\
workflow:
  id: steps
  name: Steps
  sequence:
    - agent: writer
      creates: prd.md
      uses: prd-tmpl
    - agent: checker
      validates: all_artifacts
      uses: ready
    - agent: various
      updates: any_flagged_documents
      condition: checker_found_issues
    - agent: checker
      action: shard_documents
      creates: sharded_docs
      requires: all_artifacts_in_project
    - agent: writer
      creates: story.md
      requires: sharded_docs
      repeats: for_each_epic
    - step: the_end
      notes: Done.
  handoff_prompts: {}
"""
TEMPLATE = """\
template:
  id: prd
  name: PRD
  version: 2.0
  output: {format: markdown, filename: docs/prd.md, title: "{{project_name}} PRD"}
workflow: {mode: interactive, elicitation: advanced}
sections:
  - id: goals
    title: Goals of {{project_name}}
    elicit: true
    instruction: Say {{why}} in {lines}.
  - id: log
    title: Change Log
    type: table
    columns: [Date, Change]
  - id: ui
    title: Screens
    condition: it has screens
"""
FILES = {
    "workflows/steps.yaml": WORKFLOW,
    "templates/prd-tmpl.yaml": TEMPLATE,
    "checklists/ready.md": "# Ready\n\n- [ ] Goals are clear\n- [ ] Log is kept\n",
    "agents/writer.md": "# W\n\n```yaml\nagent: {id: writer, name: Wim, title: Writer}\npersona: {role: Scribe}\n```\n",
    "agents/checker.md": "# C\n\n```yaml\nagent: {id: checker, title: Checker}\n```\n",
}


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    own = load_core(default_directory()).library.layers[0]
    files = {path: text.encode() for path, text in FILES.items()}
    library = Library((own, Layer("theirs", "theirs", files)))
    draft = library.made("workflow", "steps")[0]
    assert isinstance(draft, SequenceDraft)
    return compile_sequence(draft.sequence, library)


class Script:
    """Answers by purpose, in order; remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {kind.replace("_", "-"): list(given) for kind, given in answers.items()}
        self.asked: list[CompletionRequest] = []

    async def __call__(self, request: CompletionRequest) -> Completion:
        self.asked.append(request)
        parsed = self.answers[request.purpose].pop(0)
        return Completion(
            text="", parsed=parsed, stop_reason="end", usage=Usage(), provider="scripted", model="m", confidence=0.9
        )


def draft(*sections: tuple[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"id": name, "title": name.title(), "markdown": text} for name, text in sections]
    return {"title": "A document", "sections": listed, **more}


GOOD = draft(("goals", "- lend"), ("log", "| Date | Change |\n|---|---|\n| 1 | first |"))


async def no_checks(*_: Any) -> Any:
    raise AssertionError("the author runs no checks")


async def run(compiled: Compiled, name: str, script: Script, **artifacts: Any) -> PhaseResult:
    phase = next(one for one in compiled.workflow.phases if one.name == name)
    work = PhaseWork(
        phase=phase,
        brief="# Shelf\n\nLend {{ tools }}.",
        artifacts={kind.replace("_", "-"): value for kind, value in artifacts.items()},
        template=compiled.templates[phase.template],
        feedback=("mend it",),
    )
    return await author(work, script, no_checks)


def document(markdown: str = "# D\n\n## A\n\ntext\n\n## B\n\nmore\n", **more: Any) -> dict[str, Any]:
    made = {
        "title": "D",
        "markdown": markdown,
        "sections": [{"id": "goals", "title": "Goals", "markdown": "x"}],
        **more,
    }
    return Document.model_validate(made).model_dump(mode="json")


def test_steps_become_phases_with_their_agents_templates_and_gates(compiled: Compiled) -> None:
    phases = {one.name: one for one in compiled.workflow.phases}
    assert list(phases) == ["prd", "ready-review", "prd-update", "sharded-docs", "story"]
    assert phases["prd"].gate.approval == "always", "the template asks a person"
    assert phases["ready-review"].dependencies == ("prd",)
    assert phases["prd-update"].expected_outputs == ("prd",)
    assert phases["prd-update"].agent == "writer", "a flagged document goes back to who wrote it"
    assert [one.reason for one in compiled.skipped] == ["it guides people and has no agent"]
    assert compiled.templates["steps/prd"].version == "2.0"


async def test_a_document_is_asked_with_outline_persona_and_inputs_as_data(compiled: Compiled) -> None:
    script = Script(prd=[GOOD])
    result = await run(compiled, "prd", script)
    system, user = script.asked[0].messages
    assert system.content.startswith("You are Wim, Writer.\nRole: Scribe")
    assert user.content.startswith(
        "<brief>\n# Shelf\n\nLend {{ tools }}.\n</brief>\n\n# Goal\nWrite the document docs/prd.md"
    )
    assert "## Goals of {{project_name}}  [id: goals]\nSay {{why}} in {lines}." in user.content
    assert "Form: a Markdown table with the columns Date | Change." in user.content
    assert "Only if: it has screens" in user.content
    assert "- mend it" in user.content
    assert script.asked[0].role == "writer"
    assert result.confidence == 0.9
    assert [(one.name, one.value) for one in result.measures] == [("sections_filled", 1.0)]
    made = Document.model_validate(result.artifacts["prd"])
    assert made.markdown.startswith("# A document\n\n## Goals\n\n- lend\n\n## Log\n\n| Date | Change |")


@pytest.mark.parametrize(
    ("answer", "value", "reason"),
    [
        (draft(("goals", "- lend")), 0.5, 'section "Change Log" [id: log] is missing'),
        (draft(("goals", " "), ("log", "| Date | Change |")), 0.5, "is empty"),
        (draft(("goals", "for {{user}}"), ("log", "| Date | Change |")), 0.5, "still holds the placeholder user"),
        (draft(("goals", "x"), ("log", "no table")), 0.5, "has no table with the columns Date, Change"),
    ],
)
async def test_what_a_document_lacks_is_measured(compiled: Compiled, answer: Any, value: float, reason: str) -> None:
    result = await run(compiled, "prd", Script(prd=[answer]))
    assert result.measures[0].value == value
    assert reason in result.measures[0].reasons[0]


async def test_a_review_answers_the_checklist_and_asks_about_what_is_not_met(compiled: Compiled) -> None:
    answers = [{"item": "Goals are clear", "met": "yes"}, {"item": "Log is kept", "met": "no", "note": "prd: none"}]
    script = Script(ready_review=[draft(("", "Fine"), answers=answers)])
    result = await run(compiled, "ready-review", script, prd=document())
    assert "- Goals are clear\n- Log is kept" in script.asked[0].messages[1].content
    assert {one.name: one.value for one in result.measures} == {"sections_filled": 1.0, "checklist_met": 0.5}
    assert result.open_questions == ("not met: Log is kept (prd: none)",)
    assert "- [ ] Log is kept: prd: none" in result.artifacts["ready-review"]["markdown"]


async def test_items_that_are_not_answered_count_as_not_met(compiled: Compiled) -> None:
    script = Script(ready_review=[draft(("", "Fine"), answers=[{"item": "goals  are clear", "met": "yes"}])])
    result = await run(compiled, "ready-review", script, prd=document())
    assert result.open_questions == ("not answered: Log is kept",)


async def test_without_findings_nothing_is_asked_and_nothing_changes(compiled: Compiled) -> None:
    script = Script()
    prd = document()
    review = document(answers=[{"item": "Goals are clear", "met": "yes"}])
    result = await run(compiled, "prd-update", script, prd=prd, ready_review=review)
    assert result.artifacts == {"prd": prd}
    assert script.asked == []


async def test_findings_are_mended_in_each_document(compiled: Compiled) -> None:
    review = document(answers=[{"item": "Log is kept", "met": "no"}])
    script = Script(prd=[draft(("goals", "better"), summary="Log added.")])
    result = await run(compiled, "prd-update", script, prd=document(), ready_review=review)
    assert "Bring the document docs/prd.md of the project Shelf up to date" in script.asked[0].messages[1].content
    assert result.artifacts["prd"]["sections"][0]["markdown"] == "better"
    assert result.summary == "Log added."


async def test_an_update_without_change_keeps_the_document(compiled: Compiled) -> None:
    review = document(answers=[{"item": "Log is kept", "met": "no"}])
    script = Script(prd=[draft(("goals", "worse"), changed=False)])
    result = await run(compiled, "prd-update", script, prd=document(), ready_review=review)
    assert result.artifacts["prd"] == document()


async def test_sharding_needs_no_model_and_loses_nothing(compiled: Compiled) -> None:
    text = "# PRD\n\nintro\n\n## Goals\n\n```\n## no heading\n```\n\n## Epic 1: Größe & <b>\n\nend"
    result = await run(compiled, "sharded-docs", Script(), prd=document(text))
    files = result.artifacts["sharded-docs"]["files"]
    assert "".join(one["content"] for one in files) == text
    assert [one["path"].rsplit("/", 1)[0] for one in files] == ["docs/prd"] * 3
    assert files[1]["path"] == "docs/prd/01-goals.md"
    assert result.measures[0].value == 1.0


async def test_a_repeated_step_writes_a_part_for_each_epic(compiled: Compiled) -> None:
    epics = "# PRD\n\n## Epic 1: Lend\n\n### Epic 1 again\n\n## Epic 2 Return\n"
    script = Script(story=[draft(("a", "one")), draft(("a", "two"))])
    result = await run(compiled, "story", script, sharded_docs=document(epics))
    assert [request.inputs["part"] for request in script.asked] == ["Epic 1: Lend", "Epic 2 Return"]
    assert "This answer covers one part only: Epic 2 Return." in script.asked[1].messages[1].content
    assert result.artifacts["story"]["parts"] == ["Epic 1: Lend", "Epic 2 Return"]
    assert "## Epic 2 Return\n\n### A\n\ntwo" in result.artifacts["story"]["markdown"]


async def test_an_answer_that_does_not_fit_is_an_error(compiled: Compiled) -> None:
    with pytest.raises(InvalidOutput, match="sections"):
        await run(compiled, "prd", Script(prd=[{"title": "x"}]))


async def test_html_and_control_characters_of_a_model_are_harmless(compiled: Compiled) -> None:
    text = "<script>x</script> a < b \x1b[31m\n```html\n<b>code</b>\n```"
    result = await run(compiled, "prd", Script(prd=[draft(("goals", text), ("log", "| Date | Change |"))]))
    markdown = result.artifacts["prd"]["markdown"]
    assert "&lt;script>x&lt;/script> a < b [31m\n```html\n<b>code</b>" in markdown


def test_documents_and_custom_agents_go_to_the_author_all_else_to_its_role(compiled: Compiled) -> None:
    core = load_core(default_directory())
    own = core.workflow("sdlc").phases[0]
    assert agent_of(own, core.template(own.template)) is AGENTS["analyst"]
    assert agent_of(own.model_copy(update={"agent": "lawyer"}), core.template(own.template)) is author
    document = compiled.workflow.phases[0].model_copy(update={"agent": "analyst"})
    assert agent_of(document, compiled.templates["steps/prd"]) is author


def test_a_document_is_shown_as_its_markdown_with_its_files() -> None:
    shown = render_markdown("prd", document(files=[{"path": "a.py", "content": "x = '```'\n"}]))
    assert shown.startswith("# D\n\n## A\n\ntext")
    assert "## Files\n\n### `a.py`\n\n````python\nx = '```'\n````" in shown


async def test_phases_of_custom_agents_are_asked_output_by_output() -> None:
    core = load_core(default_directory())
    phase = (
        core.workflow("sdlc")
        .phases[0]
        .model_copy(update={"agent": "lawyer", "expected_outputs": ("project_plan", "user_requirements")})
    )
    plan = {"title": "T", "purpose": "P", "goals": ["g"], "scope": ["s"]}
    script = Script(**{"project-plan": [], "user-requirements": []})
    script.answers = {"project_plan": [plan], "user_requirements": [{"requirements": []}]}
    work = PhaseWork(phase=phase, brief="Lend tools.", template=core.template(phase.template))
    result = await author(work, script, no_checks)
    assert list(result.artifacts) == ["project_plan", "user_requirements"]
    assert script.asked[1].inputs["project_plan"]["title"] == "T"
    derived = work.model_copy(update={"phase": phase.model_copy(update={"expected_outputs": ("test_results",)})})
    with pytest.raises(DefinitionError, match="derived from evidence"):
        await author(derived, script, no_checks)
