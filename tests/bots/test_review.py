"""What waits for a person, looked at and decided in the chat, and brought to mind when it waits too long."""

from __future__ import annotations

from pathlib import Path

from tests.bots.backstage import prepare
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites nobody.
    Carol> /review
    Nothing waits for a decision. When something does, I will tell you here.
    (Alice adds Bob to the group.)
    Alice> /review
    Only the people who run this community can decide cases.
    Carol in the group> /review
    (only to Carol)
    Cases are looked at in private: please write to me directly.
    Carol> /review
    To decide, the oldest first: who brought a friend (1)
    • Who brought Bob? (Spring tea, since Mar 2, 12:00)
    [Who brought Bob?]
    Carol> [Who brought Bob?]
    Who brought Bob?
    Spring tea · waiting since Mar 2, 12:00
    Bob came into Tea lovers on Mar 2, 12:00. Alice added them, but Bob has not given an invite code.
    • Alice: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    [It was Alice]
    [Nobody can say]
    [All cases]
    Carol> [It was Alice]
    You chose: It was Alice. Why? The person it is about reads your reason, so write it the way you would say it to \
    them.
    Say “cancel” to stop.
    [The friend confirmed it.]
    [It can be seen in the group who brought them.]
    Carol> Alice showed me their chat.
    ✅ Decided: It was Alice. Reason: Alice showed me their chat.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ We looked into who brought Bob to Spring tea: it was you. Bob is on your list, counted from Mar 2, 12:00.
    Reason: Alice showed me their chat.
    Carol> [It was Alice]
    “Who brought Bob?”: Carol decided on Mar 2, 12:00. It was Alice. Reason: Alice showed me their chat.
    [All cases]
    Carol> /review
    Nothing waits for a decision. When something does, I will tell you here.
    """,
    zh="""
    Alice invites nobody.
    Carol> 审核
    没有待审核的事项。有新的我会在这里告诉你。
    (Alice adds Bob to the group.)
    Alice> 审核
    只有社群的管理团队可以审核。
    Carol in the group> /review
    (only to Carol)
    审核请私聊进行，直接给我发消息就好。
    Carol> 审核
    待审核（最早的在前）：邀请归属 1 件
    • Bob 是谁邀请来的？（春茶会，3月2日 12:00 起）
    [Bob 是谁邀请来的？]
    Carol> [Bob 是谁邀请来的？]
    Bob 是谁邀请来的？
    春茶会 · 3月2日 12:00 起待审核
    Bob 于 3月2日 12:00 进入 爱茶的人，是 Alice 拉进来的，但 Bob 没有填邀请码。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    [是 Alice 邀请的] [无法确定]
    [全部待审核]
    Carol> [是 Alice 邀请的]
    你选择了：是 Alice 邀请的。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [已向新朋友本人确认。]
    [群里能看到是谁邀请来的。]
    Carol> Alice 给我看了他们的聊天记录。
    ✅ 已决定：是 Alice 邀请的。理由：Alice 给我看了他们的聊天记录。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ 我们核实了 Bob 是谁邀请来 春茶会 的：是你。已经记在你名下，从 3月2日 12:00 算起。
    理由：Alice 给我看了他们的聊天记录。
    Carol> [是 Alice 邀请的]
    「Bob 是谁邀请来的？」Carol 已于 3月2日 12:00 决定：是 Alice 邀请的。理由：Alice 给我看了他们的聊天记录。
    [全部待审核]
    Carol> 审核
    没有待审核的事项。有新的我会在这里告诉你。
    """,
)
async def test_a_reviewer_says_who_brought_somebody(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)


@in_both(
    en="""
    Alice invites nobody.
    Lin> /me
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    0 minutes later:
    (Lin becomes a reviewer.)
    (Alice adds Bob to the group.)
    Lin> /review
    To decide, the oldest first: who brought a friend (1)
    • Who brought Bob? (Spring tea, since Mar 2, 12:00)
    [Who brought Bob?]
    Lin> [Who brought Bob?]
    Who brought Bob?
    Spring tea · waiting since Mar 2, 12:00
    Bob came into Tea lovers on Mar 2, 12:00. Alice added them, but Bob has not given an invite code.
    • Alice: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    [It was Alice]
    [Nobody can say]
    [All cases]
    Lin> [It was Alice]
    You chose: It was Alice. Why? The person it is about reads your reason, so write it the way you would say it to \
    them.
    Say “cancel” to stop.
    [The friend confirmed it.]
    [It can be seen in the group who brought them.]
    (Lin is no reviewer any more.)
    Lin> [It can be seen in the group who brought them.]
    You can no longer do this for Acme Tea. What you have entered so far is kept; an owner can give you the right \
    again. Say “cancel” to drop it.
    Lin> /review
    Only the people who run this community can decide cases.
    Lin> [Nobody can say]
    Only the people who run this community can decide cases.
    """,
    zh="""
    Alice invites nobody.
    Lin> 我的
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    0 minutes later:
    (Lin becomes a reviewer.)
    (Alice adds Bob to the group.)
    Lin> 审核
    待审核（最早的在前）：邀请归属 1 件
    • Bob 是谁邀请来的？（春茶会，3月2日 12:00 起）
    [Bob 是谁邀请来的？]
    Lin> [Bob 是谁邀请来的？]
    Bob 是谁邀请来的？
    春茶会 · 3月2日 12:00 起待审核
    Bob 于 3月2日 12:00 进入 爱茶的人，是 Alice 拉进来的，但 Bob 没有填邀请码。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    [是 Alice 邀请的] [无法确定]
    [全部待审核]
    Lin> [是 Alice 邀请的]
    你选择了：是 Alice 邀请的。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [已向新朋友本人确认。]
    [群里能看到是谁邀请来的。]
    (Lin is no reviewer any more.)
    Lin> [群里能看到是谁邀请来的。]
    你目前没有 茶里 的这项权限，已填的内容会保留，可以请所有者重新授权。不想继续的话，发送「取消」。
    Lin> 审核
    只有社群的管理团队可以审核。
    Lin> [无法确定]
    只有社群的管理团队可以审核。
    """,
)
async def test_who_is_no_reviewer_any_more_decides_nothing(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)


@in_both(
    en="""
    Alice invites nobody.
    Lin> /me
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    0 minutes later:
    (Lin becomes a reviewer.)
    0 minutes later:
    Lin hears:
    You are now reviewer of Acme Tea. /help shows what is new for you.
    (Alice adds Bob to the group.)
    Lin hears:
    Something waits for your decision: Who brought Bob? (Spring tea)
    [Look at it]
    47 hours later:
    Lin hears:
    2 hours later:
    Lin hears:
    ⏳ Cases that have waited for two days without a decision: 1. The oldest came in on Mar 2, 12:00.
    [All cases]
    (Alice adds Dan to the group.)
    Lin hears:
    (Bob is forgotten.)
    6 days later:
    Lin hears:
    ⏳ Cases that have waited for two days without a decision: 1. The oldest came in on Mar 4, 13:00.
    [All cases]
    Lin> /review
    To decide, the oldest first: who brought a friend (1)
    • Who brought Dan? (Spring tea, since Mar 4, 13:00)
    [Who brought Dan?]
    """,
    zh="""
    Alice invites nobody.
    Lin> 我的
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    0 minutes later:
    (Lin becomes a reviewer.)
    0 minutes later:
    Lin hears:
    你现在是「茶里」的审核员，发送「帮助」看看能做什么。
    (Alice adds Bob to the group.)
    Lin hears:
    有一件事等你审核：Bob 是谁邀请来的？（春茶会）
    [去看看]
    47 hours later:
    Lin hears:
    2 hours later:
    Lin hears:
    ⏳ 有 1 件事等了两天还没有审核，最早的一件是 3月2日 12:00 收到的。
    [全部待审核]
    (Alice adds Dan to the group.)
    Lin hears:
    (Bob is forgotten.)
    6 days later:
    Lin hears:
    ⏳ 有 1 件事等了两天还没有审核，最早的一件是 3月4日 13:00 收到的。
    [全部待审核]
    Lin> 审核
    待审核（最早的在前）：邀请归属 1 件
    • Dan 是谁邀请来的？（春茶会，3月4日 13:00 起）
    [Dan 是谁邀请来的？]
    """,
)
async def test_what_waits_too_long_is_brought_to_mind(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)


@in_both(
    en="""
    Alice invites nobody.
    (Alice adds Bob to the group.)
    (Alice adds Dan to the group.)
    (Alice adds Eve to the group.)
    Dan> /me
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob came into the group on Mar 2, 12:00. The team is looking into who brought them; if Bob sends me your \
    code, it is settled at once.
    • Dan came into the group on Mar 2, 12:00. The team is looking into who brought them; if Dan sends me your \
    code, it is settled at once.
    • Eve came into the group on Mar 2, 12:00. The team is looking into who brought them; if Eve sends me your \
    code, it is settled at once.
    Carol> /review
    To decide, the oldest first: who brought a friend (3)
    • Who brought Bob? (Spring tea, since Mar 2, 12:00)
    • Who brought Dan? (Spring tea, since Mar 2, 12:00)
    • Who brought Eve? (Spring tea, since Mar 2, 12:00)
    [Who brought Bob?]
    [Who brought Dan?]
    [Who brought Eve?]
    Carol> [Who brought Bob?]
    Who brought Bob?
    Spring tea · waiting since Mar 2, 12:00
    Bob came into Tea lovers on Mar 2, 12:00. Alice added them, but Bob has not given an invite code.
    • Alice: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    [It was Alice]
    [All 3 that Alice added]
    [Nobody can say]
    [All cases]
    (Bob is forgotten.)
    Carol> [All 3 that Alice added]
    Nobody needs to decide this any more: it has settled itself.
    [All cases]
    Carol> /review
    To decide, the oldest first: who brought a friend (2)
    • Who brought Dan? (Spring tea, since Mar 2, 12:00)
    • Who brought Eve? (Spring tea, since Mar 2, 12:00)
    [Who brought Dan?]
    [Who brought Eve?]
    Carol> [Who brought Dan?]
    Who brought Dan?
    Spring tea · waiting since Mar 2, 12:00
    Dan came into Tea lovers on Mar 2, 12:00. Alice added them, but Dan has not given an invite code.
    • Alice: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    [It was Alice]
    [All 2 that Alice added]
    [Nobody can say]
    [All cases]
    Carol> [All 2 that Alice added]
    You chose: All 2 that Alice added. Why? The person it is about reads your reason, so write it the way you would \
    say it to them.
    Say “cancel” to stop.
    [The friend confirmed it.]
    [It can be seen in the group who brought them.]
    Carol> [It can be seen in the group who brought them.]
    ✅ Decided for 2: All 2 that Alice added. Reason: It can be seen in the group who brought them.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    🎉 Dan joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ We looked into who brought Dan to Spring tea: it was you. Dan is on your list, counted from Mar 2, 12:00.
    Reason: It can be seen in the group who brought them.
    🎉 Eve joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ We looked into who brought Eve to Spring tea: it was you. Eve is on your list, counted from Mar 2, 12:00.
    Reason: It can be seen in the group who brought them.
    """,
    zh="""
    Alice invites nobody.
    (Alice adds Bob to the group.)
    (Alice adds Dan to the group.)
    (Alice adds Eve to the group.)
    Dan> 我的
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 进群，团队正在核实是谁邀请的。如果 Bob 把你的邀请码发给我，马上就能确认。
    • Dan 于 3月2日 12:00 进群，团队正在核实是谁邀请的。如果 Dan 把你的邀请码发给我，马上就能确认。
    • Eve 于 3月2日 12:00 进群，团队正在核实是谁邀请的。如果 Eve 把你的邀请码发给我，马上就能确认。
    Carol> 审核
    待审核（最早的在前）：邀请归属 3 件
    • Bob 是谁邀请来的？（春茶会，3月2日 12:00 起）
    • Dan 是谁邀请来的？（春茶会，3月2日 12:00 起）
    • Eve 是谁邀请来的？（春茶会，3月2日 12:00 起）
    [Bob 是谁邀请来的？]
    [Dan 是谁邀请来的？]
    [Eve 是谁邀请来的？]
    Carol> [Bob 是谁邀请来的？]
    Bob 是谁邀请来的？
    春茶会 · 3月2日 12:00 起待审核
    Bob 于 3月2日 12:00 进入 爱茶的人，是 Alice 拉进来的，但 Bob 没有填邀请码。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    [是 Alice 邀请的]
    [Alice 拉来的 3 位都算]
    [无法确定]
    [全部待审核]
    (Bob is forgotten.)
    Carol> [Alice 拉来的 3 位都算]
    这件事已经不需要审核了，情况有了变化。
    [全部待审核]
    Carol> 审核
    待审核（最早的在前）：邀请归属 2 件
    • Dan 是谁邀请来的？（春茶会，3月2日 12:00 起）
    • Eve 是谁邀请来的？（春茶会，3月2日 12:00 起）
    [Dan 是谁邀请来的？]
    [Eve 是谁邀请来的？]
    Carol> [Dan 是谁邀请来的？]
    Dan 是谁邀请来的？
    春茶会 · 3月2日 12:00 起待审核
    Dan 于 3月2日 12:00 进入 爱茶的人，是 Alice 拉进来的，但 Dan 没有填邀请码。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    [是 Alice 邀请的]
    [Alice 拉来的 2 位都算]
    [无法确定]
    [全部待审核]
    Carol> [Alice 拉来的 2 位都算]
    你选择了：Alice 拉来的 2 位都算。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [已向新朋友本人确认。]
    [群里能看到是谁邀请来的。]
    Carol> [群里能看到是谁邀请来的。]
    ✅ 已决定 2 件：Alice 拉来的 2 位都算。理由：群里能看到是谁邀请来的。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    🎉 Dan 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ 我们核实了 Dan 是谁邀请来 春茶会 的：是你。已经记在你名下，从 3月2日 12:00 算起。
    理由：群里能看到是谁邀请来的。
    🎉 Eve 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ 我们核实了 Eve 是谁邀请来 春茶会 的：是你。已经记在你名下，从 3月2日 12:00 算起。
    理由：群里能看到是谁邀请来的。
    """,
)
async def test_everybody_somebody_added_is_decided_about_together(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)


async def test_a_reason_may_be_given_by_its_number_but_is_never_a_number(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await prepare(town)
        await town.say("Alice", "/invite")
        town.stage["Alice adds Bob to the group."]()
        await town.say("Carol", "/review")
        await town.say("Carol", "[Who brought Bob?]")
        await town.say("Carol", "[Nobody can say]")
        assert (await town.ask("Carol", "7")).startswith("A reason takes one line of at most 200 characters.")
        assert (await town.ask("Carol", "x" * 201)).startswith("A reason takes one line of at most 200 characters.")
        assert "Reason: They came on their own." in await town.ask("Carol", "2")


async def test_what_is_no_button_of_ours_is_told_so(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await prepare(town)
        for words in ("/review nothing", f"/review {0:032x}", f"/appeal c{0:032x}", f"/appeal r{0:032x}", "/appeal x"):
            name = "Carol" if "review" in words else "Alice"
            assert (await town.ask(name, words)).startswith("This button is no longer in use."), words
