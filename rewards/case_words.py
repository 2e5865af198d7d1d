"""A case in plain words: what it is about, the evidence, and what hangs on it. What can be decided: `case_answers`.

The chat and the web say the same; each brings a `Telling` that keeps what people gave harmless in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, i18n
from referral import doubts, members
from referral.actors import user_name
from referral.brands import Brand, Community
from referral.campaigns import Campaign, CodeOwner
from referral.cases import Case
from referral.linking import person_of
from referral.members import Member, Membership
from referral.referrals import Referral
from referral.staff import OPERATOR
from referral.trials.applications import answers_of
from referral.trials.places import Trial, TrialApplication
from rewards.conditions.dictionary import ATTRIBUTES, describe
from rewards.corrections import ALIVE
from rewards.plans import latest_plan
from rewards.rewards import rewards_for

AND = {"en": ", ", "zh_Hans": "、"}
LAST_AND = {"en": " and ", "zh_Hans": " 和 "}
FACTS = 5
"""Facts told of what a plan calls risky, at most."""


class Telling(Protocol):
    """To whom a case is put into words, and how text is kept harmless there: the chat and the web each have their own.

    What `say`, `quote`, `join`, `amount` and `when` return is ready to be shown; everything else is plain text.
    """

    @property
    def session(self) -> Session: ...

    @property
    def brand(self) -> Brand: ...

    @property
    def locale(self) -> str: ...

    def say(self, key: str, /, **params: Any) -> str:
        """A message; plain parameters are quoted, shown ones are not."""

    def quote(self, text: str) -> str:
        """Plain text, ready to be shown."""

    def join(self, between: str, parts: Sequence[str]) -> str:
        """Parts that are ready to be shown, as one."""

    def amount(self, amount: int, asset: str) -> str:
        """An amount; an item of the brand by its own title."""

    def moment(self, at: datetime, timezone: str) -> str:
        """A moment in this zone."""


def name_in(telling: Telling, member_id: UUID | None) -> str:
    """What to call a member as the person they are now."""
    person = person_of(telling.session, telling.brand.id, member_id) if member_id is not None else None
    member = telling.session.get(Member, (telling.brand.id, person)) if person is not None else None
    return member.name if member is not None and member.name else i18n.text(telling.locale, "member.unnamed")


def title_in(telling: Telling, case: Case) -> str:
    """The campaign's title; the brand's name for what belongs to none."""
    found = campaign_in(telling, case)
    return i18n.pick(found.title, telling.locale) if found is not None else telling.brand.name


def campaign_in(telling: Telling, case: Case) -> Campaign | None:
    """The campaign a case belongs to."""
    return telling.session.get(Campaign, (case.brand_id, case.campaign_id)) if case.campaign_id else None


def when_in(telling: Telling, at: datetime, case: Case) -> str:
    """A moment in the time zone of the campaign's people."""
    found = campaign_in(telling, case)
    return telling.moment(at, found.timezone if found is not None else telling.brand.timezone)


def friend_name(telling: Telling, case: Case) -> str:
    """The friend a case about who brought them is about."""
    kept = case.facts.get("person") or {}
    name = kept.get("name")
    return " ".join(str(name).split())[:64] if name else i18n.text(telling.locale, "member.unnamed")


def first_of(telling: Telling, case: Case) -> Case | None:
    """The decision that is appealed against, where it was a case of its own."""
    return telling.session.get(Case, (case.brand_id, case.appeal_of)) if case.appeal_of else None


def _referral(telling: Telling, case: Case) -> Referral | None:
    return telling.session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None


def question(telling: Telling, case: Case) -> str:
    """What is to be decided, in one line that fits a button."""
    facts: dict[str, str] = {"member": name_in(telling, case.member_id)}
    if case.kind == "attribution":
        facts["friend"] = friend_name(telling, case)
    if case.kind == "referral" and (referral := _referral(telling, case)) is not None:
        facts |= {"friend": name_in(telling, referral.friend_id), "advocate": name_in(telling, referral.advocate_id)}
    return i18n.text(telling.locale, f"case.question.{case.kind}", **facts)


def evidence(telling: Telling, case: Case) -> str:
    """Everything a reviewer should know, with what it is about above it."""
    head = telling.say(
        "case.head",
        question=question(telling, case),
        title=title_in(telling, case),
        when=when_in(telling, case.opened_at, case),
    )
    return telling.join("\n", [head, "", *evidence_lines(telling, case)])


def evidence_lines(telling: Telling, case: Case) -> list[str]:
    """Everything a reviewer should know, a line each; what is one of several begins with a dash."""
    tellers: dict[str, Callable[[Telling, Case], Sequence[str]]] = {
        "attribution": _attribution,
        "referral": _flagged,
        "application": _application,
        "appeal": _appeal,
    }
    return list(tellers[case.kind](telling, case))


# Who brought somebody.


def _attribution(telling: Telling, case: Case) -> list[str]:
    owners = doubts.candidates_of(telling.session, case)
    lines = [_how_they_came(telling, case, owners)]
    if case.facts.get("seen_at"):
        seen = when_in(telling, clock.parse(case.facts["seen_at"]), case)
        lines.append(telling.say("case.seen_before", friend=friend_name(telling, case), when=seen))
    if not _is_here(telling, case):
        lines.append(telling.say("case.friend_left", friend=friend_name(telling, case)))
    lines += ["- " + _candidate(telling, owner) for owner in owners]
    return [*lines, *_would_pay(telling, case)]


def _how_they_came(telling: Telling, case: Case, owners: Sequence[CodeOwner]) -> str:
    place = telling.session.get(Community, (case.brand_id, UUID(case.facts["community"])))
    facts = {
        "friend": friend_name(telling, case),
        "place": place.title if place is not None and place.title else i18n.text(telling.locale, "rewards.community"),
        "when": when_in(telling, clock.parse(case.facts["at"]), case),
        "advocate": name_in(telling, owners[0].advocate_id) if owners else "",
    }
    if case.facts["certainty"] == "inviter_hint":
        return telling.say("case.came.added", **facts)
    return telling.say("case.came.by_one" if len(owners) == 1 else "case.came.by_several", **facts)


def _is_here(telling: Telling, case: Case) -> bool:
    kept = case.facts.get("person") or {}
    here = select(col(Membership.account)).where(
        col(Membership.brand_id) == case.brand_id,
        col(Membership.community_id) == UUID(case.facts["community"]),
        col(Membership.account) == kept.get("account", ""),
        col(Membership.left_at).is_(None),
    )
    return telling.session.scalar(here) is not None


def _candidate(telling: Telling, owner: CodeOwner) -> str:
    counts = dict(
        telling.session.execute(
            select(col(Referral.state), func.count())
            .where(
                col(Referral.brand_id) == owner.brand_id,
                col(Referral.advocate_id) == owner.advocate_id,
                col(Referral.campaign_id) == owner.campaign.id,
            )
            .group_by(col(Referral.state))
        ).all()
    )
    return telling.say(
        "case.candidate",
        advocate=name_in(telling, owner.advocate_id),
        qualified=counts.get("qualified", 0),
        underway=counts.get("started", 0) + counts.get("joined", 0),
        lost=counts.get("reversed", 0) + counts.get("rejected", 0),
    )


def _would_pay(telling: Telling, case: Case) -> list[str]:
    """What it would pay, where the plan has plain amounts for the friend's qualifying."""
    if case.campaign_id is None:
        return []
    plan = latest_plan(telling.session, case.brand_id, case.campaign_id)
    amounts = [
        telling.say(f"case.pays.{rule.to}", amount=_amount(telling, rule.amount, plan.asset_of(rule)))
        for rule in plan.rules
        if rule.amount is not None and rule.on is None and rule.to in ("advocate", "friend")
    ]
    return [telling.say("case.would_pay", amounts=telling.join(AND[telling.locale], amounts))] if amounts else []


def _amount(telling: Telling, amount: int, asset: str) -> str:
    return telling.amount(amount, asset)


# A friend who looks wrong.


def _flagged(telling: Telling, case: Case) -> list[str]:
    referral = _referral(telling, case)
    if referral is None:
        return []
    return [_came(telling, case, referral), _signal(telling, case), *_stake(telling, referral)]


def _came(telling: Telling, case: Case, referral: Referral) -> str:
    state = referral.state if referral.state in ("started", "joined", "qualified") else "over"
    return telling.say(
        "case.came.through",
        friend=name_in(telling, referral.friend_id),
        advocate=name_in(telling, referral.advocate_id),
        when=when_in(telling, referral.started_at, case),
        state=telling.say(f"case.state.{state}"),
    )


def _signal(telling: Telling, case: Case) -> str:
    if case.facts.get("signal") == "payee":
        names = _listed(telling, [name_in(telling, UUID(one)) for one in case.facts.get("members", ())])
        way = i18n.text(telling.locale, f"withdraw.way.{case.facts['provider']}")
        return telling.say("case.signal.payee", names=names, way=way)
    shown = [_fact(telling, name, value) for name, value in list(case.facts.get("used", {}).items())[:FACTS]]
    return telling.say("case.signal.risky", facts=telling.join(AND[telling.locale], shown))


def _listed(telling: Telling, names: Sequence[str]) -> str:
    """Names as people list them."""
    *most, last = (telling.quote(name) for name in names)
    return telling.join(LAST_AND[telling.locale], [telling.join(AND[telling.locale], most), last]) if most else last


def _fact(telling: Telling, name: str, value: Any) -> str:
    """One fact that the plan's condition asked about."""
    own = f"fact.{name}"
    known = own in i18n.catalogue(telling.locale)
    what = i18n.text(telling.locale, own) if known else (describe(name, telling.locale) if name in ATTRIBUTES else name)
    if isinstance(value, bool):
        shown = i18n.text(telling.locale, "fact.yes" if value else "fact.no")
    elif isinstance(value, int):
        shown = i18n.number(telling.locale, value)
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return telling.join("：" if telling.locale == "zh_Hans" else ": ", [telling.quote(what), telling.quote(shown)])


def _stake(telling: Telling, referral: Referral) -> list[str]:
    """What the referral has earned so far."""
    alive = [row for row in rewards_for(telling.session, referral.brand_id, [referral.id]) if row.state in ALIVE]
    amounts = [
        telling.say(
            "case.stake.one",
            name=name_in(telling, row.member_id),
            amount=_amount(telling, row.amount - row.taken_back, row.asset),
        )
        for row in sorted(alive, key=lambda row: (row.created_at, row.id))
    ]
    if not amounts:
        return []
    waits = any(row.state == "in_review" for row in alive)
    stake = telling.say("case.stake", amounts=telling.join(AND[telling.locale], amounts))
    return [stake, telling.say("case.stake.waits")] if waits else [stake]


# An application, an appeal.


def _application(telling: Telling, case: Case) -> list[str]:
    row = telling.session.get(TrialApplication, (case.brand_id, case.subject_id)) if case.subject_id else None
    if row is None:
        return []
    lines = [
        telling.say(
            "case.application",
            member=name_in(telling, row.member_id),
            when=when_in(telling, row.applied_at, case),
            friends=row.friends,
        )
    ]
    trial = telling.session.get(Trial, (row.brand_id, row.campaign_id))
    if trial is not None:
        lines.append(telling.say("case.application.places", free=trial.free, quota=trial.quota))
    if case.facts.get("missed_before"):
        lines.append(telling.say("case.application.missed", times=int(case.facts["missed_before"])))
    said = answers_of(telling.session, row, telling.locale)
    return [*lines, *("- " + telling.say("case.answer", question=what, answer=answer) for what, answer in said)]


def _appeal(telling: Telling, case: Case) -> list[str]:
    first, referral = first_of(telling, case), _referral(telling, case)
    lines = []
    if referral is not None:
        lines.append(_came(telling, case, referral))
    elif first is not None and first.kind == "attribution":
        lines += _attribution(telling, first)
    elif first is not None:
        lines += _application(telling, first)
    lines.append(_first_decision(telling, case, first, referral))
    words = str(case.facts.get("words", ""))
    if words:
        lines.append(telling.say("case.appeal.words", member=name_in(telling, case.member_id), words=words))
    if referral is not None:
        lines.append(telling.say("case.appeal.if_upheld", friend=name_in(telling, referral.friend_id)))
    return lines


def _first_decision(telling: Telling, case: Case, first: Case | None, referral: Referral | None) -> str:
    rejected = (referral.facts or {}).get("rejected") if referral is not None else None
    if first is not None and first.decided_at is not None:
        facts = (first.decided_at, first.reason or "", first.decided_by or "")
    elif rejected and referral is not None and referral.reason != "left_during_hold":
        facts = (clock.parse(rejected["at"]), rejected["reason"], rejected["actor"])
    else:
        return telling.say("case.appeal.left")
    at, reason, actor = facts
    return telling.say(
        "case.appeal.first", when=when_in(telling, at, case), reason=reason, who=actor_name(telling, actor)
    )


def actor_name(telling: Telling, actor: str) -> str:
    """What to call whoever decided: the member's name, or the command line's."""
    if actor == OPERATOR:
        return i18n.text(telling.locale, "case.operator")
    if (user := user_name(telling.session, telling.brand.id, actor)) is not None:
        return user
    platform, _, account = actor.partition(":")
    identity = members.find_identity(telling.session, telling.brand.id, platform, account) if account else None
    return name_in(telling, identity.member_id) if identity is not None else actor
