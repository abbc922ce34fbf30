"""What `--set` may name: a misspelt condition must not be passed over."""

from __future__ import annotations

import pytest

from botarmy.definitions.models import Place, Route, Step, StepSequence
from botarmy.definitions.resolve import decidable, see_decidable
from botarmy.errors import UnknownName
from storage.definitions import default_directory, load_core

PLACE = Place(file="small.yaml", line=1)
STEPS = (
    Step(number=1, agent="analyst", creates="brief.md", condition="has_ui", place=PLACE),
    Step(number=2, action="classify", routes=(Route(name="single_story"), Route(name="greenfield")), place=PLACE),
    Step(number=3, name="polish", agent="po", condition="has_ui", place=PLACE),
)
KNOWN = ("has_ui", "classify", "polish", "single_story", "greenfield")


def test_conditions_actions_names_and_routes_can_be_decided() -> None:
    sequence = StepSequence(name="small", file="small.yaml", sha256="", steps=STEPS)
    assert sorted(decidable(sequence)) == sorted(KNOWN)


@pytest.mark.parametrize(("name", "hint"), [("has_iu", 'Did you mean "has_ui"'), ("elsewhere", "Known: classify")])
def test_another_name_is_refused_with_the_nearest(name: str, hint: str) -> None:
    see_decidable("small", KNOWN, dict.fromkeys(KNOWN, True))
    with pytest.raises(UnknownName, match=f'"small" has no condition or route "{name}"') as caught:
        see_decidable("small", KNOWN, {name: True})
    assert hint in caught.value.hint


def test_a_workflow_of_phases_has_nothing_to_decide() -> None:
    with pytest.raises(UnknownName, match='"sdlc" has no condition or route "ui"') as caught:
        load_core(default_directory(), flags={"ui": False}).workflow("sdlc")
    assert "Only BMAD workflows" in caught.value.hint
