"""What a process reads before it forks: used by later cores as long as the files are as they were."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from botarmy.errors import DefinitionError
from storage import definitions
from storage.definitions import load_core, read_ahead

WORKFLOW = Path("workflows") / "sdlc-workflow.yaml"
STEPS = """\
workflow:
  id: steps
  name: Steps
  sequence:
    - agent: analyst
      creates: brief.md
    - agent: analyst
      creates: screens.md
      condition: ui
"""


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the definitions that come with BotArmy, in their place."""
    copy = tmp_path / "definitions"
    shutil.copytree(definitions.default_directory(), copy)
    monkeypatch.setattr(definitions, "default_directory", lambda: copy)
    monkeypatch.setattr(definitions, "_read_ahead", {})
    return copy


def test_what_was_read_is_used_again(ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_ahead()

    def refused(*_: object) -> None:
        raise AssertionError("a file is read that was read before")

    with monkeypatch.context() as context:
        context.setattr(definitions._Directory, "_content", refused)
        core = load_core(ours)
        assert core.workflow("sdlc").name == "sdlc"
        assert core.template("prd-template", "analyst").purposes
    above = tmp_path / "above"
    above.mkdir()
    assert load_core(ours).layers is core.layers
    assert load_core(ours, above).layers is not core.layers, "other directories have other definitions"


def test_what_is_decided_of_a_workflow_is_not_shared(ours: Path) -> None:
    (ours / "workflows" / "steps.yaml").write_text(STEPS, "utf-8")
    read_ahead()
    every, without = load_core(ours, flags={"ui": True}), load_core(ours, flags={"ui": False})
    assert every.layers is without.layers
    made = [
        [kind for phase in core.workflow("steps").phases for kind in phase.expected_outputs]
        for core in (every, without)
    ]
    assert made == [["brief", "screens"], ["brief"]]


def test_a_file_that_was_changed_is_read_anew(ours: Path) -> None:
    read_ahead()
    path = ours / WORKFLOW
    text = path.read_text("utf-8").replace("name: Launch", "name: Liftoff")
    path.write_text(text, "utf-8")
    path.with_name("another-workflow.yaml").write_text(text.replace("id: sdlc", "id: another"), "utf-8")
    (ours / "workflows" / "fast-workflow.yaml").unlink()
    core = load_core(ours)
    assert core.workflow("sdlc").phases[-1].name == "Liftoff"
    assert core.workflow_names() == ("another", "sdlc")


def test_what_is_wrong_is_told_by_whoever_uses_it(ours: Path) -> None:
    (ours / WORKFLOW).write_text("workflow: [", "utf-8")
    read_ahead()
    with pytest.raises(DefinitionError):
        load_core(ours).workflow("sdlc")
    assert load_core(ours).workflow("fast").phases
    shutil.rmtree(ours)
    read_ahead()
