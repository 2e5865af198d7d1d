"""A brand's program hears what happens: signed, numbered, again when it was away, and never for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from standardwebhooks import WebhookVerificationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from core import clock
from core.errors import BadInput, Conflict, NotFound, Refused
from referral.webhooks import deliveries, endpoints
from referral.webhooks.models import TYPES
from tests.house import later
from tests.referral.till import by, gives_back, order, refund, tells
from tests.referral.town import Town
from tests.referral.webhooks.receiver import BY, all_deliveries, post_office
from tests.web.site import until


async def test_what_happens_is_told_signed_and_in_order(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, secret = post.adds()
        code = town.brings("Alice", "Bob")
        tells(town, order(town, **by("Bob")))
        gives_back(town, refund(town, amount=4_000))
        with later(days=8):
            town.night()
        await post.rings()
        told = [one.checked(secret) for one in post.receiver.heard]
        assert sorted(one["sequence"] for one in told) == list(range(1, len(told) + 1))
        by_type = {one["type"]: one["data"] for one in told}
        joined = by_type["referral.joined"]
        assert joined["campaign"] == town.campaign.slug
        assert joined["code"] == code
        assert joined["friend_id"] == str(town.who("Bob"))
        bought = by_type["conversion.recorded"]
        assert (bought["external_id"], bought["status"], bought["net"]) == ("1", "attributed", 10_000)
        assert bought["campaign"] == town.campaign.slug
        back = by_type["conversion.refunded"]
        assert (back["order_id"], back["external_id"], back["refunded"], back["left"]) == ("1", "r1", 4_000, 6_000)
        assert by_type["referral.qualified"]["referral_id"] == joined["referral_id"]
        assert by_type["reward.granted"]["asset"] == "PTS"
        assert set(by_type) <= set(TYPES)
        assert {one.state for one in post.deliveries(which)} == {"delivered"}
        assert {one.headers["webhook-id"] for one in post.receiver.heard} == {
            str(one.event_id) for one in post.deliveries(which)
        }


async def test_who_has_no_address_leaves_no_trace(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        town.brings("Alice", "Bob")
        await post.rings()
        which, _ = post.adds()
        assert post.deliveries(which) == []
        town.house.do(lambda session: endpoints.remove(session, town.brand.id, which, BY))
        town.brings("Alice", "Carol")
        await post.rings()
        assert town.house.ask(all_deliveries) == 0
        with pytest.raises(NotFound):
            post.endpoint(which)


async def test_an_address_hears_only_what_it_asked_for(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        _, secret = post.adds("campaign.moved")
        town.brings("Alice", "Bob")
        town.does("pause")
        await post.rings()
        assert post.receiver.types(secret) == ["campaign.moved"]
        with pytest.raises(BadInput, match="webhook_type"):
            post.adds("everything")


async def test_whoever_was_away_hears_it_later_and_once(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, secret = post.adds("referral.joined")
        post.receiver.says = 503
        for friend in ("Bob", "Carol", "Dave"):
            town.brings("Alice", friend)
        await post.rings()
        tried = len(post.receiver.heard)
        assert post.endpoint(which).failures == 1
        assert {(one.state, one.status, one.said) for one in post.deliveries(which)} == {
            ("waiting", 503, "closed for today")
        }
        with later(seconds=7):  # one of them is the probe
            await post.rings()
            assert len(post.receiver.heard) == tried + 1
            assert post.endpoint(which).failures == 2
        post.receiver.says, post.receiver.heard = 204, []
        with later(minutes=1):
            await post.rings()
            assert post.endpoint(which).failures == 0
            assert [one.state for one in post.deliveries(which)] == ["delivered"] * 3
            assert len({one.headers["webhook-id"] for one in post.receiver.heard}) == len(post.receiver.heard) == 3
        assert secret == post.secret(which)


async def test_an_address_that_answers_slowly_keeps_its_own_place_only(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        slow, _ = post.adds("referral.joined")
        quick, _ = post.adds("referral.joined")
        answers = asyncio.Event()

        async def as_it_can(request: Request) -> Response:
            if request.query_params["n"] == "1":
                await asyncio.wait_for(answers.wait(), 10)
            return PlainTextResponse("seen")

        post.receiver.says = as_it_can
        running = asyncio.create_task(post.dispatcher.run())
        # One more than there are places: whoever is told of again while in hand takes no second one.
        for number in range(5):
            town.brings("Alice", f"friend {number}")
            await until(lambda number=number: len(post.deliveries(quick)) > number)  # type: ignore[misc]
            await until(lambda: {one.state for one in post.deliveries(quick)} == {"delivered"})
        assert {one.state for one in post.deliveries(slow)} == {"waiting"}
        answers.set()
        await until(lambda: {one.state for one in post.deliveries(slow)} == {"delivered"})
        assert [one.attempts for one in post.deliveries(slow)] == [1] * 5
        post.dispatcher.stop()
        await asyncio.wait_for(running, 20)


async def test_what_waited_for_a_wrong_address_goes_to_the_right_one_at_once(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, secret = post.adds("referral.joined")
        post.receiver.says = 404
        for friend in ("Bob", "Carol"):
            town.brings("Alice", friend)
        await post.rings()
        with later(minutes=2):
            await post.rings()
            post.receiver.says, post.receiver.heard = 200, []
            post.changes(which, f"{post.receiver.url}?n=right")
            await post.rings()
            assert post.receiver.types(secret) == ["referral.joined"] * 2
            assert [one.state for one in post.deliveries(which)] == ["delivered"] * 2


async def test_one_event_it_cannot_take_holds_up_no_other(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, _ = post.adds("referral.joined")

        async def only_bob(request: Request) -> Response:
            told = json.loads(await request.body())
            return PlainTextResponse("", 500 if told["sequence"] == 1 else 200)

        post.receiver.says = only_bob
        for friend in ("Bob", "Carol"):
            town.brings("Alice", friend)
        await post.rings()
        with later(hours=1):
            town.brings("Alice", "Dave")
            for _ in range(3):
                await post.rings()
                clock.move(clock.offset() + timedelta(minutes=1))
            assert [one.state for one in post.deliveries(which)] == ["waiting", "delivered", "delivered"]
            clock.move(clock.offset() + timedelta(days=30))
        assert post.endpoint(which).state == "on"


async def test_an_address_nobody_answers_at_is_given_up_loudly_and_goes_on_where_it_stopped(town: Town) -> None:
    stopped: list[endpoints.EndpointStopped] = []
    town.house.bus.on(endpoints.EndpointStopped, lambda _, told: stopped.extend(told))
    async with post_office(town.house, town.brand.id) as post:
        which, _ = post.adds("referral.joined")
        post.receiver.says = 500
        town.brings("Alice", "Bob")
        await post.rings()
        began, rounds = clock.now(), 0
        with later(seconds=0):
            while post.endpoint(which).state == "on":
                clock.move(clock.offset() + timedelta(hours=9))
                await post.rings()
                rounds += 1
                assert rounds <= deliveries.FAILURES
            assert clock.now() - began >= deliveries.GIVEN_UP_AFTER
        assert [(one.endpoint_id, one.reason) for one in stopped] == [(which, "failing")]
        tried = len(post.receiver.heard)
        town.brings("Alice", "Carol")
        await post.rings()
        assert len(post.receiver.heard) == tried  # it waits
        post.receiver.says, post.receiver.heard = 200, []
        assert town.house.do(lambda session: endpoints.resume(session, town.brand.id, which, BY)) == 2
        await post.rings()
        assert [one.state for one in post.deliveries(which)] == ["delivered", "delivered"]


async def test_an_address_that_says_it_is_gone_is_believed_at_once(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, _ = post.adds()
        post.receiver.says = 410
        town.brings("Alice", "Bob")
        await post.rings()
        assert (post.endpoint(which).state, post.endpoint(which).reason) == ("off", "gone")


async def test_a_paused_address_is_told_afterwards(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, secret = post.adds("referral.joined")
        town.house.do(lambda session: endpoints.pause(session, town.brand.id, which, BY))
        town.brings("Alice", "Bob")
        await post.rings()
        assert post.receiver.heard == []
        town.house.do(lambda session: endpoints.resume(session, town.brand.id, which, BY))
        await post.rings()
        assert post.receiver.types(secret) == ["referral.joined"]


async def test_a_test_goes_to_its_address_alone_and_is_tried_once(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, secret = post.adds("campaign.moved")
        other, _ = post.adds()
        post.receiver.says = 500
        town.house.do(lambda session: endpoints.pause(session, town.brand.id, which, BY))
        town.house.do(lambda session: endpoints.send_test(session, town.brand.id, which))
        await post.rings()
        assert post.receiver.types(secret) == ["webhook.test"]
        assert [(one.state, one.status, one.test) for one in post.deliveries(which)] == [("failed", 500, True)]
        assert post.endpoint(which).failures == 0
        assert post.deliveries(other) == []


async def test_a_new_secret_and_the_one_before_are_both_good_for_a_day(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, old = post.adds("referral.joined")
        new = town.house.do(lambda session: endpoints.rotate_secret(session, town.brand.id, which, BY))
        town.brings("Alice", "Bob")
        await post.rings()
        (heard,) = post.receiver.heard
        assert heard.checked(old) == heard.checked(new)
        with later(hours=25):
            town.brings("Alice", "Carol")
            await post.rings()
        assert post.receiver.heard[1].headers["webhook-signature"].count("v1,") == 1
        with pytest.raises(WebhookVerificationError):
            post.receiver.heard[1].checked(old)


async def test_history_is_sent_again_from_a_number_on(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        first, _ = post.adds("referral.joined")
        for friend in ("Bob", "Carol", "Dave"):
            town.brings("Alice", friend)
        await post.rings()
        second, secret = post.adds("referral.joined")
        post.receiver.heard.clear()
        replayed = town.house.do(lambda session: deliveries.replay(session, town.brand.id, second, 0, BY))
        assert replayed == (3, None)
        await post.rings()
        assert len(post.receiver.types(secret)) == 3
        post.receiver.heard.clear()
        last = post.deliveries(second)[-1].number
        assert town.house.do(lambda session: deliveries.replay(session, town.brand.id, second, last - 1, BY)) == (
            1,
            None,
        )
        assert town.house.do(lambda session: deliveries.replay(session, town.brand.id, second, last - 1, BY)) == (
            0,
            None,
        )
        await post.rings()
        assert len(post.receiver.heard) == 1
        one = post.deliveries(first)[0]
        assert town.house.do(lambda session: deliveries.send_again(session, town.brand.id, first, one.id, BY))
        assert not town.house.do(lambda session: deliveries.send_again(session, town.brand.id, first, one.id, BY))
        await post.rings()
        assert len(post.receiver.heard) == 2
        with pytest.raises(NotFound):
            town.house.do(lambda session: deliveries.send_again(session, town.brand.id, second, one.id, BY))


async def test_whoever_dies_with_events_in_hand_leaves_them_to_the_next(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, secret = post.adds("referral.joined")
        town.brings("Alice", "Bob")
        while await post.dispatcher._deliver_round(post.dispatcher._rounds[0]):  # numbered, not sent
            pass
        taken = town.house.do(lambda session: deliveries.take(session, town.brand.id, which))
        assert taken is not None
        await post.rings()
        assert post.receiver.heard == []  # it is in other hands
        with later(minutes=10):
            town.house.do(deliveries.look_after)
            await post.rings()
            assert [one.state for one in post.deliveries(which)] == ["delivered"]
            late = deliveries.Outcome(taken.sendings[0], None, "timeout", "", 0)
            town.house.do(lambda session: deliveries.note(session, town.brand.id, which, [late]))
            assert [one.state for one in post.deliveries(which)] == ["delivered"]
        assert secret


async def test_answers_are_listened_to_for_so_long_and_so_much(town: Town) -> None:
    hung_up = asyncio.Event()

    async def endless(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            while not hung_up.is_set():
                yield b"x" * 65536
                await asyncio.sleep(0)  # a receiver that is not listened to must not keep this loop to itself

        return StreamingResponse(pieces())

    async def slow(request: Request) -> Response:
        await hung_up.wait()
        return PlainTextResponse("late")

    async def elsewhere(request: Request) -> Response:
        return RedirectResponse("http://169.254.169.254/latest/meta-data/", 307)

    async with post_office(town.house, town.brand.id, seconds=1.0) as post:
        which, _ = post.adds("referral.joined")
        for friend, says in (("Bob", endless), ("Carol", slow)):
            post.receiver.says = says
            town.brings("Alice", friend)
            await post.rings()
        hung_up.set()
        bob, carol = post.deliveries(which)
        assert (bob.state, bob.status, len(bob.said)) == ("delivered", 200, deliveries.SAID)
        assert (carol.state, carol.error, carol.status) == ("waiting", "timeout", None)
        post.receiver.says = elsewhere
        town.house.do(lambda session: endpoints.resume(session, town.brand.id, which, BY))
        await post.rings()
        again = post.deliveries(which)[1]
        assert (again.state, again.error, again.status) == ("waiting", "redirect", 307)


async def test_the_connection_goes_where_we_looked(town: Town) -> None:
    answers = ["127.0.0.1"]

    async def ask(host: str, port: int) -> list[str]:
        assert host == "hook.example"
        return answers

    async with post_office(town.house, town.brand.id, ask=ask) as post:
        port = post.receiver.url.rpartition(":")[2]
        which, _ = post.adds("referral.joined", url=f"http://hook.example:{port}")
        town.brings("Alice", "Bob")
        await post.rings()
        (heard,) = post.receiver.heard  # by the address that was looked at, under the name that was asked for
        assert heard.headers["host"] == f"hook.example:{port.partition('/')[0]}"
        answers[:] = ["10.0.0.1"]  # the name answers differently the next moment
        town.brings("Alice", "Carol")
        await post.rings()
        assert [one.error for one in post.deliveries(which)] == [None, "address"]
        assert len(post.receiver.heard) == 1


async def test_a_brand_has_so_many_addresses_and_old_events_are_forgotten(town: Town) -> None:
    async with post_office(town.house, town.brand.id) as post:
        which, _ = post.adds("referral.joined")
        for _ in range(endpoints.MOST - 1):
            other, _ = post.adds("campaign.moved")
        with pytest.raises(Refused, match="webhook_many"):
            post.adds()
        taken = post.endpoint(which).url
        for again in (lambda: post.adds(url=taken), lambda: post.changes(other, taken)):
            with pytest.raises(Conflict, match="webhook_exists"):
                again()
        town.brings("Alice", "Bob")
        await post.rings()
        assert len(post.deliveries(which)) == 1
        with later(days=31):
            assert town.house.do(deliveries.forget) == 1
        assert post.deliveries(which) == []
