"""The picture of a run as a Mermaid diagram: phases in order, every attempt with its outcome."""

from __future__ import annotations

from botarmy.records import Attempt, Project, Workflow


def run_diagram(project: Project, workflow: Workflow, attempts: tuple[Attempt, ...]) -> str:
    """Return Markdown with a Mermaid flow chart; names are reduced to letters, digits and spaces."""
    lines = ["```mermaid", "flowchart LR", f'  start(["{_plain(project.name)}"])']
    before = "start"
    for index, phase in enumerate(workflow.phases):
        mine = [attempt for attempt in attempts if attempt.phase == phase.name]
        words = ", ".join(f"{attempt.number} {attempt.status.value}" for attempt in mine) or "pending"
        lines.append(f'  p{index}["{_plain(phase.name)}<br/>{_plain(phase.agent)}<br/>{words}"]')
        lines.append(f"  {before} --> p{index}")
        lines += [f"  p{index} -. rejected .-> p{index}" for attempt in mine if attempt.status.value == "rejected"][:1]
        before = f"p{index}"
    return "\n".join([*lines, "```", ""])


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in " -_." else " " for letter in text)[:60].strip()
