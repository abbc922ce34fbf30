"""A model for document workflows that fills whatever outline and checklist it is shown."""

import re
from typing import Any

from botarmy.completion import Completion, CompletionRequest, Usage

OUTLINED = re.compile(r"^(#+) (.*?)  \[id: ([^\]]+)\]\n((?:(?!#+ .*\[id:).*\n?)*)", re.MULTILINE)
COLUMNS = re.compile(r"with the columns (.*)\.$", re.MULTILINE)


class Writer:
    """A model that fills whatever outline and checklist it is shown; the first review finds one thing to mend."""

    def __init__(self) -> None:
        self.asked: list[CompletionRequest] = []

    async def __call__(self, request: CompletionRequest) -> Completion:
        self.asked.append(request)
        prompt = request.messages[1].content
        return Completion(
            text="",
            parsed=self.review(prompt) if "<checklist>" in prompt else self.document(request, prompt),
            stop_reason="end",
            usage=Usage(),
            provider="scripted",
            model="writer",
            confidence=0.9,
        )

    def document(self, request: CompletionRequest, prompt: str) -> dict[str, Any]:
        outline = re.search(r"<outline>\n(.*)\n</outline>", prompt, re.DOTALL)
        sections = [self.section(match) for match in OUTLINED.finditer(outline.group(1))] if outline else []
        if request.purpose == "prd" and sections:
            sections += [{"id": f"e{n}", "title": f"Epic {n}: Step {n}", "markdown": "Stories."} for n in (2,)]
        sections = sections or [{"title": "Content", "markdown": f"What {request.role} wrote."}]
        return {"title": request.purpose, "summary": f"Wrote {request.purpose}.", "sections": sections}

    @staticmethod
    def section(match: re.Match[str]) -> dict[str, str]:
        columns = COLUMNS.search(match.group(4))
        text = f"| {columns.group(1)} |\n| --- |\n" if columns else "Content."
        title = re.sub(r"\{\{.*?\}\}", "1", match.group(2))
        return {"id": match.group(3), "title": title, "markdown": text}

    @staticmethod
    def review(prompt: str) -> dict[str, Any]:
        listed = re.search(r"<checklist>\n(.*)\n</checklist>", prompt, re.DOTALL)
        assert listed
        items = [line.removeprefix("- ") for line in listed.group(1).split("\n")]
        answers = [{"item": item, "met": "yes", "note": "prd"} for item in items]
        answers[0] = {"item": items[0], "met": "no", "note": "prd: nothing said"}
        return {"title": "Review", "sections": [{"title": "Judgement", "markdown": "One finding."}], "answers": answers}
