"""What the page posts → neutral incoming. Pure; what it refuses is a `Refused` with a word for the visitor."""

from __future__ import annotations

from typing import Any

from bots.message import ACTION_BYTES, Attachment, Form, Person, Place, Pressed, Said, Submitted

MAX_ANSWERS = 20
MAX_KEY = 64


class Refused(Exception):
    """A request we do not take. `code` is a key of `words.WORDS`, `params` fill its placeholders."""

    def __init__(self, code: str, status: int, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.params = params


def decode(
    body: object, person: Person, place: Place, *, max_text: int, form: Form | None = None
) -> Said | Pressed | Submitted:
    """One posted message: `{text}`, `{action}` or `{form, answers}`, each with an optional `key` against repeats.

    `form`: the one being answered, if it is still known; then only its fields are taken and their lengths hold.
    Raises `Refused`.
    """
    if not isinstance(body, dict):
        raise Refused("malformed", 422)
    key = _key(body, person)
    if "text" in body:
        return Said(person, place, decode_text(body["text"], max_text), key=key)
    if "action" in body:
        return Pressed(person, place, _action(body["action"]), key=key)
    if "form" in body:
        return Submitted(person, place, _action(body["form"]), _answers(body.get("answers"), max_text, form), key=key)
    raise Refused("malformed", 422)


def decode_picture(data: bytes, media_type: str, key: str | None, person: Person, place: Place) -> Said:
    """A posted picture, which is all there already. Raises `Refused`: pictures are for the private chat only."""
    if place.group is not None:
        raise Refused("picture_private", 403)
    if not media_type.startswith("image/"):
        raise Refused("not_picture", 415)
    if not data:
        raise Refused("empty", 422)

    async def fetch() -> bytes:
        return data

    return Said(person, place, "", key=_key({"key": key}, person), picture=Attachment(media_type, len(data), fetch))


def decode_text(value: object, max_text: int) -> str:
    """The words of a message: trimmed, line breaks as `\\n`, without control characters."""
    if not isinstance(value, str):
        raise Refused("malformed", 422)
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(char for char in text if char == "\n" or char == "\t" or char.isprintable() or ord(char) > 0x9F)
    text = text.encode("utf-8", "ignore").decode().strip()
    if not text:
        raise Refused("empty", 422)
    if len(text) > max_text:
        raise Refused("too_long", 422, limit=max_text, length=len(text))
    return text


def _key(body: dict[str, Any], person: Person) -> str | None:
    key = body.get("key")
    if key is None:
        return None
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
        raise Refused("malformed", 422)
    return f"{person.account}:{key}"


def _action(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Refused("malformed", 422)
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise Refused("malformed", 422) from error
    if size > ACTION_BYTES:
        raise Refused("malformed", 422)
    return value


def _answers(value: object, max_text: int, form: Form | None) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_ANSWERS:
        raise Refused("malformed", 422)
    limits = {field.name: field.max_length for field in form.fields} if form else None
    answers: dict[str, str] = {}
    for name, answer in value.items():
        if not isinstance(answer, str) or (limits is not None and name not in limits):
            raise Refused("malformed", 422)
        limit = min(max_text, limits[name]) if limits else max_text
        if len(answer) > limit:
            raise Refused("answer_long", 422, limit=limit)
        answers[str(name)] = answer.encode("utf-8", "ignore").decode().strip()
    return answers
