"""People decide in Prefect's web interface: the real form, in a real browser, against the real services."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories.product import Product

BRIEF = """# {name}
Each book has a required title.
A book's state is one of draft, printed.
<img src=x onerror=alert(1)> [Win a prize](https://example.invalid) must be **easy**.
"""
DECIDED, OPEN = "reading-room", "stays-open"


class GatePage:
    """The page of a suspended run, as a person uses it."""

    def __init__(self, page: Page, url: str, pictures: Path | None) -> None:
        self.page = page
        self._url = url
        self._pictures = pictures

    def sign_in(self, auth: str) -> None:
        """Open the run's address without a session: the login asks for the words and leads back to the run."""
        self.page.goto(self._url)
        expect(self.page).to_have_url(re.compile("/login"))
        self.page.locator("input").first.fill(auth)
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile("/runs/flow-run/"))

    def open_form(self, *, picture: str = "") -> Locator:
        """Open the form of Resume."""
        self.page.goto(self._url)
        expect(self.page.get_by_text("Suspended").first).to_be_visible()
        self.page.locator("button[aria-haspopup=menu]:has(svg.lucide-ellipsis-vertical)").first.click()
        resume = self.page.get_by_role("menuitem", name="Resume")
        expect(resume).to_be_visible()
        if picture and self._pictures is not None:
            expect(self.page.get_by_text("submitted to infrastructure")).to_be_visible()
            self.picture(picture, clip={"x": 256, "y": 0, "width": 944, "height": 330})
        resume.click()
        form = self.page.get_by_role("dialog")
        expect(form.get_by_label("Your name")).to_be_attached()
        return form

    def answer(self, form: Locator, decision: str, reviewer: str, comment: str = "", *, picture: str = "") -> None:
        """Fill the form and send it."""
        form.get_by_role("button", name="Select Decision").click()
        self.page.get_by_role("option", name=decision).click()
        form.get_by_label("Your name").fill(reviewer)
        form.get_by_label("Comment").fill(comment)
        if picture:
            self.picture(picture, form)
        form.get_by_role("button", name="Resume", exact=True).click()
        expect(form).to_be_hidden()

    def picture(self, name: str, of: Locator | None = None, **options: object) -> None:
        """Keep a picture for the documentation where one is wanted."""
        if self._pictures is not None:
            (of or self.page).screenshot(path=self._pictures / f"{name}.png", animations="disabled", **options)


@pytest.fixture(scope="module")
def runs(services: Product, chromium: str) -> dict[str, str]:
    """Submit two briefs at once; return the address of each one's run."""
    return {name: services.submit(name, brief=BRIEF)["url"] for name in (DECIDED, OPEN)}


def test_one_gate_is_rejected_and_one_approved_in_the_form(
    services: Product, runs: dict[str, str], page: Page, pictures: Path | None
) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    first = services.gate(DECIDED, "Discovery")
    run = GatePage(page, runs[DECIDED], pictures)
    run.sign_in(services.auth)

    form = run.open_form(picture="resume-menu")
    run.picture("gate-form", form)
    expect(form.locator("strong", has_text=DECIDED)).to_be_visible()  # the text above is Markdown, and drawn as such
    expect(form.get_by_text(first["hashes"]["project_plan"][:12])).to_be_attached()
    run.answer(form, "reject", "Bea", "Each book has a unique isbn.", picture="gate-reject")

    second = services.gate(DECIDED, "Discovery", other_than=first["id"])
    assert second["attempt"] == 2
    form = run.open_form()
    expect(form.get_by_text("Changed in user_requirements")).to_be_attached()
    expect(form.locator("pre", has_text="isbn").first).to_be_attached()
    form.get_by_text("Changed in project_plan").scroll_into_view_if_needed()
    run.picture("gate-changes", form)
    run.answer(form, "approve", "Ann")
    services.gate(DECIDED, "Plan")

    assert decisions(services, DECIDED) == [
        ("gate rejected", "Bea", first["id"], "Each book has a unique isbn."),
        ("gate approved", "Ann", second["id"], ""),
    ]
    assert services.phase(DECIDED, "Discovery")["gate"]["by"] == "Ann"
    assert not dialogs, "text from a brief must not run in the reviewer's browser"


def test_a_form_without_a_decision_is_not_taken_and_its_links_lead_to_the_documents(
    services: Product, runs: dict[str, str], page: Page
) -> None:
    gate = services.gate(OPEN, "Discovery")
    run = GatePage(page, runs[OPEN], None)
    run.sign_in(services.auth)
    form = run.open_form()
    form.get_by_label("Your name").fill("Cy")
    form.get_by_role("button", name="Resume", exact=True).click()
    page.wait_for_timeout(500)
    expect(form).to_be_visible()
    assert services.gate(OPEN, "Discovery")["id"] == gate["id"]
    assert decisions(services, OPEN) == []

    form.get_by_role("link", name="user_requirements").click()
    expect(page).to_have_url(re.compile(f"/artifacts/key/{OPEN}-user-requirements"))
    expect(page.get_by_text("user_requirements version 1").first).to_be_visible()


def decisions(services: Product, project: str) -> list[tuple[str, str, str, str]]:
    """Return the decisions that the audit trail in our own tables holds: action, who, which gate, comment."""
    return [
        (event["action"], event["actor"], event["detail"]["gate"], event["detail"]["comment"])
        for event in services.json("audit", project)["events"]
        if event["action"] in ("gate approved", "gate rejected")
    ]
