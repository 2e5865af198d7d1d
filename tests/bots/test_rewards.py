"""What I earned, and when it is mine."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice> /rewards
    You have no rewards yet. They appear here as soon as a friend counts.
    [My invite link]
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Bob hears:
    ✅ You have stayed 7 days. You earned 50 points, yours on Mar 12, 12:00.
    [My rewards]
    Alice> /rewards
    Yours now: 0 points · on hold: 100 points (next on Mar 12)
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Proof]
    Bob> /rewards
    Yours now: 0 points · on hold: 50 points (next on Mar 12)
    • Mar 9 · 50 points for coming through Alice (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Proof]
    3 days later:
    Alice hears:
    💰 100 points for bringing Bob to Spring tea is yours now. You are now number 1 on the board.
    [My rewards]
    Bob hears:
    💰 50 points is yours now. Welcome to Spring tea!
    [My rewards]
    Alice> /rewards
    Yours now: 100 points
    • Mar 9 · 100 points for bringing Bob (Spring tea): yours
    [Why?] [Proof]
    Bob> [My rewards]
    Yours now: 50 points
    • Mar 9 · 50 points for coming through Alice (Spring tea): yours
    [Why?] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice> 奖励
    你还没有奖励。有朋友算数后会显示在这里。
    [我的邀请链接]
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Bob hears:
    ✅ 你已留满 7 天，获得 50 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Alice> 奖励
    可用：0 积分 · 冻结中：100 积分（最近 3月12日 解冻）
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [凭证]
    Bob> 奖励
    可用：0 积分 · 冻结中：50 积分（最近 3月12日 解冻）
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [凭证]
    3 days later:
    Alice hears:
    💰 100 积分 已入账，感谢你邀请 Bob 参加 春茶会。你现在排在第 1 名。
    [我的奖励]
    Bob hears:
    💰 50 积分 已入账，欢迎参加 春茶会！
    [我的奖励]
    Alice> 奖励
    可用：100 积分
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：可用
    [为什么？] [凭证]
    Bob> [我的奖励]
    可用：50 积分
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：可用
    [为什么？] [凭证]
    """,
)
async def test_held_and_then_mine(tmp_path: Path, locale: str, script: str) -> None:
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
    Bob leaves.
    Alice hears:
    Your 100 points for bringing Bob to Spring tea will not be yours, because your friend left the group while it \
    was still held.
    [My rewards]
    Bob hears:
    ✅ You have stayed 7 days. You earned 50 points, yours on Mar 12, 12:00.
    [My rewards]
    Your 50 points for joining Spring tea will not be yours, because you left the group while it was still held.
    [My rewards]
    Alice> /rewards
    • Mar 9 · 100 points for bringing Bob (Spring tea): taken back, because your friend left the group while it was \
    still held
    [Why?] [Proof]
    Bob> /rewards
    • Mar 9 · 50 points for coming through Alice (Spring tea): taken back, because you left the group while it was \
    still held
    [Why?] [Proof]
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
    Bob leaves.
    Alice hears:
    邀请 Bob 参加 春茶会 的 100 积分 不再发放：朋友在冻结期内退群。
    [我的奖励]
    Bob hears:
    ✅ 你已留满 7 天，获得 50 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    参加 春茶会 的 50 积分 不再发放：你在冻结期内退群。
    [我的奖励]
    Alice> 奖励
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：已收回，朋友在冻结期内退群
    [为什么？] [凭证]
    Bob> 奖励
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：已收回，你在冻结期内退群
    [为什么？] [凭证]
    """,
)
async def test_taken_back(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
