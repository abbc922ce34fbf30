"""What can be asked of the library."""

from app.store import Store

TRANSITIONS = {"lend": ("available", "lent"), "return": ("lent", "available")}
ISBN_LENGTH = 13
MAX_PAGES = 10_000
MAX_TEXT = 200


class Refused(Exception):
    """A request that is not carried out."""

    def __init__(self, status: int, code: str, fields: dict | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.fields = status, code, fields or {}


def _text(value: object, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= most


def check_author(body: dict) -> dict:
    """Return a valid author."""
    faults = {name: "is unknown" for name in body if name != "name"}
    if not _text(body.get("name"), MAX_TEXT):
        faults["name"] = "must be a text of 1 to 200 characters"
    if faults:
        raise Refused(422, "invalid", faults)
    return {"name": body["name"]}


def check_book(body: dict) -> dict:
    """Return a valid book."""
    faults = {name: "is unknown" for name in body if name not in {"title", "isbn", "pages", "author_id"}}
    if not _text(body.get("title"), MAX_TEXT):
        faults["title"] = "must be a text of 1 to 200 characters"
    if not (isinstance(body.get("isbn"), str) and len(body["isbn"]) == ISBN_LENGTH):
        faults["isbn"] = "must have 13 characters"
    pages = body.get("pages")
    if "pages" in body and (type(pages) is not int or not 1 <= pages <= MAX_PAGES):
        faults["pages"] = "must be from 1 to 10000"
    if type(body.get("author_id")) is not int:
        faults["author_id"] = "must be an integer"
    if faults:
        raise Refused(422, "invalid", faults)
    return {"pages": None, **body}


class Library:
    """The rules."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def one(self, kind: str, number: int) -> dict:
        """Return a row."""
        rows = self.store.rows(f"get_{kind}", (number,))
        if not rows:
            raise Refused(404, "not-found")
        return rows[0]

    def add(self, kind: str, body: dict) -> dict:
        """Make a row."""
        values = check_author(body) if kind == "author" else check_book(body)
        return self.one(kind, self.store.change(f"add_{kind}", values))

    def replace(self, number: int, body: dict) -> dict:
        """Replace a book."""
        self.one("book", number)
        self.store.change("replace_book", {**check_book(body), "id": number})
        return self.one("book", number)

    def act(self, number: int, action: str) -> dict:
        """Lend or return a book."""
        book = self.one("book", number)
        before, after = TRANSITIONS[action]
        if book["status"] != before:
            raise Refused(409, f"is {book['status']}")
        self.store.change("set_status", {"id": number, "status": after})
        return self.one("book", number)

    def delete(self, kind: str, number: int) -> None:
        """Delete a row."""
        self.one(kind, number)
        self.store.change(f"delete_{kind}", (number,))
