"""An announcement's way into a group: pinned, taken down, refused, repeated, too late, and where nobody lets us in."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from sqlmodel import Session, col

from bots import group_news
from bots.adapter import SendError
from bots.markup import plain
from bots.message import Reply
from bots.notify import compose as words_of
from core import clock, i18n
from core.outbox import ATTEMPTS, Dispatcher, Outbox
from daixin import jobs
from referral import members, staff
from referral.announcing import log_of, try_again
from referral.brands import Brand, Community, connect, create_brand
from referral.campaigns import Campaign, move
from referral.connecting import connect_group, disconnect_group
from referral.pictures import keep
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.bots.groups import AWAY, NOT_ALLOWED, PretendGroups, PretendRooms, dispatcher_of
from tests.dialogue import NOON
from tests.house import House, later, person
from tests.rewards.tasting import open_tasting

GROUP = "-100 tea"


@dataclass
class Square:
    """A brand with one group, and a campaign that is about to begin. Mei runs it."""

    house: House
    brand: Brand
    group: Community
    groups: PretendGroups
    dispatcher: Dispatcher

    def applies(self, **changes: Any) -> Campaign:
        """A campaign of ten days begins now."""
        now = clock.now()
        raw: dict[str, Any] = {
            "campaign": {
                "slug": "spring",
                "title": {"en": "Spring tea", "zh_Hans": "春茶会"},
                "benefit": {"en": "A free cup for you.", "zh_Hans": "送你一杯新茶。"},
                "starts_at": now - timedelta(minutes=1),
                "ends_at": now + timedelta(days=10),
            },
            "rewards": {"budget": 1000, "rules": [{"to": "advocate", "amount": 100}]},
        } | changes
        return self.house.do(lambda session: apply_campaign(session, self.brand, build_campaign(raw)).campaign)

    def delivers(self) -> None:
        """The jobs run and all that is due is delivered."""

        async def work() -> None:
            await jobs.run_all(self.house.writer)
            while await self.dispatcher.deliver_due():
                continue

        asyncio.run(work())

    def log(self, campaign: Campaign) -> list[tuple[str, str, str | None]]:
        """(what, state, reason) of every post."""
        found = self.house.ask(lambda session: log_of(session, campaign))
        return [(row.what, row.state, row.reason) for row, _ in found]

    def news(self) -> list[str]:
        """What Mei is told, in the order it was queued; in English."""

        def read(session: Session) -> list[str]:
            rows = session.scalars(
                select(Outbox).where(col(Outbox.topic) == "chat:telegram").order_by(col(Outbox.created_at))
            )
            replies = [words_of(session, row.payload) for row in rows if row.payload["kind"] == "group"]
            return [reply.text.partition("\n")[0] for reply in replies if reply is not None]

        return self.house.ask(read)


@pytest.fixture
def square(house: House) -> Square:
    group_news.listen(house.bus, ())

    def found(session: Session) -> tuple[Brand, Community]:
        brand = create_brand(session, "Acme", locale="en")
        mei = members.meet(session, brand.id, [person("Mei")], [clock.now()], "message")[0]
        members.heard(session, brand.id, person("Mei"), clock.now())
        staff.give(session, brand.id, mei.member_id, "owner", "operator")
        return brand, connect(session, brand.id, "telegram", GROUP, "Tea lovers")

    brand, group = house.do(found)
    groups = PretendGroups()
    return Square(house, brand, group, groups, dispatcher_of(house.writer, groups))


def ends(square: Square, campaign: Campaign) -> None:
    square.house.do(lambda session: move(session, session.get_one(Campaign, (campaign.brand_id, campaign.id)), "end"))


def test_the_start_is_pinned_until_the_end(square: Square) -> None:
    campaign = square.applies()
    square.delivers()
    [start] = square.groups.posts
    assert (start.group, start.pinned, start.again) == (GROUP, True, False)
    assert [[button.action for button in row] for row in start.reply.buttons] == [["do:invite spring"]]
    assert square.log(campaign) == [("start", "pinned", None)]
    ends(square, campaign)
    square.delivers()
    assert (start.pinned, len(square.groups.posts)) == (False, 2)
    assert square.log(campaign) == [("start", "sent", None), ("end", "sent", None), ("results", "skipped", "empty")]
    square.delivers()
    assert (len(square.groups.posts), square.groups.pins) == (2, ["pin 0", "unpin 0"])
    assert square.news() == []


def test_the_picture_of_the_campaign_comes_with_the_start(square: Square) -> None:
    made = io.BytesIO()
    Image.new("RGB", (300, 200), "#c0392b").save(made, "PNG")
    name = square.house.do(lambda session: keep(session, square.brand.id, made.getvalue()))
    campaign = square.applies()

    def give(session: Session) -> None:
        session.get_one(Campaign, (campaign.brand_id, campaign.id)).picture = name

    square.house.do(give)
    square.delivers()
    image = square.groups.posts[0].reply.image
    assert image is not None
    assert image.alt == "Spring tea"
    assert image.draw().startswith(b"\xff\xd8")


def test_without_the_right_to_pin_it_stands_unpinned_and_mei_is_told_once(square: Square) -> None:
    square.groups.refuse("pin", NOT_ALLOWED)
    campaign = square.applies()
    for _ in range(2):
        square.delivers()
    assert square.log(campaign) == [("start", "sent", NOT_ALLOWED.reason)]
    [told] = square.news()
    assert told.startswith("📌 **Spring tea** is posted in **Tea lovers** (Telegram), but I may not pin it.")
    assert "`Bad Request: not enough rights`" in told
    ends(square, campaign)
    square.delivers()
    assert square.groups.pins == []


def test_once_the_right_to_pin_is_there_what_stands_is_pinned_and_not_posted_twice(square: Square) -> None:
    square.groups.refuse("pin", NOT_ALLOWED)
    campaign = square.applies()
    square.delivers()
    again = partial(try_again, campaign=campaign, actor="telegram:mei")
    assert square.house.do(lambda session: again(session)) == 1
    assert square.house.do(lambda session: again(session)) == 0
    square.delivers()
    assert square.log(campaign) == [("start", "pinned", None)]
    assert len(square.groups.posts) == 1


def test_a_group_that_is_added_to_a_running_campaign_is_told(square: Square) -> None:
    second = square.house.do(lambda session: connect(session, square.brand.id, "telegram", "-200", "Tea masters"))
    about = other(square)
    campaign = square.applies(campaign=about | {"communities": [f"telegram:{GROUP}"]})
    square.delivers()
    both = [f"telegram:{GROUP}", f"telegram:{second.group_id}"]
    square.applies(campaign=about | {"communities": both})
    square.delivers()
    assert [post.group for post in square.groups.posts] == [GROUP, second.group_id]
    assert [what for what, _, _ in square.log(campaign)] == ["start", "start"]


def test_where_nothing_can_be_pinned_the_log_says_so_and_nobody_is_told(square: Square) -> None:
    rooms = PretendRooms("telegram")
    square.dispatcher = dispatcher_of(square.house.writer, rooms)
    campaign = square.applies()
    square.delivers()
    assert square.log(campaign) == [("start", "sent", "no_pins")]
    assert square.news() == []


def test_a_refused_post_is_told_and_can_be_tried_again(square: Square) -> None:
    square.groups.refuse("post", NOT_ALLOWED)
    campaign = square.applies()
    square.delivers()
    assert square.log(campaign) == [("start", "failed", NOT_ALLOWED.reason)]
    assert [told.partition(".")[0] for told in square.news()] == [
        "⚠️ I could not post **Spring tea** in **Tea lovers** (Telegram)"
    ]
    again = partial(try_again, campaign=campaign, actor="operator")
    assert square.house.do(lambda session: again(session)) == 1
    assert square.house.do(lambda session: again(session)) == 0  # a second press finds it on its way
    square.delivers()
    assert square.log(campaign) == [("start", "pinned", None)]
    assert [post.key.rpartition("/")[2] for post in square.groups.posts] == ["2"]


def test_a_platform_that_is_away_is_asked_again_until_it_is_enough(square: Square) -> None:
    square.groups.refuse("post", AWAY)
    campaign = square.applies()
    square.delivers()
    assert square.log(campaign) == [("start", "queued", None)]
    with later(minutes=1):
        square.delivers()
        [post] = square.groups.posts
        assert (post.again, post.pinned) == (True, True)
    square.groups.refuse("post", *[AWAY] * ATTEMPTS)
    with later(days=2):
        campaign = square.applies(announce={"on": ["start"], "pin": False}, campaign=other(square))
    for hour in range(ATTEMPTS + 1):
        with later(days=2, hours=7 * hour):
            square.delivers()
    assert square.log(campaign) == [("start", "failed", AWAY.reason)]


def other(square: Square) -> dict[str, Any]:
    """A second campaign of the brand."""
    return {
        "slug": "summer",
        "title": {"en": "Summer tea", "zh_Hans": "夏茶会"},
        "benefit": {"en": "A free cup for you.", "zh_Hans": "送你一杯新茶。"},
        "starts_at": clock.now() - timedelta(minutes=1),
        "ends_at": clock.now() + timedelta(days=30),
    }


def test_an_answer_lost_on_its_way_makes_a_repeat_that_says_it_is_one(square: Square) -> None:
    square.groups.lose("post", AWAY)
    square.applies()
    square.delivers()
    with later(minutes=1):
        square.delivers()
        first, second = square.groups.posts
        assert (first.key, first.again) == (second.key, False)
        assert (second.again, second.pinned, first.pinned) == (True, True, False)


def test_a_platform_that_asks_to_wait_has_not_posted_so_the_next_time_rings(square: Square) -> None:
    square.groups.refuse("post", SendError("Too Many Requests", retry_after=30))
    square.applies()
    square.delivers()
    with later(minutes=1):
        square.delivers()
    assert [(post.again, post.pinned) for post in square.groups.posts] == [(False, True)]


def test_a_pin_whose_answer_is_lost_is_asked_for_again_and_nothing_is_posted_twice(square: Square) -> None:
    square.groups.lose("pin", AWAY)
    campaign = square.applies()
    square.delivers()
    with later(minutes=1):
        square.delivers()
    assert (len(square.groups.posts), square.groups.pins) == (1, ["pin 0", "pin 0"])
    assert square.log(campaign) == [("start", "pinned", None)]


def test_a_campaign_that_ends_while_it_is_pinned_is_unpinned_all_the_same(square: Square) -> None:
    campaign = square.applies()
    ended = square.groups.pin

    async def pin(group: str, message: str) -> None:
        await ended(group, message)
        ends(square, campaign)

    square.groups.pin = pin  # type: ignore[method-assign]  # something happens just then
    square.delivers()
    assert square.groups.pins == ["pin 0", "unpin 0"]


def test_what_comes_too_late_is_not_posted(square: Square) -> None:
    campaign = square.applies()
    with later(days=10):
        square.delivers()
        assert [(what, state) for what, state, _ in square.log(campaign)] == [
            ("start", "skipped"),
            ("end", "sent"),
            ("results", "skipped"),
        ]
        assert len(square.groups.posts) == 1


def test_a_scheduled_campaign_that_is_called_off_says_nothing(square: Square) -> None:
    about = other(square) | {"starts_at": clock.now() + timedelta(days=1)}
    campaign = square.applies(campaign=about)
    ends(square, campaign)
    square.delivers()
    assert square.log(campaign) == [("results", "skipped", "empty")]
    assert square.groups.posts == []


def test_people_are_reminded_once_before_the_end_and_anew_after_it_was_moved(square: Square) -> None:
    begun = clock.now()
    campaign = square.applies()
    about = other(square) | {"slug": "spring", "starts_at": begun - timedelta(minutes=1)}
    with later(days=9):
        for _ in range(2):
            square.delivers()
        assert [what for what, _, _ in square.log(campaign)] == ["start", "reminder"]
        square.applies(campaign=about | {"ends_at": clock.now() + timedelta(days=8)})
        square.delivers()
    with later(days=16):
        for _ in range(2):
            square.delivers()
        assert [what for what, _, _ in square.log(campaign)] == ["start", "reminder", "reminder"]
        assert len(square.groups.posts) == 3


def test_a_campaign_that_is_paused_reminds_nobody_and_when_it_goes_on_in_time_it_does(square: Square) -> None:
    campaign = square.applies()
    does(square, campaign, "pause")
    with later(days=8):
        does(square, campaign, "resume")
    with later(days=9):
        square.delivers()
        assert ("reminder", "sent", None) in square.log(campaign)


def does(square: Square, campaign: Campaign, what: str) -> None:
    square.house.do(lambda session: move(session, session.get_one(Campaign, (campaign.brand_id, campaign.id)), what))


def test_a_group_the_bot_was_put_out_of_is_lost_told_once_and_goes_on_when_it_is_back(square: Square) -> None:
    second = square.house.do(lambda session: connect(session, square.brand.id, "telegram", "-200", "Tea masters"))
    square.groups.closed = {GROUP}
    campaign = square.applies()
    square.delivers()
    assert square.log(campaign) == [("start", "gone", "removed"), ("start", "pinned", None)]
    assert [told.partition(".")[0] for told in square.news()] == ["⚠️ I was taken out of **Tea lovers** (Telegram)"]
    assert [post.group for post in square.groups.posts] == [second.group_id]
    square.groups.closed = set()
    reconnects = partial(connect_group, brand_id=square.brand.id, platform="telegram", group_id=GROUP)
    square.house.do(lambda session: reconnects(session, title="Tea lovers", actor="telegram:mei"))
    square.delivers()
    assert square.log(campaign) == [("start", "pinned", None), ("start", "pinned", None)]
    ends(square, campaign)
    square.delivers()
    assert [post.pinned for post in square.groups.posts] == [False] * 4
    assert len(square.news()) == 1


def test_what_is_on_its_way_into_a_group_that_is_let_go_never_arrives(square: Square) -> None:
    campaign = square.applies()

    def leave(session: Session) -> None:
        disconnect_group(session, session.get_one(Community, (square.brand.id, square.group.id)), "telegram:mei")

    square.house.do(leave)
    square.delivers()
    assert square.log(campaign) == [("start", "gone", "removed")]
    assert (square.groups.posts, square.news()) == ([], [])  # who let it go knows it


def test_a_group_that_comes_later_hears_of_what_runs(square: Square) -> None:
    campaign = square.applies()
    square.delivers()
    square.house.do(lambda session: connect_group(session, square.brand.id, "telegram", "-300", "New", "telegram:mei"))
    square.delivers()
    square.delivers()
    assert [post.group for post in square.groups.posts] == [GROUP, "-300"]
    assert len(square.log(campaign)) == 2


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_trial_says_how_many_places_there_are_and_until_when(house: House, locale: str) -> None:
    with clock.moved(NOON - clock.now()):
        town = open_tasting(house, announce={"on": ["start", "reminder", "end", "results"], "remind_hours": 48})
        groups = PretendGroups()
        square = Square(house, town.brand, town.group, groups, dispatcher_of(house.writer, groups))

        def speak(session: Session) -> None:
            session.get_one(Community, (town.brand.id, town.group.id)).locale = locale

        house.do(speak)
        square.delivers()
        with later(days=1):
            town.applies("Bob")
            town.takes("Bob")
            town.says_where("Bob")
            town.is_sent("Bob")
            town.receives("Bob")
            town.reviews("Bob")
        for days in (13, 14, 200):
            with later(days=days):
                square.delivers()
    assert [shown(post.reply) for post in groups.posts] == TRIAL[locale]


def shown(reply: Reply) -> list[str]:
    """A post as people read it, the labels of its buttons last."""
    labels = [f"[{button.label}]" for row in reply.buttons for button in row]
    return [line for line in [*plain(reply.text).splitlines(), *labels] if line]


PASSES_ON = (
    "🏁 Night serum trial is over. Thank you all for applying! A place that nobody takes up passes on: whoever gets "
    "one hears from me in private."
)
TRIAL = {
    "en": [
        [
            "🎁 Night serum trial has begun: 2 places to try it!",
            "“A full box, free.”",
            "It takes a minute to apply, until Mar 16, 12:00.",
            "[Apply for a place]",
        ],
        ["⏳ Last call: you can apply for Night serum trial until Mar 16, 12:00.", "[Apply for a place]"],
        [PASSES_ON],
        ["🎉 The result of Night serum trial: 1 person has tried it. Feedback so far: 1. Thank you!"],
    ],
    "zh_Hans": [
        [
            "🎁 夜间精华试用 开放申请，共 2 个名额！",
            "「正装一盒，免费试用。」",
            "一分钟就能填好，3月16日 12:00 截止。",
            "[我要申请]",
        ],
        ["⏳ 夜间精华试用 申请快截止了，3月16日 12:00 前还来得及。", "[我要申请]"],
        ["🏁 夜间精华试用 结束啦，感谢申请！没人领的名额会继续顺延，轮到谁我私聊通知谁。"],
        ["🎉 夜间精华试用 结果出炉：1 位朋友已经试用，收到反馈 1 份，感谢大家！"],
    ],
}
