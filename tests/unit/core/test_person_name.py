"""Who decides: a person's name is one, and the policy's is nobody's."""

from __future__ import annotations

import pytest

from botarmy.errors import InputError
from botarmy.person import NAME_LIMIT, POLICY, person_name


@pytest.mark.parametrize(
    "name", ["Ann", "Dr. Ada Lovelace (QA)", "李雷", "علی\u200cرضا", "policymaker Ann", "x" * NAME_LIMIT]
)
def test_a_name_is_taken_as_claimed(name):
    assert person_name(name) == name
    assert person_name(f"  {name}\n") == name


@pytest.mark.parametrize(
    "name",
    [
        POLICY,
        " Policy:x",
        "POLICY : auto",
        "pol\u200bicy:auto",
        "\uff50olicy:auto",
        "policy\uff1aauto",
        "policy\u2236auto",
        "poli\u0301cy:auto",
        "policy\u3164:auto",
        "policy",
    ],
)
def test_nobody_poses_as_the_policy(name):
    with pytest.raises(InputError, match="is not a person's name"):
        person_name(name)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\rb", "a\tb", "a\x1bb", "a\x9bb", "a\u202eb", "a\u2066b", "a\u2028b", "x" * 101]
)
def test_a_name_is_one_line_that_acts_on_no_screen(name):
    with pytest.raises(InputError, match="cannot be used") as refused:
        person_name(name)
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("name", ["", " ", "\n", "\u200b", "\u3164"])
def test_a_decision_needs_a_name(name):
    with pytest.raises(InputError, match="needs the name"):
        person_name(name)
