"""The form of a gate, as Prefect's web interface draws it. The text above it is `botarmy.gate_text`.

Only what JSON Schema can say stands in the form: a validator of our own would run after the resume and fail the flow.
What the form cannot check is checked when the answer is read, and asked again with the reason.
"""

from __future__ import annotations

from typing import Literal

from prefect.input import RunInput
from pydantic import Field

from botarmy.person import NAME_LIMIT


class GateForm(RunInput):
    """What a person answers at a gate. `decision` is never prefilled: an empty submit must not approve anything."""

    decision: Literal["approve", "reject"] = Field(
        title="Decision",
        description="approve: go on. reject: the phase is done again with your comment; a budget gate stops the project.",
    )
    reviewer: str = Field(
        min_length=1, max_length=NAME_LIMIT, title="Your name", description="Kept with the decision, as you claim it."
    )
    comment: str = Field(
        default="", max_length=20_000, title="Comment", description="Needed to reject: what must be different."
    )
    amended_artifact: str = Field(
        default="",
        title="Amend instead: which document",
        description="For example project_plan. Amending is not approving: the gate opens again for the new version.",
    )
    amended_content: str = Field(
        default="",
        title="Amend instead: its new content",
        description='The whole document as JSON, as "content" of: botarmy artifact PROJECT DOCUMENT --json',
    )
