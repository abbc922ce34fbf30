"""What single sentences are read as, in many domains; and what must not be taken for understood."""

from __future__ import annotations

import pytest

from botarmy.artifacts import Rule
from botarmy.brief import clean
from providers.offline.understand import Statement, Understanding, understand


def shown(rule: Rule) -> str:
    """Write a rule in short, e.g. "range book.year 1450..2100"."""
    bounds = "..".join("" if bound is None else f"{bound:g}" for bound in (rule.minimum, rule.maximum))
    more = {
        "range": bounds,
        "length": bounds,
        "enumeration": "|".join(rule.values),
        "relation": rule.target,
        "transition": f"{rule.action} {'|'.join(rule.from_states)} > {rule.to_state}",
    }
    return f"{rule.kind} {rule.entity}.{rule.field} {more.get(rule.kind, '')}".strip()


def read(brief: str, *feedback: str) -> Understanding:
    return understand({"brief": clean(brief), "feedback": [f"Ann rejected this: {text}" for text in feedback]})


def last(brief: str) -> list[Statement]:
    """Return the statements of the brief's last sentence."""
    found = read(brief).statements
    return [statement for statement in found if statement.sources == found[-1].sources]


def rules(brief: str) -> list[str]:
    return [shown(rule) for statement in last(brief) for rule in statement.rules]


def understood(brief: str) -> bool:
    return all(statement.understood for statement in last(brief))


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        # fields and their qualities
        ("A room has a number (unique) and a floor.", ["unique room.number"]),
        ("Every car must have a plate and a colour.", ["required car.plate", "required car.colour"]),
        ("A lamp has a wattage between 5 and 100.", ["range lamp.wattage 5..100"]),
        ("A pizza has a name of at most 40 characters, which is required.", ["required pizza.name", "length pizza.name ..40"]),
        ("A book has an ISBN. The ISBN must have exactly 13 characters.", ["length book.isbn 13..13"]),
        ("A pet has a name, a species, which is dog, cat or other, and a weight in kg that must be positive.",
         ["enumeration pet.species dog|cat|other", "range pet.weight 0.01.."]),
        ("Cars: plate (unique, required), seats (2 to 9), colour",
         ["required car.plate", "unique car.plate", "range car.seats 2..9"]),
        ("A tree has a height greater than 0.", ["range tree.height 0.01.."]),
        ("A crate has a number of bottles (at least 6, no more than 24).", ["range crate.bottles 6..", "range crate.bottles ..24"]),
        ("A shirt has a size (S, M, L or XL).", ["enumeration shirt.size S|M|L|XL"]),
        ("A cat has a weight. The weight of a cat cannot be negative.", ["range cat.weight 0.."]),
        ("A wine has a vintage. A wine's vintage must be at least 1800.", ["range wine.vintage 1800.."]),
        ("A key has a code. The code is exactly 8 characters long.", ["length key.code 8..8"]),
        ("A job has a title. Job titles are unique.", ["unique job.title"]),
        ("A user has an email. No two users may have the same email.", ["unique user.email"]),
        ("A part has a serial number. A part without a serial number is rejected.", ["required part.serial_number"]),
        ("A hut has a name. The name must not be blank.", ["required hut.name"]),
        ("A plan has a price. The price can't exceed 1,000.50 euros.", ["range plan.price ..1000.5"]),
        ("For each visit we record the date and the reason (required).", ["required visit.reason"]),
        ("A member has a first name and a last name. First and last name are required.",
         ["required member.first_name", "required member.last_name"]),
        ("Dish: name (required), spiciness 0-5", ["required dish.name", "range dish.spiciness 0..5"]),
        ("# Shop\n## Products\n- sku: string, required, unique, 8 characters",
         ["required product.sku", "unique product.sku", "length product.sku 8..8"]),
        ("# Zoo\n\nAn animal has the following fields:\n\n* name\n* age, at most 120", ["range animal.age ..120"]),
        ("| Entity | Fields |\n|---|---|\n| Boat | name, berths (1-12) |", ["range boat.berths 1..12"]),
        ("# Bank\n\n## Account\n\n| Field | Type | Required |\n|---|---|---|\n| iban | text | yes |", ["required account.iban"]),
        ("A ticket has a price. Tickets cost between 5 and 500 euros.", ["range ticket.price 5..500"]),
        ("A pupil has a name. Pupils must be at least 6 years old.", ["range pupil.age 6.."]),
        ("The SKU identifies a product. A product has a SKU and a name. The SKU identifies a product uniquely.",
         ["required product.sku", "unique product.sku"]),
        ("A post has a text. The text has at least 10 and at most 500 characters.",
         ["length post.text 10..", "length post.text ..500"]),
        ("A post has a text of at least 10 and at most 500 characters.", ["length post.text 10..", "length post.text ..500"]),
        ("A donor has a blood group (A, B, AB or 0).", ["enumeration donor.blood_group A|B|AB|0"]),
        ("A tram has a class. The class is one of \"from\", \"5 seats\".", ["enumeration tram.class from|5 seats"]),
        ("# App\n\n## Bill\n\n| Field | Type | Required | Rule |\n|---|---|---|---|\n| status | enum | yes | open, paid, rejected |",
         ["required bill.status", "enumeration bill.status open|paid|rejected"]),
        ("# App\n\n## Device\n- battery level: percentage between 0 and 100", ["range device.battery_level 0..100"]),
        ("# App\n\n## Readings\n- code\n- value: number, may be negative", []),
        ("A visit has a reason. A loan has a title. For each visit we record the date. Every loan must have a due date.",
         ["required loan.due_date"]),
        ("A book has a title. The rating is between 1 and 10.", ["range book.rating 1..10"]),
        ("# App\n\n## Book\n\nA book has a title.\n\nA rating is between 1 and 10.", ["range book.rating 1..10"]),
        ("A part without a number is rejected.", ["required part.number"]),
        ("The SKU identifies a product.", ["required product.sku", "unique product.sku"]),
        ("No two members may share an email.", ["unique member.email"]),
        ("A ticket has a title and a priority from 1 (low) to 5 (urgent).", ["range ticket.priority 1..5"]),
        ("# Shop\n\n## Product\n- name (string, 1..60)", ["length product.name 1..60"]),
        ("# App\n\n## Donor\n- name: text\n- blood group (A, B, AB or 0)", ["enumeration donor.blood_group A|B|AB|0"]),
        # relations
        ("# App\n\n## Room\n- name: text\n\n## Desk\n- code: text\n- location -> Room",
         ["relation desk.location_id room", "required desk.location_id"]),
        ("# App\n\n## Firm\n- name: text\n\n## Bill\n\n| Field | Type | Required |\n|---|---|---|\n| firm | reference to Firm | yes |",
         ["relation bill.firm_id firm", "required bill.firm_id"]),
        ("# App\n\n## Device\n- name: text\n\n## Readings\n- value: number\n- belongs to a device",
         ["relation reading.device_id device", "required reading.device_id"]),
        ("A room has a name. A booking has a day. Each booking belongs to exactly one room.",
         ["relation booking.room_id room", "required booking.room_id"]),
        ("A song has a title. An album has a name. An album has many songs.", ["relation song.album_id album"]),
        ("A keeper has a name. An animal has a name. A keeper cares for many animals.", ["relation animal.keeper_id keeper"]),
        ("A nurse has a name. A shift has a day. A shift is covered by a nurse.",
         ["relation shift.nurse_id nurse", "required shift.nurse_id"]),
        ("A task has a title. A person has a name. A task may be assigned to a person.", ["relation task.person_id person"]),
        ("A club has a name. A player has a name. A player plays for a club.",
         ["relation player.club_id club", "required player.club_id"]),
        ("A team has a name. A match has a date. A match has a home team and a guest team.",
         ["relation match.home_team_id team", "required match.home_team_id",
          "relation match.guest_team_id team", "required match.guest_team_id"]),
        ("A firm has a name. A lorry has a plate and a firm. A firm that still has lorries cannot be deleted.",
         ["relation lorry.firm_id firm"]),
        ("A keeper has a name. An animal has a name. A keeper cares for many animals, and every animal is cared for by exactly one keeper.",
         ["relation animal.keeper_id keeper", "required animal.keeper_id"]),
        ("A nurse has a name. A patient has a name. A nurse looks after several patients.", ["relation patient.nurse_id nurse"]),
        ("A shelter has a name. A dog has a name. A shelter has dogs.", ["relation dog.shelter_id shelter"]),
        ("# App\n\n## Person\n- name: text\n\n## Car\n\n| Field | Type | Required |\n|---|---|---|\n| owner | Person | yes |",
         ["relation car.owner_id person", "required car.owner_id"]),
        # states
        ("A bill has a number. Status flow: open -> approved -> paid, open -> rejected.",
         ["transition bill.status approve open > approved", "transition bill.status pay approved > paid",
          "transition bill.status reject open > rejected"]),
        ("A parcel can be delivered.", ["transition parcel.status deliver open > delivered"]),
        ("A draft post can be published. Only a published post can be archived.",
         ["transition post.status archive published > archived"]),
        ("An order moves from new to paid to shipped.",
         ["transition order.status pay new > paid", "transition order.status ship paid > shipped"]),
        ("An order has a number and a status.\nStatus: new -> paid",
         ["transition order.status pay new > paid"]),
        ("A claim can be submitted. A claim can be approved only when it is submitted.",
         ["transition claim.status approve submitted > approved"]),
        ("A lease can be signed. A lease can be cancelled. A signed lease cannot be cancelled.",
         ["transition lease.status cancel open > cancelled"]),
        ("An agent can resolve an open case. A case has a title.", []),
        ("A bug has a title. Developers can close an open bug.", ["transition bug.status close open > closed"]),
        ("A task has a title. As a worker, I want to mark a task as done.", ["transition task.status mark_done open > done"]),
        ("The status of a seat is one of free, taken.", ["enumeration seat.status free|taken"]),
        ("A box has a size and a colour. All of them are required.", ["required box.size", "required box.colour"]),
        ("REQ-7: A van has a plate. REQ-8: The plate shall be unique.", ["unique van.plate"]),
        ("| ID | Requirement |\n|---|---|\n| 1 | A van has a plate, which is unique |", ["unique van.plate"]),
        ("An animal has a name. An animal starts as healthy; a healthy animal can be quarantined, and a quarantined animal can be released.",
         ["transition animal.status quarantine healthy > quarantined", "transition animal.status release quarantined > released"]),
        ("A permit starts as pending. A pending permit can be granted.", ["transition permit.status grant pending > granted"]),
        # other languages
        ("Ein Kunde hat einen Namen. Der Name darf höchstens 30 Zeichen lang sein.", ["length kunde.name ..30"]),
        ("Jedes Fahrrad hat eine Rahmennummer. Die Rahmennummer muss eindeutig sein.", ["unique fahrrad.rahmennummer"]),
        ("Ein Mitglied hat einen Vornamen und einen Nachnamen. Vorname und Nachname sind Pflichtfelder.",
         ["required mitglied.vorname", "required mitglied.nachname"]),
        ("Ein Verein hat einen Jahresbeitrag. Der Jahresbeitrag beträgt mindestens 0 und höchstens 500 Euro.",
         ["range verein.jahresbeitrag 0..", "range verein.jahresbeitrag ..500"]),
        ("Ein Fahrrad hat eine Kaution. Die Kaution liegt zwischen 0 und 200 Euro.", ["range fahrrad.kaution 0..200"]),
        ("Un coche tiene una matrícula. La matrícula es obligatoria.", ["required coche.matricula"]),
        ("Un livre a un titre. Le titre doit être unique.", ["unique livre.titre"]),
    ],
)  # fmt: skip
def test_sentences_become_rules(brief: str, expected: list[str]) -> None:
    assert rules(brief) == expected
    assert understood(brief)


@pytest.mark.parametrize(
    "sentence",
    [
        "The ISBN must be unique per publisher.",
        "A member may have at most 3 open loans.",
        "A book cannot be lent to two members at once.",
        "The due date must be after the loan date.",
        "A loan can only be returned by the member who made it.",
        "Only librarians can delete books.",
        "A member can see only his own loans.",
        "A loan can be returned if the book is not damaged.",
        "A loan can be returned within 30 days.",
        "The price should be between 1 and 10 for members.",
        "A book must have a title in English.",
        "The email must be a valid email address.",
        "Each member must have at least one loan.",
        "Members can pay by credit card.",
        "Members are notified by email when a loan is overdue.",
        "Books can be searched by title.",
        "The total is the sum of the prices.",
        "Loans can be exported to Excel.",
        "When a book is returned, its status becomes available.",
        "Every book needs a cover image.",
        "The status can be changed by admins only.",
        "The title is required unless the book is a draft.",
        "Passwords must be at least 8 characters.",
        "The page must load in under 2 seconds.",
        "The price must not be changed after the loan date.",
        "The ISBN must be unique and valid.",
        "Either the name or the email is required.",
        "The price must be a multiple of 5.",
        "The title must be between 3 and 60 characters and start with a letter.",
        "The service must keep working offline.",
        "Members can create books and rate them.",
        "Two books may have the same title.",
        "Deleting a member deletes all loans.",
        "Users can log in with their email.",
        "The list shows all overdue loans.",
        "A permit without a title is not allowed for visitors.",
        "Librarians can scan, print and mail books.",
        "Admins only: a loan can be returned.",
        "# Forbidden\n- A loan can be returned.",
        "Users must not be able to:\n- delete books",
        "If a member is suspended:\n- a loan can be returned",
        "| Requirement | Condition |\n|---|---|\n| A loan can be returned | only on weekdays |",
        "The system must provide a REST API with OAuth.",
        "A book belongs to many members.",
        "A member registers for many books.",
        "A book has a code, unique across the shop.",
        "A member works in one or more rooms.",
        "The duration of a loan is 20, 40 or 60 minutes.",
        "Book:\n- title, frobnicates every day, year",
        "A rating is between 1 and 10.",
        "A code is exactly 8 characters.",
        "A book has a title. A rating is between 1 and 10.",
        "Each loan belongs to a book and a member. The heating is either gas or oil.",
        "A member has many loans. The heating is either gas or oil.",
        "Book:\n- place -> shop",
        "A book has a shelf and eats 2 to 5 kg per day.",
        "A book has a shelf and eats hay.",
        "A book has at least one editor.",
        "Each book must have loans.",
        "Ein Buch hat ein Kennzeichen, eindeutig pro Land.",
        "# App\n\n## Car\n- name: text\n\n| Field | Type | Required |\n|---|---|---|\n| owner | Person | yes |",
        "The title is at most 50.",
        "A book has a size between small and large.",
        "| Field | Type | Values |\n|---|---|---|\n| kind | enum | |",
        "Book:\n- shelf, unique per building",
        "Book:\n- works in one or more rooms",
    ],
)
def test_what_the_product_cannot_show_is_not_claimed(sentence: str) -> None:
    context = (
        "A book has a title, an ISBN, a price, a status and an optional note. A member has a name and an email. "
        "Each loan belongs to a book and a member and has a due date and a loan date. An order has a total. "
    )
    assert not understood(f"{context}\n\n{sentence}")


def test_a_strange_part_of_a_list_loses_no_other_field() -> None:
    found = read("A box has a name, a lid that snaps with 3 hooks, and a weight between 1 and 5.")
    assert [statement.understood for statement in found.statements] == [True, False]
    assert list(found.model.entities["box"].fields) == ["name", "weight"]
    assert "3 hooks" in found.statements[1].text


def test_a_default_is_not_claimed() -> None:
    first, second = last("# Shop\n\n## Device\n- battery level: percentage between 0 and 100, default 100")
    assert [shown(rule) for rule in first.rules] == ["range device.battery_level 0..100"]
    assert "default 100" in second.text
    assert not second.understood
    assert not understood("A box has a weight. The weight defaults to 5.")


def test_values_end_where_something_else_is_said() -> None:
    found = read(
        "# App\n\n## Door\n- size: S, M or L (required)\n- state: open, closed, default open\n- area: 1 to 9 square metres"
    )
    assert [shown(rule) for statement in found.statements for rule in statement.rules][:2] == [
        "required door.size",
        "enumeration door.size S|M|L",
    ]
    door = found.model.entities["door"]
    assert (door.initial, door.states, door.fields["area"].maximum) == ("open", ["open", "closed"], 9)


def test_no_two_statements_say_the_same() -> None:
    found = read('A bike has a name. A bike starts as idle. A bike goes from "new" via "active" to "retired".')
    texts = [statement.text for statement in found.statements]
    assert len(set(texts)) == len(texts)
    assert [statement.understood for statement in found.statements][-2:] == [True, False]


@pytest.mark.parametrize("sentence", ["A permit starts as pending.", "A part without a number is rejected."])
def test_a_rule_that_stands_alone_is_read_and_no_background(sentence: str) -> None:
    assert understood(sentence)
    assert last(sentence)[-1].kind != "context"


@pytest.mark.parametrize(
    "sentence",
    [
        "A tour lasts 1, 2 or 3 days.",
        "A seat is in row 1 to 40.",
        "A grade is a, b or c.",
        "A keeper cares for many animals.",
    ],
)
def test_a_first_sentence_that_may_be_a_rule_is_no_background(sentence: str) -> None:
    assert not understood(sentence)


def test_a_number_that_names_a_thing_is_a_text_unless_the_brief_gives_a_range() -> None:
    found = read(
        "A flat has a number, a serial number and a floor number from 1 to 9. # Cam\n\n## Camera\n- serial_number"
    )
    flat = found.model.entities["flat"].fields
    assert {name: item.type for name, item in flat.items()} == {
        "number": "string",
        "serial_number": "string",
        "floor_number": "integer",
    }
    camera = read("# Watch\n\n## Camera\n- serial_number\n- number: integer").model.entities["camera"]
    assert [item.type for item in camera.fields.values()] == ["string", "integer"]


def test_a_sentence_that_is_understood_in_part_keeps_the_rest_as_its_own() -> None:
    first, second = last("A room has a size. The size is at least 5 and must match the plan.")
    assert [shown(rule) for rule in first.rules] == ["range room.size 5.."]
    assert (first.understood, second.understood) == (True, False)
    assert "match the plan" in second.text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("We run a small gym.", "context"),
        ("Today everything is on paper.", "context"),
        ("The service must answer within 200 milliseconds.", "quality"),
        ("Payments are out of scope.", "context"),
        ("# Out of scope\n- Payments", "context"),
        ("The kennel was founded in 1990.", "context"),
        ("Until now we use paper.", "context"),
        ("Send an SMS to the owner one day before.", "functional"),
        ("Print a receipt when the dog was collected.", "functional"),
        ("Our customers get an email when a dog is ready.", "functional"),
        ("Existing customers get 10 percent off.", "functional"),
        ("Before walking, weigh the dog.", "functional"),
        ("在庫がなくなったら店長にメールを送る。", "functional"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert last(f"A dog has a name.\n\n{text}")[-1].kind == kind


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("A cat can be fed.", "must"),
        ("Cats should have a colour.", "should"),
        ("# Nice to have\n- Cats have a colour.", "could"),
        ("It would be nice to see pictures.", "could"),
        ("# Should have\n- Pictures of cats", "should"),
        ("Cats have a date later than their birthday.", "must"),
        ("Owners keep a wish list of cats.", "must"),
        ("Bonus: pictures of cats.", "could"),
        ("# Bonus\n- Pictures of cats", "could"),
    ],
)
def test_priorities(text: str, priority: str) -> None:
    assert last(f"A cat has a name.\n\n{text}")[-1].priority == priority


def test_a_first_line_in_a_script_without_spaces_is_no_title() -> None:
    found = read("商品には名前と価格がある。各商品はカテゴリに属する。").statements
    assert [(statement.kind, statement.understood) for statement in found] == [("functional", False)] * 2


def test_contradictions_are_open_questions_and_not_rules() -> None:
    found = read("A box has a weight between 1 and 5. The weight of a box is at least 9.")
    assert [statement.understood for statement in found.statements] == [True, False]
    assert any("contradict" in question for question in found.questions)


def test_questions_are_carried_as_open_questions() -> None:
    found = read("A box has a weight. Should a box have a colour?")
    assert found.statements[-1].understood is False
    assert "Should a box have a colour?" in found.questions


def test_references_in_a_circle_do_not_make_records_impossible() -> None:
    found = read("A hen has an egg. An egg has a hen. A hen belongs to an egg. An egg belongs to a hen.")
    hen, egg = found.model.entities["hen"], found.model.entities["egg"]
    assert not (hen.fields["egg_id"].required and egg.fields["hen_id"].required)


def test_a_reviewers_comment_is_applied_with_its_own_source() -> None:
    found = read("A box has a weight between 1 and 5.", "The weight of a box is between 2 and 9.", "I do not like it.")
    comment = [statement for statement in found.statements if statement.sources == ("FB1",)]
    assert [shown(rule) for rule in comment[0].rules] == ["range box.weight 2..9"]
    box = found.model.entities["box"].fields["weight"]
    assert (box.minimum, box.maximum) == (2, 9)
    assert any("I do not like it." in question for question in found.questions)


def test_a_reviewer_can_add_a_field_and_a_rule() -> None:
    found = read("A box has a weight.", "Please add a maker to the box. The maker must have at most 20 characters.")
    assert [shown(rule) for statement in found.statements for rule in statement.rules] == ["length box.maker ..20"]
    assert found.questions == []


def test_the_reasons_of_checks_are_no_sentences_of_the_brief() -> None:
    reason = "requirements_covered: R2 is in no feature: “A lid has a colour.”"
    found = understand({"brief": "A box has a weight.", "feedback": [reason]})
    assert list(found.model.entities) == ["box"]
    assert found.questions == []


def test_nouns_of_other_scripts_get_stable_ascii_names() -> None:
    found = read("图书馆管理系统")
    assert list(found.model.entities) == ["entity_1"]
    assert found.model.entities["entity_1"].label == "图书馆管理系统"


def test_a_one_line_brief_makes_a_product_of_use() -> None:
    todo = read("Build me a todo app").model.entities["todo"]
    assert list(todo.fields) == ["title", "done"]
    assert todo.fields["title"].required
