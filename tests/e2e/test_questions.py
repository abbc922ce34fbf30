"""A question of an agent comes through the gate's door; the person's answer reaches the agent's next attempt."""

from __future__ import annotations

import json
from pathlib import Path

from providers.fake_server import Asked, Say
from tests.factories import papers
from tests.factories.model_server import ModelServer, answers_for, serving
from tests.factories.product import Product

BRIEF = "# Reading room\nEach book has a required title.\n"
QUESTION = "May guests reserve a book?"
ANSWER = "No, guests may only read in the room."


class AskingModel(ModelServer):
    """Asks one question in the plan, as long as nobody has answered it."""

    def respond(self, asked: Asked) -> Say:
        """Return the reply to one request."""
        plan = self._answers["project_plan"]
        answered = ANSWER in json.dumps(asked.body["messages"])
        plan["open_questions"] = [] if answered else [QUESTION]
        return super().respond(asked)


def test_a_question_waits_for_a_person_and_the_answer_is_heard(product: Product, tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_text(BRIEF, "utf-8")
    with serving(AskingModel(answers_for(BRIEF))) as server:
        model = Product(product.home, **server.environment())
        done = model.run("run", str(brief), "--project", "asking", *papers.OPTIONS)
        assert done.returncode == 3, done.stdout + done.stderr
        (gate,) = [each for each in model.json("inbox")["gates"] if each["project"] == "asking"]
        assert (gate["phase"], gate["attempt"]) == ("Discovery", 1)
        assert f"question: {QUESTION}" in gate["verdict"]["reasons"]
        assert QUESTION in done.stdout + done.stderr
        model.json("reject", "asking", "--comment", ANSWER, "--by", "Ann")
        done = model.run("run", "--project", "asking")
        assert done.returncode == 0, done.stdout + done.stderr
    assert server.asked.count("project_plan") == 2
    found = product.phase("asking", "Discovery")
    assert (found["status"], found["attempt"]) == ("completed", 2)
    assert QUESTION not in product.run("artifact", "asking", "project_plan").stdout
