"""Amending a document of a BMAD workflow: its sections are what counts, its Markdown is made from them."""

from __future__ import annotations

from typing import Any

import pytest

from botarmy.agents.author import author
from botarmy.agents.work import PhaseWork
from botarmy.artifacts import DocumentDraft, DocumentSection
from botarmy.completion import Message
from botarmy.definitions.documents import assemble
from botarmy.definitions.models import DocumentTask, Template
from botarmy.errors import InputError
from tasks.amend import amended_document, answer_from
from tests.factories import phase

TASK = DocumentTask(mode="create", sections={"goal": "Goal"}, levels={"goal": 2})
DRAFT = DocumentDraft(title="Brief", sections=(DocumentSection(id="goal", title="Goal", markdown="Lend tools."),))
PRESENT = assemble({"": DRAFT}, TASK).model_dump(mode="json")


def changed(text: str, **more: Any) -> dict[str, Any]:
    return PRESENT | {"sections": [PRESENT["sections"][0] | {"markdown": text}]} | more


def test_the_markdown_follows_the_sections() -> None:
    amended = amended_document(changed("Lend <b>more</b>."), PRESENT, TASK)
    assert amended["markdown"] == "# Brief\n\n## Goal\n\nLend &lt;b>more&lt;/b>.\n"
    assert amended_document(PRESENT, PRESENT, TASK) == PRESENT
    assert amended_document(changed("New.", markdown="# Brief\n\n## Goal\n\nNew.\n"), PRESENT, TASK)["markdown"]


@pytest.mark.parametrize(
    ("content", "task", "says"),
    [
        (PRESENT | {"markdown": "# Other\n"}, TASK, 'its "sections"'),
        (PRESENT, TASK.model_copy(update={"mode": "shard"}), "split from other documents"),
        (PRESENT | {"parts": ["Epic 1"]}, TASK, "a part for each epic"),
    ],
)
def test_what_would_not_be_what_is_checked_is_refused(content: dict[str, Any], task: DocumentTask, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        amended_document(content, PRESENT, task)
    assert caught.value.hint


class OneQuestion:
    """A template that renders one message; `document` is what the author goes by."""

    document = TASK

    def render(self, purpose: str, inputs: dict[str, Any]) -> tuple[Message, ...]:
        return (Message(role="user", content=purpose),)


@pytest.mark.parametrize(("text", "filled"), [("Lend drills.", 1.0), ("", 0.0)])
async def test_the_author_judges_the_amended_document_without_a_model(text: str, filled: float) -> None:
    amended = amended_document(changed(text), PRESENT, TASK)
    template = Template.model_construct(document=TASK)
    object.__setattr__(template, "render", OneQuestion().render)
    work = PhaseWork.model_construct(
        phase=phase(expected_outputs=("project-brief",)), brief="B", artifacts={}, feedback=(), template=template,
        max_output_tokens=100,
    )  # fmt: skip
    result = await author(work, answer_from({"project-brief": amended}, ()), _no_check)
    assert result.artifacts == {"project-brief": amended}
    assert [(each.name, each.value) for each in result.measures] == [("sections_filled", filled)]


async def _no_check(*_: Any) -> Any:
    raise AssertionError("documents have no checks that run")
