"""Moments and lengths of time in people's own words: 今晚8点, 下周五18:00, next Friday 6pm, in 3 days, 2026-12-01.

Nothing is guessed: a text is understood whole or asked again, and where two readings are left, both are named.
What was understood is said back in full (`in_full`) before anything is done with it. How a word is meant:

- a week begins on Monday; *next Friday* and 下周五 are the Friday of the next week, *Friday* and 周五 the coming one;
- without a day it is today; a day of the month, or a date without a year, is the next one to come;
- `20:00` and `8:00` are of 24 hours; `8点` and `at 8` may be morning or evening, and count only where one is left;
- 今晚12点 and *tonight at midnight* are the end of today; *midnight* of another day could be either end of it;
- `1/12` is month before day in Chinese; in English it is asked which, unless only one of them is a date.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, get_timezone_name

from core.errors import BadInput
from core.moment_words import CLOCK_UNITS, Heard, Unheard, amounts, hear, number, tidy

FARTHEST = timedelta(days=5 * 366)
MISTAKE = timedelta(days=330)
"""A date without a year that lies so far ahead has just gone by: rather a slip than next year."""
SAID = {("zh_Hans", "Asia/Shanghai"): "北京时间"}
"""Names of time zones where people say another than the tables do."""
DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}


def read_moment(text: str, now: datetime, zone: str, locale: str, *, hour: time | None = None) -> datetime:
    """The moment in UTC that somebody in this time zone names now.

    `hour` is meant where a day is named without one; without `hour` that is asked for.

    Raises:
        BadInput: `moment_unreadable`, `moment_no_hour` (day), `moment_past` (at), `moment_ambiguous` (one, other),
            `moment_no_such_day`, `moment_other_weekday` (day), `moment_skipped` (at: the clocks go forward over it),
            `moment_far`. The parameters are words of this locale.
    """
    try:
        return _read(text, now, zone, locale, hour)
    except (Unheard, OverflowError) as error:
        raise BadInput("moment_unreadable") from error


def read_duration(text: str) -> timedelta:
    """A length of time: 30天, 两周, 一个半小时, `2 days 12 hours`. A month is 30 days, a year 365.

    Raises:
        BadInput: `duration_unreadable`, also for nothing and for more than ten years.
    """
    try:
        days = sum(amount * DAYS[unit] for amount, unit in amounts(text))
    except (Unheard, OverflowError) as error:
        raise BadInput("duration_unreadable") from error
    if not 0 < days <= 3660:
        raise BadInput("duration_unreadable")
    return timedelta(minutes=round(days * 1440))


def read_days(text: str) -> int:
    """Whole days: 30, 30天, 两周, `two weeks`, 一个月 (30).

    Raises:
        BadInput: `days_unreadable`.
    """
    try:
        days = timedelta(days=number(tidy(text)))
    except (Unheard, OverflowError):
        try:
            days = read_duration(text)
        except BadInput as error:
            raise BadInput("days_unreadable") from error
    if not 0 < days.days <= 3660 or days % timedelta(days=1):
        raise BadInput("days_unreadable")
    return days.days


def in_full(locale: str, moment: datetime, zone: str) -> str:
    """A moment with its year, weekday and time zone, so that no misunderstanding is left."""
    pattern = {"zh_Hans": "y年M月d日 EEEE HH:mm", "en": "EEEE, MMMM d, y, HH:mm"}[locale]
    known = Locale.parse(locale)
    local = moment.astimezone(ZoneInfo(zone))
    name = SAID.get((locale, zone)) or get_timezone_name(local, width="long", locale=known)
    named = {"zh_Hans": f"（{name}）", "en": f" ({name})"}[locale]
    return f"{format_datetime(local, pattern, locale=known)}{named}"


def _read(text: str, now: datetime, zone: str, locale: str, hour: time | None) -> datetime:
    heard = hear(text)
    offset = heard.pop("offset", None)
    where: tzinfo = ZoneInfo(zone) if offset is None else timezone(_offset(offset))
    local = now.astimezone(where)
    shift = amounts(heard.pop("shift")) if "shift" in heard else []
    if any(unit in CLOCK_UNITS or amount % 1 for amount, unit in shift):
        if heard:
            raise Unheard(text)
        length = sum(amount * DAYS[unit] for amount, unit in shift)
        return _in_time(now + timedelta(minutes=round(length * 1440)), now).replace(second=0, microsecond=0)
    days = _days(heard, local.date(), locale) if not shift else [_shifted(local.date(), shift)]
    clocks = _clocks(heard, days, local.time() if shift else hour, locale)
    rolls = "weekday" in heard and not heard.keys() & {"weeks_on", "day", "pair", "days_on"}
    if any(name not in USED for name in heard):
        raise Unheard(text)
    options = [_combine(day, minutes, where, locale) for day in days for minutes in clocks]
    if _of_no_day(heard) and clocks == [0]:
        options = [_combine(days[0], 24 * 60, where, locale)]  # 零点, said by itself, is the one to come
    ahead = sorted({option for option in options if option > now})
    if not ahead and rolls:
        ahead = [_combine(day + timedelta(days=7), minutes, where, locale) for day in days for minutes in clocks][:1]
    if not ahead:
        raise BadInput("moment_past", at=_said(locale, max(options), where))
    if len(ahead) > 1:
        raise BadInput("moment_ambiguous", one=_said(locale, ahead[0], where), other=_said(locale, ahead[1], where))
    return _in_time(ahead[0], now)


USED = set(
    "days_on weeks_on weekday months_on years_on year month day pair sign hour minute spoken half period".split()
)


def _offset(minutes: int) -> timedelta:
    if abs(minutes) >= 24 * 60:
        raise Unheard(str(minutes))
    return timedelta(minutes=minutes)


def _in_time(moment: datetime, now: datetime) -> datetime:
    if moment > now + FARTHEST:
        raise BadInput("moment_far")
    return moment


def _said(locale: str, moment: datetime, where: tzinfo) -> str:
    pattern = {"zh_Hans": "y年M月d日 HH:mm", "en": "MMMM d, y, HH:mm"}[locale]
    return format_datetime(moment.astimezone(where), pattern, locale=Locale.parse(locale))


# The day -------------------------------------------------------------------------------------------------------------


def _days(heard: Heard, today: date, locale: str) -> list[date]:
    """The day that is meant; two where the order of day and month is not known."""
    ways = [name for name in ("days_on", "weekday", "pair", "day") if name in heard]
    if "weekday" in ways and len(ways) == 2 and "weeks_on" not in heard:
        return _on_its_weekday(heard, today, locale)
    if len(ways) > 1 or (not ways and heard.keys() & {"weeks_on", "months_on", "years_on", "year", "month"}):
        raise Unheard("the day is said twice, or only half")
    if not ways:
        return [today]
    if ways == ["days_on"]:
        return [_alone(heard, "days_on", today + timedelta(days=heard["days_on"]))]
    if ways == ["weekday"]:
        return [_alone(heard, "weekday", _weekday(heard, today), "weeks_on")]
    if ways == ["pair"]:
        return _pair(heard, today, locale)
    return [_date(heard, today)]


def _on_its_weekday(heard: Heard, today: date, locale: str) -> list[date]:
    """A date said with its weekday; where they do not agree, one of them is a slip."""
    said = _days({name: value for name, value in heard.items() if name != "weekday"}, today, locale)
    found = [day for day in said if day.weekday() == heard["weekday"]]
    if not found:
        pattern = {"zh_Hans": "y年M月d日是EEEE", "en": "MMMM d, y, 'is a' EEEE"}[locale]
        raise BadInput("moment_other_weekday", day=format_date(said[0], pattern, locale=Locale.parse(locale)))
    return found


def _alone(heard: Heard, name: str, day: date, *with_these: str) -> date:
    """The day, if nothing else about a day is said."""
    about = {"days_on", "weekday", "weeks_on", "months_on", "years_on", "year", "month", "day"}
    if heard.keys() & about - {name, *with_these}:
        raise Unheard(name)
    return day


def _weekday(heard: Heard, today: date) -> date:
    if "weeks_on" in heard:
        monday = today - timedelta(days=today.weekday())
        return monday + timedelta(days=heard["weekday"], weeks=heard["weeks_on"])
    return today + timedelta(days=(heard["weekday"] - today.weekday()) % 7)


def _date(heard: Heard, today: date) -> date:
    if "weeks_on" in heard:
        raise Unheard("a week and a date")
    year = heard.get("year", today.year + heard["years_on"] if "years_on" in heard else None)
    if "month" in heard:
        if "months_on" in heard:
            raise Unheard("two months")
        return _in_year(year, heard["month"], heard["day"], today)
    if year is not None:
        raise Unheard("a year without a month")
    if "months_on" in heard:
        first = _months_later(today.replace(day=1), heard["months_on"])
        return _real(first.year, first.month, heard["day"])
    for months in range(3):  # a 31st comes at the latest in the month after the next
        first = _months_later(today.replace(day=1), months)
        if 0 < heard["day"] <= _length(first) and first.replace(day=heard["day"]) >= today:
            return first.replace(day=heard["day"])
    raise BadInput("moment_no_such_day")


def _in_year(year: int | None, month: int, day: int, today: date) -> date:
    """The date in its year; without one, the next to come, or the last where that has just gone by."""
    if year is not None:
        return _real(year, month, day)
    found = _real(today.year if (month, day) != (2, 29) else _leap(today), month, day)
    if found >= today:
        return found
    following = _real(today.year + 1, month, day)
    return following if following - today < MISTAKE else found


def _leap(today: date) -> int:
    year = today.year
    while monthrange(year, 2)[1] != 29 or date(year, 2, 29) < today:
        year += 1
    return year


def _pair(heard: Heard, today: date, locale: str) -> list[date]:
    """A date in numbers, as 1/12 or 25.12.2026. With dots and a year the day comes first wherever it is so written."""
    one, other = heard["pair"]
    year = heard.get("year")
    orders = [(one, other)] if locale == "zh_Hans" else [(one, other), (other, one)]
    if heard["sign"] == "." and year is not None:
        orders = [(other, one)]
    found: list[date] = []
    for month, day in orders:
        if 1 <= month <= 12 and 1 <= day <= _length(date(year or 2024, month, 1)):
            found.append(_in_year(year, month, day, today))
    if not found and 1 <= other <= 12:
        found.append(_in_year(year, other, one, today))
    if not found:
        raise BadInput("moment_no_such_day")
    return list(dict.fromkeys(found))


def _real(year: int, month: int, day: int) -> date:
    if year > 9998:
        raise BadInput("moment_far")
    if not (year >= 1 and 1 <= month <= 12):
        raise BadInput("moment_no_such_day")
    length = monthrange(year, month)[1]
    if day == -1:
        day = length
    if not 1 <= day <= length:
        raise BadInput("moment_no_such_day")
    return date(year, month, day)


def _length(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def _months_later(day: date, months: int) -> date:
    """So many months later, on the last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > 9998:
        raise OverflowError(year)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _shifted(today: date, shift: list[tuple[float, str]]) -> date:
    for amount, unit in shift:
        if unit in ("month", "year"):
            today = _months_later(today, int(amount) * (12 if unit == "year" else 1))
        else:
            today += timedelta(days=int(amount * DAYS[unit]))
    return today


# The hour ------------------------------------------------------------------------------------------------------------


def _clocks(heard: Heard, days: list[date], otherwise: time | None, locale: str) -> list[int]:
    """Minutes from the day's beginning that may be meant; more than one where the words leave it open."""
    period = heard.get("period")
    if "hour" not in heard:
        if "half" in heard:
            raise Unheard("am or pm of no hour")
        if period == "noon":
            return [12 * 60]
        if period == "midnight":
            return [24 * 60] if _today(heard) else [0, 24 * 60]
        if period is not None or otherwise is None:
            word = {"zh_Hans": "M月d日", "en": "MMMM d"}[locale]
            raise BadInput("moment_no_hour", day=format_date(days[0], word, locale=Locale.parse(locale)))
        return [otherwise.hour * 60 + otherwise.minute]
    if not 0 <= heard["hour"] <= 24 or not 0 <= heard["minute"] < 60 or (heard["hour"] == 24 and heard["minute"]):
        raise Unheard("no such hour")
    return [hour * 60 + heard["minute"] for hour in _hours(heard, period)]


def _today(heard: Heard) -> bool:
    return heard.get("days_on", 0) == 0 and not heard.keys() & {"weekday", "pair", "day"}


def _of_no_day(heard: Heard) -> bool:
    return _today(heard) and "days_on" not in heard


def _hours(heard: Heard, period: str | None) -> list[int]:
    said: int = heard["hour"]
    if "half" in heard:
        return [_of_half(said, heard["half"], period)]
    if period is None:
        return [said, said + 12] if heard.get("spoken") and 1 <= said <= 11 else [said]
    return _of_period(said, period)


def _of_half(said: int, half: str, period: str | None) -> int:
    if not 1 <= said <= (12 if half == "a" else 23):
        raise Unheard("no such hour of twelve")
    hour = said % 12 if half == "a" else said if said > 12 else said % 12 + 12
    if period in ("evening", "midnight") and hour == 0:
        return 24
    morning = period in ("dawn", "morning")
    if period is not None and morning != (hour < 12):
        raise Unheard("am in the evening")
    return hour


def _of_period(said: int, period: str) -> list[int]:
    """晚上8点 is 20, 凌晨12点 is 0, 今晚12点 is 24; at night, one to four could be of either night."""
    spans = {"dawn": (0, 6), "morning": (0, 12), "noon": (11, 14), "afternoon": (12, 21), "dusk": (16, 20)}
    if period == "dawn" and said == 12:
        return [0]
    if period in spans:
        first, last = spans[period]
        for hour in (said, said + 12):
            if first <= hour <= last:
                return [hour]
        raise Unheard("not at that time of the day")
    if said in (0, 12, 24):
        return [24]
    if said < 5 and period == "evening":
        return [said, said + 24]
    if said < 12 and period == "evening":
        return [said + 12]
    if said >= 17 and period == "evening":
        return [said]
    raise Unheard("not at night")


def _combine(day: date, minutes: int, where: tzinfo, locale: str) -> datetime:
    """The moment in UTC. An hour that the clocks go over is refused; of one that comes twice, the first is meant."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    moment = wall.replace(tzinfo=where).astimezone(UTC)
    if moment.astimezone(where).replace(tzinfo=None) != wall:
        raise BadInput("moment_skipped", at=_said(locale, moment, where))
    return moment
