"""Broken files: each is reported with its code at the exact line and column, and nothing else is.

In the texts § stands where the problem must be reported; the test takes it out before linting.
"""

from dataclasses import dataclass, field

import pytest

from botarmy.definitions.codes import CODES
from botarmy.definitions.diagnostics import Diagnostic, Severity
from botarmy.definitions.library import Layer, Library
from botarmy.definitions.lint import lint

MARK = "§"

TEMPLATE = """\
template: {id: prd-template, name: PRD, version: "1.0"}
system: You are the analyst.
prompts:
  project_plan: |
    {{ all_inputs }}
    Write the plan.
  user_requirements: "{{ all_inputs }} Write the requirements."
"""
WORKFLOW = """\
workflow: {id: tiny, version: "1"}
phases:
  - name: One
    agent: analyst
    template: prd-template
    expected_outputs: [project_plan]
  - name: Two
    agent: analyst
    template: prd-template
    dependencies: [One]
    expected_outputs: [user_requirements]
"""
AGENT = "# Analyst\n\n```yaml\nagent:\n  id: analyst\n  title: Analyst\n```\n"
CHECKLIST = "# Requirements\n\n- [ ] Complete (measure: sentences_carried >= 0.9)\n"
SEQUENCE = """\
workflow:
  id: steps
  name: Steps
  sequence:
    - agent: analyst
      creates: prd.md
    - agent: analyst
      creates: story.md
      requires: prd.md
"""
SECTIONS = """\
template:
  id: doc
  name: Document
  version: 1.0
  output: {format: markdown, filename: docs/doc.md}
sections:
  - id: goals
    title: Goals
    type: bullet-list
    instruction: List the goals of {{project_name}}.
"""
TEAM = "team:\n  name: Team\nagents: [analyst]\nworkflows: [tiny]\n"

GOOD = {
    "templates/prd-template.yaml": TEMPLATE,
    "templates/doc.yaml": SECTIONS,
    "templates/partials/rules.j2": "Keep to the facts.\n",
    "workflows/tiny.yaml": WORKFLOW,
    "workflows/steps.yaml": SEQUENCE,
    "agents/analyst.md": AGENT,
    "checklists/requirements.md": CHECKLIST,
    "agent-teams/team.yaml": TEAM,
    "tasks/do.md": "# Do\n\nDo it.\n",
}


@dataclass(frozen=True)
class Broken:
    code: str
    path: str
    content: str | bytes
    line: int = 0
    column: int = 0
    more: dict[str, str] = field(default_factory=dict)
    warning: bool = False


def prompt(text: str, rest: str = "") -> str:
    """A template with one prompt, indented by four."""
    body = "".join(f"    {line}\n" for line in text.split("\n"))
    return f"template: {{id: other, name: Other}}\n{rest}prompts:\n  project_plan: |\n    {{{{ all_inputs }}}}\n{body}"


def other(text: str, **more: str) -> dict[str, str]:
    return {"templates/other.yaml": text, **more}


def phase(change: str, to: str) -> str:
    assert change in WORKFLOW
    return WORKFLOW.replace(change, to, 1)


def step(change: str, to: str) -> str:
    assert change in SEQUENCE
    return SEQUENCE.replace(change, to, 1)


def section(change: str, to: str) -> str:
    assert change in SECTIONS
    return SECTIONS.replace(change, to, 1)


DEEP = "a: " + "[" * 80 + "]" * 80
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 8)
)
W, T, N, S = "workflows/tiny.yaml", "templates/prd-template.yaml", "templates/other.yaml", "workflows/steps.yaml"

FILES = [
    Broken("not-utf8", W, b"workflow: {id: tiny}\nphases: \xff\xfe\n", 2, 9),
    Broken("not-utf8", "tasks/do.md", "# Dö\n\nJa".encode("latin-1"), 1, 4),
    Broken("control-character", W, "workflow: {id: t§\x00iny}\n"),
    Broken("control-character", "tasks/do.md", "# Do\n\nred §\x1b[31m alert\n"),
    Broken("byte-order-mark", T, "\ufeff" + TEMPLATE, 1, 1, warning=True),
    Broken("empty-file", W, "", 1, 1),
    Broken("empty-file", W, "# only a comment\n", 1, 1),
    Broken("empty-file", "tasks/do.md", "\n\n", 1, 1),
    Broken("file-too-large", "data/big.md", "# Big\n" + "x" * 1_000_000, 1, 1),
    Broken("conflict-marker", "tasks/do.md", "# Do\n\n§<<<<<<< HEAD\nyes\n"),
    Broken("unknown-file", "template/typo.yaml", "a: 1\n", 1, 1, warning=True),
    Broken("duplicate-name", "templates/doc.yml", SECTIONS, 1, 1),
]
YAML = [
    Broken("yaml-syntax", W, "workflow: {id: tiny}\nphases: §[a, b\n"),
    Broken("yaml-syntax", W, "workflow:\n  id: tiny\n name: §x\nphases: []\n", 3, 2),
    Broken("yaml-syntax", W, "workflow:\n  id: §'tiny\nphases: []\n"),
    Broken("yaml-quote-runs-on", W, WORKFLOW + 'more: §"begins\nother: here"\n', warning=True),
    Broken("yaml-syntax", W, 'workflow:\n  id: §"tiny\n  version: "1"\nphases: []\n'),
    Broken("yaml-quote", W, "workflow:\n  id: tiny\n  description: a plan§: with colon\nphases: []\n"),
    Broken("yaml-syntax", W, phase("    agent: analyst", "    §agent analyst")),
    Broken("yaml-syntax", W, phase("phases:", "§phases")),
    Broken("yaml-syntax", "core-config.yaml", "qa:\n   §qaLocation: a\n  other: b\n  more: c\n"),
    Broken("yaml-syntax", "core-config.yaml", "qa:\n §qaLocation: a\n  other: b\n  more: c\n"),
    Broken("yaml-tab", W, "workflow:\n§\tid: tiny\n"),
    Broken("yaml-tab", W, "workflow:\r\n  id: tiny\r\n§\tname: x\r\n"),
    Broken("yaml-documents", W, WORKFLOW + "§---\nmore: 1\n"),
    Broken("yaml-tag", W, WORKFLOW.replace('version: "1"', "version: §!!python/name:os.system ''")),
    Broken("yaml-alias", W, "workflow:\n  id: tiny\n  description: §*nothing\n"),
    Broken("yaml-alias", W, "workflow: &w\n  id: tiny\n  more: §*w\n"),
    Broken("yaml-depth", "workflows/deep.yaml", DEEP, 1, 53),
    Broken("yaml-bomb", "workflows/bomb.yaml", BOMB, 5, 55),
    Broken("duplicate-key", W, phase("    agent: analyst\n", "    agent: analyst\n    §agent: analyst\n")),
    Broken("bad-key", W, WORKFLOW + "§[a, b]: c\n"),
]
SHAPE = [
    Broken("wrong-type", W, "§- a\n- b\n"),
    Broken("wrong-type", W, phase("agent: analyst", "agent: §[analyst]")),
    Broken("wrong-type", W, phase("expected_outputs: [project_plan]", "expected_outputs: §project_plan")),
    Broken("wrong-type", W, phase("    agent: analyst\n", "    agent: analyst\n    gate: §strict\n")),
    Broken("wrong-type", W, phase("    agent: analyst\n", "    agent: analyst\n    gate: {max_attempts: §two}\n")),
    Broken("missing-key", W, phase("  - name: One\n    agent: analyst\n", "  - §name: One\n")),
    Broken("missing-key", T, TEMPLATE.replace("id: prd-template, ", "").replace("{name", "§{name")),
    Broken("missing-key", N, "§prompts:\n  project_plan: '{{ all_inputs }}'\n"),
    Broken("empty-value", W, phase("agent: analyst", "§agent:")),
    Broken("empty-value", W, phase("[project_plan]", "§[]")),
    Broken(
        "unknown-key", W, phase("    agent: analyst\n", "    agent: analyst\n    §dependancies: []\n"), warning=True
    ),
    Broken("bad-name", W, phase("name: One", "name: §../One"), more={}),
    Broken("bad-value", W, phase("    agent: analyst\n", "    agent: analyst\n    gate: {quality: §1.5}\n")),
    Broken("bad-value", W, phase("    agent: analyst\n", "    agent: analyst\n    approval: §sometimes\n")),
]
GRAPH = [
    Broken("no-phases", W, "workflow: {id: tiny}\nphases: §[]\n"),
    Broken("duplicate-name", W, phase("name: Two", "name: §One"), more={}),
    Broken("unknown-phase", W, phase("dependencies: [One]", "dependencies: [One, §Tow]")),
    Broken("unknown-output", W, phase("[project_plan]", "[project_plan, §projekt_plan]")),
    Broken("unknown-check", W, phase("    agent: analyst\n", "    agent: analyst\n    checks: [§tets]\n")),
    Broken(
        "unknown-measure", W, phase("    agent: analyst\n", "    agent: analyst\n    gate: {measures: {§coverag: 1}}\n")
    ),
    Broken(
        "unknown-checklist",
        W,
        phase("    agent: analyst\n", "    agent: analyst\n    gate: {checklist: §requirement}\n"),
    ),
    Broken("unknown-agent", W, phase("agent: analyst", "agent: §anlyst")),
    Broken("unknown-template", W, phase("template: prd-template", "template: §prd-tmpl")),
    Broken("dependency-cycle", W, phase("    agent: analyst\n", "    agent: analyst\n    dependencies: [§Two]\n")),
    Broken("dependency-cycle", W, phase("    agent: analyst\n", "    agent: analyst\n    dependencies: [§One]\n")),
    Broken("output-twice", W, phase("[user_requirements]", "[user_requirements, §project_plan]")),
    Broken("output-unmade", W, phase("name: Two", "name: §Two").replace("    dependencies: [One]\n", "")),
    Broken("no-prompt", W, phase("[user_requirements]", "[user_requirements, §success_criteria]")),
    Broken(
        "dependency-order",
        W,
        "workflow: {id: tiny}\nphases:\n"
        "  - {name: B, agent: analyst, template: prd-template, dependencies: [§A], expected_outputs: [user_requirements]}\n"
        "  - {name: A, agent: analyst, template: prd-template, expected_outputs: [project_plan]}\n",
    ),
]
JINJA = [
    Broken("template-syntax", N, prompt("Go on\n§{{ brief brief }}")),
    Broken("template-syntax", N, prompt("a\n{% §frobnicate %}\nb")),
    Broken("template-unclosed", N, prompt("a\n§{% if brief %}\nb\nc")),
    Broken("template-unclosed", N, prompt("a\n§{% for x in sentences %}\n{% if x %}b{% endif %}")),
    Broken("template-syntax", N, prompt("a\n§{{ brief \nb")),
    Broken("undefined-variable", N, prompt("For {{ §bried }}.")),
    Broken("undefined-variable", N, prompt("{% for one in sentences %}{{ one.id }} {{ §oen }}{% endfor %}")),
    Broken(
        "undefined-variable", N, "template: {id: other}\nprompts: {project_plan: '{{ all_inputs }} {{ §nobody }}'}\n"
    ),
    Broken(
        "undefined-variable",
        N,
        "template: {id: other}\nprompts:\n  project_plan: >\n    {{ all_inputs }}\n    and {{ §nobody }}\n",
    ),
    Broken("unknown-filter", N, prompt("{{ brief | §uper }}")),
    Broken("unknown-test", N, prompt("{% if brief is §defind %}x{% endif %}")),
    Broken("unsafe-template", N, prompt("{{ brief.§__class__ }}")),
    Broken("unsafe-template", N, prompt("{{ brief['§__class__'] }}")),
    Broken("unsafe-template", N, prompt("{% for x in sentences §recursive %}{{ loop(x) }}{% endfor %}")),
    Broken("unsafe-template", N, prompt("§{% include brief %}")),
    Broken("unknown-include", N, prompt('{% include §"ruels" %}')),
    Broken("path-escape", N, prompt('{% include §"../../etc/passwd" %}')),
    Broken("path-escape", N, prompt("{% include §'/etc/passwd' %}")),
    Broken(
        "include-cycle",
        "templates/partials/rules.j2",
        "again {% include §'rules' %}\n",
        more=other(prompt("{% include 'rules' %}")),
    ),
    Broken("unused-input", N, "template: {id: other}\nprompts: {project_plan: §Write it.}\n", warning=True),
    Broken("unused-variable", N, prompt("x", "variables:\n  §tone: {default: calm}\n"), warning=True),
    Broken("bad-default", N, prompt("{{ most }}", "variables:\n  most: {type: integer, default: §many}\n")),
    Broken("bad-value", N, prompt("{{ most }}", "variables:\n  most: {type: §int, default: x}\n")),
    Broken("unknown-purpose", N, "template: {id: other}\nprompts: {§projectplan: '{{ all_inputs }}'}\n"),
    Broken(
        "bad-example",
        N,
        prompt("x") + "examples:\n  project_plan:\n    title: A\n    purpose: B\n    goals: §none\n    scope: []\n",
    ),
]
BASE = 'template: {id: base}\nprompts:\n  project_plan: "{{ all_inputs }}{% block end %}End.{% endblock %}"\n'
INHERITANCE = [
    Broken("unknown-template", N, "template: {id: other}\nextends: §bsae\n", more={"templates/base.yaml": BASE}),
    Broken("self-inheritance", N, "template: {id: other}\nextends: §other\n"),
    Broken(
        "missing-block",
        N,
        "template: {id: other}\nextends: base\nblocks:\n  §edn: Over.\n",
        more={"templates/base.yaml": BASE},
    ),
    Broken(
        "remove-unknown",
        N,
        "template: {id: other}\nextends: base\nremove: [§prompts.none]\n",
        more={"templates/base.yaml": BASE},
    ),
    Broken(
        "override-without-effect",
        N,
        'template: {id: other}\nextends: base\nprompts:\n  project_plan: "§{{ all_inputs }}{% block end %}End.{% endblock %}"\n',
        more={"templates/base.yaml": BASE},
    ),
    Broken(
        "undefined-variable",
        N,
        "template: {id: other}\nextends: base\nblocks:\n  end: Over {{ §it }}.\n",
        more={"templates/base.yaml": BASE},
    ),
    Broken("no-sections", N, "§template: {id: other, name: Other}\n"),
    Broken("no-sections", N, "template: {id: other, name: Other}\n§section: []\n"),
]
BMAD = [
    Broken("missing-key", "templates/doc.yaml", section("  - id: goals\n    title", "  - §title")),
    Broken(
        "wrong-type", "templates/doc.yaml", SECTIONS[: SECTIONS.index("  - id")].replace("sections:", "sections: §none")
    ),
    Broken("wrong-type", "templates/doc.yaml", section("    title: Goals", "    elicit: §maybe")),
    Broken("bad-value", "templates/doc.yaml", section("type: bullet-list", "type: §bulletlist"), warning=True),
    Broken("unknown-key", "templates/doc.yaml", section("    title: Goals", "    §titel: Goals"), warning=True),
    Broken("duplicate-id", "templates/doc.yaml", SECTIONS + "  - id: §goals\n    title: Again\n", warning=True),
    Broken("placeholder-unclosed", "templates/doc.yaml", section("{{project_name}}", "§{{project_name}"), warning=True),
    Broken(
        "bad-value", "templates/doc.yaml", SECTIONS + "    columns: [A, B]\n    rows:\n      - §[1]\n", warning=True
    ),
    Broken("missing-key", S, step("    - agent: analyst\n      creates: prd.md", "    - §creates: prd.md")),
    Broken("unknown-agent", S, step("agent: analyst", "agent: §analist"), warning=True),
    Broken("external-input", S, step("requires: prd.md", "requires: §prdd.md"), warning=True),
    Broken("unreachable-phase", S, step("creates: prd.md", "creates: prd.md\n      requires: §story.md"), warning=True),
    Broken("unknown-reference", S, step("creates: prd.md", "creates: prd.md\n      uses: §prd-tmpll"), warning=True),
    Broken("wrong-type", S, step("creates: prd.md", "creates: prd.md\n      optional: §maybe")),
    Broken(
        "unknown-agent",
        S,
        step(
            "      creates: prd.md",
            "      routes:\n        small: {agent: §analist, uses: do}\n        big: {continue: to_next}",
        ),
        warning=True,
    ),
    Broken("wrong-type", S, step("      creates: prd.md", "      routes: {small: §do}")),
    Broken("name-differs", S, step("id: steps", "id: §step"), warning=True),
]
MARKDOWN = [
    Broken("fence-unclosed", "tasks/do.md", "# Do\n\n  §```bash\n  ls\n\nmore\n"),
    Broken("comment-unclosed", "tasks/do.md", "# Do\n\ntext §<!-- hidden\nall the rest\n"),
    Broken("instruction-unclosed", "checklists/requirements.md", "# R\n\n§[[LLM: Think\n\n- [ ] a\n"),
    Broken("no-heading", "tasks/do.md", "§Do it.\n", warning=True),
    Broken("no-items", "checklists/requirements.md", "§# R\n\nnothing\n", warning=True),
    Broken("bad-item", "checklists/requirements.md", "# R\n\n- [ ] a\n§-[ ] b\n", warning=True),
    Broken("unknown-measure", "checklists/requirements.md", "# R\n\n- [ ] a (measure: §coverge >= 0.5)\n"),
    Broken("unknown-check", "checklists/requirements.md", "# R\n\n- [ ] a (check: §test)\n"),
    Broken("bad-value", "checklists/requirements.md", "# R\n\n- [ ] a (measure: §coverage >= 7)\n"),
    Broken("unknown-reference", "tasks/do.md", "# Do\n\nRead §.bmad-core/tasks/dont.md first.\n", warning=True),
    Broken("no-agent-block", "agents/analyst.md", "§# Analyst\n\nA person.\n"),
    Broken("missing-key", "agents/analyst.md", "# A\n\n```yaml\n§persona: {role: x}\n```\n"),
    Broken("yaml-syntax", "agents/analyst.md", "# A\n\n```yaml\nagent:\n  id: §[analyst\n```\n"),
    Broken(
        "unknown-reference",
        "agents/analyst.md",
        AGENT.replace("```\n", "") + "dependencies:\n  tasks: [§did.md]\n```\n",
        warning=True,
    ),
    Broken("name-differs", "agents/analyst.md", AGENT.replace("id: analyst", "id: §annalyst"), warning=True),
]
TEAMS = [
    Broken("unknown-agent", "agent-teams/team.yaml", TEAM.replace("[analyst]", "[§analist]")),
    Broken("unknown-agent", "agent-teams/team.yaml", "bundle:\n  name: T\nagents: [§analist]\n", warning=True),
    Broken("unknown-workflow", "agent-teams/team.yaml", TEAM.replace("[tiny]", "[§tinny]")),
    Broken("unknown-provider", "agent-teams/team.yaml", TEAM.replace("name: Team", "name: Team\n  provider: §oflline")),
    Broken("missing-key", "agent-teams/team.yaml", "§team:\n  name: Team\n"),
    Broken("duplicate-name", "agent-teams/team.yaml", TEAM.replace("[analyst]", "[analyst, §analyst]")),
]
ALL = [*FILES, *YAML, *SHAPE, *GRAPH, *JINJA, *INHERITANCE, *BMAD, *MARKDOWN, *TEAMS]


def run(case: Broken) -> tuple[list[Diagnostic], int, int]:
    content = case.content
    line, column = case.line, case.column
    if isinstance(content, str):
        if MARK in content:
            before = content.split(MARK)[0].removeprefix("\ufeff")
            if not line:
                line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
            content = content.replace(MARK, "")
        content = content.encode()
    files = {path: text.encode() for path, text in {**GOOD, **case.more}.items()} | {case.path: content}
    report = lint(Library((Layer("here", "core", files),)), providers=("offline", "openai"))
    return list(report.diagnostics), line, column


def test_the_good_files_have_no_problem() -> None:
    files = {path: text.encode() for path, text in GOOD.items()}
    assert lint(Library((Layer("here", "core", files),)), providers=("offline",)).diagnostics == ()


@pytest.mark.parametrize("case", ALL, ids=[f"{number}-{case.code}" for number, case in enumerate(ALL)])
def test_each_break_is_told_at_its_place_and_nothing_else(case: Broken) -> None:
    found, line, column = run(case)
    shown = "\n".join(one.render() for one in found)
    wanted = Severity.warning if case.warning else Severity.error
    assert any(
        (one.code, one.file, one.line, one.column, one.severity)
        == (case.code, f"core/{case.path}", line, column, wanted)
        for one in found
    ), f"wanted {case.code} at {case.path}:{line}:{column}, got:\n{shown}"
    errors = {one.code for one in found if one.severity is Severity.error and one.file == f"core/{case.path}"}
    assert errors <= {case.code}, shown
    assert all(one.hint and one.message.endswith(".") for one in found), shown


def test_the_table_covers_what_the_format_can_break() -> None:
    assert len(ALL) >= 60
    untold = set(CODES) - {case.code for case in ALL}
    # What needs a real file system, or several layers, or very many files, is tested with those.
    assert untold == {
        "chain-too-long",
        "too-many-files",
        "unreadable-file",
        "outside-link",
        "nothing-here",
        "team-lacks-agent",
    }
