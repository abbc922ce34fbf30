"""List items and table rows: fields below "A book has:", "Book: title, author", a table of fields."""

from __future__ import annotations

from dataclasses import replace

from botarmy.outline import Passage
from providers.offline import lexicon, words
from providers.offline.understand_clauses import Clause, anchor_in, label_split
from providers.offline.understand_constraints import field_reference
from providers.offline.understand_facts import Fact, OperationFact, bare_phrase
from providers.offline.understand_fields import Scene, field_item, listed_fields, referenced, remark
from providers.offline.understand_limits import limit_at
from providers.offline.understand_links import relation_clause
from providers.offline.understand_nouns import fieldish, names_entities
from providers.offline.understand_operations import after_list
from providers.offline.understand_qualities import read_qualities, values_at
from providers.offline.understand_tokens import Token, tokenise, word

_LEADS_FIELDS = lexicon.HAS | frozenset(
    "fields attributes properties with following needs requires consists field data details".split()
)
_NAME_HEADERS = frozenset("field name attribute property column feld".split())
_REFERRING = frozenset("belongs refers references".split())
_ENTITY_HEADERS = frozenset("entity object resource model table record".split())
_YES = frozenset("yes y true x ✓ ✔ required mandatory ja sí si oui must".split())


def read_item(passage: Passage, tokens: list[Token], scene: Scene) -> list[Fact] | None:
    """Read a list item or a row by the place where it stands; None where it is an ordinary sentence."""
    if passage.kind == "row":
        return _row(passage, scene)
    if not tokens:
        return None
    tokens = tokens[:-1] if tokens[-1].low in {".", ";", ","} else tokens
    labelled = _labelled(tokens, passage, scene)
    if labelled:
        return labelled
    if passage.kind != "item":
        return None
    if any(names_entities(lead) for lead in (*passage.leads[-1:], *passage.headings[-1:])):
        entity = scene.names.exact(bare_phrase(tokens))
        return [OperationFact(entity, ("manage",))] if entity else None
    alone = len(tokens) <= 4 and not passage.leads and not scene.placed
    entity = scene.names.exact(bare_phrase(tokens)) if alone else None
    return (
        [OperationFact(entity, ("manage",))]
        if entity and entity != scene.entity
        else _field_below(tokens, passage, scene)
    )


def _field_below(tokens: list[Token], passage: Passage, scene: Scene) -> list[Fact] | None:
    """A field below its entity's lead-in or heading."""
    lead = [token.low for token in tokenise(passage.leads[-1])] if passage.leads else []
    expects = bool(set(lead) & _LEADS_FIELDS) or not lead
    verb = _begins_with_verb(tokens)
    if scene.placed and tokens[0].low in _REFERRING:
        return relation_clause(Clause((word(scene.entity.replace("_", " ")),), tuple(tokens)), scene)
    named = fieldish(tokens) or _bare_noun(tokens, scene) or _qualified(tokens)
    if not lead and not (named or referenced(tokens[1:], scene)[0]):
        return None
    if not scene.placed or not expects or (verb and len(tokens) > 1 and not set(lead) & _LEADS_FIELDS):
        return None
    if (anchor_in(tokens) > 0 or anchor_in(tokens[1:]) >= 0) and not _relative(tokens):
        return None
    required = True if set(lead) & {"must", "shall", "requires", "needs", "required", "mandatory"} else None
    required = False if set(lead) & {"may", "optional", "optionally"} else required
    within = replace(scene, required=required)
    return field_item(tokens, within) or listed_fields(tokens, within)


def _begins_with_verb(tokens: list[Token]) -> bool:
    """Whether the item is a wish, "edit books"; a "start date" or "list price" is a field all the same."""
    first = tokens[0].low
    end = next((index for index, token in enumerate(tokens) if token.kind == "mark"), len(tokens))
    field = 1 < end <= 3 and tokens[end - 1].low in lexicon.FIELD_TYPES
    if first in lexicon.STATE_VERBS | {"list", "order", "record", "open"}:
        return not field
    return first in lexicon.OPERATION_FORMS or first in lexicon.NOT_STATES


def _bare_noun(tokens: list[Token], scene: Scene) -> bool:
    """Whether the item is nothing but a singular noun of at most three words, below its entity's own heading."""
    phrase = bare_phrase(tokens)
    plain = all(token.kind == "word" for token in tokens) and 0 < len(phrase) <= 3
    known = scene.names.exact(phrase) is not None
    return plain and (known or not words.is_plural(phrase[-1])) and not set(phrase) & (lexicon.STOP | lexicon.BE)


def _qualified(tokens: list[Token]) -> bool:
    """Whether a short name has values or limits behind it: "blood group (A, B or 0)", "fitness from 1 to 5"."""
    ends = (index for index, token in enumerate(tokens) if token.low in {"(", ":"} or limit_at(tokens, index))
    at = next(ends, 0)
    qualities = read_qualities(tokens[at:])
    plain = all(token.kind == "word" and token.low not in lexicon.STOP for token in tokens[:at])
    return 0 < at <= 3 and plain and not qualities.leftover and bool(qualities.values or qualities.limits)


def _relative(tokens: list[Token]) -> bool:
    """Whether the anchor belongs to the field's description: "rating, which must be …", "status (can be a or b)"."""
    at = anchor_in(tokens[1:]) + 1
    return at > 0 and any(token.low in {",", ":", "that", "which", "–", "-"} for token in tokens[:at])


def _labelled(tokens: list[Token], passage: Passage, scene: Scene) -> list[Fact] | None:
    parts = label_split(tokens)
    if parts is None:
        return None
    label, rest = parts
    entity = scene.names.exact(bare_phrase(after_list(label)))
    if entity and anchor_in(rest) < 0:
        return listed_fields(rest, replace(scene, entity=entity, required=None))
    ref = field_reference(label, scene) if not entity else None
    if ref is None:
        return None
    values, end = values_at(rest, 0)
    if ref[1][-1] in lexicon.STATE_NOUNS and len(values) > 1 and end == len(rest):
        opened = [*tokenise(ref[1][-1]), *tokenise("("), *rest, *tokenise(")")]
        return field_item(opened, replace(scene, entity=ref[0]))
    below = scene.entity and (passage.kind == "item" or bool(passage.headings))
    return (
        field_item([*tokenise(" ".join(ref[1])), *tokenise(":"), *rest], replace(scene, entity=ref[0]))
        if below
        else None
    )


def _row(passage: Passage, scene: Scene) -> list[Fact] | None:
    """A row of a table of fields: field, type, required, rules."""
    cells = {(header or str(number)).lower().strip("*_ ?"): cell for number, (header, cell) in enumerate(passage.cells)}
    entity_header = next((header for header in cells if header in _ENTITY_HEADERS), "")
    entity = scene.entity if scene.placed else ""
    if entity_header:
        entity = scene.names.exact(bare_phrase(tokenise(cells[entity_header]))) or ""
    listed = next((cells[header] for header in cells if header in {"fields", "attributes", "properties", "felder"}), "")
    if entity and listed:
        return listed_fields(tokenise(listed), replace(scene, entity=entity, required=None))
    name = next((cells[header] for header in cells if header in _NAME_HEADERS), "")
    if not entity or not name:
        return None
    cells = {header: _type_cell(cell, scene) if header in _TYPE_HEADERS else cell for header, cell in cells.items()}
    types = [tokenise(f"( {cell} )") for header, cell in cells.items() if header in _TYPE_HEADERS]
    if any(read_qualities(referenced(tokens, scene)[1]).leftover for tokens in types):
        return None
    said = [_cell(header, cell) for header, cell in cells.items() if header not in _NAME_HEADERS | {entity_header}]
    tokens = [token for part in said if part for token in tokenise(f"( {part} )")]  # each cell speaks for itself
    return field_item([*tokenise(name), *tokens], replace(scene, entity=entity, required=None))


_TYPE_HEADERS = frozenset({"type", "typ", "datatype", "data type", "format"})


def _type_cell(cell: str, scene: Scene) -> str:
    """Read a record's name in the place of a type as a reference to it."""
    return f"reference to {cell}" if scene.names.exact(bare_phrase(tokenise(cell))) else cell


def _cell(header: str, cell: str) -> str:
    """Turn a cell into words about the field."""
    low = cell.lower().strip()
    if header in {"required", "mandatory", "unique", "pflicht", "eindeutig"}:
        word = "unique" if header in {"unique", "eindeutig"} else "required"
        denied = "optional" if low in {"no", "n", "optional", "nein"} and word == "required" else ""
        return word if low in _YES else denied
    if low in {"-", "–", "—", "none", "n/a", ""} or (header in _REMARK_HEADERS and remark(tokenise(cell))):
        return ""
    return _BY_HEADER.get(header, "{}").format(cell)


_REMARK_HEADERS = frozenset("description meaning example examples explanation purpose beschreibung beispiel".split())
_BY_HEADER = {
    "default": "default {}",
    **dict.fromkeys(("min", "minimum"), "at least {}"),
    **dict.fromkeys(("max", "maximum"), "at most {}"),
    **dict.fromkeys(("values", "allowed values", "options", "choices"), "one of {}"),
    **dict.fromkeys(("references", "refers to", "reference"), "reference to {}"),
}
