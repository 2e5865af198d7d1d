"""Drafts in the database, on both kinds: revisions decide between two writers, and a launch closes a draft once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session

from bots import drafts
from bots.drafts import CampaignDraft
from core import clock
from referral.brands import Brand, create_brand
from referral.campaigns import Campaign
from tests.house import House, later


@pytest.fixture
def brand(house: House) -> Brand:
    return house.do(lambda session: create_brand(session, "Acme", slug="acme"))


@pytest.fixture
def draft(house: House, brand: Brand) -> CampaignDraft:
    return house.do(lambda session: drafts.start_draft(session, brand.id, "trial", "telegram:1", "en", {"title": "A"}))


def write(house: House, draft: CampaignDraft, revision: int, author: str, title: str) -> int | None:
    answers = {"title": title}
    return house.do(lambda session: drafts.write_draft(session, draft.brand_id, draft.code, revision, author, answers))


def now(house: House, draft: CampaignDraft) -> CampaignDraft | None:
    return house.do(lambda session: drafts.find_draft(session, draft.brand_id, draft.code))


def test_of_two_who_write_the_same_revision_one_wins(house: House, draft: CampaignDraft) -> None:
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(write, house, draft, 1, f"telegram:{n}", f"by {n}") for n in range(8)]
        revisions = [one.result() for one in tries]
    assert sorted(revisions, key=str) == [2, *[None] * 7]
    kept = now(house, draft)
    assert kept is not None
    assert kept.answers == {"title": f"by {revisions.index(2)}"}


def test_a_draft_is_launched_once_and_never_after_a_change(house: House, brand: Brand, draft: CampaignDraft) -> None:
    def some_campaign(session: Session) -> Campaign:
        made = Campaign(
            brand_id=brand.id,
            slug="a",
            title={"en": "A"},
            benefit={"en": "B"},
            starts_at=clock.now(),
            ends_at=clock.now(),
            created_at=clock.now(),
        )
        session.add(made)
        session.flush()
        return made

    campaign = house.do(some_campaign)

    def close(revision: int) -> bool:
        return house.do(lambda session: drafts.close_draft(session, brand.id, draft.code, revision, campaign.id))

    assert write(house, draft, 1, "telegram:1", "B") == 2
    assert [close(1), close(2), close(2), close(3)] == [False, True, False, False]
    assert write(house, draft, 3, "telegram:1", "C") is None
    assert not house.do(lambda session: drafts.drop_draft(session, brand.id, draft.code))
    assert house.do(lambda session: drafts.open_drafts(session, brand.id)) == []


def test_a_draft_without_an_answer_is_taken_again_by_its_author_only(house: House, brand: Brand) -> None:
    def start(author: str, kind: drafts.Kind) -> str:
        return house.do(lambda session: drafts.start_draft(session, brand.id, kind, author, "en").code)

    first = start("telegram:1", "trial")
    assert start("telegram:1", "contest") == first
    assert start("telegram:2", "contest") != first


def test_the_latest_draft_comes_first_and_another_brands_never(
    house: House, brand: Brand, draft: CampaignDraft
) -> None:
    other = house.do(lambda session: create_brand(session, "Other", slug="other"))
    with later(days=1):
        newer = house.do(
            lambda session: drafts.start_draft(session, brand.id, "contest", "telegram:1", "en", {"title": "B"})
        )
    found = house.do(lambda session: drafts.open_drafts(session, brand.id))
    assert [one.code for one in found] == [newer.code, draft.code]
    assert house.do(lambda session: drafts.open_drafts(session, other.id)) == []
    assert house.do(lambda session: drafts.find_draft(session, other.id, draft.code)) is None
    assert not house.do(lambda session: drafts.drop_draft(session, other.id, draft.code))


def test_who_is_forgotten_is_no_author_any_more(house: House, brand: Brand, draft: CampaignDraft) -> None:
    house.do(lambda session: drafts.forget_author(session, brand.id, "telegram:1"))
    kept = now(house, draft)
    assert kept is not None
    assert (kept.author, kept.answers) == ("", {"title": "A"})
