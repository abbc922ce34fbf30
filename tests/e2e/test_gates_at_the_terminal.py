"""`--gates ask`: the terminal asks at every gate, and asks again where the answer cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

from tests.factories.product import SMALL_BRIEF, Product
from tests.factories.terminal import QUESTION, on_a_terminal


def test_the_terminal_asks_until_the_answer_can_be_used(product: Product, tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(SMALL_BRIEF.format(name="asked"), "utf-8")
    with on_a_terminal(product, "run", str(brief), "--project", "asked", "--gates", "ask") as terminal:
        shown = terminal.expect(QUESTION)
        assert "Discovery, attempt 1" in shown
        assert "botarmy artifact asked project_plan" in shown
        terminal.answer("perhaps")
        terminal.expect(QUESTION)
        terminal.answer("reject")
        terminal.expect("What must be different")
        terminal.answer("")
        terminal.expect("What must be different")
        terminal.answer("Each book has a unique isbn.")
        shown = terminal.expect(QUESTION)
        assert "Discovery, attempt 2" in shown
        assert "--diff 1 2" in shown
        terminal.answer("approve")
        assert "Plan, attempt 1" in terminal.expect(QUESTION)
        # Somebody else is faster: the terminal hears who, and the run goes on.
        gate = product.gate("asked", "Plan")
        assert product.run("approve", gate["id"], "--by", "Bea").returncode == 0
        terminal.answer("reject")
        terminal.expect("What must be different")
        terminal.answer("No.")
        assert "Design, attempt 1" in terminal.expect(QUESTION)
        terminal.answer("later")
        assert terminal.end() == 3
        assert "botarmy run --project asked" in terminal.seen
    assert "isbn" in product.run("artifact", "asked", "user_requirements").stdout
    assert product.phase("asked", "Discovery")["gate"]["by"] == "Ann"
    assert product.phase("asked", "Plan")["gate"]["by"] == "Bea"
    history = product.show("asked")["runs"][-1]["phase_history"]
    assert [(each["phase"], each["attempt"], each["status"]) for each in history] == [
        ("Discovery", 1, "rejected"),
        ("Discovery", 2, "completed"),
        ("Plan", 1, "completed"),
        ("Design", 1, "running"),
    ]


def test_an_amendment_from_another_terminal_makes_the_gate_void_and_it_is_asked_anew(
    product: Product, tmp_path: Path
) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(SMALL_BRIEF.format(name="beside"), "utf-8")
    with on_a_terminal(product, "run", str(brief), "--project", "beside", "--gates", "ask") as terminal:
        assert "project_plan version 1" in terminal.expect(QUESTION)
        void = product.gate("beside", "Discovery")
        plan = product.json("artifact", "beside", "project_plan")["content"]
        plan["purpose"] = "To lend books to members of the club."
        changed = tmp_path / "plan.json"
        changed.write_text(json.dumps(plan), "utf-8")
        words = ("amend", void["id"], "--artifact", "project_plan", "--file", str(changed), "--by", "Bea")
        assert product.run(*words).returncode == 0
        terminal.answer("approve")  # of what stands above, which is not what counts any more
        shown = terminal.expect(QUESTION)
        assert "is void" in shown
        assert "project_plan version 2" in shown
        assert "--diff 1 2" in shown
        assert product.phase("beside", "Discovery")["gate"]["decision"] is None
        terminal.answer("approve")
        assert "Plan, attempt 1" in terminal.expect(QUESTION)
        terminal.answer("later")
        assert terminal.end() == 3
    for answer, code in (("n", 2), ("y", 0)):  # which of the project's questions is meant, its name alone does not say
        with on_a_terminal(product, "approve", "beside") as terminal:
            assert "feature_breakdown version 1" in terminal.expect("Approve this?")
            assert product.phase("beside", "Plan")["gate"]["decision"] is None
            terminal.answer(answer)
            assert terminal.end() == code, terminal.seen
    assert product.phase("beside", "Plan")["gate"]["decision"] == "approve"
    plan_bound = product.json("inbox", product.phase("beside", "Discovery")["gate"]["id"])["hashes"]["project_plan"]
    assert plan_bound == product.json("artifact", "beside", "project_plan")["sha256"] != void["hashes"]["project_plan"]


def test_without_a_terminal_nobody_is_asked(product: Product, tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(SMALL_BRIEF.format(name="unasked"), "utf-8")
    done = product.run("run", str(brief), "--project", "unasked", "--gates", "ask")
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert all(each["slug"] != "unasked" for each in product.json("projects")["projects"])
