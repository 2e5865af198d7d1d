"""What a campaign file may hold, and every mistake in one named with its place.

Words stay in the catalogue: a `FileProblem` carries a code, `explain` puts it into words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from core import i18n
from core.errors import BadInput
from core.money import ITEM
from referral.announcing import AnnounceTerms
from referral.attribution.policy import AttributionTerms
from referral.attribution.policy import misfits as attribution_misfits
from referral.brands import SLUG
from referral.contests.terms import ContestTerms
from referral.trials.credit import OWN as OF_TRIALS
from referral.trials.terms import TrialTerms, misfits
from rewards import toml_places
from rewards.conditions.expressions import compile_condition
from rewards.plans import EventName, PayoutTerms, Plan, Rewards

LONGEST = timedelta(days=731)
"""Two years, one of them a leap year."""


def _known_slug(slug: str) -> str:
    if not SLUG.fullmatch(slug):
        raise PydanticCustomError("slug", "not a slug")
    return slug


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("unknown_timezone", "unknown time zone")
    return name


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


_LINE = r"^[^\x00-\x1f\x7f\u2028\u2029]*$"
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=_LINE)]
Benefit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_LINE)]
Days = Annotated[int, Field(ge=1, le=365)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
PictureName = Annotated[
    str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64}|[^\x00-\x1f\x7f/\\:]+\.[A-Za-z]{3,4})$", max_length=200)
]
Place = Annotated[str, StringConstraints(pattern=r"^[a-z]+:\S.*$", max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, serialize_by_alias=True)


class Titles(_Part):
    """The campaign's name in both languages."""

    chinese: Title = Field(alias="zh_Hans")
    english: Title = Field(alias="en")


class Benefits(_Part):
    """What the friend gets, in both languages."""

    chinese: Benefit = Field(alias="zh_Hans")
    english: Benefit = Field(alias="en")


class About(_Part):
    """`[campaign]`. `communities` as `platform:group`; empty means all of the brand's. `picture`: one that is kept, as
    `sha256:` and its digest, or the name of a file beside this one, which is kept when it is applied from there."""

    slug: Annotated[str, AfterValidator(_known_slug)]
    kind: Literal["referral", "trial", "contest"] = "referral"
    title: Titles
    benefit: Benefits
    timezone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    starts_at: Moment
    ends_at: Moment
    communities: Annotated[tuple[Place, ...], Strict(False)] = ()
    picture: PictureName | None = None


class Qualifying(_Part):
    """`[qualify]`: what earns. `stay_days` matters to `retained` alone."""

    event: EventName = "retained"
    stay_days: Days = 7
    window_days: Days = 30


class Policy(_Part):
    """`[policy]`: rules of platforms that the operator overrides, knowing why."""

    allow_join_rewards_on_discord: bool = False
    allow_join_rewards_on_wechat: bool = False
    allow_sharing_words_on_wechat: bool = False


class CampaignFile(_Part):
    """A campaign file that was read; all moments in UTC."""

    campaign: About
    qualify: Qualifying = Qualifying()
    rewards: Rewards = Rewards()
    payout: PayoutTerms = PayoutTerms()
    policy: Policy = Policy()
    announce: AnnounceTerms = AnnounceTerms()
    attribution: AttributionTerms | None = None
    contest: ContestTerms | None = None
    trial: TrialTerms | None = None

    @property
    def plan(self) -> Plan:
        """`[rewards]` and `[payout]` together, as they are kept with the campaign's version."""
        return Plan(**dict(self.rewards), payout=self.payout)

    @property
    def document(self) -> dict[str, Any]:
        """The file as JSON, as it is kept with the campaign's version."""
        said = self.model_dump(mode="json")
        if said["attribution"] is None:  # files from before there were policies are the same files
            del said["attribution"]
        return said


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A mistake in a file: message `campaign_file.<code>`. `where` is the field, `line` and `column` count from 1."""

    code: str
    where: str = ""
    line: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    column: int | None = None


def explain(problem: FileProblem, locale: str) -> str:
    """A problem in words, with where it is and what to write instead."""
    params = problem.params
    if problem.code == "expression":
        params = {"said": i18n.text(locale, f"expression.{params['problem']}", **params["details"])}
    words = i18n.text(locale, f"campaign_file.{problem.code}", where=problem.where, **params)
    place = ":".join(str(number) for number in (problem.line, problem.column) if number)
    return f"{place}: {words}" if place else words


def read_campaign(text: str) -> CampaignFile:
    """Read a file. Raises `BadInput("campaign_file", problems=[FileProblem, …])` with every mistake found."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+)", str(error))
        said = re.sub(r" \(at .*\)$", "", str(error))
        raise refuse([FileProblem("syntax", "", int(place[1]) if place else None, {"said": said})]) from None
    except (RecursionError, ValueError) as error:  # nested a thousand deep; a number of thousands of digits
        raise refuse([FileProblem("syntax", "", None, {"said": str(error)[:80]})]) from None
    return build_campaign(raw, text)


def build_campaign(raw: dict[str, Any], text: str = "") -> CampaignFile:
    """A file from its values; `text` tells the lines of mistakes. Raises as `read_campaign`."""
    _localize(raw)
    _budget_places(raw)
    try:
        file = CampaignFile.model_validate(raw)
    except ValidationError as error:
        where = toml_places.places(text)
        found = [_problem(details, text, where) for details in error.errors(include_url=False)]
        raise refuse(found) from None
    problems = oddities(file, text)
    if problems:
        raise refuse(problems)
    return file


def refuse(problems: Sequence[FileProblem]) -> BadInput:
    """The error that carries these problems."""
    return BadInput("campaign_file", problems=list(problems))


def _localize(raw: dict[str, Any]) -> None:
    """Give moments without an offset the campaign's time zone."""
    about = raw.get("campaign")
    if not isinstance(about, dict):
        return
    name = about.get("timezone", About.model_fields["timezone"].default)
    zone = ZoneInfo(name) if name in available_timezones() else UTC  # a wrong name is complained of by itself
    for key in ("starts_at", "ends_at"):
        moment = about.get(key)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            about[key] = moment.replace(tzinfo=zone)
    trial = raw.get("trial")
    for key in ("apply_until", "draw_at"):
        moment = trial.get(key) if isinstance(trial, dict) else None
        if isinstance(trial, dict) and isinstance(moment, datetime) and moment.tzinfo is None:
            trial[key] = moment.replace(tzinfo=zone)


def _budget_places(raw: dict[str, Any]) -> None:
    """The places of a trial are budgeted by its quota where the file does not say otherwise."""
    trial = raw.get("trial")
    if not isinstance(trial, dict):
        return
    rewards = raw.setdefault("rewards", {})
    if not isinstance(rewards, dict):
        return
    budgets, asset = rewards.setdefault("budgets", {}), f"{ITEM}{trial.get('item')}"
    if isinstance(budgets, dict) and rewards.get("asset") != asset and type(trial.get("quota")) is int:
        budgets.setdefault(asset, trial["quota"])


def oddities(file: CampaignFile, text: str = "") -> list[FileProblem]:
    """What is wrong with a file that no single field shows."""
    about, terms = file.campaign, file.qualify
    found: list[tuple[str, str, dict[str, Any]]] = []
    if about.ends_at <= about.starts_at:
        found.append(("ends_before_start", "campaign.ends_at", {}))
    elif about.ends_at - about.starts_at > LONGEST:
        found.append(("campaign_too_long", "campaign.ends_at", {}))
    if terms.event == "retained" and terms.stay_days >= terms.window_days:
        found.append(("stay_beyond_window", "qualify.stay_days", {"window": terms.window_days}))
    if file.attribution is not None:
        misfit = attribution_misfits(file.attribution, terms.window_days)
        found += [(code, f"attribution.{where}", params) for code, where, params in misfit]
    found += _sections(file)
    found += _trial(file)
    return [
        *(FileProblem(code, where, line_of(text, where), params) for code, where, params in found),
        *_expressions(file.rewards, text),
    ]


def _sections(file: CampaignFile) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kinds without their own section, and sections of another kind."""
    for kind in ("contest", "trial"):
        given, wanted = getattr(file, kind) is not None, file.campaign.kind == kind
        if given != wanted:
            missing = "trial_missing" if kind == "trial" else "section_missing"
            yield missing if wanted else "section_unwanted", kind, {"kind": kind}


def _trial(file: CampaignFile) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What does not fit together in a trial, and what only a trial can count."""
    about, terms = file.campaign, file.trial
    if about.kind != "trial":
        counted: dict[str, str] = {"qualify.event": file.qualify.event}
        counted |= {f"rewards.rules.{index}.on": rule.on or "" for index, rule in enumerate(file.rewards.rules)}
        for where, event in counted.items():
            if event in OF_TRIALS:
                yield "trial_event", where, {"event": event}
    if terms is None:
        return
    for code, where in misfits(terms, about.starts_at, about.ends_at):
        yield code, f"trial.{where}", {}
    budget = file.rewards.budget_of(f"{ITEM}{terms.item}")
    if budget < terms.quota:
        yield "trial_budget", "rewards.budgets", {"item": terms.item, "quota": terms.quota, "budget": budget}


def _expressions(rewards: Rewards, text: str) -> Iterator[FileProblem]:
    """Conditions that are none, each with the place of the mistake within it."""
    given = {"rewards.risky": rewards.risky}
    given |= {f"rewards.rules.{index}.when": rule.when for index, rule in enumerate(rewards.rules)}
    for where, expression in given.items():
        if expression is None:
            continue
        try:
            compile_condition(expression)
        except BadInput as error:
            params = {name: error.params[name] for name in ("problem", "details")}
            line, column = _within(text, where, expression, (error.params["line"], error.params["column"]))
            yield FileProblem("expression", where, line, params, column)


def _within(text: str, where: str, expression: str, place: tuple[int, int]) -> tuple[int | None, int | None]:
    """The place in the file of a place in an expression; of the expression where that is written with escapes."""
    start = toml_places.places(text).get(tuple(where.split(".")))
    if start is None:
        return None, None
    begins = text.find(expression, start)
    line, column = toml_places.line_and_column(text, max(begins, start))
    if 0 <= begins <= start + 4:
        row, within = place
        return line + row - 1, within + (column - 1 if row == 1 else 0)
    return line, column


DEEPER = re.compile(r"level|depth|indirect|upline|downline|grand|second|parent|上级|下级|上线|下线|二级|三级|层级")
"""What people call pay for friends of friends, in a field's name or for whom a rule pays."""
_TYPES = {
    "string_type": "wants_text",
    "int_type": "wants_number",
    "bool_type": "wants_yes_no",
    "datetime_type": "wants_moment",
    "tuple_type": "wants_list",
    "model_type": "wants_table",
    "model_attributes_type": "wants_table",
    "dict_type": "wants_table",
    "extra_forbidden": "unknown_field",
    "string_pattern_mismatch": "unreadable",
}
_LIMITS = {
    "greater_than": ("too_small", "gt", 1),
    "greater_than_equal": ("too_small", "ge", 0),
    "less_than_equal": ("too_large", "le", 0),
    "less_than": ("too_large", "lt", -1),
    "string_too_short": ("empty", "min_length", 0),
    "string_too_long": ("too_long", "max_length", 0),
    "too_short": ("empty", "min_length", 0),
    "too_long": ("too_many", "max_length", 0),
}


def _problem(details: ErrorDetails, text: str, where: Mapping[toml_places.Path, int]) -> FileProblem:
    """One complaint of pydantic in our words."""
    path = tuple(str(part) for part in details["loc"] if part != "[key]")
    offset = toml_places.nearest(where, path)
    name, line = ".".join(path), None if offset is None else toml_places.line_and_column(text, offset)[0]
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if (kind == "extra_forbidden" and DEEPER.search(path[-1])) or (
        kind == "literal_error" and path[-1] == "to" and (DEEPER.search(str(given)) or "advocate" in str(given))
    ):
        return FileProblem("only_direct", name, line)
    if kind in _LIMITS:
        code, limit, step = _LIMITS[kind]
        return FileProblem(code, name, line, {"limit": context[limit] + step})
    if kind == "literal_error":
        return FileProblem("not_one_of", name, line, {"expected": context["expected"].replace(" or ", ", ")})
    if kind == "string_pattern_mismatch" and path[-2] == "communities":
        return FileProblem("unreadable_community", name, line)
    if kind == "string_pattern_mismatch" and path[-1] in ("name", "picture"):
        return FileProblem("slug" if path[-1] == "name" else "unreadable_picture", name, line)
    return FileProblem(_TYPES.get(kind, kind), name, line)


def line_of(text: str, where: str) -> int | None:
    """The line on which a field stands, or the nearest thing above it that is there; None without a text."""
    offset = toml_places.nearest(toml_places.places(text), tuple(where.split(".")))
    return None if offset is None else toml_places.line_and_column(text, offset)[0]
