"""A journey in words: every step, rule and verdict as a sentence, and what an advocate is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import i18n
from core.money import Money, is_currency
from referral import codes
from referral.attribution.split import WHOLE
from referral.attribution.words import describe, explain
from referral.journeys.steps import PEOPLE, Asked, Journey, Moved, Step
from rewards.rewards import QUIET
from web.dashboard import shown

AMOUNTS = ("amount", "rest", "net", "left", "gross", "discount", "shipping", "tax", "covered", "fee", "refunded")
NAMES = (
    *(*PEOPLE, *AMOUNTS, "came", "until", "ordered", "days", "seen", "via", "before", "starts", "ends", "since", "due"),
    *("qualified", "reason", "why", "number", "place", "platform", "kind", "verdict", "act", "how", "joined"),
    *("code", "shares", "share"),
)
"""Whatever a sentence may say; what a step does not know stands as a dash."""
DETAILS: Mapping[str, tuple[str, ...]] = {
    "click": ("device", "referrer", "robot"),
    "touch": ("code", "place", "certainty"),
    "order": ("source", "gross", "discount", "shipping", "tax", "net", "code"),
    "attribution": ("shares", "policy"),
    "refund": ("number",),
    "reward": ("role", "rule", "percent", "in_words"),
    "payout": ("provider", "fee"),
    "case": ("by", "reason", "words"),
    "act": ("by",),
}
"""What is shown below a step's sentence, by the first part of its name."""
PAID = {"held": "held", "payable": "payable", "in_payout": "payable", "paid": "paid", "in_review": "review"}
LETTERS = 5
"""Advocates of one order for whom a letter is written."""
LAST = 4
"""Characters of an order's number that a letter shows."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in words. `state`: held, against, not_asked."""

    text: str
    state: str
    because: str


@dataclass(frozen=True, slots=True)
class Line:
    """A transfer in words."""

    reference: str
    amount: str
    debit: str
    credit: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A step as the page shows it. `terms`: whose rules were asked, by version. `seen`: the touches a decision
    looked at."""

    at: datetime
    kind: str
    tone: str
    text: str
    details: tuple[tuple[str, str], ...]
    rules: tuple[Rule, ...]
    terms: str
    moves: tuple[Line, ...]
    link: tuple[str, str] | None
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks of one journey in one language, in the brand's time zone."""

    journey: Journey
    locale: str
    timezone: str

    def say(self, key: str, facts: Mapping[str, Any] | None = None) -> str:
        """The sentence with its facts in words."""
        return i18n.text(self.locale, key, **(dict.fromkeys(NAMES, shown.NOTHING) | self.said(facts or {})))

    def known(self, key: str, name: str | None, otherwise: str = "other") -> str:
        """One of several words; `otherwise` for a code that has none."""
        found = f"journey.{key}.{name}"
        return self.say(found if found in i18n.catalogue(self.locale) else f"journey.{key}.{otherwise}")

    def name(self, member_id: UUID | None) -> str:
        """What a member is called here."""
        if member_id is None:
            return self.say("journey.person.nobody")
        person = self.journey.people.get(member_id)
        if person is None or person.erased:
            return self.say("journey.person.erased")
        return clean(person.name) or self.say("journey.person.unnamed")

    def when(self, at: datetime) -> str:
        return shown.when(self.locale, self.timezone, at)

    def said(self, facts: Mapping[str, Any]) -> dict[str, str]:
        """The facts of a step as its sentence takes them."""
        asset = facts.get("asset") or facts.get("currency")
        found: dict[str, str] = {}
        for name, value in facts.items():
            if name == "by" and isinstance(value, str):
                found[name] = self._actor(value)
            elif name in PEOPLE:
                found[name] = self.name(value)
            elif value is None:
                continue
            elif isinstance(value, datetime):
                found[name] = self.when(value)
            elif name in AMOUNTS and asset and isinstance(value, int):
                found[name] = Money(value, asset).format(self.locale)
            elif name == "shares":
                found[name] = self.shares(value)
            elif name == "how":
                found[name] = explain(str(value), self.locale)
            elif name == "seen" and isinstance(value, list):
                continue
            elif name == "code":
                found[name] = codes.display(str(value)) if len(str(value)) == codes.LENGTH + 1 else clean(str(value))
            elif name in _CODED:
                found[name] = self._coded(name, str(value))
            else:
                found[name] = clean(str(value))
        return found

    def shares(self, shares: Mapping[UUID, int]) -> str:
        """Who has how much of an order, the most first."""
        best = sorted(shares.items(), key=lambda item: -item[1])
        said = [f"{self.name(who)} {shown.percent(self.locale, share / WHOLE, 1)}" for who, share in best]
        return ("、" if self.locale == "zh_Hans" else ", ").join(said)

    def _seen(self, step: Step) -> tuple[str, ...]:
        """The touches a decision looked at, each with its part."""
        if not step.what.startswith("attribution"):
            return ()
        found = []
        for one in step.facts["seen"]:
            share = shown.percent(self.locale, one["share"] / WHOLE, 1) if one["share"] else ""
            text = self.say(f"journey.step.touch.{one['kind']}", {"advocate": one["advocate"]})
            found.append(" · ".join(filter(None, (self.when(one["at"]), text, share))))
        return tuple(found)

    def _coded(self, name: str, value: str) -> str:
        key = _CODED[name]
        if name == "platform" and f"platform.{value}" in i18n.catalogue(self.locale):
            return i18n.text(self.locale, f"platform.{value}")
        if name == "reason" and f"journey.{key}.{value}" not in i18n.catalogue(self.locale):
            return self._ledger_reason(value)
        return self.known(key, value)

    def _actor(self, actor: str) -> str:
        """Who did something for the brand: where they did it, which is all the log keeps of them."""
        where = actor.partition(":")[0]
        return self.known("by", where)

    def _ledger_reason(self, value: str) -> str:
        """The words the statements use for why a reward is not there; a person's own words stay what they are."""
        said = f"statement.reason.{value}"
        return i18n.text(self.locale, said) if said in i18n.catalogue(self.locale) else clean(value)

    def step(self, step: Step) -> Shown:
        """A step in words."""
        kind = step.what.partition(".")[0]
        title = self.journey.campaigns.get(step.campaign_id) if step.campaign_id else None
        terms = ""
        if step.asked and step.version is not None and title is not None:
            name = clean(i18n.pick(title.title, self.locale))
            terms = i18n.text(self.locale, "journey.rules.version", title=name, version=step.version)
        return Shown(
            step.at,
            kind,
            step.tone,
            self.say(f"journey.step.{step.what}", step.facts),
            tuple(self._details(step, kind)),
            tuple(self._rule(one) for one in step.asked),
            terms,
            tuple(self._move(move) for move in step.moves),
            step.link,
            self._seen(step),
        )

    def _details(self, step: Step, kind: str) -> list[tuple[str, str]]:
        facts = dict(step.facts)
        if isinstance(facts.get("basis_points"), int):
            facts["percent"] = shown.percent(self.locale, facts["basis_points"] / 10_000, 2)
        if facts.get("in_words"):
            facts["in_words"] = i18n.pick(facts["in_words"], self.locale)
        if kind == "attribution":
            facts["policy"] = describe(facts.get("policy"), self.locale)
            facts["shares"] = facts["shares"] or None
        if kind == "order" and step.what != "order":
            return []
        words = self.said({**facts, "reason": None} if kind != "case" else facts)
        if kind == "case" and facts.get("reason"):
            words["reason"] = clean(str(facts["reason"]))
        found = []
        for name in DETAILS.get(kind, ()):
            if facts.get(name) in (None, False, "", 0) or name not in words:
                continue
            value = self.say("journey.yes") if facts[name] is True else words[name]
            found.append((self.say(f"journey.fact.{name}"), value))
        return found

    def _rule(self, one: Asked) -> Rule:
        state = "not_asked" if one.held is None else ("held" if one.held else "against")
        facts = self.said(one.facts)
        key = f"journey.because.{one.rule}"
        told = any(value is not None for name, value in one.facts.items() if name != "reason")
        said = told and state != "not_asked" and key in i18n.catalogue(self.locale)
        because = self.say(f"journey.because.{one.rule}", one.facts) if said else ""
        if state == "against" and not because and one.facts.get("reason"):
            because = facts.get("reason", "")
        return Rule(self.known("asked", one.rule), state, because)

    def _move(self, move: Moved) -> Line:
        return Line(
            move.reference,
            Money(move.amount, move.asset).format(self.locale),
            self._end(move.debit),
            self._end(move.credit),
        )

    def _end(self, end: tuple[str, UUID]) -> str:
        purpose, owner = end
        name = self.name(owner) if purpose.startswith("member.") else ""
        return i18n.text(self.locale, f"journey.account.{purpose}", name=name)

    def verdict(self) -> str:
        """The answer in a sentence."""
        return self.say(f"journey.verdict.{self.journey.verdict.reason}", self.journey.verdict.facts)

    def advocates(self) -> list[UUID | None]:
        """Who may be told: everybody with a share of the order, or the one it is about, or nobody known."""
        shares = self.journey.verdict.facts.get("shares") or {}
        if len(shares) > 1:
            return sorted(shares, key=lambda one: (-shares[one], one))[:LETTERS]
        return [self.journey.verdict.facts.get("advocate")]

    def letter(self, advocate: UUID | None) -> str:
        """What may be sent to this advocate: the answer without a friend's name, account or spending."""
        verdict = self.journey.verdict
        facts = {name: value for name, value in verdict.facts.items() if name not in (*AMOUNTS, "friend", "shares")}
        if advocate in (verdict.facts.get("shares") or {}):
            facts["share"] = shown.percent(self.locale, verdict.facts["shares"][advocate] / WHOLE, 1)
        person = self.journey.people.get(advocate) if advocate else None
        known = person is not None and not person.erased and person.name
        hello = self.say("journey.letter.mail", {"advocate": advocate}) if known else self.say("journey.letter.plain")
        about = self._about(self.say(f"journey.letter.said.{verdict.reason}", facts))
        return "\n".join([hello, about, *self._money(advocate)])

    def _about(self, said: str) -> str:
        """What the answer is about: an order by the end of its number, or a friend by the day they came."""
        order = self.journey.order
        if order is not None:
            number = order.external_id
            tail = clean(f"…{number[-LAST:]}" if len(number) > LAST else number)
            return i18n.text(self.locale, "journey.letter.order", number=tail, ordered=self._day("ordered"), body=said)
        if self.journey.verdict.facts.get("came") is not None:
            return i18n.text(self.locale, "journey.letter.friend", came=self._day("came"), body=said)
        return i18n.text(self.locale, "journey.letter.person", body=said)

    def _day(self, name: str) -> str:
        return shown.day(self.locale, self.timezone, self.journey.verdict.facts.get(name))

    def _money(self, advocate: UUID | None) -> list[str]:
        """What came of it for the advocate: each reward and when it is theirs, or why there was none."""
        found, refused = [], []
        for step in self.journey.steps:
            facts = step.facts
            if facts.get("member") != advocate or advocate is None:
                continue
            if step.what in ("reward.held", "reward.granted") and facts["left"] and not self._is_item(facts):
                said = {"amount": facts["left"], "asset": facts["asset"], "until": facts["until"]}
                state = PAID.get(facts["state"])
                found += [self.say(f"journey.letter.money.{state}", said)] if state else []
            elif step.what == "reward.capped" and facts["reason"] not in QUIET:
                refused.append(self.say("journey.letter.money.none", {"reason": facts["reason"]}))
        return (found or refused)[:3]

    @staticmethod
    def _is_item(facts: Mapping[str, Any]) -> bool:
        return not is_currency(facts["asset"]) and str(facts["asset"]).startswith("item:")


_CODED = {
    "via": "via",
    "platform": "platform",
    "certainty": "certainty",
    "device": "device",
    "kind": "case",
    "verdict": "decided",
    "role": "role",
    "reason": "reason",
    "why": "reason",
}
"""Facts that are codes: the words stand under this key."""


def clean(text: str) -> str:
    """A name as one line without marks that turn the writing around or hide."""
    return "".join(char for char in text if char.isprintable() or char == " ")[:200].strip()
