"""What is kept about me, and forgetting me."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice> /privacy
    Acme Tea keeps your name and account here, the friends you brought, and your rewards. You can read all of \
    it, or have yourself forgotten.
    [Show my data]
    [Forget me]
    Alice> [Forget me]
    This removes your name, accounts and links for good. Balances you did not withdraw are lost to you; the \
    books keep only numbers. Are you sure?
    [Yes, forget me]
    Alice> [Yes, forget me]
    Done. We have forgotten you. Take care!
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    Bob hears:
    Bob> /why
    Spring tea: what counted, and why
    • You came through a friend who has left since, so it no longer counts.
    Dora> /join <Alice's code>
    The person behind this code has left, so it no longer counts. You can take part yourself: /invite
    [My invite link]
    [My friends] [Leaderboard]
    Alice> hello
    Hi Alice! This is Spring tea by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice> 隐私
    茶里 保存了你在这里的名字和账号、你邀请的朋友以及你的奖励。你可以查看全部资料，也可以要求删除。
    [查看我的资料]
    [删除我的资料]
    Alice> [删除我的资料]
    删除后，你的名字、账号和链接将永久移除，未提取的奖励也无法再领取；账目中只保留数字。确定要删除吗？
    [确定删除]
    Alice> [确定删除]
    已删除，我们不再保存你的资料。祝好！
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    Bob hears:
    Bob> 为什么
    春茶会：算没算，为什么
    • 邀请你来的朋友已经离开，所以不再计入。
    Dora> 邀请码 <Alice's code>
    这个邀请码的主人已经离开，邀请码不再有效。你可以自己参加：发送「邀请」。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 你好
    Alice，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    """,
)
async def test_forgetting(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Bob> /privacy forget
    This removes your name, accounts and links for good. Balances you did not withdraw are lost to you; the \
    books keep only numbers. Are you sure?
    [Yes, forget me]
    Bob> [Yes, forget me]
    Done. We have forgotten you. Take care!
    Alice> /me
    Spring tea: 0 counted, 0 on the way, 1 did not count.
    • a friend: time ran out, did not count
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • A friend asked to be forgotten before it counted.
    Bob> <Alice's code>
    Spring tea counts people who are new here, and you were here before this invitation. You can still invite \
    friends yourself.
    [My invite link]
    [My friends] [Leaderboard]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Bob> 隐私 删除
    删除后，你的名字、账号和链接将永久移除，未提取的奖励也无法再领取；账目中只保留数字。确定要删除吗？
    [确定删除]
    Bob> [确定删除]
    已删除，我们不再保存你的资料。祝好！
    Alice> 我的
    春茶会：已算数 0 位，进行中 0 位，未算数 1 位。
    • 一位朋友：超过期限，没有算数
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • 一位朋友在算数之前要求删除了资料。
    Bob> <Alice's code>
    春茶会 只计入新朋友，而你在收到这个邀请之前就已经来过。你仍然可以邀请自己的朋友。
    [我的邀请链接]
    [我的朋友] [排行榜]
    """,
)
async def test_a_friend_who_was_forgotten(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
