"""A town that has lived for a year: members, invitations, clicks, friends, orders and rewards, written set by set.

No product function makes it, since a million people would take the product hours; what it writes is what the product
would have left behind, with its keys, counters and books in agreement. SQLite only: the benches that use it compare a
large town with a small one on the same database.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from uuid import UUID

from sqlalchemy.engine import make_url
from sqlmodel import Session

from core import clock, ids, migrations
from core.db import make_engine
from referral import brands, codes, members
from referral.campaigns import Campaign
from rewards.ledger import Account, Purpose
from rewards.plans import Plan, Rule, save_plan

DAYS = 365
"""How long the town has lived; it ends now."""
ADVOCATES = 63
"""Of a hundred members, how many take part in the campaign."""
FRIENDS = 60
"""Of a hundred members, how many somebody has brought."""
REWARD = 500
"""Minor units (CNY) for a friend who counts."""
BUDGET = 10**12
_GIVEN, _FAMILY = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂香月红玉兰", "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"
_PLATFORMS = ("telegram", "telegram", "telegram", "discord", "wechat", "wechat")
_MOMENT = "strftime('%Y-%m-%d %H:%M:%f000', {0} / 1000.0, 'unixepoch')"
"""A moment as SQLite keeps it, from milliseconds."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The town: its brand and campaign, and some of its people, friends and orders from all over the year."""

    brand_id: UUID
    slug: str
    campaign_id: UUID
    campaign: str
    community_id: UUID
    advocates: tuple[UUID, ...]
    friends: tuple[UUID, ...]
    referrals: tuple[UUID, ...]
    conversions: tuple[UUID, ...]


def fill(url: str, people: int, touches: int, *, slug: str = "years", seed: int = 7) -> Filled:
    """Migrate the (SQLite) database and let a town of so many members live there, with so many touches in all."""
    migrations.migrate(url)
    members.set_fingerprint_key("bench")
    brand_id, campaign_id, community_id = _found(url, slug)
    path = make_url(url).database
    assert path is not None
    raw = sqlite3.connect(path, isolation_level=None)
    try:
        _hurry(raw)
        later = _put_aside(raw)
        _people(raw, random.Random(seed), people, touches)
        values: dict[str, str | int] = {
            "brand": brand_id.hex,
            "campaign": campaign_id.hex,
            "community": community_id.hex,
        }
        values |= {"budget": Account(brand_id, campaign_id, Purpose.BUDGET, "CNY").id.hex, "reward": REWARD}
        values |= {"outside": Account(brand_id, brand_id, Purpose.EXTERNAL, "CNY").id.hex, "funded": BUDGET}
        values |= {"last": int(clock.now().timestamp() * 1000)}
        for statement in _STATEMENTS:
            raw.execute(statement, {name: values[name] for name in values if f":{name}" in statement})
        some = [_some(raw, question) for question in _SOME]
        for statement in later:
            raw.execute(statement)
        raw.execute("ANALYZE")
        raw.execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()
    return Filled(brand_id, slug, campaign_id, "spring", community_id, *some)


def _found(url: str, slug: str) -> tuple[UUID, UUID, UUID]:
    """The brand, its running campaign and its group, by the product's own functions."""
    engine = make_engine(url, writer=True)
    now = clock.now()
    with Session(engine) as session:
        brand = brands.create_brand(session, "Years", slug=slug)
        campaign = Campaign(
            brand_id=brand.id,
            slug="spring",
            state="running",
            title={"en": "Bring a friend", "zh_Hans": "老友带新友"},
            benefit={"en": "A cup of tea", "zh_Hans": "一杯茶"},
            starts_at=now - timedelta(days=DAYS + 1),
            ends_at=now + timedelta(days=30),
            event="joined",
            created_at=now - timedelta(days=DAYS + 1),
        )
        session.add(campaign)
        session.flush()
        plan = Plan(rules=(Rule(to="advocate", amount=REWARD),), asset="CNY", cap=10**6, budget=BUDGET)
        save_plan(session, brand.id, campaign.id, 1, plan)
        group = brands.connect(session, brand.id, "telegram", f"-100{ids.new().int % 10**9}", "Years")
        found = brand.id, campaign.id, group.id
        session.commit()
    engine.dispose()
    return found


def _hurry(raw: sqlite3.Connection) -> None:
    """Nothing is lost that could not be made again."""
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "foreign_keys=OFF",
        "cache_size=-400000",
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}")
    raw.create_function("check_symbol", 1, codes.check_symbol, deterministic=True)
    raw.create_function("dashed", 1, lambda plain: str(UUID(plain)), deterministic=True)
    raw.create_function("account_id", 2, _account_id, deterministic=True)


def _account_id(brand: str, member: str) -> str:
    return Account(UUID(brand), UUID(member), Purpose.HELD, "CNY").id.hex


def _put_aside(raw: sqlite3.Connection) -> list[str]:
    """Take away triggers and the large tables' indexes; the statements that bring them back."""
    aside = "('touch', 'transfer', 'reward', 'referral', 'member', 'identity', 'score', 'conversion', 'enrollment')"
    rows = raw.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND "
        f"(type = 'trigger' OR (type = 'index' AND tbl_name IN {aside})) ORDER BY type"
    ).fetchall()
    for kind, name, _ in rows:
        raw.execute(f'DROP {kind} "{name}"')
    return [sql for _, _, sql in rows]


def _people(raw: sqlite3.Connection, chance: random.Random, people: int, touches: int) -> None:
    """Who they are and who brought whom, in a table for the statements that follow.

    Who was there long and who is keen bring more: an advocate is drawn among those before, most often a keen one.
    """
    raw.execute(
        "CREATE TEMP TABLE person (i INTEGER PRIMARY KEY, ms INT, name TEXT, platform TEXT, bringer INT, clicks INT,"
        " luck INT, member TEXT, referral TEXT)"
    )
    now, year = int(clock.now().timestamp() * 1000), DAYS * 86_400_000
    step = year // people
    keen = [advocate for advocate in range(people) if advocate % 100 < ADVOCATES]
    friends = people * FRIENDS // 100
    each = max((touches - friends) / max(len(keen), 1), 0)
    clicks = list(accumulate(each * (0.2 + 1.6 * chance.random()) for _ in keen))
    scale = (touches - friends) / (clicks[-1] if clicks and clicks[-1] else 1)

    def rows() -> Iterator[tuple[object, ...]]:
        seen, before = 0, 0
        for number in range(people):
            is_keen = number % 100 < ADVOCATES
            bringer = keen[int(seen * chance.random() ** 3)] if seen and number * 37 % 100 < FRIENDS else None
            asked = 0
            if is_keen:
                asked, before = int(clicks[seen] * scale) - before, int(clicks[seen] * scale)
                seen += 1
            name = chance.choice(_FAMILY) + chance.choice(_GIVEN) + chance.choice(_GIVEN)
            at = now - year + number * step + chance.randrange(step or 1)
            yield number, at, name, chance.choice(_PLATFORMS), bringer, asked, chance.randrange(1000)

    raw.execute("BEGIN")
    raw.executemany(
        "INSERT INTO person (i, ms, name, platform, bringer, clicks, luck) VALUES (?, ?, ?, ?, ?, ?, ?)", rows()
    )
    raw.execute("COMMIT")
    raw.execute(f"UPDATE person SET member = {_uid('1', 'ms', 'i')}, referral = {_uid('3', 'ms', 'i')}")


def _uid(kind: str, ms: str, number: str) -> str:
    """An identifier of version 7 for the `number`-th thing of a kind."""
    return f"printf('%012x7{kind}008000%012x', {ms}, {number})"


def _code(number: str) -> str:
    """Eight symbols that no other number gives (an odd factor turns 40 bits around one to one)."""
    mixed = f"(({number} * 582344009 + 77) & 1099511627775)"
    symbols = " || ".join(f"substr('{codes.ALPHABET}', (({mixed} >> {place * 5}) & 31) + 1, 1)" for place in range(8))
    return f"({symbols})"


_KEEN = f"i % 100 < {ADVOCATES}"
_CAME = "bringer IS NOT NULL"
_STATE = (
    "CASE WHEN luck < 120 THEN 'started' WHEN luck < 300 THEN 'joined' WHEN luck < 980 THEN 'qualified' "
    "ELSE 'reversed' END"
)
_COUNTS = "luck >= 300 AND luck < 980"
_BUYS = f"{_CAME} AND luck >= 120 AND luck < 980 AND luck % 3 = 0"
_ORDERED = "min(p.ms + 3600000 + (p.luck * 7919 % 240) * 3600000, :last)"
_PAID = "(1000 + p.luck * 37)"
_STATEMENTS = (
    "BEGIN",
    f"""INSERT INTO member (brand_id, id, name, created_at)
        SELECT :brand, member, name, {_MOMENT.format("ms")} FROM person ORDER BY i""",
    f"""INSERT INTO identity (brand_id, platform, account, member_id, locale, chat, reachable, seen_at)
        SELECT :brand, platform, 'p' || printf('%08d', i), member, 'zh_Hans', 'p' || i, 1, {_MOMENT.format("ms")}
        FROM person ORDER BY platform, i""",
    f"""INSERT INTO enrollment (brand_id, id, campaign_id, member_id, campaign_version, enrolled_at)
        SELECT :brand, {_uid("2", "ms", "i")}, :campaign, member, 1, {_MOMENT.format("ms")}
        FROM person WHERE {_KEEN} ORDER BY i""",
    f"CREATE TEMP TABLE coded AS SELECT i, ms, member, clicks, {_code('i')} AS body FROM person WHERE {_KEEN}",
    "CREATE TEMP TABLE code (i INTEGER PRIMARY KEY, ms INT, member TEXT, clicks INT, code TEXT)",
    "INSERT INTO code SELECT i, ms, member, clicks, body || check_symbol(body) FROM coded",
    f"""INSERT INTO invite_code (code, brand_id, enrollment_id, created_at)
        SELECT code, :brand, {_uid("2", "ms", "i")}, {_MOMENT.format("ms")} FROM code ORDER BY code""",
    # A friend's own touch, then the clicks of whoever: spread over the time since the advocate came.
    """CREATE TEMP TABLE touched AS
        SELECT p.ms AS ms, p.i AS i, 'start' AS kind, c.code AS code, p.member AS member, p.platform AS platform,
               0 AS robot FROM person p JOIN code c ON c.i = p.bringer""",
    """INSERT INTO touched
        WITH RECURSIVE turn (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM turn WHERE k < 40)
        SELECT ms + (:last - ms) * ((i * 7919 + k * 104729) % 1000003) / 1000003, i * 64 + k, 'click', code, NULL,
               'web', (i + k * 31) % 12 = 0
        FROM code JOIN turn ON k < clicks""",
    "CREATE TEMP TABLE in_order AS SELECT * FROM touched ORDER BY ms",
    f"""INSERT INTO touch (brand_id, id, campaign_id, code, kind, touched_at, platform, member_id, certainty, outcome,
                           device, robot, address_hash, address_expires_at)
        SELECT :brand, CASE kind WHEN 'start' THEN {_uid("4", "ms", "i")} ELSE {_uid("5", "ms", "i")} END, :campaign,
               code, kind, {_MOMENT.format("ms")}, platform, member, 'code',
               CASE kind WHEN 'start' THEN 'referred' END, CASE kind WHEN 'click' THEN 'mobile' END, robot,
               CASE WHEN kind = 'click' AND ms > :last - 2592000000 THEN printf('%032x', i) END,
               CASE WHEN kind = 'click' AND ms > :last - 2592000000 THEN {_MOMENT.format("(ms + 2592000000)")} END
        FROM in_order""",
    f"""INSERT INTO membership (brand_id, community_id, account, member_id, joined_at)
        SELECT :brand, :community, 'p' || printf('%08d', i), member, {_MOMENT.format("(ms + 60000)")}
        FROM person WHERE {_CAME} AND luck >= 120 ORDER BY i""",
    f"""INSERT INTO referral (brand_id, id, campaign_id, campaign_version, advocate_id, friend_id, code, touch_id,
                              platform, certainty, state, started_at, expires_at, joined_at, stay_since, qualified_at,
                              reason)
        SELECT :brand, p.referral, :campaign, 1, c.member, p.member, c.code, {_uid("4", "p.ms", "p.i")}, p.platform,
               'code', {_STATE}, {_MOMENT.format("p.ms")}, {_MOMENT.format("(p.ms + 2592000000)")},
               CASE WHEN luck >= 120 THEN {_MOMENT.format("(p.ms + 60000)")} END,
               CASE WHEN luck >= 120 THEN {_MOMENT.format("(p.ms + 60000)")} END,
               CASE WHEN luck >= 300 THEN {_MOMENT.format("(p.ms + 61000)")} END,
               CASE WHEN luck >= 980 THEN 'fraud' END
        FROM person p JOIN code c ON c.i = p.bringer ORDER BY p.i""",
    f"""INSERT INTO qualifying_event (brand_id, referral_id, event, id, occurred_at)
        SELECT :brand, referral, 'joined', {_uid("6", "ms", "i")}, {_MOMENT.format("(ms + 61000)")}
        FROM person WHERE {_CAME} AND luck >= 300 ORDER BY i""",
    f"""INSERT INTO score (brand_id, campaign_id, member_id, score, reached_at)
        SELECT :brand, :campaign, c.member, count(*), {_MOMENT.format("(max(p.ms) + 61000)")}
        FROM person p JOIN code c ON c.i = p.bringer WHERE {_COUNTS} GROUP BY c.member ORDER BY c.member""",
    """INSERT INTO score_count (brand_id, campaign_id, score, members)
        SELECT :brand, :campaign, score, count(*) FROM score WHERE brand_id = :brand GROUP BY score""",
    """INSERT INTO score_hour (brand_id, campaign_id, score, hour, members)
        SELECT :brand, :campaign, score, CAST(strftime('%s', reached_at) AS INT) / 3600 AS hour, count(*)
        FROM score WHERE brand_id = :brand GROUP BY score, hour""",
    # Orders: a third of the friends who joined, and half as many again of people whom nobody brought.
    f"""INSERT INTO conversion (brand_id, id, source, external_id, member_id, referral_id, campaign_id, currency, gross,
                                discount, shipping, tax, net, refunded, status, ordered_at, received_at)
        SELECT :brand, {_uid("7", _ORDERED, "p.i")}, 'shopify', 'o' || p.i, p.member, p.referral, :campaign, 'CNY',
               {_PAID}, 0, 0, 0, {_PAID}, CASE WHEN p.luck % 30 = 0 THEN {_PAID} ELSE 0 END, 'attributed',
               {_MOMENT.format(_ORDERED)}, {_MOMENT.format(_ORDERED)}
        FROM person p WHERE {_BUYS} ORDER BY p.ms""",
    f"""INSERT INTO conversion (brand_id, id, source, external_id, member_id, currency, gross, discount, shipping, tax,
                                net, refunded, status, reason, ordered_at, received_at)
        SELECT :brand, {_uid("7", _ORDERED, "p.i")}, 'shopify', 'o' || p.i, p.member, 'CNY', {_PAID}, 0, 0, 0, {_PAID},
               0, 'unattributed', 'not_referred', {_MOMENT.format(_ORDERED)},
               {_MOMENT.format(_ORDERED)}
        FROM person p WHERE bringer IS NULL AND luck % 4 = 0 ORDER BY p.ms""",
    f"""INSERT INTO refund (brand_id, id, source, external_id, order_id, conversion_id, applied, currency, status,
                            refunded_at, received_at)
        SELECT :brand, {_uid("b", _ORDERED, "p.i")}, 'shopify', 'r' || p.i, 'o' || p.i, {_uid("7", _ORDERED, "p.i")},
               {_PAID}, 'CNY', 'applied', {_MOMENT.format(_ORDERED)}, {_MOMENT.format(_ORDERED)}
        FROM person p WHERE {_BUYS} AND p.luck % 30 = 0 ORDER BY p.ms""",
    f"""INSERT INTO reward (brand_id, id, campaign_id, campaign_version, referral_id, member_id, role, rule, event,
                            cause, asset, amount, taken_back, paid_out, state, hold_until, created_at)
        SELECT :brand, {_uid("8", "p.ms", "p.i")}, :campaign, 1, p.referral, c.member, 'advocate', 'advocate',
               'joined', 'joined', 'CNY', :reward, 0, 0, 'held', {_MOMENT.format("(:last + 2592000000)")},
               {_MOMENT.format("(p.ms + 61000)")}
        FROM person p JOIN code c ON c.i = p.bringer WHERE {_COUNTS} ORDER BY p.i""",
    """CREATE TEMP TABLE purse AS
        SELECT member_id AS member, account_id(:brand, member_id) AS id, score * :reward AS holds FROM score
        WHERE brand_id = :brand""",
    "CREATE UNIQUE INDEX temp.ix_purse ON purse (member)",
    f"""INSERT INTO ledger_account (brand_id, id, owner_id, purpose, asset, balance, created_at)
        SELECT :brand, id, member, 'member.held', 'CNY', holds, {_MOMENT.format(":last")} FROM purse ORDER BY id""",
    f"""INSERT INTO ledger_account (brand_id, id, owner_id, purpose, asset, balance, created_at) VALUES
        (:brand, :outside, :brand, 'external', 'CNY', -:funded, {_MOMENT.format(":last")}),
        (:brand, :budget, :campaign, 'campaign.budget', 'CNY', :funded - (SELECT sum(holds) FROM purse),
         {_MOMENT.format(":last")})""",
    f"""INSERT INTO transfer (brand_id, id, reference, kind, debit_id, credit_id, asset, amount, created_at)
        SELECT :brand, {_uid("9", "ms", "0")}, 'fund/' || dashed(:campaign), 'fund', :outside, :budget, 'CNY', :funded,
               {_MOMENT.format("ms")} FROM person WHERE i = 0""",
    f"""INSERT INTO transfer (brand_id, id, reference, kind, debit_id, credit_id, asset, amount, created_at)
        SELECT :brand, {_uid("a", "p.ms", "p.i")}, 'grant/' || dashed({_uid("8", "p.ms", "p.i")}), 'grant', :budget,
               w.id, 'CNY', :reward, {_MOMENT.format("(p.ms + 61000)")}
        FROM person p JOIN code c ON c.i = p.bringer JOIN purse w ON w.member = c.member
        WHERE {_COUNTS} ORDER BY p.i""",
    "INSERT INTO unsealed_transfer (brand_id, id) SELECT brand_id, id FROM transfer ORDER BY id",
    "COMMIT",
)
_SOME = (
    "SELECT member FROM code ORDER BY i * 7919 % 1000003 LIMIT 200",
    f"SELECT member FROM person WHERE {_CAME} ORDER BY i * 7919 % 1000003 LIMIT 200",
    f"SELECT referral FROM person WHERE {_CAME} ORDER BY i * 7919 % 1000003 LIMIT 200",
    "SELECT id FROM (SELECT id, rowid AS at FROM conversion) ORDER BY at * 7919 % 1000003 LIMIT 200",
)


def _some(raw: sqlite3.Connection, question: str) -> tuple[UUID, ...]:
    return tuple(UUID(found) for (found,) in raw.execute(question))
