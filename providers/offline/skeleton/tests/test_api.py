"""The API apart from any one entity."""

from __future__ import annotations

import json

from app.api import Api, Request, read_json
from app.errors import Malformed, UnsupportedType
from app.schema import Entity, Field, State, Transition
from app.storage import Store
from tests.support import DOCUMENT, ServiceCase

SHELF = Entity("shelf", "shelves", (Field("label", "string", required=True, unique=True, max_length=20),))
JAR = Entity(
    "jar",
    "jars",
    (
        Field("shelf_id", "reference", references="shelf"),
        Field("grams", "integer", minimum=1, maximum=1000),
        Field("price", "number", minimum=0),
        Field("sealed", "boolean"),
        Field("filled", "date"),
        Field("opened", "datetime"),
        Field("kind", "string", values=("jam", "honey's")),
        Field("note", "text", min_length=2),
    ),
    State("state", "full", ("full", "empty"), (Transition("eat", ("full",), "empty"), Transition("fill", (), "full"))),
)


class FixedModelTest(ServiceCase):
    """Every kind of rule, on entities that only this test knows."""

    def setUp(self) -> None:
        super().setUp()
        store = Store(self.folder / "fixed.db", (SHELF, JAR), durable=False)
        self.addCleanup(store.close)
        self.api = Api(store, (SHELF, JAR), DOCUMENT)

    def reason(self, **values: object) -> str:
        status, content = self.call("POST", "/jars", values)
        self.assertEqual(status, 422, content)
        return str(content["error"]["fields"][next(iter(values))])

    def test_a_record_without_values_is_stored(self) -> None:
        status, record = self.call("POST", "/jars", {})
        self.assertEqual((status, record["id"], record["state"], record["price"]), (201, 1, "full", None))

    def test_all_types_come_back_as_they_were_given(self) -> None:
        shelf = self.call("POST", "/shelves", {"label": "Ünïcode ✓"})[1]
        body = {"shelf_id": shelf["id"], "grams": 1000, "price": 0.5, "sealed": True, "filled": "2024-02-29"}
        body |= {"opened": "2024-02-29T23:59:59+02:00", "kind": "honey's", "note": "ab"}
        status, record = self.call("POST", "/jars", body)
        self.assertEqual((status, record), (201, {"id": 1, "state": "full"} | body))

    def test_values_of_a_wrong_type_are_refused(self) -> None:
        self.assertEqual(self.reason(grams="7"), "must be a whole number")
        self.assertEqual(self.reason(grams=True), "must be a whole number")
        self.assertEqual(self.reason(grams=2**70), "is too large")
        self.assertEqual(self.reason(price="7"), "must be a number")
        self.assertEqual(self.reason(price=10**400), "is too large")
        self.assertEqual(self.reason(sealed=1), "must be true or false")
        self.assertEqual(self.reason(note=7), "must be text")
        self.assertIn("NUL", self.reason(note="a\0b"))
        self.assertIn("Unicode", self.reason(note="\ud800"))

    def test_values_that_break_a_rule_are_refused(self) -> None:
        self.assertEqual(self.reason(grams=0), "must be at least 1")
        self.assertEqual(self.reason(grams=1001), "must be at most 1000")
        self.assertEqual(self.reason(note="a"), "must have at least 2 characters")
        self.assertEqual(self.reason(kind="tar"), "must be one of: jam, honey's")
        self.assertEqual(self.call("POST", "/shelves", {"label": " "})[0], 422)
        self.assertEqual(self.call("POST", "/shelves", {"label": "x" * 21})[0], 422)

    def test_moments_must_exist(self) -> None:
        for value in ("2023-02-29", "20240101", "tomorrow", 7):
            self.assertIn("date", self.reason(filled=value))
        for value in ("2024-01-01", "2024-01-01T10:00:00", "2024-01-01T25:00:00Z", 7):
            self.assertIn("date and time", self.reason(opened=value))

    def test_references_must_exist(self) -> None:
        for value in (5, 0, -1, 2**70):
            self.assertEqual(self.reason(shelf_id=value), "does not exist")
        self.assertEqual(self.reason(shelf_id="1"), "must be the id of a record")

    def test_fields_of_the_service_cannot_be_set(self) -> None:
        self.assertEqual(self.reason(id=3), "is given by the service")
        self.assertEqual(self.reason(state="empty"), "changes only by actions")
        self.assertEqual(self.reason(colour="red"), "is not a field of jar")

    def test_actions_change_the_state(self) -> None:
        self.call("POST", "/jars", {})
        self.assertEqual(self.call("POST", "/jars/1/eat")[1]["state"], "empty")
        self.assertEqual(self.call("POST", "/jars/1/eat")[0], 409)
        self.assertEqual(self.call("POST", "/jars/1/fill")[1]["state"], "full")
        self.assertEqual(self.call("POST", "/jars/1/fill")[0], 200)
        self.assertEqual(self.call("POST", "/jars/9/eat")[0], 404)
        self.assertEqual(self.call("POST", "/jars/1/throw")[0], 404)
        self.assertEqual(self.call("POST", "/shelves/1/eat")[0], 404)

    def test_unique_values_are_taken_once(self) -> None:
        self.assertEqual(self.call("POST", "/shelves", {"label": "a"})[0], 201)
        status, content = self.call("POST", "/shelves", {"label": "a"})
        self.assertEqual((status, content["error"]["fields"]), (409, {"label": "is already taken"}))

    def test_a_referenced_record_stays(self) -> None:
        self.call("POST", "/shelves", {"label": "a"})
        self.call("POST", "/jars", {"shelf_id": 1})
        self.assertEqual(self.call("DELETE", "/shelves/1")[0], 409)
        self.assertEqual(self.call("PUT", "/jars/1", {"shelf_id": None})[0], 200)
        self.assertEqual(self.call("DELETE", "/shelves/1"), (204, None))

    def test_lists_are_filtered_and_paged(self) -> None:
        for grams, sealed in ((1, True), (2, False), (2, True)):
            self.call("POST", "/jars", {"grams": grams, "sealed": sealed, "price": 1.5})
        self.assertEqual(self.ids("?grams=2"), [2, 3])
        self.assertEqual(self.ids("?grams=2&sealed=true"), [3])
        self.assertEqual(self.ids("?price=1.5&limit=1&offset=1"), [2])
        self.assertEqual(self.ids("?state=empty"), [])
        self.assertEqual(self.ids("?kind=%27%20OR%201%3D1%20--"), [])

    def ids(self, query: str) -> list[int]:
        status, page = self.call("GET", f"/jars{query}")
        self.assertEqual(status, 200)
        return [record["id"] for record in page["items"]]

    def test_wrong_queries_are_refused(self) -> None:
        queries = ("limit=0", "limit=1001", "limit=x", "offset=-1", "nothing=1", "grams=x", "sealed=x", "price=x")
        for query in (*queries, f"grams={10**18 * 9999}"):
            self.assertEqual(self.call("GET", f"/jars?{query}")[0], 422, query)
        self.assertEqual(self.call("GET", "/jars?kind=%ff")[0], 400)

    def test_a_plain_list_can_be_served(self) -> None:
        store = Store(self.folder / "plain.db", (SHELF,), durable=False)
        self.addCleanup(store.close)
        response = Api(store, (SHELF,), DOCUMENT, envelope=False).handle(Request("GET", "/shelves"))
        self.assertEqual((json.loads(response.body), response.headers["X-Total-Count"]), ([], "0"))


class RoutesTest(ServiceCase):
    """Paths, methods and bodies."""

    def test_health(self) -> None:
        self.assertEqual(self.call("GET", "/health"), (200, {"status": "ok"}))

    def test_the_document_is_served_as_it_is(self) -> None:
        self.assertEqual(self.api.handle(Request("GET", "/openapi.json")).body, DOCUMENT)

    def test_unknown_paths(self) -> None:
        for path in ("/", "", "*", "/nothing-like-this", "/health/", "//health", "/%2e%2e/etc"):
            self.assertEqual(self.call("GET", path)[0], 404, path)

    def test_wrong_methods_name_the_right_ones(self) -> None:
        response = self.api.handle(Request("POST", "/health"))
        self.assertEqual((response.status, response.headers["Allow"]), (405, "GET, HEAD"))

    def test_bodies_that_are_not_json(self) -> None:
        for body in (b"", b"{", b"\xff", b"NaN", b"[Infinity]", b"[" * 100_000, b"9" * 5000):
            with self.assertRaises(Malformed):
                read_json(Request("POST", "/", body))

    def test_bodies_that_are_declared_as_something_else(self) -> None:
        for name in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            with self.assertRaises(UnsupportedType):
                read_json(Request("POST", "/", b"{}", name))
        for name in ("", "application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"):
            self.assertEqual(read_json(Request("POST", "/", b"{}", name)), {})

    def test_health_tells_when_the_storage_is_gone(self) -> None:
        self.store.close()
        with self.assertLogs("app", "ERROR"):
            self.assertEqual(self.call("GET", "/health")[0], 503)
