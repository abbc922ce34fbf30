"""The one model behind both dialects: Template, Section, Team, AgentRole, Instruction, Checklist."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from botarmy.completion import Message
from botarmy.records import Record

Dialect = Literal["phases", "bmad"]


class Place(Record):
    """Where a part of a definition comes from."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Variable(Record):
    """A value that a template can be given; `default` None and required means that it must be given."""

    type: Literal["string", "integer", "number", "boolean", "list"] = "string"
    default: Any = None
    required: bool = False
    description: str = ""


class Output(Record):
    """What a template renders to."""

    format: str = "json"
    filename: str = ""
    title: str = ""


class Section(Record):
    """A section of a document template.

    Attributes:
        type: how the content looks: paragraphs, bullet-list, numbered-list, table, code, mermaid, checklist, choice …
        condition: free English or a flag's name; a section with one may be left out.
        elicit: whether a person is to be asked about it.
        columns, rows, items, choices: as given in the file, as plain data.
    """

    id: str
    title: str = ""
    instruction: str = ""
    template: str = ""
    content: str = ""
    type: str = "paragraphs"
    sections: tuple[Section, ...] = ()
    elicit: bool = False
    repeatable: bool = False
    condition: str = ""
    examples: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[Any, ...] = ()
    items: tuple[Any, ...] = ()
    choices: Any = None
    language: str = ""
    mermaid_type: str = ""
    item_template: str = ""
    prefix: str = ""
    owner: str = ""
    editors: tuple[str, ...] = ()
    extra: dict[str, Any] = Field(default_factory=dict)

    def walk(self, depth: int = 2) -> tuple[tuple[int, Section], ...]:
        """Return this section and all below it with their heading levels, in order."""
        below = [pair for child in self.sections for pair in child.walk(depth + 1)]
        return ((depth, self), *below)


class TemplateText(Record):
    """One Jinja text of a template and where its first line stands."""

    text: str
    place: Place


class DocumentTask(Record):
    """What a compiled step of a BMAD workflow asks of the author.

    Attributes:
        mode: create, update (an existing document), review (by a checklist), shard (split what there is, no model).
        inputs: kinds of the documents that are shown.
        sections: ids of the template's sections that the document must fill, with their titles.
        tables: section id -> the columns that its table must have.
        repeats: "" or e.g. for_each_epic: the document is written once per epic.
        condition: a flag or free English that the author judges; empty = always.
        if_issues: only act when an earlier review answered an item with no.
        checklist: the items that a review answers.
    """

    mode: Literal["create", "update", "review", "shard"]
    inputs: tuple[str, ...] = ()
    title: str = ""
    sections: dict[str, str] = Field(default_factory=dict)
    levels: dict[str, int] = Field(default_factory=dict)
    tables: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    repeats: str = ""
    condition: str = ""
    if_issues: bool = False
    checklist: tuple[str, ...] = ()


class Template(Record):
    """A versioned source that renders to prompts or a document, with everything it extends and includes.

    Attributes:
        name: the file's stem.
        sha256: over this file and all files it extends or includes.
        preamble: text that stands in front of the system prompt as it is: the agent's own file.
        system: the system prompt's text in Jinja.
        purposes: artifact kind or draft -> prompt text.
        blocks: overrides of `{% block %}` texts, base first.
        includes: name -> text of every partial that can be reached.
        examples: purpose -> an answer that fits its schema.
        sections: of a document template.
        bound: values that a workflow gave the prompts; data, like inputs.
        document: what the author does with it, for a step of a BMAD workflow.
        parts: part -> the file and line it comes from; for explain.
    """

    name: str
    id: str = ""
    title: str = ""
    version: str = ""
    sha256: str
    dialect: Dialect = "phases"
    preamble: str = ""
    system: str = ""
    purposes: dict[str, str] = Field(default_factory=dict)
    variables: dict[str, Variable] = Field(default_factory=dict)
    blocks: tuple[dict[str, TemplateText], ...] = ()
    includes: dict[str, TemplateText] = Field(default_factory=dict)
    examples: dict[str, Any] = Field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    output: Output = Output()
    interactive: bool = False
    bound: dict[str, Any] = Field(default_factory=dict)
    document: DocumentTask | None = None
    parts: dict[str, Place] = Field(default_factory=dict)
    files: tuple[str, ...] = ()
    extra: dict[str, Any] = Field(default_factory=dict)

    def render(self, purpose: str, inputs: dict[str, Any]) -> tuple[Message, ...]:
        """Render the prompt for a purpose; values are inserted as data.

        Raises:
            DefinitionError: no such prompt, an input is missing, a limit was passed.
        """
        from botarmy.definitions.rendering import render_prompt  # noqa: PLC0415 - rendering needs this class

        return render_prompt(self, purpose, inputs)


class AgentRole(Record):
    """An agent as a file describes it: what becomes of it is its system prompt.

    Attributes:
        instructions: the prose of the file outside of its YAML block.
        dependencies: folder -> file names.
        provider, model: preferred; empty = by settings.
    """

    name: str
    title: str = ""
    persona_name: str = ""
    when_to_use: str = ""
    customization: str = ""
    persona: dict[str, Any] = Field(default_factory=dict)
    principles: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    dependencies: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    provider: str = ""
    model: str = ""
    instructions: str = ""
    sha256: str
    file: str = ""
    extra: dict[str, Any] = Field(default_factory=dict)


class TeamMember(Record):
    """An agent of a team with the provider and model it is to use; empty = the team's, else by settings."""

    agent: str
    provider: str = ""
    model: str = ""


class Team(Record):
    """A named set of agents. `everyone` stands for the wildcard."""

    name: str
    title: str = ""
    description: str = ""
    members: tuple[TeamMember, ...] = ()
    everyone: bool = False
    workflows: tuple[str, ...] = ()
    provider: str = ""
    model: str = ""
    sha256: str
    file: str = ""
    extra: dict[str, Any] = Field(default_factory=dict)


class Instruction(Record):
    """A task or a data file: free Markdown that goes into prompts."""

    name: str
    title: str
    text: str
    sha256: str
    file: str = ""


class ChecklistItem(Record):
    """One item; with a measure or a check it is decided by evidence, otherwise by a person or the author's answer."""

    text: str
    section: str = ""
    measure: str = ""
    least: float = Field(default=1.0, ge=0, le=1)
    check: str = ""


class Checklist(Record):
    """Items that a gate or a review goes through."""

    name: str
    title: str
    items: tuple[ChecklistItem, ...]
    instructions: tuple[str, ...] = ()
    text: str
    sha256: str
    file: str = ""


class Route(Record):
    """One way that a routing step offers; without agent it only says to go on."""

    name: str
    agent: str = ""
    uses: str = ""
    goes_on: str = ""
    notes: str = ""


class Step(Record):
    """One step of a BMAD sequence.

    Attributes:
        number: counted from 1.
        creates, updates, validates: what the step makes or works on, as written.
        requires: what it needs, as written; may be made outside of the workflow.
        uses: stem of a template, task or checklist.
        condition: a flag's name or free English; empty = always.
        repeats: e.g. for_each_epic; empty = once.
    """

    number: int
    name: str = ""
    agent: str = ""
    action: str = ""
    creates: str = ""
    updates: str = ""
    validates: str = ""
    requires: tuple[str, ...] = ()
    uses: str = ""
    condition: str = ""
    optional: bool = False
    repeats: str = ""
    optional_steps: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    notes: str = ""
    place: Place
    extra: dict[str, Any] = Field(default_factory=dict)


class StepSequence(Record):
    """A BMAD workflow: steps in order."""

    name: str
    title: str = ""
    description: str = ""
    type: str = ""
    project_types: tuple[str, ...] = ()
    steps: tuple[Step, ...]
    when_to_use: tuple[str, ...] = ()
    handoff_prompts: dict[str, str] = Field(default_factory=dict)
    sha256: str
    file: str = ""
    extra: dict[str, Any] = Field(default_factory=dict)


Section.model_rebuild()
