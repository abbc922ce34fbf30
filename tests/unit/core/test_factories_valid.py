"""The builders must only build what the schemas take, or every test that uses them proves nothing."""

import pytest

from botarmy.artifacts import DRAFTS, KINDS
from botarmy.brief import sentences
from tests import factories


@pytest.mark.parametrize("kind", [*KINDS, *DRAFTS])
def test_every_kind_has_a_builder_of_valid_content(kind):
    schema = {**KINDS, **DRAFTS}[kind]
    assert schema.model_validate(factories.content(kind)) == factories.artifact(kind)


def test_the_sentences_are_those_of_the_brief():
    assert tuple(one.text for one in sentences(factories.BRIEF)) == tuple(one.text for one in factories.sentences())
