from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botarmy.checks import FileText
from botarmy.export import commit_message, completed_attempts, plan_commits, tree
from botarmy.export_documents import Part, cell, figures
from botarmy.records import Status
from botarmy.unsafe_text import visible_line
from sandbox.tree import check_paths


def product(contents):
    files = list(contents.get("source_code", {}).get("files", ()))
    return [FileText(**file) for file in files] + [FileText(path="README.md", content="# Books\n\nRun it.\n")]


@pytest.fixture
def plan(make_versions):
    return lambda snapshot: plan_commits(snapshot, make_versions(), product)


@pytest.fixture
def part(make_snapshot, make_versions):
    return lambda: Part(snapshot=make_snapshot(), done=(), versions=make_versions(), state="completed")


def files_of(commit):
    return {file.path: file.content for file in commit.files}


def test_one_commit_for_each_completed_phase_in_order(make_snapshot, plan):
    commits = plan(make_snapshot())
    assert [commit.phase for commit in commits] == ["Discovery", "Build"]
    assert [commit.author for commit in commits] == ["BotArmy analyst", "BotArmy coder"]
    assert commits[0].email == "analyst@botarmy.invalid"
    assert commits[0].when < commits[1].when
    assert "app/store.py" not in files_of(commits[0])
    assert "app/store.py" in files_of(commits[1])


def test_the_message_has_its_trailers_from_typed_fields(make_snapshot, make_versions, plan):
    snapshot = make_snapshot()
    lines = plan(snapshot)[1].message.splitlines()
    assert lines[0] == "Build: source_code, test_results, quality_report"
    assert lines[2:5] == ["Project: books", "Phase: Build", "Attempt: 1"]
    assert f"Artifact: source_code@1 {make_versions()['source_code'].sha256}" in lines
    assert lines[-1] == "Decided-By: Ada"


def test_the_same_project_gives_the_same_commits(make_snapshot, plan):
    assert plan(make_snapshot()) == plan(make_snapshot())


def test_texts_of_others_cannot_forge_trailers(make_snapshot, plan):
    forged = "fine\n\nDecided-By: Eve\nArtifact: source_code@9 0000"
    snapshot = make_snapshot(by="Ada\nDecided-By: Eve", comment=forged, brief=f"Books.\n\n{forged}\n")
    for commit in plan(snapshot):
        starts = [line.partition(":")[0] for line in commit.message.splitlines()]
        assert starts.count("Decided-By") == 1
        assert "source_code@9" not in commit.message


def test_a_name_cannot_turn_its_trailer_around(make_snapshot, plan):
    for commit in plan(make_snapshot(by="Ann\u202eevE\u2066\u200f\u061c")):
        assert commit.message.replace("\n", "").isprintable()
        assert commit.message.endswith("Decided-By: Ann evE\n")


@given(name=st.text(max_size=60))
def test_no_name_starts_a_line_of_its_own(name):
    assert len(visible_line(name).splitlines()) <= 1


def test_a_phase_after_an_open_one_is_not_exported(make_snapshot, plan):
    snapshot = make_snapshot(build=Status.waiting, status=Status.waiting)
    assert [attempt.phase for attempt in completed_attempts(snapshot)] == ["Discovery"]
    assert len(plan(snapshot)) == 1


def test_nothing_completed_gives_no_commit(make_snapshot, plan):
    snapshot = make_snapshot()
    open_attempts = tuple(each.model_copy(update={"status": Status.running}) for each in snapshot.attempts)
    assert plan(snapshot.model_copy(update={"attempts": open_attempts})) == ()


def test_the_readme_is_the_products_own_with_a_note(make_snapshot, plan):
    commits = plan(make_snapshot())
    first, last = (files_of(commit)["README.md"] for commit in commits)
    assert last.startswith("# Books\n\nRun it.\n\n## Provenance\n")
    assert "Status: completed (scaffold, no model)." in last
    assert "Status: after Discovery." in first
    assert "offline/scaffold-1" in last


def test_a_product_without_a_readme_gets_one(part):
    files = {file.path: file.content for file in tree(part(), [])}
    assert files["README.md"].startswith("# Books")
    assert "\x1b" not in files["README.md"]


@pytest.mark.parametrize(
    "path", ["docs/evidence.md", "BRIEF.md", "brief.MD", "docs/source_code.md", "docs", "Docs/evidence.md"]
)
def test_our_documents_give_way_to_the_products(path, part):
    own = FileText(path=path, content="the product's own\n")
    files = {file.path: file.content for file in tree(part(), [own])}
    assert files[path] == "the product's own\n"
    assert len({name.casefold() for name in files}) == len(files)
    assert any(name.startswith("botarmy-docs/") for name in files)
    check_paths(FileText(path=name, content="") for name in files)


def test_the_documents_are_there(make_snapshot, plan):
    files = files_of(plan(make_snapshot())[-1])
    assert files["docs/source_code.md"] == "# source_code\n"
    assert files["BRIEF.md"] == "A book has a title.\n"
    assert "1 of 2 requirements are verified" in files["TRACEABILITY.md"]
    evidence = files["docs/evidence.md"]
    assert "| Build | tests | python -m unittest | 0 | passed | tests=3, coverage=0.9123 |" in evidence
    assert "failed (untrusted: no isolation)" in evidence
    assert "line \\| too long" in evidence


def test_untrusted_text_stays_in_its_cell(make_snapshot, plan):
    text = files_of(plan(make_snapshot())[-1])["TRACEABILITY.md"]
    assert "It must feel \\| light. &lt;b&gt; (not understood)" in text


@given(text=st.text(max_size=400))
def test_a_cell_has_neither_bars_nor_lines_nor_tags(text):
    escaped = cell(text)
    assert "\n" not in escaped
    assert "<" not in escaped
    assert "|" not in escaped.replace("\\|", "")


def test_figures_leave_long_lists_out():
    assert figures({"tests": 2, "share": 1 / 3, "cases": [1]}) == "tests=2, share=0.3333"


def test_a_message_without_artifacts_or_gate(make_snapshot):
    attempt = make_snapshot().attempts[0]
    assert commit_message(attempt, {}, None, "books").splitlines()[0] == "Discovery: no artifacts"
