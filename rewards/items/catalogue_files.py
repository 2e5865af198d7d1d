"""The catalogue as a file (TOML): `daixin catalogue apply FILE` makes the items what the file says."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session

from core.errors import BadInput, DaixinError
from rewards.items.items import ItemForm, items_of, save_item

MOST_ITEMS = 500


class _ItemInFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    slug: str
    kind: str
    title: dict[str, str]
    about: dict[str, str] = {}
    price: int | None = None
    stock: int | None = None
    per_member: int | None = None
    settings: dict[str, Any] = {}
    active: bool = True


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[_ItemInFile] = Field(min_length=1, max_length=MOST_ITEMS)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one item: `change` is added, changed or same."""

    slug: str
    change: str


def read_catalogue(text: str) -> list[ItemForm]:
    """The items of a file. Raises `BadInput("catalogue_file")` with the place of the first mistake."""
    try:
        found = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput("catalogue_file", place="TOML", problem=str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise BadInput("catalogue_file", place=place, problem=first["msg"]) from None
    forms = [ItemForm(**one.model_dump()) for one in found.items]
    slugs = [form.slug for form in forms]
    twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
    if twice is not None:
        raise BadInput("catalogue_file", place=f"items.{slugs.index(twice) + 1}", problem=f"{twice} stands there twice")
    return forms


def apply_catalogue(session: Session, brand_id: UUID, forms: list[ItemForm]) -> list[Applied]:
    """Make the brand's items what the forms say, all or none; items the file does not name stay as they are.

    Raises what `save_item` raises, with the item's slug.
    """
    before = {item.slug for item in items_of(session, brand_id)}
    applied = []
    for form in forms:
        known = form.slug in before
        try:
            _, changed = save_item(session, brand_id, form)
        except DaixinError as error:
            error.params.setdefault("slug", form.slug)
            raise
        applied.append(Applied(form.slug, "same" if not changed else "changed" if known else "added"))
    return applied
