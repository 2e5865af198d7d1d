"""Whoever a decision concerns hears its reason and may appeal, once; somebody else decides where there is somebody."""

from __future__ import annotations

from pathlib import Path

from tests.bots.backstage import prepare
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Lin> /me
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    0 minutes later:
    (Lin becomes a reviewer.)
    7 days later:
    (Bob's payee is Alice's.)
    Lin hears:
    You are now reviewer of Acme Tea. /help shows what is new for you.
    Something waits for your decision: Does Bob count for Alice? (Spring tea)
    [Look at it]
    Lin> [Look at it]
    Does Bob count for Alice?
    Spring tea · waiting since Mar 9, 12:00
    Bob came through Alice on Mar 2, 12:00 and has counted.
    Why you are asked: Alice and Bob are paid to the same place (bank transfer). They may be one person.
    At stake: Alice 100 points, Bob 50 points.
    It is not paid until you decide.
    [All fine] [Does not count]
    [All cases]
    Carol> /review
    To decide, the oldest first: friends to check (1)
    • Does Bob count for Alice? (Spring tea, since Mar 9, 12:00)
    [Does Bob count for Alice?]
    Carol> [Does Bob count for Alice?]
    Does Bob count for Alice?
    Spring tea · waiting since Mar 9, 12:00
    Bob came through Alice on Mar 2, 12:00 and has counted.
    Why you are asked: Alice and Bob are paid to the same place (bank transfer). They may be one person.
    At stake: Alice 100 points, Bob 50 points.
    It is not paid until you decide.
    [All fine] [Does not count]
    [All cases]
    Carol> [Does not count]
    You chose: Does not count. Why? The person it is about reads your reason, so write it the way you would say it \
    to them.
    Say “cancel” to stop.
    [Both accounts belong to the same person.]
    [This is not a genuine new friend.]
    Carol> Two accounts on one phone.
    ✅ Decided: Does not count. Reason: Two accounts on one phone.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Your 100 points for bringing Bob to Spring tea will not be yours, because the invitation was not accepted after \
    a review.
    [My rewards]
    We checked Bob in Spring tea. They do not count any more.
    Reason: Two accounts on one phone.
    Do you see it differently? You can appeal once.
    [Appeal]
    Lin> [All fine]
    “Does Bob count for Alice?”: Carol decided on Mar 9, 12:00. Does not count. Reason: Two accounts on one phone.
    [All cases]
    Alice> /why
    Spring tea: what counted, and why
    • Bob had counted on Mar 9, 12:00, but was not accepted after a review.
    [Appeal: Bob]
    Alice> [Appeal: Bob]
    Bob does not count (Spring tea)
    What did we get wrong, or what should we know? Two or three sentences are enough. There is one appeal \
    for each decision, so say it all.
    Say “cancel” to stop.
    Alice> We are brothers and share a bank card.
    Your appeal has reached the team. Whenever possible, somebody else than the first time looks at it. You will \
    hear from me here; until then nothing changes.
    Alice> [Appeal: Bob]
    There is an appeal about this already, and it is still being looked at. You will hear from us.
    Carol> /review
    To decide, the oldest first: appeals (1)
    • Appeal by Alice (Spring tea, since Mar 9, 12:00)
    [Appeal by Alice]
    Carol> [Appeal by Alice]
    Appeal by Alice
    Spring tea · waiting since Mar 9, 12:00
    Bob came through Alice on Mar 2, 12:00 and does not count now.
    Carol decided on Mar 9, 12:00: Two accounts on one phone.
    Alice says: “We are brothers and share a bank card.”
    If you agree, Bob counts again, and what was taken back is granted anew as far as the budget reaches.
    The decision appealed against was yours, so somebody else of the team decides this one.
    [All cases]
    Lin> /review
    To decide, the oldest first: appeals (1)
    • Appeal by Alice (Spring tea, since Mar 9, 12:00)
    [Appeal by Alice]
    Lin> [Appeal by Alice]
    Appeal by Alice
    Spring tea · waiting since Mar 9, 12:00
    Bob came through Alice on Mar 2, 12:00 and does not count now.
    Carol decided on Mar 9, 12:00: Two accounts on one phone.
    Alice says: “We are brothers and share a bank card.”
    If you agree, Bob counts again, and what was taken back is granted anew as far as the budget reaches.
    [Agree] [Leave it as it is]
    [All cases]
    Lin> [Agree]
    You chose: Agree. Why? The person it is about reads your reason, so write it the way you would say it to them.
    Say “cancel” to stop.
    [You are right. We are sorry.]
    [What you told us made the difference.]
    Lin> [What you told us made the difference.]
    ✅ Decided: Agree. Reason: What you told us made the difference.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    ✅ Your appeal was right: Bob counts again in Spring tea. What was taken back is granted anew, as far as the \
    budget reaches.
    Reason: What you told us made the difference.
    Alice> /why
    Spring tea: what counted, and why
    • Bob came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. 100 points will be \
    yours on Mar 12, 12:00.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Lin> 我的
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    0 minutes later:
    (Lin becomes a reviewer.)
    7 days later:
    (Bob's payee is Alice's.)
    Lin hears:
    你现在是「茶里」的审核员，发送「帮助」看看能做什么。
    有一件事等你审核：Alice 邀请的 Bob 算数吗？（春茶会）
    [去看看]
    Lin> [去看看]
    Alice 邀请的 Bob 算数吗？
    春茶会 · 3月9日 12:00 起待审核
    Bob 于 3月2日 12:00 通过 Alice 来到这里，已经算数。
    为什么要核实：Alice 和 Bob 的收款账户相同（人工转账），可能是同一个人。
    涉及奖励：Alice 100 积分、Bob 50 积分。
    审核前暂不发放。
    [没问题] [不算数]
    [全部待审核]
    Carol> 审核
    待审核（最早的在前）：邀请核实 1 件
    • Alice 邀请的 Bob 算数吗？（春茶会，3月9日 12:00 起）
    [Alice 邀请的 Bob 算数吗？]
    Carol> [Alice 邀请的 Bob 算数吗？]
    Alice 邀请的 Bob 算数吗？
    春茶会 · 3月9日 12:00 起待审核
    Bob 于 3月2日 12:00 通过 Alice 来到这里，已经算数。
    为什么要核实：Alice 和 Bob 的收款账户相同（人工转账），可能是同一个人。
    涉及奖励：Alice 100 积分、Bob 50 积分。
    审核前暂不发放。
    [没问题] [不算数]
    [全部待审核]
    Carol> [不算数]
    你选择了：不算数。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [两个账号是同一个人。]
    [不是真实的新朋友。]
    Carol> 两个账号用的是同一台手机。
    ✅ 已决定：不算数。理由：两个账号用的是同一台手机。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    邀请 Bob 参加 春茶会 的 100 积分 不再发放：这次邀请经审核未通过。
    [我的奖励]
    我们核实了 春茶会 里的 Bob，这位朋友不再算数。
    理由：两个账号用的是同一台手机。
    如果你有不同看法，可以申诉一次。
    [我要申诉]
    Lin> [没问题]
    「Alice 邀请的 Bob 算数吗？」Carol 已于 3月9日 12:00 决定：不算数。理由：两个账号用的是同一台手机。
    [全部待审核]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月9日 12:00 算数，但经审核未通过，不再计入。
    [申诉：Bob]
    Alice> [申诉：Bob]
    Bob 没有算数（春茶会）
    哪里弄错了，或者还有什么我们该知道？两三句话就够。每个决定只能申诉一次，请一次说清楚。
    发送「取消」可随时退出。
    Alice> 我们是亲兄弟，共用一张银行卡。
    申诉已经交给团队，会尽量由另一位同事来看。有结果我会在这里告诉你，在那之前一切不变。
    Alice> [申诉：Bob]
    这件事已经有人申诉，正在看。有结果会告诉你。
    Carol> 审核
    待审核（最早的在前）：申诉 1 件
    • Alice 的申诉（春茶会，3月9日 12:00 起）
    [Alice 的申诉]
    Carol> [Alice 的申诉]
    Alice 的申诉
    春茶会 · 3月9日 12:00 起待审核
    Bob 于 3月2日 12:00 通过 Alice 来到这里，目前不算数。
    Carol 于 3月9日 12:00 的决定：两个账号用的是同一台手机。
    Alice 说：「我们是亲兄弟，共用一张银行卡。」
    如果支持申诉，Bob 会重新算数，扣回的奖励在预算内重新发放。
    被申诉的决定是你做的，这一件要由团队里的另一位来审核。
    [全部待审核]
    Lin> 审核
    待审核（最早的在前）：申诉 1 件
    • Alice 的申诉（春茶会，3月9日 12:00 起）
    [Alice 的申诉]
    Lin> [Alice 的申诉]
    Alice 的申诉
    春茶会 · 3月9日 12:00 起待审核
    Bob 于 3月2日 12:00 通过 Alice 来到这里，目前不算数。
    Carol 于 3月9日 12:00 的决定：两个账号用的是同一台手机。
    Alice 说：「我们是亲兄弟，共用一张银行卡。」
    如果支持申诉，Bob 会重新算数，扣回的奖励在预算内重新发放。
    [支持申诉] [维持原决定]
    [全部待审核]
    Lin> [支持申诉]
    你选择了：支持申诉。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [你说得对，是我们弄错了，抱歉。]
    [你补充的情况说明了问题。]
    Lin> [你补充的情况说明了问题。]
    ✅ 已决定：支持申诉。理由：你补充的情况说明了问题。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    ✅ 你的申诉成立：Bob 在 春茶会 里重新算数，扣回的奖励会在预算内重新发放。
    理由：你补充的情况说明了问题。
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。100 积分 将于 3月12日 12:00 入账。
    """,
)
async def test_one_reviewer_decides_and_another_looks_at_the_appeal(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)


@in_both(
    en="""
    Alice invites nobody.
    (Alice adds Bob to the group.)
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
    Carol> [Nobody can say]
    You chose: Nobody can say. Why? The person it is about reads your reason, so write it the way you would say it \
    to them.
    Say “cancel” to stop.
    [It cannot be said for certain who invited them.]
    [They came on their own.]
    Carol> cancel
    Stopped; nothing was changed.
    Carol> [Nobody can say]
    You chose: Nobody can say. Why? The person it is about reads your reason, so write it the way you would say it \
    to them.
    Say “cancel” to stop.
    [It cannot be said for certain who invited them.]
    [They came on their own.]
    Carol> [It cannot be said for certain who invited them.]
    ✅ Decided: Nobody can say. Reason: It cannot be said for certain who invited them.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    We looked into who brought Bob to Spring tea. It could not be established that it was you, so nobody is credited.
    Reason: It cannot be said for certain who invited them.
    Do you see it differently? You can appeal once.
    [Appeal]
    Alice> [Appeal]
    Bob was not credited to you (Spring tea)
    What did we get wrong, or what should we know? Two or three sentences are enough. There is one appeal \
    for each decision, so say it all.
    Say “cancel” to stop.
    Alice> Bob is a colleague of mine; ask him.
    Your appeal has reached the team. Whenever possible, somebody else than the first time looks at it. You will \
    hear from me here; until then nothing changes.
    Carol> /review
    To decide, the oldest first: appeals (1)
    • Appeal by Alice (Spring tea, since Mar 2, 12:00)
    [Appeal by Alice]
    Carol> [Appeal by Alice]
    Appeal by Alice
    Spring tea · waiting since Mar 2, 12:00
    Bob came into Tea lovers on Mar 2, 12:00. Alice added them, but Bob has not given an invite code.
    • Alice: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    Carol decided on Mar 2, 12:00: It cannot be said for certain who invited them.
    Alice says: “Bob is a colleague of mine; ask him.”
    [Agree] [Leave it as it is]
    [All cases]
    Carol> [Leave it as it is]
    You chose: Leave it as it is. Why? The person it is about reads your reason, so write it the way you would say \
    it to them.
    Say “cancel” to stop.
    [We looked at it again and came to the same result.]
    [We found nothing that changes the picture.]
    Carol> [We looked at it again and came to the same result.]
    ✅ Decided: Leave it as it is. Reason: We looked at it again and came to the same result.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    We looked at your appeal about Bob once more. The decision stays as it was, and it is final.
    Reason: We looked at it again and came to the same result.
    Alice> [Appeal]
    There was an appeal about this already, and it was decided. There is one for each decision.
    Alice> /appeal
    There is no decision you could appeal against. Why a friend did not count is under “Why?”.
    [Why?]
    """,
    zh="""
    Alice invites nobody.
    (Alice adds Bob to the group.)
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
    Carol> [无法确定]
    你选择了：无法确定。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [无法确定是谁邀请的。]
    [对方是自己来的。]
    Carol> 取消
    已取消，没有任何改动。
    Carol> [无法确定]
    你选择了：无法确定。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [无法确定是谁邀请的。]
    [对方是自己来的。]
    Carol> [无法确定是谁邀请的。]
    ✅ 已决定：无法确定。理由：无法确定是谁邀请的。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    我们核实了 Bob 是谁邀请来 春茶会 的，没法确认是你，所以没有记在任何人名下。
    理由：无法确定是谁邀请的。
    如果你有不同看法，可以申诉一次。
    [我要申诉]
    Alice> [我要申诉]
    Bob 没有记在你名下（春茶会）
    哪里弄错了，或者还有什么我们该知道？两三句话就够。每个决定只能申诉一次，请一次说清楚。
    发送「取消」可随时退出。
    Alice> Bob 是我同事，可以问他。
    申诉已经交给团队，会尽量由另一位同事来看。有结果我会在这里告诉你，在那之前一切不变。
    Carol> 审核
    待审核（最早的在前）：申诉 1 件
    • Alice 的申诉（春茶会，3月2日 12:00 起）
    [Alice 的申诉]
    Carol> [Alice 的申诉]
    Alice 的申诉
    春茶会 · 3月2日 12:00 起待审核
    Bob 于 3月2日 12:00 进入 爱茶的人，是 Alice 拉进来的，但 Bob 没有填邀请码。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    Carol 于 3月2日 12:00 的决定：无法确定是谁邀请的。
    Alice 说：「Bob 是我同事，可以问他。」
    [支持申诉] [维持原决定]
    [全部待审核]
    Carol> [维持原决定]
    你选择了：维持原决定。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [我们重新看过，结论不变。]
    [没有发现能改变结论的新情况。]
    Carol> [我们重新看过，结论不变。]
    ✅ 已决定：维持原决定。理由：我们重新看过，结论不变。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    我们重新看了你关于 Bob 的申诉，维持原来的决定，这是最终结果。
    理由：我们重新看过，结论不变。
    Alice> [我要申诉]
    这件事已经申诉过，也有了结果。每个决定只能申诉一次。
    Alice> 申诉
    目前没有可以申诉的决定。朋友为什么没算数，可以点「为什么？」查看。
    [为什么？]
    """,
)
async def test_a_decision_about_an_appeal_is_the_last(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)
