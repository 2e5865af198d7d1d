"""Where a member's money goes: checked when it is given, sealed at rest, masked when it is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col
from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

from core import clock, events, ids, vault
from core.errors import BadInput, Refused
from referral.members import keyed_hash
from rewards.payouts.payouts import Payee, PayeeShared


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing to ask for. `name` is the key in the details and of its words."""

    name: str
    required: bool = True
    longest: int = 128


SHAPES: Mapping[str, tuple[Detail, ...]] = {
    "manual": (Detail("name", longest=64), Detail("account"), Detail("bank", required=False)),
    "wechatpay": (Detail("openid", longest=64), Detail("name", required=False, longest=64)),
    "paypal": (Detail("email", longest=127),),
    "telegram_gift": (),
}
"""What each provider has to know of a payee; nothing where the member's own account is enough. PayPal's `email` may be
a PayPal id as well, and is then kept as `paypal_id`."""

IDENTIFYING = {"manual": ("account",), "wechatpay": ("openid",), "paypal": ("email", "paypal_id")}
"""Which detail says where the money goes: two payees that share it are one."""

NAMED_FROM = {"wechatpay": 200_000}
"""From which amount (minor units) a provider wants the payee's real name. WeChat Pay: 2,000 yuan."""

_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62}")
_PAYPAL_ID = re.compile(r"[A-Z0-9]{13}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_CARD = re.compile(r"\d{16,19}")


def set_payee(session: Session, brand_id: UUID, member_id: UUID, provider: str, details: Mapping[str, str]) -> Payee:
    """Keep where this member is paid from now on; the payee before stays as history. The same again changes nothing.

    Raises `Refused("payee_needless")` for a provider that needs none, `BadInput("payee_missing_detail" |
    "payee_wrong_detail", detail=…)`; neither carries what was given.
    """
    clean = checked(provider, details)
    before = payee_of(session, brand_id, member_id, provider)
    if before is not None and vault.unseal(before.sealed, bound_to=before.id) == clean:
        return before
    if before is not None:
        before.replaced_at = clock.now()
        session.add(before)
        session.flush()
    new_id = ids.new()
    payee = Payee(
        brand_id=brand_id,
        id=new_id,
        member_id=member_id,
        provider=provider,
        sealed=vault.seal(clean, bound_to=new_id),
        fingerprint=keyed_hash(f"payee/{provider}", re.sub(r"[\s-]", "", _identity(provider, clean)).casefold()),
        masked=_masked(provider, clean),
        created_at=clock.now(),
    )
    session.add(payee)
    session.flush()
    others = sharing(session, payee)
    if others:
        events.emit(session, [PayeeShared(brand_id, provider, (member_id, *others))])
    return payee


def payee_of(session: Session, brand_id: UUID, member_id: UUID, provider: str) -> Payee | None:
    """Where the member is paid by this provider now."""
    return session.scalars(
        select(Payee).where(
            col(Payee.brand_id) == brand_id,
            col(Payee.member_id) == member_id,
            col(Payee.provider) == provider,
            col(Payee.replaced_at).is_(None),
        )
    ).one_or_none()


def details_of(payee: Payee) -> dict[str, str]:
    """The details as they were given. Raises `Unavailable("sealed")`."""
    return {name: str(value) for name, value in vault.unseal(payee.sealed, bound_to=payee.id).items()}


def sharing(session: Session, payee: Payee) -> list[UUID]:
    """Other members who are, or were once, paid to the same place."""
    return list(
        session.scalars(
            select(col(Payee.member_id))
            .where(
                col(Payee.brand_id) == payee.brand_id,
                col(Payee.fingerprint) == payee.fingerprint,
                col(Payee.member_id) != payee.member_id,
            )
            .group_by(col(Payee.member_id))
            .order_by(func.min(col(Payee.created_at)))
        )
    )


def checked(provider: str, details: Mapping[str, str]) -> dict[str, str]:
    """The details, normalized. Raises as `set_payee`."""
    shape = SHAPES.get(provider, ())
    if not shape:
        raise Refused("payee_needless", provider=provider)
    if details.keys() - {detail.name for detail in shape}:
        raise BadInput("payee_unknown_detail", provider=provider)
    clean = {}
    for detail in shape:
        text = _plain(details.get(detail.name, ""), detail)
        if text:
            clean[detail.name] = text
        elif detail.required:
            raise BadInput("payee_missing_detail", detail=detail.name)
    name = IDENTIFYING[provider][0]
    place = _place(provider, name, clean.pop(name))
    return {"paypal_id" if provider == "paypal" and "@" not in place else name: place, **clean}


def _plain(text: str, detail: Detail) -> str:
    """One line of readable text, in one of the ways Unicode has of writing it."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if len(text) > detail.longest or any(unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs") for letter in text):
        raise BadInput("payee_wrong_detail", detail=detail.name)
    return text


def _place(provider: str, name: str, text: str) -> str:
    """The detail that says where the money goes, checked by its own rules."""
    right = True
    match provider:
        case "wechatpay":
            right = _OPENID.fullmatch(text) is not None
        case "paypal":
            right = bool(_PAYPAL_ID.fullmatch(text) or _EMAIL.fullmatch(text))
            text = text.lower() if "@" in text else text
        case "manual":
            text, right = _account(text)
    if not right:
        raise BadInput("payee_wrong_detail", detail=name)
    return text


def _account(text: str) -> tuple[str, bool]:
    """An account somebody will type by hand, and whether its check digits are right where it has any (IBAN, card)."""
    bare = re.sub(r"[ -]", "", text).upper()
    if _IBAN.fullmatch(bare):
        try:
            return str(iban.validate(bare)), True
        except ValidationError:
            return text, False
    if _CARD.fullmatch(bare):
        return bare, bool(luhn.is_valid(bare))
    if "@" in text:
        return text.lower(), _EMAIL.fullmatch(text.lower()) is not None
    return text, True


def _identity(provider: str, details: Mapping[str, str]) -> str:
    return next(details[name] for name in IDENTIFYING[provider] if name in details)


def _masked(provider: str, details: Mapping[str, str]) -> str:
    """Enough for the member to know it again, too little for anybody else."""
    place = _identity(provider, details)
    user, at, host = place.rpartition("@")
    shown = f"{user[:1]}***@{host}" if at else f"…{place[-4:]}" if len(place) > 8 else f"…{place[-1:]}"
    name = details.get("name")
    return f"{name[:1]}** {shown}" if name else shown
