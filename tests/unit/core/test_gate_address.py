"""What people type to name a gate, taken apart, and which of it names one question for ever."""

from __future__ import annotations

from uuid import UUID

import pytest

from botarmy.gate_address import GateAddress, address_of, may_be_an_id, parse_address
from botarmy.person import POLICY
from tests.factories import gate_request

FIRST = gate_request(id=UUID(int=0x1A2B3C4D << 96), phase="Build")
AGAIN = gate_request(id=UUID(int=0x5E6F7A8B << 96), phase="Build")
BY_POLICY = gate_request(id=UUID(int=0x9 << 96), phase="Design", decided_by=POLICY)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("books", ("books", "", "")),
        ("books/Build", ("books", "Build", "")),
        ("books/Build@1A2B3C4D", ("books", "Build", "1a2b3c4d")),
        ("books@1a2b3c4d", ("books", "", "1a2b3c4d")),
        ("books/meet@home", ("books", "meet@home", "")),
        ("books/Build@1a2b", ("books", "Build@1a2b", "")),
        ("books/a/b@1a2b3c4d-0000", ("books", "a/b", "1a2b3c4d-0000")),
        ("", ("", "", "")),
        ("/Build", ("/Build", "", "")),
        ("books/", ("books/", "", "")),
    ],
)
def test_an_address_is_taken_apart(text: str, parts: tuple[str, str, str]) -> None:
    assert parse_address(text) == GateAddress(*parts)


def test_the_printed_address_is_understood_and_fits_one_question() -> None:
    address = parse_address(address_of(FIRST, "books"))
    assert address == ("books", "Build", "1a2b3c4d")
    assert (address.fits(FIRST), address.fits(AGAIN)) == (True, False)


def test_a_name_is_certain_while_one_question_alone_has_answered_to_it() -> None:
    for text in ("books", "books/build"):
        assert parse_address(text).is_certain([BY_POLICY, FIRST])
        assert not parse_address(text).is_certain([FIRST, AGAIN])
    assert not parse_address("books/Plan").is_certain([FIRST])


@pytest.mark.parametrize(
    ("text", "may_be"), [("1a2b3c4d", True), ("1A2B3C4D-00", True), ("1a2b3c4", False), ("books", False)]
)
def test_what_may_be_an_id(text: str, may_be: bool) -> None:
    assert may_be_an_id(text) is may_be
