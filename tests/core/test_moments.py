"""What people write for a moment, said on Monday, November 23, 2026, at 13:40 in Shanghai, and what we take it for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.moments import in_full, read_days, read_duration, read_moment

SHANGHAI = "Asia/Shanghai"
NEW_YORK = "America/New_York"
ZONES = (SHANGHAI, NEW_YORK, "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "UTC")

CHINESE = """
    2026-11-23 20:00 | 今晚8点
    2026-11-23 20:00 | 今晚八点
    2026-11-23 20:30 | 今晚8点半
    2026-11-23 20:00 | 今天晚上8点
    2026-11-23 20:00 | 今天20:00
    2026-11-23 15:00 | 今天下午三点
    2026-11-23 15:15 | 下午3点一刻
    2026-11-24 15:30 | 明天下午三点半
    2026-11-24 15:30 | 明天下午3:30
    2026-11-24 09:00 | 明早9点
    2026-11-24 09:00 | 明天早上九点
    2026-11-24 22:00 | 明晚十点
    2026-11-24 12:00 | 明天中午
    2026-11-24 12:00 | 明天中午12点
    2026-11-24 13:00 | 明天中午一点
    2026-11-24 02:00 | 明天凌晨两点
    2026-11-24 00:00 | 明天零点
    2026-11-25 10:00 | 后天上午10点
    2026-11-25 07:45 | 后天早上7点45分
    2026-11-26 19:00 | 大后天晚上7点
    2026-11-27 18:00 | 周五18:00
    2026-11-27 18:00 | 这周五晚上6点
    2026-11-27 18:00 | 本周五18点
    2026-11-27 18:00 | 星期五下午6点
    2026-11-27 18:00 | 礼拜五下午六点
    2026-12-04 18:00 | 下周五18:00
    2026-12-04 20:00 | 下周五晚上八点
    2026-12-02 10:00 | 下星期三上午10点
    2026-12-06 20:00 | 下礼拜天晚上8点
    2026-11-29 12:00 | 周日中午12点
    2026-12-07 09:00 | 下下周一早上9点
    2026-12-01 20:00 | 12月1日 20:00
    2026-12-01 20:00 | 12月1日晚上8点
    2026-12-01 20:00 | 12月1号20点
    2026-12-01 20:00 | 十二月一日晚八点
    2026-12-24 19:30 | 十二月二十四号晚上七点半
    2026-12-01 20:00 | 2026年12月1日20:00
    2026-12-01 20:00 | 2026年12月1日 下午8点整
    2026-12-01 20:00 | 2026-12-01 20:00
    2026-12-01 20:00 | 2026/12/1 20:00
    2026-12-01 20:00 | 2026.12.1 20:00
    2027-01-15 10:00 | 1月15日10:00
    2027-01-15 10:00 | 明年1月15日上午10点
    2026-11-25 20:00 | 25号晚上8点
    2026-11-30 12:00 | 本月30号中午12点
    2026-12-05 10:00 | 下个月5号上午10点
    2026-11-26 13:40 | 3天后
    2026-11-26 20:00 | 三天后晚上8点
    2026-11-23 14:10 | 半小时后
    2026-11-23 15:40 | 两小时后
    2026-11-23 15:10 | 一个半小时后
    2026-11-23 13:50 | 10分钟后
    2026-11-30 13:40 | 一周后
    2026-12-07 13:40 | 两个星期后
    2026-12-23 13:40 | 一个月后
    2026-11-23 20:30 | 20:30
    2026-11-23 20:00 | 晚上8点
    2026-11-24 00:00 | 今晚12点
    2026-11-25 00:00 | 明天半夜12点
    2026-11-24 18:00 | 明天傍晚6点
    2026-11-24 06:00 | 明天清晨6点
    2026-12-12 20:00 | 双十二晚上8点
    2026-11-23 20:00 | 今晚８：００
    2026-11-23 20:00 | 今晚 8 点
    2026-11-23 20:00 | 今夜8点
    2026-11-23 20:08 | 今晚8点8分
    2026-11-23 20:05 | 今晚八点零五分
    2026-11-23 20:05 | 今晚八点过五分
    2026-11-23 20:00 | 今天8点
    2026-11-23 20:00 | 晚8点
    2026-11-23 15:45 | 下午三点三刻
    2026-11-24 01:30 | 明天凌晨1:30
    2026-11-24 00:00 | 明天凌晨12点
    2026-11-24 00:00 | 今天24点
    2026-11-25 00:00 | 明晚12点
    2026-11-24 13:30 | 明天下午1点半
    2026-11-24 12:00 | 明天12点
    2026-11-24 18:30 | 明天傍晚六点半
    2026-11-26 09:00 | 大后天早上9点
    2026-11-25 21:00 | 后晚9点
    2026-11-30 10:00 | 下周一上午十点
    2026-12-04 18:00 | 下周的周五18:00
    2026-12-04 18:00 | 下个星期五18:00
    2026-12-11 18:00 | 下下周五18:00
    2026-12-04 18:00 | 18:00下周五
    2026-11-29 20:00 | 本周日晚上8点
    2026-11-29 20:00 | 周7晚上8点
    2026-11-30 20:00 | 月底晚上8点
    2026-12-31 20:00 | 下个月底晚上8点
    2026-12-31 20:00 | 12月底晚上8点
    2026-12-25 20:00 | 圣诞节晚上8点
    2027-01-01 00:00 | 元旦零点
    2027-11-11 00:00 | 明年双11 0点
    2026-12-01 20:00 | 12/1 20:00
    2027-01-12 20:00 | 1/12 20:00
    2026-12-01 20:00 | 12.1 20:00
    2026-12-01 20:00 | 12-1 20:00
    2026-12-01 20:00 | 12月1日20时
    2026-12-01 20:30 | 十二月一号晚上八点三十分
    2026-12-01 20:00 | 12月1日,晚上8点开始
    2026-12-01 20:00 | ２０２６年１２月１日２０：００
    2026-12-01 20:00 | 北京时间12月1日20:00
    2028-02-29 10:00 | 2028年2月29日10:00
    2026-12-07 20:00 | 两周后晚上8点
    2026-11-25 13:40 | 48小时后
    2026-11-23 16:10 | 两个半小时后
    2026-11-23 16:10 | 2小时30分钟后
    2026-12-03 13:40 | 十天后
    2027-03-03 13:40 | 一百天以后
    2026-11-24 20:00 | 明天 8pm
    2026-11-23 20:30 | 今晚8點半
    2026-12-04 18:00 | 下週五18:00
    2026-11-27 18:00 | 這禮拜五下午六點
    2026-11-25 10:00 | 後天上午十點鐘
    2026-11-26 20:00 | 三天後晚上8點
    2026-12-25 20:00 | 聖誕節晚上八點
    2026-12-12 20:00 | 双十二20:00
    2027-01-01 00:00 | 元旦0点
    2027-10-01 10:00 | 国庆节10:00
    2027-05-01 10:00 | 五一10:00
    2028-01-01 00:00 | 后年1月1日0点
    2026-12-01 20:00 | 26年12月1日20:00
    2026-11-24 00:00 | 零点开始
    2026-11-24 00:00 | 凌晨12点
    2026-11-23 15:10 | 1.5小时后
    2026-11-23 20:15 | 八点一刻晚上
"""
ENGLISH = """
    2026-11-23 20:00 | tonight at 8
    2026-11-23 20:00 | tonight 8pm
    2026-11-23 20:30 | tonight at 8:30
    2026-11-23 20:00 | today 20:00
    2026-11-23 15:00 | today at 3pm
    2026-11-23 15:00 | today 3 p.m.
    2026-11-24 20:00 | tomorrow 8pm
    2026-11-24 20:00 | tomorrow at 8 pm
    2026-11-24 15:30 | tomorrow at 15:30
    2026-11-24 12:00 | tomorrow noon
    2026-11-24 12:00 | tomorrow at noon
    2026-11-24 09:00 | tomorrow morning at 9
    2026-11-24 19:30 | tomorrow evening at 7:30
    2026-11-24 15:00 | tomorrow afternoon at 3
    2026-11-24 20:00 | 8pm tomorrow
    2026-11-25 10:00 | the day after tomorrow at 10am
    2026-11-25 10:00 | day after tomorrow 10:00
    2026-11-27 18:00 | Friday 18:00
    2026-11-27 18:00 | friday 6pm
    2026-11-27 18:00 | Fri 18:00
    2026-11-27 18:00 | on Friday at 6pm
    2026-11-27 18:00 | this Friday 18:00
    2026-12-04 18:00 | next Friday 18:00
    2026-12-04 18:00 | next friday at 6 pm
    2026-12-04 18:00 | 6pm next Friday
    2026-12-02 10:00 | next Wednesday 10am
    2026-11-29 12:00 | Sunday noon
    2026-12-04 18:00 | next week Friday 18:00
    2026-12-04 18:00 | Friday next week at 6pm
    2026-12-01 20:00 | Dec 1 20:00
    2026-12-01 20:00 | Dec 1st at 8pm
    2026-12-01 20:00 | December 1, 8pm
    2026-12-01 20:00 | 1 December 20:00
    2026-12-01 20:00 | 1st of December 8pm
    2026-12-01 20:00 | December 1 2026 20:00
    2026-12-01 20:00 | Dec 1, 2026, 8:00 PM
    2026-12-01 20:00 | 1 Dec 2026 at 20:00
    2026-12-01 20:00 | 2026-12-01 20:00
    2026-12-01 20:00 | 2026-12-01T20:00
    2026-12-01 20:00 | 2026-12-01T12:00Z
    2026-12-01 20:00 | 2026/12/01 20:00
    2026-12-01 20:00 | 2026.12.01 20:00
    2027-01-15 10:00 | Jan 15 10:00
    2027-01-15 10:00 | January 15th at 10am
    2026-12-25 20:00 | 12/25 20:00
    2026-12-25 20:00 | 25/12 20:00
    2026-12-25 20:00 | 12/25/2026 8pm
    2026-12-25 20:00 | 25.12.2026 20:00
    2026-11-26 13:40 | in 3 days
    2026-11-26 20:00 | in 3 days at 8pm
    2026-12-07 13:40 | in two weeks
    2026-11-23 14:10 | in half an hour
    2026-11-23 15:40 | in 2 hours
    2026-11-23 15:10 | in an hour and a half
    2026-11-23 13:50 | in 10 minutes
    2026-12-23 13:40 | in a month
    2026-11-26 13:40 | 3 days from now
    2026-11-30 13:40 | a week from now
    2026-11-23 20:30 | 20:30
    2026-11-23 20:00 | 8pm
    2026-11-23 20:00 | at 8pm
    2026-11-25 20:00 | the 25th at 8pm
    2026-11-24 20:15 | quarter past 8 tomorrow evening
    2026-11-24 19:30 | half past 7pm tomorrow
    2026-11-27 12:00 | noon on Friday
    2026-11-24 00:00 | tonight at midnight
    2026-11-24 00:00 | midnight
    2026-11-24 00:00 | tonight 12am
    2026-11-23 20:00 | this evening at 8
    2026-11-23 20:00 | 8pm tonight
    2026-11-23 20:00 | 8 P.M.
    2026-11-23 20:30 | 8.30pm
    2026-11-24 00:30 | tomorrow 12:30am
    2026-11-24 12:30 | tomorrow 12:30 pm
    2026-11-24 20:45 | quarter to 9pm tomorrow
    2026-11-24 08:30 | tomorrow at 8:30
    2026-11-24 20:00 | TOMORROW AT 8PM
    2026-11-24 20:00 | tmr 8pm
    2026-11-29 20:00 | Sunday night at 8
    2026-11-24 06:00 | Tues 6am
    2026-11-25 06:00 | Wed, 6am
    2026-11-26 06:00 | Thurs 6am
    2026-12-11 18:00 | Friday the week after next 18:00
    2026-11-30 09:00 | next Monday 9:00
    2026-12-05 10:00 | the 5th of next month at 10am
    2027-09-01 20:00 | Sept 1 20:00
    2026-12-01 20:00 | Tuesday Dec 1 20:00
    2026-12-25 12:00 | Christmas at noon
    2027-01-01 00:00 | New Year's Day 0:00
    2027-01-01 00:00 | New Year’s Day 00:00
    2027-01-13 20:00 | 1/13 20:00
    2026-12-12 20:00 | 12/12 20:00
    2026-12-01 20:00 | 01.12.2026 20:00
    2026-12-01 21:00 | 2026-12-01T21:00:00+08:00
    2026-12-02 04:00 | Dec 1 20:00 utc
    2026-12-02 01:00 | Dec 1 12:00 -05:00
    2026-11-25 13:40 | in 2 days
    2026-11-24 01:40 | in half a day
    2026-12-07 13:40 | in a fortnight
    2026-11-23 16:10 | in 2 hours and 30 minutes
    2026-11-23 15:10 | in one and a half hours
    2026-11-23 15:40 | 2 hours later
    2026-11-24 00:00 | midnight tonight
    2026-11-24 20:00 | eight pm tomorrow
    2026-11-24 20:00 | tomorrow at eight in the evening
    2026-11-24 20:00 | tomorrow at 20.00
    2026-11-24 17:30 | Tuesday 17h30
    2026-12-25 20:00 | Xmas 8pm
    2026-11-30 20:00 | the last day of the month at 8pm
    2026-11-30 20:00 | end of the month 8pm
    2026-11-23 15:10 | in 1.5 hours
    2026-11-24 00:00 | 00:00
"""


def rows(table: str) -> list[tuple[str, str]]:
    found = [tuple(part.strip() for part in line.split(" | ")) for line in table.strip().splitlines()]
    return [(said, moment) for moment, said in found]


def at(local: str, zone: str = SHANGHAI) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


NOW = at("2026-11-23 13:40")


def refused(text: str, locale: str = "en", now: datetime = NOW, zone: str = SHANGHAI) -> tuple[str, dict[str, str]]:
    with pytest.raises(BadInput) as error:
        read_moment(text, now, zone, locale)
    return error.value.code, error.value.params


@pytest.mark.parametrize(("said", "moment"), rows(CHINESE))
def test_chinese(said: str, moment: str) -> None:
    assert read_moment(said, NOW, SHANGHAI, "zh_Hans") == at(moment)


@pytest.mark.parametrize(("said", "moment"), rows(ENGLISH))
def test_english(said: str, moment: str) -> None:
    assert read_moment(said, NOW, SHANGHAI, "en") == at(moment)


@pytest.mark.parametrize(("said", "locale"), [("今晚8点", "en"), ("next Friday 18:00", "zh_Hans")])
def test_both_languages_are_heard_whatever_the_person_reads(said: str, locale: str) -> None:
    assert read_moment(said, NOW, SHANGHAI, locale) > NOW


@pytest.mark.parametrize(
    "said",
    "周末 春节 等会儿 随便 明天明天8点 今晚早上8点 下周五周六8点 明天25:00 明天8:60 12月1日12月2日8点 "
    "今晚8点到10点 -3天后 ３０２天 soon whenever tomorrow+tomorrow 8pm+9pm next+week next+month 13am 25pm 8:00:99pm+x "
    "1/12/26+20:00 tomorrow+or+friday Dec+20:00 2026+20:00 in+the+morning+at+8pm 8pm+in+the+morning "
    "早上20点 下午3点到5点 一十十天后 十五十点".split(),
)
def test_what_is_not_understood_whole_is_asked_again(said: str) -> None:
    for locale in ("zh_Hans", "en"):
        assert refused(said.replace("+", " "), locale)[0] == "moment_unreadable"


@pytest.mark.parametrize("said", ["", "   ", "8点" * 100, "\x00", "九" * 80, "9" * 80, "in 9999 years", "9999年后"])
def test_nonsense_is_refused_as_such(said: str) -> None:
    assert refused(said)[0] == "moment_unreadable"


def test_a_day_without_an_hour_is_asked_for_its_hour_unless_one_is_meant() -> None:
    assert refused("12月1日", "zh_Hans") == ("moment_no_hour", {"day": "12月1日"})
    assert refused("tomorrow evening") == ("moment_no_hour", {"day": "November 24"})
    assert read_moment("12月1日", NOW, SHANGHAI, "zh_Hans", hour=time(23, 59)) == at("2026-12-01 23:59")


def test_tonight_at_eight_said_at_nine_is_over() -> None:
    nine = at("2026-11-23 21:00")
    assert refused("今晚8点", "zh_Hans", nine) == ("moment_past", {"at": "2026年11月23日 20:00"})
    assert refused("tonight at 8", "en", nine)[0] == "moment_past"
    assert refused("昨天8点", "zh_Hans", nine)[0] == "moment_unreadable"
    assert refused("20:00", "en", nine)[0] == "moment_past"


def test_this_very_minute_is_over() -> None:
    assert refused("13:40")[0] == "moment_past"


def test_eight_may_be_morning_or_evening_while_both_are_ahead() -> None:
    assert refused("明天8点", "zh_Hans") == (
        "moment_ambiguous",
        {"one": "2026年11月24日 08:00", "other": "2026年11月24日 20:00"},
    )
    assert refused("tomorrow at 8")[0] == "moment_ambiguous"
    assert read_moment("at 8", NOW, SHANGHAI, "en") == at("2026-11-23 20:00"), "eight in the morning is over"


def test_midnight_of_a_day_could_be_either_end_of_it() -> None:
    assert refused("Friday midnight")[1] == {"one": "November 27, 2026, 00:00", "other": "November 28, 2026, 00:00"}
    assert read_moment("tonight at 3", NOW, SHANGHAI, "en") == at("2026-11-24 03:00")


def test_one_at_night_could_be_of_either_night() -> None:
    assert refused("明晚1点", "zh_Hans") == (
        "moment_ambiguous",
        {"one": "2026年11月24日 01:00", "other": "2026年11月25日 01:00"},
    )


def test_two_numbers_are_month_and_day_in_chinese_and_a_question_in_english() -> None:
    assert read_moment("1/12 20:00", NOW, SHANGHAI, "zh_Hans") == at("2027-01-12 20:00")
    assert refused("1/12 20:00") == (
        "moment_ambiguous",
        {"one": "December 1, 2026, 20:00", "other": "January 12, 2027, 20:00"},
    )


@pytest.mark.parametrize(
    "said", "2月30日8:00 Feb+30+8:00 13月1日8:00 下个月32号8:00 2027-02-29+8:00 35/35+8:00".split()
)
def test_a_day_that_is_not_in_the_calendar(said: str) -> None:
    assert refused(said.replace("+", " "))[0] == "moment_no_such_day"


def test_a_date_without_a_year_is_the_next_but_yesterday_is_rather_a_slip() -> None:
    assert read_moment("1月1日0:00", NOW, SHANGHAI, "zh_Hans") == at("2027-01-01 00:00")
    assert refused("11月22日20:00", "zh_Hans") == ("moment_past", {"at": "2026年11月22日 20:00"})
    assert read_moment("2027年11月22日20:00", NOW, SHANGHAI, "zh_Hans") == at("2027-11-22 20:00")
    assert read_moment("2月29日20:00", NOW, SHANGHAI, "zh_Hans") == at("2028-02-29 20:00")


def test_the_turn_of_the_year() -> None:
    eve = at("2026-12-31 23:30")
    assert read_moment("明天早上9点", eve, SHANGHAI, "zh_Hans") == at("2027-01-01 09:00")
    assert read_moment("next Friday 9:00", eve, SHANGHAI, "en") == at("2027-01-08 09:00")
    assert read_moment("5号9:00", eve, SHANGHAI, "zh_Hans") == at("2027-01-05 09:00")
    assert read_moment("今晚12点", eve, SHANGHAI, "zh_Hans") == at("2027-01-01 00:00")


def test_friday_said_on_friday() -> None:
    noon, night = at("2026-11-27 12:00"), at("2026-11-27 21:00")
    assert read_moment("Friday 18:00", noon, SHANGHAI, "en") == at("2026-11-27 18:00")
    assert read_moment("Friday 18:00", night, SHANGHAI, "en") == at("2026-12-04 18:00")
    assert read_moment("周五晚上6点", night, SHANGHAI, "zh_Hans") == at("2026-12-04 18:00")
    assert refused("这周五18:00", "zh_Hans", night)[0] == "moment_past"
    assert read_moment("下周五18:00", night, SHANGHAI, "zh_Hans") == at("2026-12-04 18:00")


def test_a_weekday_must_be_that_of_its_date() -> None:
    assert read_moment("12月1日周二20:00", NOW, SHANGHAI, "zh_Hans") == at("2026-12-01 20:00")
    assert refused("12月1日周三20:00", "zh_Hans") == ("moment_other_weekday", {"day": "2026年12月1日是星期二"})
    assert refused("Wednesday, Dec 1, 20:00") == ("moment_other_weekday", {"day": "December 1, 2026, is a Tuesday"})
    assert read_moment("Thu 3/12 20:00", NOW, SHANGHAI, "en") == at("2026-12-03 20:00"), "March 12 is a Friday"


def test_the_hour_the_clocks_go_over_does_not_exist() -> None:
    winter = at("2027-03-01 12:00", NEW_YORK)
    code, said = refused("March 14 2:30 am", "en", winter, NEW_YORK)
    assert (code, said) == ("moment_skipped", {"at": "March 14, 2027, 03:30"})
    assert read_moment("March 14 3:30 am", winter, NEW_YORK, "en") == at("2027-03-14 03:30", NEW_YORK)


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    summer = at("2026-10-30 12:00", NEW_YORK)
    assert read_moment("Nov 1 1:30 am", summer, NEW_YORK, "en") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_days_keep_the_hour_and_hours_do_not_when_the_clocks_change() -> None:
    eve = at("2027-03-13 12:00", NEW_YORK)
    assert read_moment("in 1 day", eve, NEW_YORK, "en") == at("2027-03-14 12:00", NEW_YORK)
    assert read_moment("in 24 hours", eve, NEW_YORK, "en") == at("2027-03-14 13:00", NEW_YORK)


def test_too_far_ahead_is_rather_a_slip() -> None:
    assert refused("2062-12-01 20:00")[0] == "moment_far"
    assert refused("9999-12-31 23:59")[0] == "moment_far"


@pytest.mark.parametrize("locale", ["zh_Hans", "en"])
@pytest.mark.parametrize("said", ["明天8点", "1/12 20:00", "Friday midnight"])
def test_the_readings_we_offer_are_read_as_they_stand(locale: str, said: str) -> None:
    with pytest.raises(BadInput) as error:
        read_moment(said, NOW, SHANGHAI, "en")
    for reading in error.value.params.values():
        assert read_moment(reading, NOW, SHANGHAI, locale) > NOW


def test_in_full_leaves_no_question() -> None:
    moment = at("2026-12-01 20:00")
    assert in_full("zh_Hans", moment, SHANGHAI) == "2026年12月1日 星期二 20:00（北京时间）"
    assert in_full("en", moment, SHANGHAI) == "Tuesday, December 1, 2026, 20:00 (China Standard Time)"
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
    assert in_full("en", first, NEW_YORK) != in_full("en", second, NEW_YORK), "the hour that comes twice"


LOCAL_TIMES = st.integers(0, 4 * 365 * 1440).map(lambda n: datetime.fromisoformat("2026-11-24") + timedelta(minutes=n))
WRITTEN = (
    "{0.year}-{0.month}-{0.day} {0.hour}:{0.minute:02}",
    "{0.year}年{0.month}月{0.day}日{0.hour}点{0.minute}分",
    "{0:%B} {0.day}, {0.year} {0.hour}:{0.minute:02}",
    "{0.day} {0:%b} {0.year}, {0:%I:%M %p}",
    "{0:%Y/%m/%dT%H:%M}",
)


@given(LOCAL_TIMES, st.sampled_from(ZONES), st.sampled_from(WRITTEN))
def test_every_date_is_read_back_as_it_was_written(local: datetime, zone: str, pattern: str) -> None:
    moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    exists = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local
    if not exists:
        assert refused(pattern.format(local), "en", NOW - timedelta(days=1), zone)[0] == "moment_skipped"
    elif pattern == WRITTEN[1] and 1 <= local.hour <= 11:
        assert refused(pattern.format(local), "en", NOW - timedelta(days=1), zone)[0] == "moment_ambiguous"
    else:
        assert read_moment(pattern.format(local), NOW - timedelta(days=1), zone, "en") == moment


WORDS = [
    *"今晚 明天 下周五 周日 下个月 5号 12月1日 8点 20:00 半 早上 晚上 中午 半夜 3天后 2小时后 元旦 月底 1/12".split(),
    *"tonight tomorrow next Friday the 5th Dec 1 at 8 8pm noon midnight in 3 days 2026-12-01 half past am utc".split(),
]


@given(
    st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join) | st.text(max_size=30),
    LOCAL_TIMES.map(lambda local: local.replace(tzinfo=UTC) - timedelta(days=300)),
    st.sampled_from(ZONES),
    st.sampled_from(["zh_Hans", "en"]),
)
def test_whatever_is_said_is_a_moment_to_come_or_asked_again(said: str, now: datetime, zone: str, locale: str) -> None:
    try:
        moment = read_moment(said, now, zone, locale)
    except BadInput:
        return
    assert now < moment <= now + timedelta(days=5 * 366)


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ("30天", timedelta(days=30)),
        ("两周", timedelta(days=14)),
        ("一个半小时", timedelta(minutes=90)),
        ("2天12小时", timedelta(days=2, hours=12)),
        ("半个月", timedelta(days=15)),
        ("四十八个小时", timedelta(hours=48)),
        ("two weeks", timedelta(days=14)),
        ("a week", timedelta(days=7)),
        ("2 days 12 hours", timedelta(days=2, hours=12)),
        ("1 hour and 30 minutes", timedelta(minutes=90)),
        ("a day and a half", timedelta(hours=36)),
        ("３０ 天", timedelta(days=30)),
        ("a month", timedelta(days=30)),
    ],
)
def test_lengths_of_time(said: str, length: timedelta) -> None:
    assert read_duration(said) == length


@pytest.mark.parametrize("said", ["", "30", "0天", "很久", "forever", "-3 days", "9999 years", "3 days ago", "天"])
def test_what_is_no_length_of_time(said: str) -> None:
    with pytest.raises(BadInput, match="duration_unreadable"):
        read_duration(said)


@pytest.mark.parametrize(
    ("said", "days"),
    [("30", 30), ("30天", 30), ("三十", 30), ("two weeks", 14), ("一个月", 30), ("48 hours", 2)],
)
def test_whole_days(said: str, days: int) -> None:
    assert read_days(said) == days


@pytest.mark.parametrize("said", ["0", "-1", "1.5", "半天", "lots", "99999", ""])
def test_what_is_no_number_of_days(said: str) -> None:
    with pytest.raises(BadInput, match="days_unreadable"):
        read_days(said)
