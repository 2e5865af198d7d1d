"""The words for days and hours, in Chinese and English, and what each of them says.

A text is read from left to right; every word must be known, and nothing may be said twice. So what is not understood
is asked again, instead of half of it being taken for the whole: the libraries that guess read "tonight at 8:30" as
half past eight in the morning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LONGEST = 80
TRADITIONAL = str.maketrans(
    "點週禮後號兩鐘時個開結準間聖誕節慶雙淩過這勞動兒婦", "点周礼后号两钟时个开结准间圣诞节庆双凌过这劳动儿妇"
)
"""The characters of Taiwan and Hong Kong for those that the words below are made of."""

DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    )
} | {"a": 1, "an": 1, "twenty": 20, "thirty": 30, "forty": 40, "sixty": 60, "ninety": 90}
UNITS = {
    "minute": r"分钟|分|minutes?|mins?",
    "hour": r"个?小时|个?钟头|hours?|hrs?|h",
    "day": r"天|日|days?|d",
    "week": r"周|个?星期|个?礼拜|weeks?|w",
    "month": r"个?月|months?",
    "year": r"年|years?",
}
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "mon tue wed thu fri sat sun".split()
FEASTS = {
    r"元旦|new year'?s day": (1, 1),
    r"情人节|valentine'?s day|valentine'?s": (2, 14),
    r"妇女节|三八节?|38节": (3, 8),
    r"五一|劳动节": (5, 1),
    r"六一|儿童节": (6, 1),
    r"618(?!\d)": (6, 18),
    r"国庆节?": (10, 1),
    r"halloween|万圣节": (10, 31),
    r"双十一|双11(?!\d)": (11, 11),
    r"双十二|双12(?!\d)": (12, 12),
    r"平安夜|christmas eve": (12, 24),
    r"圣诞节?|christmas(?: day)?|xmas": (12, 25),
    r"new year'?s eve": (12, 31),
}
"""Days that campaigns are named for and that have a date of their own; those of the moon's calendar are not read."""

PERIODS = {
    "dawn": r"凌晨",
    "morning": r"早上|早晨|清晨|清早|一早|上午|早|(?:in the |this )?morning",
    "noon": r"中午|正午|noon|midday",
    "afternoon": r"下午|午后|(?:in the |this )?afternoon",
    "dusk": r"傍晚",
    "evening": r"晚上|晚间|夜晚|夜里|半夜|深夜|今夜|夜|晚|(?:in the |this )?evening|at night|night",
    "midnight": r"午夜|midnight",
}
NOISE = (
    r"[\s,,。.!、的]+|(?:at|on|the|of|by|and|from|sharp|start(?:ing|s)?|o'?clock)\b|开始|结束|截止|开抢|开播|准时|整|吧"
)
CLOCK_UNITS = ("minute", "hour")

N = r"(?:\d{1,4}|[零〇一二两三四五六七八九十百]+)"
EN = r"(?:\d{1,4}|(?:" + "|".join(NUMBER_WORDS) + r")\b)"
DAY = r"(?:周|星期|礼拜)\s*([一二三四五六日天1-7])"
MONTH = r"(" + "|".join(MONTHS) + r")[a-z]*\.?"
HOURS = r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
ORDINAL = r"(?:st|nd|rd|th)"
MERIDIEM = r"([ap])\.?\s?m\b\.?"

Heard = dict[str, Any]


class Unheard(ValueError):
    """The text has a word that is not known, or says one thing twice."""


def tidy(text: str) -> str:
    """One form for what is written in many: full-width digits and colons, capitals, traditional characters."""
    said = unicodedata.normalize("NFKC", text).translate(TRADITIONAL).replace("’", "'").lower().strip()
    if not said or len(said) > LONGEST:
        raise Unheard(text)
    return said


def number(text: str) -> int:
    """A number in digits, Chinese (二十四) or English (two)."""
    if text.isdecimal():
        return int(text)
    if text in NUMBER_WORDS:
        return NUMBER_WORDS[text]
    total = 0
    for name, size in (("百", 100), ("十", 10)):
        if name in text:
            head, text = text.split(name, 1)
            total += size * (_digit(head) if head else 1)
    text = text[1:] if len(text) > 1 and text[0] in "零〇" else text
    return total + (_digit(text) if text else 0)


def _digit(text: str) -> int:
    if text not in DIGITS:
        raise Unheard(text)
    return DIGITS[text]


def amounts(text: str) -> list[tuple[float, str]]:
    """The amounts of a length of time: `2 days 12 hours` is [(2, "day"), (12, "hour")].

    Raises:
        Unheard: it is no length of time, or not only that.
    """
    found: list[tuple[float, str]] = []
    rest = tidy(text)
    while rest:
        for pattern, read in LENGTHS:
            match = pattern.match(rest)
            if match:
                found.append(read(match))
                rest = rest[match.end() :].lstrip(" ,、").removeprefix("and ").removeprefix("零").lstrip()
                break
        else:
            raise Unheard(text)
    if not found:
        raise Unheard(text)
    return found


def hear(text: str) -> Heard:
    """What the words of a moment say, each under its name; see `TOKENS` for the names.

    Raises:
        Unheard: a word is not known, or something is said twice.
    """
    rest = tidy(text)
    heard: Heard = {}
    while rest:
        for pattern, read in TOKENS:
            match = pattern.match(rest)
            if match and match.end():
                said = read(match)
                if said.keys() & heard.keys():
                    raise Unheard(text)
                heard.update(said)
                rest = rest[match.end() :]
                break
        else:
            raise Unheard(text)
    return heard


def _unit(text: str) -> str:
    return next(name for name, pattern in UNITS.items() if re.fullmatch(pattern, text))


def _lengths() -> Iterator[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[float, str]]]]:
    # What ends in a letter must end the word: "3 months" is not "3 m".
    units = "|".join(f"(?:{pattern})" for pattern in UNITS.values())
    end = r"(?![a-z])"
    yield re.compile(rf"({N})\s*个?半\s*({units})"), lambda m: (number(m[1]) + 0.5, _unit(m[2]))
    yield re.compile(rf"({N})\s*({units})\s*半"), lambda m: (number(m[1]) + 0.5, _unit(m[2]))
    yield re.compile(rf"({EN}) ({units}) and a half{end}"), lambda m: (number(m[1]) + 0.5, _unit(m[2]))
    yield re.compile(rf"({EN}) and a half ({units}){end}"), lambda m: (number(m[1]) + 0.5, _unit(m[2]))
    yield re.compile(rf"半\s*个?({units}){end}"), lambda m: (0.5, _unit(m[1]))
    yield re.compile(rf"half an? ({units}){end}"), lambda m: (0.5, _unit(m[1]))
    yield re.compile(rf"(\d{{1,3}}\.\d{{1,2}})\s*({units}){end}"), lambda m: (float(m[1]), _unit(m[2]))
    yield re.compile(rf"(?:a )?fortnight{end}"), lambda m: (2, "week")
    yield re.compile(rf"({N}|{EN})\s*({units}){end}"), lambda m: (number(m[1]), _unit(m[2]))


LENGTHS = tuple(_lengths())
GROUP = re.compile(r"\((?!\?)")
_LENGTH = "|".join("(?:" + GROUP.sub("(?:", pattern.pattern) + ")" for pattern, _ in LENGTHS)


def _says(**said: Any) -> Callable[[re.Match[str]], Mapping[str, Any]]:
    return lambda match: said


def _weekday(name: str) -> int:
    return "一二三四五六日".index("日" if name in "天7" else "一二三四五六"[int(name) - 1] if name.isdigit() else name)


def _weeks_on(word: str) -> int:
    return word.count("下")


def _spoken(match: re.Match[str]) -> Mapping[str, Any]:
    """8点, 八点半, 8点一刻, 20时30分."""
    rest = match[2] or ""
    minute = {"半": 30, "一刻": 15, "1刻": 15, "三刻": 45, "3刻": 45, "": 0}.get(rest)
    if minute is None:
        minute = number(rest.removeprefix("过").removesuffix("分"))
    return {"hour": number(match[1]), "minute": minute, "spoken": True}


def _past(match: re.Match[str]) -> Mapping[str, Any]:
    """Half past seven, quarter to nine."""
    minutes = 30 if match[1] == "half" else 15
    hour = number(match[3])
    if match[2] == "to":
        hour, minutes = (hour - 1 if hour > 1 else 12), 60 - minutes
    return {"hour": hour, "minute": minutes, "spoken": True}


def _offset(match: re.Match[str]) -> Mapping[str, Any]:
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return {"offset": minutes if match[1] == "+" else -minutes}


def _tokens() -> Iterator[tuple[str, Callable[[re.Match[str]], Mapping[str, Any]]]]:
    """The order decides: the longer word first.

    Names: `shift` (a length from now); `days_on`, `weeks_on`, `months_on`, `years_on` (0: this one); `weekday`;
    `year`, `month`, `day` (-1: the last of the month); `pair` (two numbers whose order is not known), `hour`,
    `minute`, `spoken` (of twelve hours, perhaps), `half` ("a" or "p"), `period`, `offset` (minutes east of UTC).
    """
    yield rf"(?:过|再过)?((?:{_LENGTH})(?:[\s零]*(?:{_LENGTH}))*)\s*(?:之?后|以后|过后)", lambda m: {"shift": m[1]}
    yield rf"in ((?:{_LENGTH})(?:,? (?:and )?(?:{_LENGTH}))*)(?:'? time)?\b", lambda m: {"shift": m[1]}
    yield rf"((?:{_LENGTH})) (?:from now|later)\b", lambda m: {"shift": m[1]}
    yield from _day_tokens()
    yield from _date_tokens()
    yield from _hour_tokens()
    yield NOISE, _says()


def _day_tokens() -> Iterator[tuple[str, Callable[[re.Match[str]], Mapping[str, Any]]]]:
    yield r"(?:the )?day after tomorrow\b|大?后[天日]|后(?=早|晚)", lambda m: {"days_on": 3 if m[0][0] == "大" else 2}
    yield r"明[天日儿]|明(?=早|晚)|tomorrow\b|tmrw?\b", _says(days_on=1)
    yield r"tonight,? (?:at )?midnight\b|midnight tonight\b|今[晚夜](?:半夜|午夜)", _says(days_on=0, period="midnight")
    yield r"今[天日儿]|今(?=早|晚|夜)|today\b", _says(days_on=0)
    yield r"tonight\b", _says(days_on=0, period="evening")
    yield r"this (morning|afternoon|evening)\b", lambda m: {"days_on": 0, "period": m[1]}
    yield rf"(?:这|本|这个|本个)\s*{DAY}", lambda m: {"weeks_on": 0, "weekday": _weekday(m[1])}
    yield rf"(下+)个?\s*{DAY}", lambda m: {"weeks_on": _weeks_on(m[1]), "weekday": _weekday(m[2])}
    yield DAY, lambda m: {"weekday": _weekday(m[1])}
    yield r"(下+)个?(?:周|星期|礼拜)", lambda m: {"weeks_on": _weeks_on(m[1])}
    yield r"(?:这|本)个?(?:周|星期|礼拜)", _says(weeks_on=0)
    yield r"(?:the )?week after next\b", _says(weeks_on=2)
    yield r"next week\b", _says(weeks_on=1)
    yield r"this week\b", _says(weeks_on=0)
    day = r"(" + "|".join(WEEKDAYS) + r")(?:day|sday|nesday|rsday|urday|rs|s|r|)\b\.?"
    yield rf"next {day}", lambda m: {"weeks_on": 1, "weekday": WEEKDAYS.index(m[1])}
    yield rf"(?:(?:this|coming)\s+)?{day}", lambda m: {"weekday": WEEKDAYS.index(m[1])}


def _date_tokens() -> Iterator[tuple[str, Callable[[re.Match[str]], Mapping[str, Any]]]]:
    for words, (month, day) in FEASTS.items():
        yield rf"(?:{words})(?![a-z])(?:当天|那天)?", _says(month=month, day=day)
    yield (
        r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:t(?=\d)|(?!\d))",
        lambda m: {"year": int(m[1]), "month": int(m[3]), "day": int(m[4])},
    )
    yield r"(\d{4})\s*年", lambda m: {"year": int(m[1])}
    yield r"(\d{2})\s*年", lambda m: {"year": 2000 + int(m[1])}
    yield r"明年|next year\b", _says(years_on=1)
    yield r"后年", _says(years_on=2)
    yield r"今年|this year\b", _says(years_on=0)
    yield (
        r"(?:这|本)个?月[底末]|月[底末]|(?:the )?(?:end|last day) of (?:the|this) month\b",
        _says(months_on=0, day=-1),
    )
    yield r"(下+)个?月[底末]", lambda m: {"months_on": _weeks_on(m[1]), "day": -1}
    yield r"(下+)个?月", lambda m: {"months_on": _weeks_on(m[1])}
    yield r"(?:这|本)个?月", _says(months_on=0)
    yield r"next month\b", _says(months_on=1)
    yield r"this month\b", _says(months_on=0)
    yield rf"({N})\s*月\s*({N})\s*[日号]?", lambda m: {"month": number(m[1]), "day": number(m[2])}
    yield rf"({N})\s*[日号]", lambda m: {"day": number(m[1])}
    yield rf"({N})\s*月(?=[底末])", lambda m: {"month": number(m[1])}
    yield r"[底末]", _says(day=-1)
    year = r"(?:,?\s*(\d{4})(?![\d:]))?"
    yield (
        rf"(\d{{1,2}}){ORDINAL}?\s*(?:of )?{MONTH}{year}",
        lambda m: {"day": int(m[1]), "month": MONTHS.index(m[2]) + 1, **({"year": int(m[3])} if m[3] else {})},
    )
    yield (
        rf"{MONTH}\s*(?:the )?(\d{{1,2}})(?!\d|:){ORDINAL}?{year}",
        lambda m: {"month": MONTHS.index(m[1]) + 1, "day": int(m[2]), **({"year": int(m[3])} if m[3] else {})},
    )
    yield rf"(\d{{1,2}}){ORDINAL}\b", lambda m: {"day": int(m[1])}
    yield rf"(\d{{1,2}})[.:](\d{{2}})\s*{MERIDIEM}", lambda m: {"hour": int(m[1]), "minute": int(m[2]), "half": m[3]}
    yield (
        r"(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}))?(?![\d:])(?!\2)",
        lambda m: {"pair": (int(m[1]), int(m[3])), "sign": m[2], **({"year": int(m[4])} if m[4] else {})},
    )


def _hour_tokens() -> Iterator[tuple[str, Callable[[re.Match[str]], Mapping[str, Any]]]]:
    yield r"(half|quarter) (past|to) (\d{1,2})(?!\d)", _past
    yield r"(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?!\d)", lambda m: {"hour": int(m[1]), "minute": int(m[2])}
    yield rf"({N})\s*[点时](?:钟|整)?\s*(半|一刻|1刻|三刻|3刻|过?{N}\s*分?)?(?!\d)", _spoken
    yield r"at (\d{1,2})\.(\d{2})(?![\d.])", lambda m: {"hour": int(m[1]), "minute": int(m[2])}
    yield r"(\d{1,2})h(\d{2})?\b", lambda m: {"hour": int(m[1]), "minute": int(m[2] or 0)}
    yield rf"({HOURS})\s*{MERIDIEM}", lambda m: {"hour": number(m[1]), "minute": 0, "half": m[2]}
    yield rf"({HOURS})\b", lambda m: {"hour": number(m[1]), "minute": 0, "spoken": True}
    yield rf"(\d{{1,2}})\s*{MERIDIEM}", lambda m: {"hour": int(m[1]), "minute": 0, "half": m[2]}
    yield MERIDIEM, lambda m: {"half": m[1]}
    for name, words in PERIODS.items():
        yield rf"(?:{words})(?![a-z])", _says(period=name)
    yield (
        r"(\d{1,2})(?!\d)(?=\s|,|\.|$|o'?clock|\s*o'?clock)",
        lambda m: {"hour": int(m[1]), "minute": 0, "spoken": True},
    )
    yield r"北京时间|beijing time\b|china time\b", _says(offset=480)
    yield r"z\b|utc\b(?![+-])|gmt\b(?![+-])", _says(offset=0)
    yield r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?(?!\d)", _offset


TOKENS = tuple((re.compile(pattern), read) for pattern, read in _tokens())
