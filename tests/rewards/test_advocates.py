"""The list of advocates: in three orders, page by page, and for those a text means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from core.errors import NotFound
from referral import members, search
from referral.campaigns import enroll
from referral.privacy import forget_member
from rewards import advocate, advocates, earnings
from rewards.advocates import Cursor, Order
from rewards.earnings import Earning
from rewards.rewards import Reward
from tests.house import House, later, person
from tests.rewards.shop import BOTH, Shop, open_shop

GENEROUS = BOTH.model_copy(update={"budget": 100_000})


@pytest.fixture
def shop(house: House) -> Shop:
    return open_shop(house, GENEROUS, event="joined")


def bring(shop: Shop, advocate_name: str, friends: int) -> UUID:
    """An advocate with so many friends who count."""
    who = shop.house.do(
        lambda session: (
            members.meet(session, shop.brand.id, [person(advocate_name)], [shop.campaign.created_at], "message")[
                0
            ].member_id
        )
    )
    code = shop.house.do(lambda session: enroll(session, shop.campaign, who))
    shop.code = code
    for number in range(friends):
        shop.brings(f"{advocate_name}-f{number}")
    return who


def listed(shop: Shop, order: Order, text: str = "", asset: str = "PTS") -> Iterator[advocates.Advocate]:
    """Everybody, page after page."""
    after: Cursor | None = None
    while True:
        page = shop.house.ask(
            lambda session, begin=after: advocates.list_advocates(  # type: ignore[misc]
                session, shop.campaign, shop.brand.id, order=order, asset=asset, text=text, after=begin
            )
        )
        yield from page.advocates
        if page.older is None:
            return
        after = page.older


def follows(shop: Shop) -> None:
    with later(minutes=5):
        while shop.house.do(earnings.follow_due):
            pass


def test_the_list_in_its_three_orders_over_any_number_of_pages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advocates, "PAGE", 2)
    who = {name: bring(shop, name, friends) for name, friends in (("Ann", 1), ("Ben", 3), ("Cleo", 1), ("Dan", 2))}
    follows(shop)

    by_friends = list(listed(shop, "friends"))
    assert [(one.name, one.friends) for one in by_friends] == [("Ben", 3), ("Dan", 2), ("Cleo", 1), ("Ann", 1)]
    by_earned = [one for one in listed(shop, "earned") if one.id in who.values()]
    assert [one.earned["PTS"] for one in by_earned] == [300, 200, 100, 100]
    latest = list(listed(shop, "latest"))
    assert [one.id for one in latest] == sorted((one.id for one in latest), reverse=True)
    everybody = select(func.count()).select_from(members.Member).where(col(members.Member.brand_id) == shop.brand.id)
    assert len(latest) == shop.house.ask(lambda session: session.scalar(everybody))


def test_a_text_lists_who_is_meant_in_the_same_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, friends in (("Ann Lee", 1), ("Ben Lee", 2), ("Cleo Lee", 0), ("Dan Poe", 3)):
        bring(shop, name, friends)
    assert [one.name for one in listed(shop, "friends", "lee") if "-f" not in one.name] == [
        "Ben Lee",
        "Ann Lee",
        "Cleo Lee",
    ]
    assert list(listed(shop, "friends", "zzz")) == []
    # The same where too many fit: the best of them are still the first.
    monkeypatch.setattr(search, "MANY", 2)
    monkeypatch.setattr(search, "FRESH", 0)
    with later(minutes=5):
        shop.house.do(search.fold_due)
    for order in advocates.ORDERS:
        assert list(listed(shop, order, "lee"))
    assert [one.name for one in listed(shop, "friends", "lee")][:2] == ["Ben Lee", "Ann Lee"]


BAD: Sequence[Cursor] = (
    ("1", "2", "3", "4"),
    ("9" * 40, str(UUID(int=0))),
    ("-1", str(UUID(int=0))),
    ("1", "2026-01-01T00:00:00", str(UUID(int=0))),
    ("junk",),
    ("",),
)


@pytest.mark.parametrize("after", BAD)
def test_a_cursor_that_is_none_of_ours_is_refused(shop: Shop, after: Cursor) -> None:
    for order in advocates.ORDERS:
        with pytest.raises(ValueError):
            shop.house.ask(
                lambda session, order=order: advocates.list_advocates(  # type: ignore[misc]
                    session, shop.campaign, shop.brand.id, order=order, after=after
                )
            )


def test_what_was_earned_follows_the_books_and_takes_back_what_they_take(shop: Shop) -> None:
    ann = bring(shop, "Ann", 2)
    follows(shop)
    shop.reverses("Ann-f0")
    follows(shop)
    follows(shop)

    def both(session: Session) -> tuple[dict[UUID, int], dict[UUID, int]]:
        kept = select(col(Earning.member_id), col(Earning.earned)).where(col(Earning.earned) > 0)
        sums = func.sum(col(Reward.amount) - col(Reward.taken_back))
        said = select(col(Reward.member_id), sums).where(col(Reward.state) != "capped").group_by(col(Reward.member_id))
        return dict(session.execute(kept).all()), {who: int(sum_) for who, sum_ in session.execute(said) if sum_}

    kept, said = shop.house.ask(both)
    assert kept == said
    assert kept[ann] == 100


def test_a_members_page_has_friends_page_by_page_and_only_of_this_brand(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advocate, "FRIENDS", 2)
    ann = bring(shop, "Ann", 3)
    shop.reverses("Ann-f1")
    first = shop.house.ask(lambda session: advocate.portrait(session, shop.brand.id, ann))
    assert len(first.friends) == 2
    rest = shop.house.ask(lambda session: advocate.portrait(session, shop.brand.id, ann, after=first.older))
    assert len({one.friend_id for one in (*first.friends, *rest.friends)}) == 3
    assert (len(rest.friends), rest.older) == (1, None)
    fallen = shop.house.ask(lambda session: advocate.portrait(session, shop.brand.id, ann, state="reversed"))
    assert [fallen.people[one.friend_id].name for one in fallen.friends] == ["Ann-f1"]
    assert first.standing is not None
    assert first.standing.score == 2
    other = open_shop(shop.house, name="Otherworld")
    with pytest.raises(NotFound):
        shop.house.ask(lambda session: advocate.portrait(session, other.brand.id, ann))


def test_a_forgotten_advocate_has_a_page_without_a_name(shop: Shop) -> None:
    ann = bring(shop, "Ann", 1)
    shop.house.do(lambda session: forget_member(session, shop.brand.id, ann))
    page = shop.house.ask(lambda session: advocate.portrait(session, shop.brand.id, ann))
    assert page.member.name == ""
    assert page.accounts == []
    assert len(page.friends) == 1
