"""What gateways were seen to do to bots: each ended or silenced the library as shipped, none may do so to us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bots.adapter import SendError
from bots.message import Address, Incoming, Reply, Said
from tests.bots.wechat.harness import WeChatHarness, eventually
from tests.bots.wechat.process import GROUP, GatewayProcess, shared

pytestmark = pytest.mark.needs("node")


@pytest.fixture
def doomed() -> Iterator[GatewayProcess]:
    """A gateway of this test alone, not yet started."""
    gateway = GatewayProcess()
    yield gateway
    gateway.kill()


def echo(heard: Incoming) -> list[Reply]:
    return [Reply(f"你说了 {heard.text}")] if isinstance(heard, Said) else []


async def still_answers(wechat: WeChatHarness) -> None:
    wechat.script.answer = echo
    await wechat.say("alice", "还在吗")
    await eventually(lambda: any(isinstance(one, Said) and one.text == "还在吗" for one in wechat.script.heard))
    assert (await wechat.seen("alice", 1))[-1].text == "你说了 还在吗"


async def test_a_gateway_that_is_down_is_waited_for_without_stopping_the_loop(doomed: GatewayProcess) -> None:
    wechat = WeChatHarness(doomed)
    async with wechat.running():
        await eventually(lambda: wechat.adapter.status.state == "down")
        assert "nobody listens" in wechat.adapter.status.detail
        with pytest.raises(SendError) as refused:
            await wechat.adapter.send(Address("wechat", "wxid_alice"), Reply("hello"))
        assert refused.value.retry_after
        await asyncio.to_thread(doomed.start)
        await wechat.ready()
        await still_answers(wechat)


async def test_a_wrong_token_is_told_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    gateway = shared()
    await gateway.do("reset")
    wechat = WeChatHarness(gateway, token="not-the-token")
    with caplog.at_level(logging.DEBUG):
        async with wechat.running():
            await eventually(lambda: wechat.adapter.status.state == "down")
            assert "DAIXIN_WECHAT_TOKEN" in wechat.adapter.status.detail
            assert "not-the-token" not in wechat.adapter.status.detail
    assert "not-the-token" not in caplog.text


BAD_EVENTS: list[tuple[str, Any]] = [
    ("error", {"data": "something broke in the phone"}),
    ("error", {"gerror": '{"message":"something else broke"}'}),
    ("error", {}),
    ("heartbeat", {}),
    ("room-join", {"roomId": GROUP, "inviteeIdList": []}),
    ("room-join", {}),
    ("room-join", {"roomId": GROUP, "inviteeIdList": [None, 7], "timestamp": "yesterday"}),
    ("room-leave", {"roomId": GROUP, "removeeIdList": "wxid_bob"}),
    ("message", {}),
    ("message", {"messageId": 42}),
    ("message", {"messageId": "nobody knows it"}),
    ("message", None),
    ("friendship", {"friendshipId": ""}),
    ("room-invite", {}),
    ("scan", {"status": "?"}),
    ("dong", {}),
    ("ready", {}),
    ("dirty", {"payloadType": 2, "payloadId": "nobody"}),
    ("room-topic", {"changerId": None}),
    ("login", {}),
]


@pytest.mark.parametrize(("event", "payload"), BAD_EVENTS)
async def test_an_event_nobody_can_read_does_not_end_the_hearing(
    wechat: WeChatHarness, event: str, payload: Any
) -> None:
    await wechat.gateway.do("emit", event=event, payload=payload)
    await still_answers(wechat)


async def test_what_could_not_be_read_is_kept_as_it_came(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("emit", event="message", payload={"messageId": 42})
    raw, error = (await eventually(lambda: wechat.store.quarantined))[0]
    assert '{\\"messageId\\":42}' in raw
    assert "messageId is 42" in error


async def test_a_message_the_gateway_will_not_show_does_not_hold_up_the_next(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("fail", call="messagePayload", error="cannot decrypt")
    await wechat.say("bob", "这条丢了")
    await still_answers(wechat)
    assert "cannot decrypt" in wechat.store.quarantined[0][1]


async def test_a_failing_handler_leaves_its_traceback_and_the_bot_running(
    wechat: WeChatHarness, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(heard: Incoming) -> list[Reply]:
        raise ZeroDivisionError("the handler's own fault")

    wechat.script.answer = break_down
    await wechat.say("alice", "邀请")
    await eventually(lambda: "break_down" in caplog.text and "the handler's own fault" in caplog.text)
    await still_answers(wechat)


async def test_a_killed_gateway_is_found_again(doomed: GatewayProcess) -> None:
    await asyncio.to_thread(doomed.start)
    wechat = WeChatHarness(doomed)
    async with wechat.running():
        await wechat.ready()
        await asyncio.to_thread(doomed.kill)
        await eventually(lambda: wechat.adapter.status.state == "down")
        await asyncio.to_thread(doomed.start)
        await wechat.ready()
        await still_answers(wechat)


async def test_an_answer_waits_for_the_gateway_to_come_back(doomed: GatewayProcess) -> None:
    await asyncio.to_thread(doomed.start)
    wechat = WeChatHarness(doomed)
    thinking = asyncio.Event()

    async def slow(heard: Incoming) -> list[Reply]:
        await wechat.script(heard)
        if isinstance(heard, Said):
            await thinking.wait()
        return echo(heard)

    task = asyncio.create_task(wechat.adapter.run(slow))
    await wechat.ready()
    await wechat.say("alice", "还在吗")
    await eventually(lambda: any(isinstance(one, Said) for one in wechat.script.heard))
    await asyncio.to_thread(doomed.kill)
    await eventually(lambda: wechat.adapter.status.state == "down")
    thinking.set()
    await asyncio.to_thread(doomed.start)
    assert [seen.text for seen in await wechat.seen("alice", 1)] == ["你说了 还在吗"]
    await wechat.adapter.close()
    await task


async def test_a_frozen_gateway_is_noticed_and_left(doomed: GatewayProcess) -> None:
    await asyncio.to_thread(doomed.start)
    wechat = WeChatHarness(doomed, keepalive=0.3, call_timeout=0.5)
    async with wechat.running():
        await wechat.ready()
        doomed.freeze()
        try:
            await eventually(lambda: wechat.adapter.status.state == "down")
        finally:
            doomed.thaw()
        await wechat.ready()
        await still_answers(wechat)


async def test_a_call_that_is_never_answered_ends_in_time(wechat: WeChatHarness) -> None:
    impatient = WeChatHarness(wechat.gateway, call_timeout=0.2)
    await wechat.adapter.close()
    async with impatient.running():
        await impatient.ready()
        await impatient.gateway.do("fail", call="messageSendText", hang=True)
        with pytest.raises(SendError) as failed:
            await impatient.adapter.send(Address("wechat", "wxid_alice"), Reply("hello"))
        assert (failed.value.permanent, failed.value.retry_after) == (False, None)  # it may have been sent
        await still_answers(impatient)


async def test_a_gateway_that_answers_no_call_is_connected_to_anew(wechat: WeChatHarness) -> None:
    await wechat.adapter.close()
    impatient = WeChatHarness(wechat.gateway, call_timeout=0.2)
    async with impatient.running():
        await impatient.ready()
        await impatient.gateway.do("fail", call="messageSendText", hang=True, times=3)
        for _ in range(3):
            with pytest.raises(SendError):
                await impatient.adapter.send(Address("wechat", GROUP), Reply("hello"))
        await eventually(lambda: impatient.adapter.status.state != "ready")
        await impatient.ready()
        await still_answers(impatient)


async def test_only_start_is_sent_and_the_account_stays_logged_in(wechat: WeChatHarness) -> None:
    calls = [call["name"] for call in await wechat.gateway.do("calls")]
    assert calls.count("start") == 1
    await wechat.adapter.close()
    assert wechat.adapter.status.state == "down"
    calls = [call["name"] for call in await wechat.gateway.do("calls")]
    assert "stop" not in calls
    assert "logout" not in calls
    assert (await wechat.gateway.do("state"))["loggedIn"]


async def test_a_second_client_is_told_why_it_hears_nothing(wechat: WeChatHarness) -> None:
    second = WeChatHarness(wechat.gateway)
    async with second.running():
        await eventually(lambda: "another client" in second.adapter.status.detail)
        assert second.adapter.status.state == "down"
        await still_answers(wechat)


async def test_two_bots_in_one_process_keep_to_their_own_gateways(
    wechat: WeChatHarness, doomed: GatewayProcess
) -> None:
    await asyncio.to_thread(doomed.start)
    other = WeChatHarness(doomed)
    async with other.running():
        await other.ready()
        await other.adapter.send(Address("wechat", "wxid_alice"), Reply("from the other"))
        await wechat.adapter.send(Address("wechat", "wxid_alice"), Reply("from the first"))
        assert [seen.text for seen in await other.seen("alice", 1)] == ["from the other"]
        assert [seen.text for seen in await wechat.seen("alice", 1)] == ["from the first"]
        await still_answers_apart(wechat, other)


async def still_answers_apart(one: WeChatHarness, other: WeChatHarness) -> None:
    await one.say("bob", "只对一个说")
    await eventually(lambda: any(isinstance(heard, Said) for heard in one.script.heard))
    assert not any(isinstance(heard, Said) for heard in other.script.heard)


async def test_an_account_that_is_logged_out_says_what_to_do(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("logout")
    await eventually(lambda: wechat.adapter.status.state == "degraded")
    assert "log in at the gateway" in wechat.adapter.status.detail
    await wechat.gateway.do("scan", qrcode="https://weixin.example/l/abc", status=2)
    await eventually(lambda: "https://weixin.example/l/abc" in wechat.adapter.status.detail)
    assert await wechat.adapter.diagnose(GROUP) == [wechat.adapter.status.detail]
    with pytest.raises(SendError) as refused:
        await wechat.adapter.send(Address("wechat", "wxid_alice"), Reply("hello"))
    assert refused.value.retry_after
    await wechat.gateway.do("login")
    await wechat.ready()
    assert await wechat.adapter.diagnose(GROUP) == []
    await still_answers(wechat)


async def test_an_account_that_was_never_logged_in_says_so() -> None:
    gateway = shared()
    await gateway.do("reset")
    await gateway.do("autologin", on=False)
    wechat = WeChatHarness(gateway)
    async with wechat.running():
        await eventually(lambda: wechat.adapter.status.state == "degraded")
        assert "not logged in" in wechat.adapter.status.detail
        await gateway.do("login")
        await wechat.ready()
