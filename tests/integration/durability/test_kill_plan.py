"""The plan of benchmarks/kills.py: it knows every crash point of the code, draws each, and refuses to run otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import kills
import kills_points
from kills_plan import BUDGET, DEPLOYED, Kill, Plan, everything, points


def drawn(count: int, seed: int) -> list[Kill]:
    plan, found = Plan(count, seed), list[Kill]()
    while (story := plan.next()) is not None:
        assert len(set(story.kills)) == len(story.kills), "no story is killed twice at one point"
        found += story.kills
    return found


def test_the_plan_knows_every_point_of_the_code() -> None:
    assert kills.unknown_points() == []


@pytest.mark.parametrize("seed", range(20))
def test_a_full_run_draws_every_point(seed: int) -> None:
    assert everything() - {kill.crash for kill in drawn(500, seed)} == set()


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(120, 3) == drawn(120, 3) != drawn(120, 4)
    assert len(drawn(120, 3)) == 120


def test_what_came_too_late_is_drawn_again() -> None:
    plan = Plan(9, 1)
    story = plan.next()
    assert story is not None
    assert plan.next() is None
    late = [kill for kill in story.kills if kill.target == "point"][:2]
    plan.too_late(story, late)
    again = plan.next()
    assert again is not None
    assert len(again.kills) == len(late)
    assert again.way == story.way
    assert plan.next() is None


def test_a_kill_is_on_its_storys_way() -> None:
    plan = Plan(500, 7)
    while (story := plan.next()) is not None:
        for kill in (each for each in story.kills if each.route):
            way = story.amend if "amended" in kill.crash else story.routes[kill.phase]
            assert kill.route == way, f"{story.slug}: {kill}"


def test_points_are_read_from_the_source(tmp_path: Path) -> None:
    room = tmp_path / "tasks"
    room.mkdir()
    (room / "new.py").write_text('point("a.before", x)\nruntime.commit("b", phase)\nconnection.commit()\n', "utf-8")
    assert kills_points.in_source(tmp_path) == {"a.before", "b.before", "b.after"}
    (room / "new.py").write_text("runtime.commit(name)\n", "utf-8")
    with pytest.raises(kills_points.Unreadable, match=r"tasks/new\.py:1"):
        kills_points.in_source(tmp_path)


@pytest.mark.parametrize("change", [{"new.before"}, None])
def test_the_harness_refuses_where_plan_and_code_differ(
    change: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = kills_points.in_source()
    monkeypatch.setattr(kills, "in_source", lambda: code | change if change else code - {"save.before"})
    monkeypatch.setattr(sys, "argv", ["kills.py", "1"])
    assert kills.main() == 2
    assert ("new.before" if change else "save.before") in capsys.readouterr().err


def test_the_gates_of_all_phases_and_of_the_budget_are_in_it() -> None:
    named = {kill.crash for kill in (*points(DEPLOYED), *points(BUDGET))}
    for step in ("opened.before", "shown.after", "answered", "written.before", "resumed.after", "amended.before"):
        assert f"gate.{step}@Discovery" in named
    assert {"gate.resumed.before@Launch", "budget.opened.after", "budget.resumed.before"} <= named
