"""Templates of the phases dialect: variables, blocks, inheritance, includes; and BMAD's as Markdown."""

import pytest

from botarmy.definitions.documents import outline, skeleton
from botarmy.definitions.source import Source
from botarmy.errors import DefinitionError
from botarmy.prompts import Shelf, Template, parse_template

BASE = """\
template: {id: base, name: Base, version: "1.0"}
variables:
  tone: {type: string, default: calm}
  most: {type: integer, default: 3}
system: "Be {{ tone }}. {% block extra %}{% endblock %}"
prompts:
  project_plan: |
    {{ all_inputs }}
    {% block goal %}
    Write at most {{ most }} goals.
    {% endblock %}
    {% include "end" %}
  success_criteria: "{{ all_inputs }} Count."
"""
END = "{% if feedback %}Mend: {{ feedback | join('; ') }}{% else %}First try.{% endif %}\n"


def shelf(**files: str) -> Shelf:
    templates = {name: (Source(f"{name}.yaml", text),) for name, text in {"base": BASE, **files}.items()}
    return Shelf(templates, {"end": Source("partials/end.j2", END)})


def build(text: str, **files: str) -> Template:
    return parse_template(text, "child.yaml", shelf(**files))


def user(template: Template, **inputs: object) -> str:
    return template.render("project_plan", {"brief": "B", "sentences": [], **inputs})[-1].content


def test_variables_have_types_and_defaults_and_can_be_given() -> None:
    template = parse_template(BASE, "base.yaml", shelf())
    assert "Write at most 3 goals." in user(template)
    given = template.render("project_plan", {"brief": "B", "sentences": [], "most": 5, "tone": "strict"})
    assert given[0].content == "Be strict. \n"
    assert "Write at most 5 goals." in given[1].content
    assert "<most>" not in given[1].content, "a variable is no input"


def test_a_required_variable_must_be_given() -> None:
    text = "template: {id: t}\nvariables: {who: {required: true}}\nprompts: {project_plan: '{{ all_inputs }} for {{ who }}'}\n"
    template = parse_template(text, "t.yaml")
    with pytest.raises(DefinitionError, match='needs the variable "who"'):
        template.render("project_plan", {"brief": "B"})


def test_a_child_changes_blocks_prompts_and_variables() -> None:
    template = build(
        "template: {id: child, version: 2}\nextends: base\n"
        "variables: {tone: {default: merry}}\n"
        "blocks:\n  goal: |\n    {{ super() }}And one joke.\n  extra: Now.\n"
        "prompts:\n  user_requirements: '{{ all_inputs }} List.'\n"
        "remove: prompts.success_criteria\n"
    )
    assert list(template.purposes) == ["project_plan", "user_requirements"]
    assert template.render("project_plan", {"brief": "B", "sentences": []})[0].content == "Be merry. Now.\n"
    assert "Write at most 3 goals.\nAnd one joke.\n" in user(template)
    assert user(template).endswith("First try.\n")
    assert user(template, feedback=["a", "b"]).endswith("Mend: a; b\n")
    assert str(template.parts["blocks.goal"]) == "child.yaml:6"
    assert str(template.parts["prompts.project_plan"]) == "base.yaml:8"
    assert template.files == ("base.yaml", "child.yaml", "partials/end.j2")
    assert template.version == "2"


def test_blocks_go_through_several_levels() -> None:
    middle = "template: {id: middle}\nextends: base\nblocks: {goal: 'Middle. {{ super() }}'}\n"
    template = build("template: {id: child}\nextends: middle\nblocks: {goal: 'Child. {{ super() }}'}\n", middle=middle)
    assert "Child. Middle. Write at most 3 goals." in " ".join(user(template).split())


def test_several_bases_are_laid_over_each_other_in_order() -> None:
    second = "template: {id: second}\nsystem: Second.\nprompts: {risk_assessment: '{{ all_inputs }} Risks.'}\n"
    template = build("template: {id: child}\nextends: [base, second]\n", second=second)
    assert set(template.purposes) == {"project_plan", "success_criteria", "risk_assessment"}
    assert template.render("risk_assessment", {"brief": "B"})[0].content == "Second.\n"


def test_the_hash_changes_with_every_file_that_takes_part() -> None:
    text = "template: {id: child}\nextends: base\n"
    before = build(text).sha256
    assert build(text).sha256 == before
    assert parse_template(text, "child.yaml", shelf(base=BASE.replace("calm", "wild"))).sha256 != before
    changed = shelf()
    changed.partials = {"end": Source("partials/end.j2", END + "More.\n")}
    assert parse_template(text, "child.yaml", changed).sha256 != before


def test_a_long_chain_and_a_circle_are_told_with_the_chain() -> None:
    files = {f"t{n}": f"template: {{id: t{n}}}\nextends: t{n + 1}\n" for n in range(20)}
    with pytest.raises(DefinitionError, match="chain-too-long") as caught:
        build("template: {id: child}\nextends: t0\n", **files)
    assert "via t3.yaml:2 extends t4" in caught.value.message
    with pytest.raises(DefinitionError, match="self-inheritance") as caught:
        build(
            "template: {id: child}\nextends: a\n",
            a="template: {id: a}\nextends: b\n",
            b="template: {id: b}\nextends: a\n",
        )
    assert "child.yaml:2:10" in caught.value.message


def test_a_problem_inside_of_an_include_names_the_way_to_it() -> None:
    broken = Shelf({}, {"end": Source("partials/end.j2", "fine\n{{ nobody }}\n")})
    with pytest.raises(DefinitionError) as caught:
        parse_template(
            "template: {id: t}\nprompts:\n  project_plan: |\n    {{ all_inputs }}\n    {% include 'end' %}\n",
            "t.yaml",
            broken,
        )
    assert "partials/end.j2:2:4: error" in caught.value.message
    assert "via t.yaml:5 includes end" in caught.value.message


def test_all_problems_are_told_at_once() -> None:
    text = "template: {id: t}\nprompts:\n  project_plan: '{{ a }} {{ b | nope }}'\n  nothing: x\n"
    with pytest.raises(DefinitionError) as caught:
        parse_template(text, "t.yaml")
    assert caught.value.message.startswith("4 problems in t.yaml.")
    assert caught.value.hint


DOCUMENT = """\
template:
  id: doc
  name: Story
  version: 1.0
  output: {format: markdown, filename: docs/stories/{{epic_num}}.md, title: "Story {{epic_num}}: {{story_title_short}}"}
sections:
  - id: status
    title: Status
    type: choice
    choices: [Draft, Done]
    owner: scrum-master
    editors: [scrum-master, dev-agent]
  - id: story
    title: "Story of {{epic_num}}"
    template: |
      **As a** {{role}},
      {{if single_story}} {{High|Medium|Low}} {{project-name}} {n}
  - id: tasks
    title: Tasks
    type: table
    columns: [Name, State]
    rows:
      - [Build | test, open]
      - {Name: Ship}
    sections:
      - id: detail
        title: Detail
        repeatable: true
        condition: there is more to say
        item_template: "- {{step}}"
        examples: ["- one", {a: b}]
        items: [x, {y: z}]
"""


def test_a_document_template_becomes_markdown() -> None:
    template = parse_template(
        DOCUMENT.replace("{format: markdown, filename: docs/stories/{{epic_num}}.md, ", "{format: markdown, "),
        "doc.yaml",
    )
    assert template.dialect == "bmad"
    assert skeleton(template, {"epic_num": 3, "role": "{{x}}"}) == (
        "# Story 3: {{story_title_short}}\n\n"
        "## Status\n\n_Owner: scrum-master_\n\n- Choices: Draft | Done\n\n"
        "## Story of 3\n\n**As a** {{x}},\n{{if single_story}} {{High|Medium|Low}} {{project-name}} {n}\n\n"
        "## Tasks\n\n| Name | State |\n| --- | --- |\n| Build \\| test | open |\n| Ship |  |\n\n"
        "### Detail\n\n_Only if: there is more to say_\n\n- x\n- y: z\n"
    )
    shown = outline(template, {})
    assert "### Detail  [id: detail]\nOnly if: there is more to say\nMay be repeated" in shown
    assert "Each item looks like: - {{step}}\nItem: x\nItem: y: z\nExample: - one\nExample: a: b" in shown
    assert "Owner: scrum-master; may be edited by: scrum-master, dev-agent." in shown


def test_unquoted_placeholders_in_yaml_are_told_at_their_place() -> None:
    with pytest.raises(DefinitionError, match=r"doc\.yaml:5:\d+: error"):
        parse_template(DOCUMENT, "doc.yaml")


def test_files_and_sentences_are_shown_readably_and_whole() -> None:
    template = parse_template("template: {id: t}\nprompts: {unit_tests: '{{ all_inputs }}'}\n", "t.yaml")
    code = "print('</file>')\n"
    source = {"files": [{"path": "a.py", "content": code}], "start": ["python"]}
    given = {"sentences": [{"id": "S1", "text": "One {{ x }}."}], "source_code": source, "feedback": ["late"]}
    shown = template.render("unit_tests", given)[0].content
    assert "<sentences>\nS1: One {{ x }}.\n</sentences>" in shown
    assert f'<file-2 path="a.py">\n{code}\n</file-2>' in shown
    assert '"start": [' in shown
    assert "late" not in shown
