"""One person on two platforms."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Dora> /rewards
    You have no rewards yet. They appear here as soon as a friend counts.
    [My invite link]
    Alice> /link
    To join your accounts: on your other platform, send /link <Alice's link code> to this bot within 10 \
    minutes. Never give this code to anybody else.
    Dora> /link <Alice's link code>
    Done: your accounts are one person now, Alice, with one balance. To take it apart again: /link undo.
    Dora> /rewards
    Yours now: 0 points · on hold: 100 points (next release Mar 12)
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    Dora> /link undo
    Your accounts are separate again; what each had earned went back to it.
    Dora> /rewards
    You have no rewards yet. They appear here as soon as a friend counts.
    [My invite link]
    Alice> /link undo
    Your accounts are not linked.
    Alice> /rewards
    Yours now: 0 points · on hold: 100 points (next release Mar 12)
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Dora> 奖励
    你还没有奖励。有朋友算数后会显示在这里。
    [我的邀请链接]
    Alice> 绑定
    绑定账号：请在 10 分钟内，用你在另一个平台的账号向机器人发送 绑定 <Alice's link code>。不要把绑定码告诉别人。
    Dora> 绑定 <Alice's link code>
    绑定成功：Alice，你的账号现在是同一个人，奖励合并计算。如需撤销，发送 绑定 解除。
    Dora> 奖励
    可用：0 积分 · 冻结中：100 积分（3月12日 起解冻）
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    Dora> 绑定 解除
    已解除绑定，各账号的奖励已分别退回。
    Dora> 奖励
    你还没有奖励。有朋友算数后会显示在这里。
    [我的邀请链接]
    Alice> 绑定 解除
    你还没有绑定其他账号。
    Alice> 奖励
    可用：0 积分 · 冻结中：100 积分（3月12日 起解冻）
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    """,
)
async def test_two_steps_and_back(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice> /link
    To join your accounts: on your other platform, send /link <Alice's link code> to this bot within 10 \
    minutes. Never give this code to anybody else.
    Alice> /link <Alice's link code>
    These are already the same person. Send the code from your other platform.
    Bob> /link abc
    That does not look like a linking code. Say /link on your other platform to get one.
    Bob> /link 00000000
    This linking code is not right. Say /link on your other platform for a fresh one.
    11 minutes later:
    Bob> /link <Alice's link code>
    This linking code is no longer valid. Say /link on your other platform for a fresh one.
    """,
    zh="""
    Alice> 绑定
    绑定账号：请在 10 分钟内，用你在另一个平台的账号向机器人发送 绑定 <Alice's link code>。不要把绑定码告诉别人。
    Alice> 绑定 <Alice's link code>
    这两个账号已经是同一个人了。请在另一个平台上发送绑定码。
    Bob> 绑定 abc
    这不像是绑定码。请在另一个平台发送「绑定」获取。
    Bob> 绑定 00000000
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    11 minutes later:
    Bob> 绑定 <Alice's link code>
    绑定码已失效，请在另一个平台发送「绑定」重新获取。
    """,
)
async def test_codes_that_are_none(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Bob> /link 00000000
    This linking code is not right. Say /link on your other platform for a fresh one.
    Bob> /link 00000001
    This linking code is not right. Say /link on your other platform for a fresh one.
    Bob> /link 00000002
    This linking code is not right. Say /link on your other platform for a fresh one.
    Bob> /link 00000003
    This linking code is not right. Say /link on your other platform for a fresh one.
    Bob> /link 00000004
    This linking code is not right. Say /link on your other platform for a fresh one.
    Bob> /link 00000005
    Too many wrong codes. Please try again in 10 min.
    10 minutes later:
    Bob> /link 00000006
    This linking code is not right. Say /link on your other platform for a fresh one.
    """,
    zh="""
    Bob> 绑定 00000000
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    Bob> 绑定 00000001
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    Bob> 绑定 00000002
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    Bob> 绑定 00000003
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    Bob> 绑定 00000004
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    Bob> 绑定 00000005
    输错次数太多，请 10 分钟后再试。
    10 minutes later:
    Bob> 绑定 00000006
    绑定码不对，请在另一个平台发送「绑定」重新获取。
    """,
)
async def test_too_many_tries(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Alice> /link
    To join your accounts: on your other platform, send /link <Alice's link code> to this bot within 10 \
    minutes. Never give this code to anybody else.
    Bob> /link <Alice's link code>
    Done: your accounts are one person now, Alice, with one balance. To take it apart again: /link undo.
    Alice hears:
    Bob> /why
    Spring tea: what counted, and why
    • Alice turned out to be another account of yours, and you cannot invite yourself.
    • You came through Alice, but it no longer counts.
    Bob> /rewards
    • Mar 9 · 50 points for coming through Alice (Spring tea): taken back, because you cannot invite yourself
    • Mar 9 · 100 points for bringing Alice (Spring tea): taken back, because you cannot invite yourself
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Alice> 绑定
    绑定账号：请在 10 分钟内，用你在另一个平台的账号向机器人发送 绑定 <Alice's link code>。不要把绑定码告诉别人。
    Bob> 绑定 <Alice's link code>
    绑定成功：Alice，你的账号现在是同一个人，奖励合并计算。如需撤销，发送 绑定 解除。
    Alice hears:
    Bob> 为什么
    春茶会：算没算，为什么
    • Alice 是你自己的另一个账号，不能自己邀请自己。
    • 你通过 Alice 来到这里，但已不再计入。
    Bob> 奖励
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：已收回，不能自己邀请自己
    • 3月9日 · 100 积分，邀请 Alice（春茶会）：已收回，不能自己邀请自己
    [为什么？] [对账单] [凭证]
    """,
)
async def test_inviting_ones_own_second_account(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
