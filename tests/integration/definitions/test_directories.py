"""Real directories: layers, overrides, changed files, links, unreadable files, teams, the commands."""

import json
import os
import time
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from botarmy.definitions.lint import LintReport
from botarmy.errors import DefinitionError, SettingsError, UnknownName
from cli.explain import explain
from cli.lint import lint
from storage.definitions import Core, core_directories, default_directory, load_core, parse_flags


def put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return root


def over(root: Path) -> Core:
    return load_core(default_directory(), root)


def codes(report: LintReport) -> list[tuple[str, str]]:
    return [(Path(one.file).name, one.code) for one in report.diagnostics]


def test_our_own_definitions_have_no_problem() -> None:
    report = load_core(default_directory()).lint(("offline", "openai"))
    assert report.diagnostics == ()
    assert report.kinds == {"workflow": 2, "template": 8, "partial": 4, "team": 2, "agent": 5, "checklist": 6}


def test_one_block_of_our_template_can_be_changed(tmp_path: Path) -> None:
    put(
        tmp_path,
        "templates/prd-template.yaml",
        "template: {id: prd-template, version: 9}\nextends: prd-template\nsystem: Short.\n",
    )
    core = over(tmp_path)
    assert core.lint().diagnostics == ()
    template = core.template("prd-template")
    system, user = template.render("project_plan", {"brief": "B", "sentences": []})
    assert system.content == "Short.\n"
    assert "# What belongs where" in user.content
    assert core.explain("template", "prd-template").replaced == (
        str(default_directory() / "templates/prd-template.yaml"),
    )


def test_a_partial_of_ours_can_be_replaced(tmp_path: Path) -> None:
    put(tmp_path, "templates/partials/house-rules.j2", "Rules of another house.\n")
    system = over(tmp_path).template("testing-template").render("acceptance_tests", {"brief": "B"})[0]
    assert "Rules of another house." in system.content


def test_overrides_without_effect_are_errors(tmp_path: Path) -> None:
    same = (default_directory() / "checklists/plan-checklist.md").read_text(encoding="utf-8")
    put(tmp_path, "checklists/plan-checklist.md", same)
    put(tmp_path, "checklists/plan-checklst.md", "# Plan\n\n- [ ] Mine\n")
    text = (default_directory() / "templates/testing-template.yaml").read_text(encoding="utf-8")
    put(tmp_path, "templates/my-testing.yaml", text.replace("You are the tester", "You are our tester"))
    report = over(tmp_path).lint()
    assert codes(report) == [
        ("plan-checklist.md", "override-without-effect"),
        ("plan-checklst.md", "override-without-effect"),
        ("my-testing.yaml", "override-without-effect"),
    ]
    assert report.diagnostics[2].hint == 'Name it "testing-template".'


def test_what_a_workflow_uses_is_no_stray_override(tmp_path: Path) -> None:
    put(tmp_path, "templates/prd-templates.yaml", "template: {id: mine}\nextends: prd-template\nsystem: Mine.\n")
    put(
        tmp_path,
        "workflows/mine.yaml",
        "workflow: {id: mine}\nphases:\n  - name: One\n    agent: analyst\n    template: prd-templates\n"
        "    expected_outputs: [project_plan]\n",
    )
    assert over(tmp_path).lint().diagnostics == ()
    assert over(tmp_path).workflow("mine").phases[0].template == "prd-templates"


def test_a_checklist_becomes_criteria_and_the_workflow_has_the_last_word(tmp_path: Path) -> None:
    put(
        tmp_path,
        "checklists/build-checklist.md",
        "# Build\n\n- [ ] Covered (measure: coverage >= 0.9)\n- [ ] Starts (check: health)\n- [ ] Reads well\n",
    )
    build = next(one for one in over(tmp_path).workflow("sdlc").phases if one.name == "Build")
    assert build.gate.measures["coverage"] == 0.7, "the workflow's own threshold stays"
    assert build.checks[-1] == "health"
    assert build.gate.questions == ("Reads well",)
    fast = next(one for one in over(tmp_path).workflow("fast").phases if one.name == "Build")
    assert fast.gate.measures == {"coverage": 0.9}


def test_changed_new_and_removed_files_are_noticed(tmp_path: Path) -> None:
    put(tmp_path, "tasks/do.md", "# One\n")
    core = over(tmp_path)
    assert core.library.instruction("task", "do").title == "One"
    before = core.library
    assert core.library is before, "nothing changed, nothing is read again"
    put(tmp_path, "tasks/do.md", "# Two\n")
    os.utime(tmp_path / "tasks/do.md", ns=(time.time_ns(), time.time_ns() + 10**9))
    assert core.library.instruction("task", "do").title == "Two"
    put(tmp_path, "tasks/more.md", "# More\n")
    assert "more" in core.library.names("task")
    (tmp_path / "tasks/do.md").unlink()
    with pytest.raises(UnknownName, match='no task "do"'):
        core.library.instruction("task", "do")


def test_links_that_leave_the_directory_are_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", "secret.md", "# Secret\n")
    root = put(tmp_path / "core", "tasks/do.md", "# Do\n")
    (root / "tasks/out.md").symlink_to(outside / "secret.md")
    (root / "data").symlink_to(outside)
    (root / "tasks/in.md").symlink_to(root / "tasks/do.md")
    report = load_core(root).lint()
    assert codes(report) == [("data", "outside-link"), ("out.md", "outside-link")]
    assert load_core(root).library.names("task") == ("do", "in")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    put(tmp_path, "tasks/do.md", "# Do\n")
    os.mkfifo(tmp_path / "tasks/pipe.md")
    (tmp_path / "tasks/gone.md").symlink_to(tmp_path / "tasks/nowhere.md")
    report = load_core(tmp_path).lint()
    assert codes(report) == [("gone.md", "unreadable-file"), ("pipe.md", "unreadable-file")]


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    put(tmp_path, "tasks/do.md", "# Do\n")
    with (tmp_path / "tasks/huge.md").open("wb") as file:
        file.truncate(3 * 10**9)
    tracemalloc.start()
    try:
        assert codes(load_core(tmp_path).lint()) == [("huge.md", "file-too-large")]
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_a_directory_with_too_many_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    for number in range(2001):
        (tmp_path / f"tasks/t{number}.md").write_text("# T\n")
    assert ("too-many-files") in [one.code for one in load_core(tmp_path).lint().diagnostics]


def test_the_directory_above_can_be_named(tmp_path: Path) -> None:
    put(tmp_path, ".bmad-core/tasks/do.md", "# Do\n")
    assert load_core(tmp_path).library.names("task") == ("do",)
    assert core_directories(None, tmp_path) == (default_directory(), tmp_path / ".bmad-core")


def test_an_empty_and_an_absent_directory_are_told(tmp_path: Path) -> None:
    assert [one.code for one in load_core(tmp_path).lint().diagnostics] == ["nothing-here"]
    with pytest.raises(DefinitionError, match="does not exist"):
        load_core(tmp_path / "absent")
    put(tmp_path, "file", "x")
    with pytest.raises(DefinitionError, match="is a file"):
        load_core(tmp_path / "file")


def test_an_agents_file_stands_in_front_of_its_prompts(tmp_path: Path) -> None:
    text = "# A\n\n```yaml\nagent: {id: analyst, title: Seer, customization: 'Use {{ no }} jargon.'}\n```\n"
    put(tmp_path, "agents/analyst.md", text)
    core = over(tmp_path)
    plain = core.template("prd-template")
    own = core.template("prd-template", "analyst")
    system = own.render("project_plan", {"brief": "B", "sentences": []})[0].content
    assert system.startswith(
        "You are analyst, Seer.\n\nThis takes precedence over everything above:\nUse {{ no }} jargon.\n\nYou are"
    )
    assert own.sha256 != plain.sha256
    assert core.template("prd-template", "nobody") == plain


def test_every_kind_can_be_explained(tmp_path: Path) -> None:
    put(tmp_path, "tasks/do.md", "# Do\n\nDo it.\n")
    core = over(tmp_path)
    for kind in ("workflow", "template", "partial", "team", "agent", "checklist", "task"):
        for name in core.library.names(kind):
            found = core.explain(kind, name)
            assert found.files, (kind, name)
            assert found.render().startswith(f"{kind} {name}\n  from ")
    with pytest.raises(UnknownName) as caught:
        core.explain("templates", "prd-template")
    assert caught.value.hint == 'Did you mean "template"?'
    with pytest.raises(UnknownName, match="no workflow of steps"):
        core.explain("template", "sdlc/Plan")


# -- teams


def test_teams_give_providers_and_models(tmp_path: Path) -> None:
    put(
        tmp_path,
        "agent-teams/mixed.yaml",
        "team: {name: Mixed, provider: openai, model: big}\nagents:\n  - analyst\n"
        "  - {agent: coder, provider: anthropic, model: huge}\n  - '*'\n",
    )
    put(tmp_path, "agents/tester.md", "# T\n\n```yaml\nagent: {id: tester, provider: gemini, model: g}\n```\n")
    put(tmp_path, "agent-teams/plain.yaml", "team: {name: Plain}\nagents: '*'\n")
    core = over(tmp_path)
    mixed = core.team("mixed", "sdlc")
    assert {name: (one.provider, one.model) for name, one in mixed.items()} == {
        "analyst": ("openai", "big"),
        "architect": ("openai", "big"),
        "coder": ("anthropic", "huge"),
        "tester": ("openai", "big"),
        "deployer": ("openai", "big"),
    }
    assert core.team("plain", "sdlc")["tester"].provider == "gemini"
    assert core.team("plain", "sdlc")["coder"].provider == ""


def test_a_team_must_fit_the_workflow() -> None:
    core = load_core(default_directory())
    assert set(core.team("trial-team", "fast")) == {"analyst", "architect", "coder"}
    assert {one.provider for one in core.team("trial-team", "fast").values()} == {"offline"}
    with pytest.raises(DefinitionError, match='does not do the workflow "sdlc"'):
        core.team("trial-team", "sdlc")
    with pytest.raises(UnknownName) as caught:
        core.team("trial", "fast")
    assert caught.value.hint == 'Did you mean "trial-team"?'


def test_a_team_that_lacks_an_agent_is_told(tmp_path: Path) -> None:
    put(tmp_path, "agent-teams/small.yaml", "team: {name: Small}\nagents: [analyst, coder]\n")
    with pytest.raises(DefinitionError, match=r"lacks architect, tester, deployer.*\[team-lacks-agent\]"):
        over(tmp_path).team("small", "sdlc")


# -- commands


def test_lint_prints_problems_and_exits_with_2(tmp_path: Path) -> None:
    put(
        tmp_path,
        "workflows/w.yaml",
        "workflow: {id: w}\nphases: [{name: A, agent: analist, template: prd-template, expected_outputs: [project_plan]}]\n",
    )
    result = CliRunner().invoke(lint, [str(tmp_path)])
    assert result.exit_code == 2
    assert 'w.yaml:2:27: error: There is no agent "analist". [unknown-agent]' in result.output
    assert 'hint: Did you mean "analyst"?' in result.output
    assert result.output.endswith("1 errors, 0 warnings.\n")
    report = json.loads(CliRunner().invoke(lint, [str(tmp_path), "--json"]).output)
    assert report["errors"] == 1
    assert report["diagnostics"][0]["code"] == "unknown-agent"
    assert (report["diagnostics"][0]["line"], report["diagnostics"][0]["column"]) == (2, 27)


def test_lint_fails_on_warnings_only_when_asked(tmp_path: Path) -> None:
    put(tmp_path, "tasks/t.md", "no heading\n")
    assert CliRunner().invoke(lint, [str(tmp_path), "--alone"]).exit_code == 0
    assert CliRunner().invoke(lint, [str(tmp_path), "--alone", "--strict"]).exit_code == 2


def test_explain_shows_parts_and_places(tmp_path: Path) -> None:
    result = CliRunner().invoke(explain, ["workflow", "fast"])
    assert result.exit_code == 0, result.output
    assert "phase Build" in result.output
    assert "fast-workflow.yaml:" in result.output
    found = json.loads(CliRunner().invoke(explain, ["template", "specify-template", "--json"]).output)
    places = {part["name"]: part["place"] for part in found["parts"]}
    assert places["prompts.project_plan"].rsplit("/", 1)[1].startswith("prd-template.yaml:")
    assert places["system"].rsplit("/", 1)[1].startswith("specify-template.yaml:")


def test_decided_conditions_are_parsed() -> None:
    assert parse_flags(["a", "b=no", "c=yes"]) == {"a": True, "b": False, "c": True}
    with pytest.raises(SettingsError, match="decides no condition"):
        parse_flags(["a=perhaps"])
