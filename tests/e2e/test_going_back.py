"""Rerun, rollback and export over real runs: nothing is lost, phases are done anew, --out may be used again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.conftest import Product
from tests.factories import papers

BRIEF = "# {name}\nEach book has a required title.\n"


def run(product: Product, tmp_path: Path, name: str, *words: str) -> Any:
    path = tmp_path / f"{name}.md"
    path.write_text(BRIEF.format(name=name), "utf-8")
    return product.json("run", str(path), "--project", name, "--gates", "auto", *words, code=None)


def attempts(product: Product, project: str) -> dict[str, int]:
    return {phase["name"]: phase["attempt"] for phase in product.show(project)["phases"]}


def test_phases_are_done_anew_and_brought_back(product: Product, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(product, tmp_path, "going-back", "--out", str(out))
    assert first["project"]["status"] == "completed", first
    head = product.json("export", "going-back", str(out))["head"]

    again = product.json("rerun", "going-back", "--from", "Validate")
    assert again["set_aside"] == ["Validate", "Launch"]
    done = product.json("run", "--project", "going-back", "--gates", "auto")
    assert done["project"]["status"] == "completed"
    counted = attempts(product, "going-back")
    assert (counted["Build"], counted["Validate"], counted["Launch"]) == (1, 2, 2)
    assert product.json("export", "going-back", str(tmp_path / "again"))["head"] != head

    back = product.json("rollback", "going-back", "--to", "Validate", "--attempt", "1")
    assert back["set_aside"] == ["Launch"]
    ended = product.json("run", "--project", "going-back", "--gates", "auto")
    assert ended["project"]["status"] == "completed"
    counted = attempts(product, "going-back")
    assert (counted["Validate"], counted["Launch"]) == (1, 3)
    assert product.json("audit", "going-back")["check"]["whole"] is True


def test_an_untouched_out_is_used_again_and_a_touched_one_stops_the_run_before_it_begins(
    product: Product, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(product, tmp_path, "first-book", "--out", str(out), *papers.OPTIONS)
    second = run(product, tmp_path, "second-book", "--out", str(out), *papers.OPTIONS)
    assert second["export"] == str(out)
    assert "second-book" in (out / "README.md").read_text("utf-8")
    (out / "README.md").write_text("mine", "utf-8")
    third = run(product, tmp_path, "third-book", "--out", str(out))
    assert third["error"]["code"] == "bad-input"
    assert "README.md" in third["error"]["message"]
    assert all(each["slug"] != "third-book" for each in product.json("projects")["projects"])
