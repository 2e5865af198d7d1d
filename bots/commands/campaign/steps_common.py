"""Questions that every kind of campaign asks, and how their answers are read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from bots.context import Context
from bots.message import Reply
from bots.questions import Choice, Question, Talk, plain
from core import i18n
from core.errors import BadInput
from core.moment_words import Unheard, number
from core.moments import in_full, read_days, read_moment
from referral.brands import Community, communities_of
from referral.pictures import is_kept, read_name
from rewards.campaign_format import LONGEST

TITLE_LENGTH = 40
BENEFIT_LENGTH = 120
POINTS_MAX = 1_000_000
PEOPLE_MAX = 100_000
DAYS_MAX = 365
STAY_MAX = 180
NOW = "now"
ALL = "all"
NOW_WORDS = {NOW, "现在", "马上", "立即", "立刻", "现在开始", "马上开始", "right now", "at once"}
_WHOLE = re.compile(r"(?:约|共|满)?\s*(\d{1,3}(?:,\d{3})+|\d+)\s*([万千]|[wWkK](?![a-zA-Z]))?\s*[^\d\s.,万千亿%]*")
_TIMES = {"": 1, "万": 10_000, "w": 10_000, "千": 1_000, "k": 1_000}
MONEY = re.compile(r"[¥￥$€£元块]|rmb|cny|usd|eur|yuan|dollar|人民币|美元", re.IGNORECASE)
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")
_LASTS = re.compile(r"(\d{1,3})d")
_DATE = re.compile(r"月.{1,3}[日号]")
END_OF_DAY = time(23, 59)
"""When a campaign ends on a day that is named without an hour."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long after its start a campaign ends."""

    days: int


def line(limit: int) -> Callable[[str], str]:
    """Reads one line of so many characters; what cannot be seen is left out."""

    def read(text: str) -> str:
        said = " ".join(UNSEEN.sub("", text).split())
        if not 1 <= len(said) <= limit:
            raise BadInput("title_length", limit=limit)
        return said

    return read


def maybe(check: Callable[[str], str]) -> Callable[[str], str]:
    """The same, or nothing."""
    return lambda text: check(text) if text.strip() else ""


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number, with or without what is counted behind it (50, 50份, 五十个, 1,000 people, 1万)."""

    def read(text: str) -> int:
        value = _number(text)
        if not least <= value <= most:
            raise BadInput("number_range", least=least, most=most)
        return value

    return read


def points(least: int, most: int) -> Callable[[str], int]:
    """Reads an amount of points. Raises `BadInput("points_only")` for money, which must not be taken for points."""
    read = whole(least, most)

    def checked(text: str) -> int:
        if MONEY.search(unicodedata.normalize("NFKC", text)):
            raise BadInput("points_only")
        return read(text)

    return checked


def _number(text: str) -> int:
    said = unicodedata.normalize("NFKC", text).strip()
    found = _WHOLE.fullmatch(said)
    if found is None:
        try:
            return number(said.rstrip("个份位人名天积分点"))
        except Unheard:
            raise BadInput("number_unreadable") from None
    return int(found[1].replace(",", "")) * _TIMES[(found[2] or "").lower()]


def days(least: int, most: int) -> Callable[[str], int]:
    """Reads a number of days: 7, 7天, two weeks."""

    def read(text: str) -> int:
        value = 0 if plain(text) in ("0", "0天", "0 days", "不冻结", "none") else read_days(text)
        if not least <= value <= most:
            raise BadInput("number_range", least=least, most=most)
        return value

    return read


def one_of(*values: str) -> Callable[[str], str]:
    """Reads one of these, as buttons give them."""

    def read(text: str) -> str:
        if text not in values:
            raise BadInput("choose_one")
        return text

    return read


def offered(key: str, *values: int, zero: str = "wizard.nothing") -> Callable[[Context, Talk], Sequence[Choice]]:
    """These numbers as buttons, in the words of the message `key`, none of it in those of `zero`."""
    return lambda ctx, talk: [(i18n.text(ctx.locale, key if n else zero, n=n), str(n)) for n in values]


def named(prefix: str, *values: str) -> Callable[[Context, Talk], Sequence[Choice]]:
    """These answers as buttons, each with a message of its own."""
    return lambda ctx, talk: [(i18n.text(ctx.locale, f"{prefix}.{value}"), value) for value in values]


def usual(value: str) -> Callable[[Context, Talk], str]:
    """Always this default."""
    return lambda ctx, talk: value


def said(name: str, *values: str) -> Callable[[Talk], bool]:
    """Whether this question was answered with one of these."""
    return lambda talk: talk.answers.get(name) in values


# ---------------------------------------------------------------- title


def _ask_title(ctx: Context, talk: Talk) -> Reply:
    return Reply(ctx.say(f"wizard.ask.title.{talk.facts['kind']}"))


def _ask_other(ctx: Context, talk: Talk) -> Reply:
    other = next(one for one in i18n.LOCALES if one != talk.facts["tongue"])
    return Reply(ctx.say(f"wizard.ask.other.{other}", title=talk.answers["title"]))


TITLE = Question("title", "wizard.ask.title", line(TITLE_LENGTH), ask=_ask_title, any_word=True, longest=TITLE_LENGTH)
OTHER = Question(
    "other",
    "wizard.ask.other",
    maybe(line(TITLE_LENGTH)),
    optional=True,
    ask=_ask_other,
    any_word=True,
    longest=TITLE_LENGTH,
)

# ---------------------------------------------------------------- what counts

EVENTS = ("retained", "purchased", "joined")
EVENT = Question(
    "event",
    "wizard.ask.event",
    one_of(*EVENTS),
    choices=named("wizard.event", *EVENTS),
    default=usual("retained"),
    closed=True,
)
STAY = Question(
    "days",
    "wizard.ask.days",
    days(1, STAY_MAX),
    choices=offered("wizard.n.days", 3, 7, 14),
    default=usual("7"),
    when=said("event", "retained"),
)
HOLD = Question(
    "hold",
    "wizard.ask.hold",
    days(0, 90),
    choices=offered("wizard.n.days", 0, 3, 7, zero="wizard.hold.nothing"),
    default=usual("3"),
)

# ---------------------------------------------------------------- when


def start_of(text: str) -> datetime | None:
    """When it starts; None at once."""
    return None if text == NOW else _moment(text)


def end_of(text: str) -> datetime | Length:
    """When it ends, or how long after its start."""
    found = _LASTS.fullmatch(text)
    return Length(int(found[1])) if found else _moment(text)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("moment_unreadable") from None


def _read_start(ctx: Context, talk: Talk, text: str) -> str:
    if plain(text) in NOW_WORDS:
        return NOW
    return read_moment(text, ctx.now, ctx.brand.timezone, ctx.locale).isoformat()


def _read_end(ctx: Context, talk: Talk, text: str) -> str:
    """Days are from the start; anything else is a moment, which must lie after it."""
    starts = start_of(talk.answers.get("start", NOW)) or ctx.now
    if _LASTS.fullmatch(plain(text)):
        lasts = int(plain(text)[:-1])
    else:
        try:
            lasts = _days_of(text)
        except BadInput:
            ends = read_moment(text, ctx.now, ctx.brand.timezone, ctx.locale, hour=END_OF_DAY)
            if ends <= starts:
                words = in_full(ctx.locale, starts, ctx.brand.timezone)
                raise BadInput("campaign_ends_before_start", starts=words) from None
            if ends - starts > LONGEST:
                raise BadInput("campaign_too_long") from None
            return ends.isoformat()
    if not 1 <= lasts <= DAYS_MAX:
        raise BadInput("number_range", least=1, most=DAYS_MAX)
    return f"{lasts}d"


def _days_of(text: str) -> int:
    """A number of days; 12月1日 is a date, though it could be read as a year and a day."""
    if _DATE.search(text):
        raise BadInput("days_unreadable")
    return read_days(text)


def _ask_sure(name: str) -> Callable[[Context, Talk], Reply]:
    def ask(ctx: Context, talk: Talk) -> Reply:
        at = in_full(ctx.locale, _moment(talk.answers[name]), ctx.brand.timezone)
        return Reply(ctx.say(f"wizard.ask.{name}_sure", at=at))

    return ask


def _was_moment(name: str) -> Callable[[Talk], bool]:
    """Whether a moment was named, which is confirmed in full."""
    return lambda talk: "T" in talk.answers.get(name, "")


def _sure(name: str) -> Question:
    """What was understood, in full; `back` asks for another."""
    return Question(
        f"{name}_sure",
        f"wizard.ask.{name}_sure",
        one_of("yes"),
        ask=_ask_sure(name),
        choices=lambda ctx, talk: [
            (i18n.text(ctx.locale, "button.moment_right"), "yes"),
            (i18n.text(ctx.locale, "button.moment_other"), "back"),
        ],
        when=_was_moment(name),
        closed=True,
    )


START = Question(
    "start",
    "wizard.ask.start",
    start_of,
    choices=named("wizard.start", NOW),
    default=usual(NOW),
    read=_read_start,
    longest=60,
)
START_SURE = _sure("start")


def end_question(key: str, *lengths: int, default: int) -> Question:
    """Asks for the end; `lengths` in days are offered."""
    return Question(
        "end",
        key,
        end_of,
        choices=lambda ctx, talk: [(i18n.text(ctx.locale, "wizard.n.days", n=n), f"{n}d") for n in lengths],
        default=usual(f"{default}d"),
        read=_read_end,
        longest=60,
    )


END_SURE = _sure("end")

# ---------------------------------------------------------------- where


def groups_of(ctx: Context) -> list[Community]:
    """The groups a campaign may be limited to: all but the open web chat."""
    return [one for one in communities_of(ctx.session, ctx.brand.id) if not one.open]


def places_of(text: str) -> tuple[UUID, ...]:
    """The communities that were chosen; none for all of them."""
    try:
        return () if text == ALL else tuple(UUID(hex=one) for one in text.split(","))
    except ValueError:
        raise BadInput("choose_one") from None


def _places(ctx: Context, talk: Talk) -> list[Choice]:
    everywhere = (i18n.text(ctx.locale, "wizard.places.all"), ALL)
    return [everywhere, *((group.title or group.group_id, group.id.hex) for group in groups_of(ctx))]


def _read_places(ctx: Context, talk: Talk, text: str) -> str:
    """Several are named by their numbers; the first is all of them."""
    options = [value for _, value in _places(ctx, talk)]
    if text in options:
        return text
    numbers = [part for part in re.split(r"[\s,，、;；]+", unicodedata.normalize("NFKC", text).strip()) if part]
    if not numbers or not all(part.isdecimal() and 1 <= int(part) <= len(options) for part in numbers):
        raise BadInput("choose_one")
    chosen = list(dict.fromkeys(options[int(part) - 1] for part in numbers))
    return ALL if ALL in chosen else ",".join(chosen)


PLACES = Question(
    "places",
    "wizard.ask.places",
    places_of,
    choices=_places,
    default=usual(ALL),
    read=_read_places,
    when=lambda talk: talk.facts.get("groups", 0) > 1,
    closed=True,
)

# ---------------------------------------------------------------- picture


def _read_picture(ctx: Context, talk: Talk, text: str) -> str:
    name = read_name(text)
    if not is_kept(ctx.session, ctx.brand.id, name):
        raise BadInput("picture_wanted")
    return name


PICTURE = Question("picture", "wizard.ask.picture", maybe(read_name), optional=True, read=_read_picture, picture=True)
