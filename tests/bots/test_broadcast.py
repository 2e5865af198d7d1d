"""How staff write to many at once: seen before it is sent, stopped when it should not be, told when it is done."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from sqlmodel import select

from bots.adapter import SendError
from bots.message import Address, Reply
from core import i18n
from core.outbox import Outbox
from referral import audit, staff
from referral.audit import AuditEntry
from referral.members import Identity
from referral.outreach.models import Broadcast
from tests.bots.unasked import fates
from tests.dialogue import Town, in_both, open_town


@in_both(
    en="""
    Carol> /broadcast
    Nothing has been broadcast yet. Write a message once; you see it as people will, and how many it reaches, before \
    it goes out.
    [New broadcast]
    Carol> [New broadcast]
    (1/3) What would you like to tell people? Write it in Chinese, up to 1,000 characters. Nothing goes out before you \
    have seen it and said so.
    [Stop here]
    Carol> 新茶到了！周五晚 8 点 *直播*，<来看看>
    (2/3) And in English, for those who read that? Skip it and they get the text above.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> The new tea is here! Live on Friday at 8 pm.
    (3/3) Who is it for?
    [Everyone]
    [Advocates of running campaigns]
    [Advocates silent for 14 days]
    [Friends who were invited]
    [← Back] [Stop here]
    Carol> [Everyone]
    This is how it will look. Nothing has been sent yet.
    To those who read Chinese:
    📣 Acme Tea
    新茶到了！周五晚 8 点 *直播*，<来看看>
    To those who read English:
    📣 Acme Tea
    The new tea is here! Live on Friday at 8 pm.
    It goes to 2 people (everyone): web chat 2. 1 has asked for quiet and does not get it. Sending takes a minute at \
    most. Whoever has had 3 messages of ours in the last 7 days is skipped.
    [Send to 2 people]
    [Do not send]
    Carol> [Send to 2 people]
    It is on its way. I will tell you when it is done.
    [How far is it?]
    Carol> [How far is it?]
    Broadcasts of Acme Tea
    • Mar 2, 12:00 · everyone · getting ready: 0 of 0 sent.
    [How far is it?]
    [Stop it]
    2 minutes later:
    Alice hears:
    📣 Acme Tea
    The new tea is here! Live on Friday at 8 pm.
    [No more of these]
    Bob hears:
    2 minutes later:
    Carol hears:
    📣 Acme Tea
    The new tea is here! Live on Friday at 8 pm.
    [No more of these]
    Your broadcast is done: 2 people had it.
    [The figures]
    Carol> [Send to 2 people]
    This one was sent, or dropped, already.
    Carol> /broadcast
    Broadcasts of Acme Tea
    • Mar 2, 12:00 · everyone · done: 2 of 2 sent.
    [New broadcast]
    Alice> [No more of these]
    Quiet is on. Acme Tea sends you no more campaign news, congratulations or reminders. You still hear about your \
    rewards and whatever you do here.
    [Write to me again]
    """,
    zh="""
    Carol> 群发
    还没有群发过。写好内容后会先预览，并告诉你能发给多少人，确认了才发出。
    [新建群发]
    Carol> 群发 新建
    1/3 想对大家说什么？请用中文写，最多 1,000 字。你预览并确认之后才会发出。
    [先到这里]
    Carol> 新茶到了！周五晚 8 点 *直播*，<来看看>
    2/3 要不要再写一份英文？跳过的话，看英文的人收到的也是上面这份。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [跳过]
    3/3 发给谁？
    [所有成员]
    [正在参加活动的推荐人]
    [14 天没动静的推荐人]
    [被邀请来的新朋友]
    [← 上一步] [先到这里]
    Carol> 1
    这是预览，还没有发出。
    看中文的人会收到：
    📣 茶里
    新茶到了！周五晚 8 点 *直播*，<来看看>
    看英文的人会收到：
    📣 茶里
    新茶到了！周五晚 8 点 *直播*，<来看看>
    发给 2 人（所有成员）：网页聊天 2。1 人开了免打扰，不会收到。一分钟内发完。7 天内收满 3 条的人会跳过。
    [发给 2 人]
    [不发了]
    Carol> [发给 2 人]
    开始发送了，发完会告诉你。
    [查看进度]
    Carol> [查看进度]
    茶里 的群发
    • 3月2日 12:00 · 所有成员 · 准备中，已发 0 / 0。
    [查看进度]
    [停止发送]
    2 minutes later:
    Alice hears:
    📣 茶里
    新茶到了！周五晚 8 点 *直播*，<来看看>
    [不再接收这类消息]
    Bob hears:
    2 minutes later:
    Carol hears:
    📣 茶里
    新茶到了！周五晚 8 点 *直播*，<来看看>
    [不再接收这类消息]
    群发完成：2 人已收到。
    [查看明细]
    Carol> [发给 2 人]
    这条已经发送过，或已取消。
    Carol> 群发
    茶里 的群发
    • 3月2日 12:00 · 所有成员 · 已完成，已发 2 / 2。
    [新建群发]
    Alice> [不再接收这类消息]
    已开启免打扰。茶里 不再给你发活动消息、祝贺和提醒；奖励到账和你自己的操作结果仍会通知你。
    [关闭免打扰]
    """,
)
async def test_a_broadcast_is_seen_before_it_is_sent(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.say("Alice", "hello")
        await town.say("Bob", "/quiet on")
        await town.play(script)
        acts = town.do(lambda session: [(e.act, e.actor) for e in session.exec(select(AuditEntry)).all()])
        assert ("broadcast.start", "webchat:carol") in acts
        assert town.do(lambda session: audit.verify_chain(session, town.brand.id)) == []


@in_both(
    en="""
    10 hours later:
    Carol> /broadcast new
    (1/3) What would you like to tell people? Write it in Chinese, up to 1,000 characters. Nothing goes out before you \
    have seen it and said so.
    [Stop here]
    Carol> 晚安
    (2/3) And in English, for those who read that? Skip it and they get the text above.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> skip
    (3/3) Who is it for?
    [Everyone]
    [Advocates of running campaigns]
    [Advocates silent for 14 days]
    [Friends who were invited]
    [← Back] [Stop here]
    Carol> everyone
    This is how it will look. Nothing has been sent yet.
    To those who read Chinese:
    📣 Acme Tea
    晚安
    To those who read English:
    📣 Acme Tea
    晚安
    It goes to 2 people (everyone): web chat 2. It is quiet time now: sending begins on Mar 3, 09:00. Sending takes a \
    minute at most. Whoever has had 3 messages of ours in the last 7 days is skipped.
    [Send to 2 people]
    [Do not send]
    Carol> [Send to 2 people]
    It is ready, and goes out from Mar 3, 09:00 on. I will tell you when it is done.
    [How far is it?]
    2 hours later:
    Alice hears:
    Carol> /broadcast
    Broadcasts of Acme Tea
    • Mar 2, 22:00 · everyone · on its way: 0 of 2 sent.
    [How far is it?]
    [Stop it]
    Carol> [Stop it]
    Still waiting for it: 2. Stop here? What has gone out cannot be taken back.
    [Yes, stop]
    Carol> [Yes, stop]
    Stopped. 0 had it already; nobody else gets it.
    Carol> [Yes, stop]
    It is over already, so there is nothing to stop.
    10 hours later:
    Alice hears:
    Carol> /broadcast
    Broadcasts of Acme Tea
    • Mar 2, 22:00 · everyone · stopped: 0 of 2 sent. Not sent: 2 stopped.
    [New broadcast]
    """,
    zh="""
    10 hours later:
    Carol> 群发 新建
    1/3 想对大家说什么？请用中文写，最多 1,000 字。你预览并确认之后才会发出。
    [先到这里]
    Carol> 晚安
    2/3 要不要再写一份英文？跳过的话，看英文的人收到的也是上面这份。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 跳过
    3/3 发给谁？
    [所有成员]
    [正在参加活动的推荐人]
    [14 天没动静的推荐人]
    [被邀请来的新朋友]
    [← 上一步] [先到这里]
    Carol> 所有成员
    这是预览，还没有发出。
    看中文的人会收到：
    📣 茶里
    晚安
    看英文的人会收到：
    📣 茶里
    晚安
    发给 2 人（所有成员）：网页聊天 2。现在是免打扰时段，3月3日 09:00 开始发。一分钟内发完。7 天内收满 3 条的人会跳过。
    [发给 2 人]
    [不发了]
    Carol> [发给 2 人]
    已安排好，3月3日 09:00 开始发送，发完会告诉你。
    [查看进度]
    2 hours later:
    Alice hears:
    Carol> 群发
    茶里 的群发
    • 3月2日 22:00 · 所有成员 · 发送中，已发 0 / 2。
    [查看进度]
    [停止发送]
    Carol> 群发 停止
    还有 2 人没收到，要停止吗？已经发出的无法撤回。
    [确定停止]
    Carol> [确定停止]
    已停止。0 人已经收到，其他人不会再收到。
    Carol> [确定停止]
    已经结束了，不用停止。
    10 hours later:
    Alice hears:
    Carol> 群发
    茶里 的群发
    • 3月2日 22:00 · 所有成员 · 已停止，已发 0 / 2。未发：2 人因停止未发。
    [新建群发]
    """,
)
async def test_at_night_it_waits_and_can_be_stopped(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.say("Alice", "hello")
        await town.play(script)


async def sends(town: Town, text: str = "新茶到了") -> None:
    """Carol writes to everybody."""
    for words in ("/broadcast new", text, "-", "1", "[Send to 2 people]"):
        await town.say("Carol", words)


async def test_only_staff_may_write_to_everybody_and_the_right_is_looked_at_again(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        assert await town.ask("Bob", "/broadcast") == "Only the owners and managers of Acme Tea can write to everybody."
        bob = town.do(lambda s: s.get_one(Identity, (town.brand.id, "webchat", "bob")).member_id)
        town.do(lambda session: staff.give(session, town.brand.id, bob, "manager", "webchat:carol"))
        await town.say("Bob", "/broadcast new")
        await town.say("Bob", "新茶到了")
        town.do(lambda session: staff.take(session, town.brand.id, bob, "webchat:carol"))
        said = await town.ask("Bob", "The new tea is here")
        assert said == i18n.text("en", "staff.right_lost", brand="Acme Tea")
        assert town.do(lambda session: session.exec(select(Broadcast)).all()) == []


async def test_a_group_is_no_place_to_draft(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        said = await town.ask("Carol", "/broadcast", group=True)
        assert "1/3" not in said


async def test_nothing_to_say_and_too_much(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Carol", "/broadcast new")
        assert (await town.ask("Carol", "字" * 1001)).startswith("That is longer than 1,000 characters.")
        await town.say("Carol", "新茶到了")
        await town.say("Carol", "-")
        assert (await town.ask("Carol", "my mother")).startswith("Please choose one of the audiences shown.")


async def test_a_person_who_blocked_us_fails_alone(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "hello")
        send = town.chat.send

        async def blocked(address: Address, reply: Reply) -> None:
            if address.chat == "alice":
                raise SendError("blocked", permanent=True)
            await send(address, reply)

        await sends(town)
        with patch.object(town.chat, "send", blocked):
            await town.settle()
        await town.settle()
        assert sorted(fates(town)) == [("failed", "blocked"), ("sent", None)]
        assert not town.do(lambda s: s.get_one(Identity, (town.brand.id, "webchat", "alice")).reachable)
        assert "done: 1 of 2 sent. Not sent: 1 blocked the bot or failed." in await town.ask("Carol", "/broadcast")
        assert {row.state for row in town.do(lambda s: s.exec(select(Outbox)).all())} == {"delivered"}


async def test_a_network_that_falters_costs_nobody_the_message(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "hello")
        await sends(town)

        async def falter(address: Address, reply: Reply) -> None:
            raise SendError("the network is down")

        with patch.object(town.chat, "send", falter):
            await town.settle()
        assert fates(town) == [("sending", None)] * 2
        await town.later(minutes=1)
        assert fates(town) == [("sent", None)] * 2
        assert len(town.news("Alice")) == 1


async def test_the_fourth_message_of_a_week_is_left_out(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "hello")
        for number in range(4):
            await sends(town, f"消息 {number}")
            await town.settle()
            await town.settle()
        assert len(town.news("Alice")) == 3
        assert "0 of 2 sent. Not sent: 2 had enough this week." in await town.ask("Carol", "/broadcast")
