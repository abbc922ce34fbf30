"""Briefs as text: reading bytes, splitting into numbered sentences, a title and a slug. Pure; every function is total."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from botarmy.artifacts import Sentence
from botarmy.errors import BriefError
from botarmy.outline import GREETING, passages

# Feedback holds what people said, and the reasons of checks, which no sentence of a brief is.
_COMMENT = re.compile(r"^[^\n“]{1,100}? rejected this: (.*)$", re.DOTALL)
SLUG_LENGTH = 40
TITLE_LENGTH = 80
_SHORT = 8  # words of a first line that can be a name
_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Whole terminal sequences first (their letters are no text), then every other control character. The bidirectional
# overrides go too: they make a screen show another text than the one that is stored.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c\n]{0,2000}(?:\x07|\x1b\\\\|\x9c)|\x1b[ -/]{0,4}[0-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_ASKING = re.compile(
    r"^(?:please\s+)?(?:build|create|make|develop|write|design|implement|we\s+(?:need|want)|i\s+(?:need|want)|"
    r"i(?:'d|\s+would)\s+like)(?:\s+(?:me|us|to\s+(?:build|create|make|have)))?\s+(?:(?:a|an|the|some)\s+)?(?=\w)",
    re.IGNORECASE,
)
_GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "æ": "ae", "ø": "o"}
)


def read_brief(data: bytes, limit: int = 1_000_000) -> str:
    r"""Turn the bytes of a brief into clean text.

    Args:
        data: the file's content.
        limit: most bytes that are taken.

    Returns:
        The text with "\n" line ends and without byte order mark, terminal sequences and control characters
        (newline and tab stay).

    Raises:
        BriefError: the brief is empty, too large, binary or not UTF-8.
    """
    if len(data) > limit:
        raise BriefError(
            f"The brief is too large: it has more than {limit:,} bytes, and no more are taken.",
            hint="Keep to what the product must do; put data and long appendices elsewhere.",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BriefError("The brief is UTF-16 text, not UTF-8.", hint="Save it as UTF-8 and try again.")
    if b"\x00" in data:
        raise BriefError("The brief is a binary file: it holds NUL bytes.", hint="Give a plain text or Markdown file.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BriefError(
            f"The brief is not UTF-8 text: byte {error.start} (0x{data[error.start]:02x}) does not fit.",
            hint="Save it as UTF-8 and try again; a document or image must be exported as text first.",
        ) from error
    text = clean(text)
    if not any(character.isalnum() for character in text):
        raise BriefError(
            "The brief is empty: it holds no words.", hint="Write at least one sentence about the product."
        )
    return text


def clean(text: str) -> str:
    """Return the text with plain line ends, without terminal sequences and control characters, and stripped."""
    text = _BREAKS.sub("\n", text)
    return _CONTROLS.sub("", _ESCAPES.sub("", text)).strip()


def sentences(text: str) -> tuple[Sentence, ...]:
    """Return the brief's sentences in order, numbered S1, S2 and so on.

    Prose is split at the terminators of many scripts; a list item, a table row and a code block are sentences of
    their own. Headings are left out where text stands below them and they demand nothing themselves.
    """
    return tuple(Sentence(id=f"S{number}", text=passage.text) for number, passage in enumerate(passages(text), 1))


def rejection(by: str, comment: str) -> str:
    """Return what the next attempt hears of a person's comment."""
    return f"{by} rejected this: {comment}"


def is_comment(feedback: str) -> bool:
    """Say whether an item of an attempt's feedback is a person's comment, and not the reason of a check."""
    return _COMMENT.match(feedback) is not None


def comments(feedback: Iterable[str]) -> tuple[Sentence, ...]:
    """Return the sentences of the people's comments in an attempt's feedback, each once, numbered FB1, FB2 and so on."""
    found = [match for text in feedback if (match := _COMMENT.match(text))]
    said = dict.fromkeys(passage.text for match in found for passage in passages(clean(match[1])))
    return tuple(Sentence(id=f"FB{number}", text=text) for number, text in enumerate(said, 1))


def title(text: str) -> str:
    """Return a short name for the product: the first heading, else what the first sentence asks for."""
    found = [passage for passage in passages(text) if not GREETING.match(passage.text)]
    first = found[0].text if found else text
    headings = found[0].headings if found else ()
    if not headings and len(first.split()) > _SHORT:
        headings = next((passage.headings for passage in found if passage.headings), ())
    candidate = " ".join(_ASKING.sub("", (headings[0] if headings else first).strip()).split())
    if not headings:
        candidate = re.split(
            r"[,;:.!?。！？।]\s|[。！？।]|\s(?:that|which|where|so that|in which)\s", candidate, maxsplit=1
        )[0]
    candidate = _cut(candidate.strip(" .!?:;,#*_`\"'"), TITLE_LENGTH)
    return candidate[:1].upper() + candidate[1:] if candidate else "Untitled product"


def slugify(text: str) -> str:
    """Return a name for addresses and folders: ASCII words and hyphens, at most 40 characters.

    A text that mostly has no ASCII form becomes "project-" and six hex digits of its hash, so that it stays stable.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_GERMAN)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    letters = sum(character.isalnum() for character in text)
    if len(slug.replace("-", "")) * 2 < letters or not slug:
        return "project-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return slug if len(slug) <= SLUG_LENGTH else (slug[: SLUG_LENGTH + 1].rpartition("-")[0] or slug[:SLUG_LENGTH])


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return (text[:length].rpartition(" ")[0] or text[: length - 1]).rstrip(" ,;:") + "…"
