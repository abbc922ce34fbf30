"""Whatever the bytes, a file loads or is told; nothing but our own errors comes out."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from botarmy.definitions.library import Layer, Library
from botarmy.definitions.lint import lint
from botarmy.definitions.resolve import resolve_workflow
from botarmy.errors import BotArmyError
from botarmy.prompts import parse_template
from botarmy.workflow import parse_workflow

PATHS = (
    "templates/t.yaml", "templates/partials/p.j2", "workflows/w.yaml", "agent-teams/t.yaml", "agents/a.md", "tasks/t.md",
    "checklists/c.md", "data/d.md", "data/d.yaml", "core-config.yaml", "other.bin",
)  # fmt: skip
WORDS = st.sampled_from(
    ["template:", "workflow:", "phases:", "sequence:", "sections:", "prompts:", "agents:", "id:", "name:", "- ", "  ", "    ",
     "\n", "{{ ", " }}", "{% if x %}", "{% endif %}", "{% for a in b %}", "[", "]", "{", "}", "|", ">", "'", '"', "&a ", "*a",
     "!!int", "```yaml\n", "```\n", "[[LLM:", "<!--", "- [ ] x", "(measure: a >= 2)", "extends: t", "include 'p'", "\t", ":",
     "agent", "creates", "requires: x", "routes: {a: {agent: b}}", "~", "<<: *a", "---", "é", "\u2028", "\x00", "0x", "1e9", ".inf"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=40).map("".join)
DATA = st.dictionaries(
    st.sampled_from(PATHS), st.one_of(st.binary(max_size=300), TEXTS.map(lambda t: t.encode())), max_size=5
)


@settings(max_examples=150, deadline=None)
@given(DATA)
def test_lint_reports_and_never_raises(files: dict[str, bytes]) -> None:
    library = Library((Layer("any", "any", files),))
    report = lint(library, ("offline",))
    json.dumps(report.as_json())
    assert lint(Library((Layer("any", "any", files),)), ("offline",)) == report
    for one in report.diagnostics:
        assert one.line >= 1
        assert one.column >= 1
        one.render()
    for name in library.names("workflow"):
        with suppress(BotArmyError):
            assert resolve_workflow(library, name).phases


@settings(max_examples=100, deadline=None)
@given(TEXTS | st.text(max_size=200))
def test_single_files_parse_or_raise_our_error(text: str) -> None:
    for parse in (parse_workflow, parse_template):
        with suppress(BotArmyError):
            assert parse(text, "any.yaml").name


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=200),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3)),
)
def test_values_come_out_unchanged(brief: str, value: object) -> None:
    text = "template: {id: t}\nprompts: {project_plan: '{{ brief }}|{{ plan | json }}|end'}\nvariables: {plan: {type: list}}\n"
    messages = parse_template(text, "t.yaml").render("project_plan", {"brief": brief, "plan": [value]})
    shown = messages[0].content.removesuffix("|end\n")
    wanted = f"{brief}|{json.dumps([value], ensure_ascii=False)}"
    assert shown == wanted.lstrip("\n")
