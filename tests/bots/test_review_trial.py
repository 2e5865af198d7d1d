"""The applications of a trial, one after another under /review, and one that is looked at again."""

from __future__ import annotations

from pathlib import Path

from tests.bots.backstage import hear_carol
from tests.bots.serum import QUESTIONS, open_trial_town
from tests.dialogue import in_both


@in_both(
    en="""
    Alice> /trial
    🧴 Night serum trial
    A full box, free.
    2 places, 2 still free. Apply until Mar 16, 12:00.
    How places are given: Acme Tea looks at every application.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Alice> [✋ Apply]
    (1/2) What is your skin like?
    Say “cancel” to stop.
    [Dry] [Oily]
    Alice> [Dry]
    (2/2) Why would you like to try it?
    Say “cancel” to stop.
    [Skip]
    Alice> [Skip]
    📝 Your application for Night serum trial is in. Acme Tea looks at each one; I tell you as soon as it is decided.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Bob> /trial
    🧴 Night serum trial
    A full box, free.
    2 places, 2 still free. Apply until Mar 16, 12:00.
    How places are given: Acme Tea looks at every application.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Bob> [✋ Apply]
    (1/2) What is your skin like?
    Say “cancel” to stop.
    [Dry] [Oily]
    Bob> [Oily]
    (2/2) Why would you like to try it?
    Say “cancel” to stop.
    [Skip]
    Bob> My skin is tired.
    📝 Your application for Night serum trial is in. Acme Tea looks at each one; I tell you as soon as it is decided.
    You are number 2 of 2 in line. All ahead of you applied earlier.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Carol> /review
    To decide, the oldest first: trial applications (2)
    • A trial place for Alice? (Night serum trial, since Mar 2, 12:00)
    • A trial place for Bob? (Night serum trial, since Mar 2, 12:00)
    [A trial place for Alice?]
    [A trial place for Bob?]
    Carol> [A trial place for Alice?]
    A trial place for Alice?
    Night serum trial · waiting since Mar 2, 12:00
    Alice applied on Mar 2, 12:00. Friends they brought who applied as well: 0.
    Places still free: 2 of 2.
    • What is your skin like? Dry
    [Give a place] [Decline]
    [All cases]
    Carol> [Decline]
    You chose: Decline. Why? The person it is about reads your reason, so write it the way you would say it to them.
    Say “cancel” to stop.
    [This trial suits others better this time.]
    [You took part in a trial not long ago.]
    [Your answers left too much open.]
    Carol> [Your answers left too much open.]
    ✅ Decided: Decline. Reason: Your answers left too much open.
    Whoever it concerns is told.
    1 more to decide.
    A trial place for Bob?
    Night serum trial · waiting since Mar 2, 12:00
    Bob applied on Mar 2, 12:00. Friends they brought who applied as well: 0.
    Places still free: 2 of 2.
    • What is your skin like? Oily
    • Why would you like to try it? My skin is tired.
    [Give a place] [Decline]
    [All cases]
    Carol> [Give a place]
    You chose: Give a place. Why? The person it is about reads your reason, so write it the way you would say it to \
    them.
    Say “cancel” to stop.
    [Your application is a good fit.]
    [You are an active member of the group.]
    Carol> Sounds like you need it.
    ✅ Decided: Give a place. Reason: Sounds like you need it.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    (A moment passes.)
    Alice hears:
    Acme Tea did not choose you for Night serum trial this time: Your answers left too much open.
    [Appeal]
    Bob hears:
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 5, 12:00; after that it passes on to the next in line.
    Acme Tea: Sounds like you need it.
    [🎁 Take my place]
    [No, thanks]
    Alice> [Appeal]
    No place for you (Night serum trial)
    What did we get wrong, or what should we know? Two or three sentences are enough. There is one appeal for each \
    decision, so say it all.
    Say “cancel” to stop.
    Alice> My skin is very dry in winter. I forgot to say so.
    Your appeal has reached the team. Whenever possible, somebody else than the first time looks at it. You will \
    hear from me here; until then nothing changes.
    Carol> /review
    To decide, the oldest first: appeals (1)
    • Appeal by Alice (Night serum trial, since Mar 2, 12:00)
    [Appeal by Alice]
    Carol> [Appeal by Alice]
    Appeal by Alice
    Night serum trial · waiting since Mar 2, 12:00
    Alice applied on Mar 2, 12:00. Friends they brought who applied as well: 0.
    Places still free: 1 of 2.
    • What is your skin like? Dry
    Carol decided on Mar 2, 12:00: Your answers left too much open.
    Alice says: “My skin is very dry in winter. I forgot to say so.”
    [Agree] [Leave it as it is]
    [All cases]
    Carol> [Agree]
    You chose: Agree. Why? The person it is about reads your reason, so write it the way you would say it to them.
    Say “cancel” to stop.
    [You are right. We are sorry.]
    [What you told us made the difference.]
    Carol> [What you told us made the difference.]
    ✅ Decided: Agree. Reason: What you told us made the difference.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    (A moment passes.)
    Alice hears:
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 5, 12:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    ✅ Your appeal about Night serum trial was right.
    Reason: What you told us made the difference.
    """,
    zh="""
    Alice> /trial
    🧴 夜间精华试用
    正装一盒，免费试用。
    共 2 个名额，还剩 2 个，3月16日 12:00 截止申请。
    名额规则：由 茶里 逐一审核申请。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Alice> [✋ 申请试用]
    1/2 你的肤质是？
    发送「取消」可随时退出。
    [干性] [油性]
    Alice> [干性]
    2/2 为什么想试？
    发送「取消」可随时退出。
    [跳过]
    Alice> [跳过]
    📝 已收到你对 夜间精华试用 的申请。茶里 会逐一审核，有结果我马上告诉你。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Bob> /trial
    🧴 夜间精华试用
    正装一盒，免费试用。
    共 2 个名额，还剩 2 个，3月16日 12:00 截止申请。
    名额规则：由 茶里 逐一审核申请。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Bob> [✋ 申请试用]
    1/2 你的肤质是？
    发送「取消」可随时退出。
    [干性] [油性]
    Bob> [油性]
    2/2 为什么想试？
    发送「取消」可随时退出。
    [跳过]
    Bob> 最近皮肤状态不好。
    📝 已收到你对 夜间精华试用 的申请。茶里 会逐一审核，有结果我马上告诉你。
    当前排位：第 2 位（共 2 人）。排在你前面的人都比你先申请。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Carol> 审核
    待审核（最早的在前）：试用申请 2 件
    • 给 Alice 试用名额吗？（夜间精华试用，3月2日 12:00 起）
    • 给 Bob 试用名额吗？（夜间精华试用，3月2日 12:00 起）
    [给 Alice 试用名额吗？]
    [给 Bob 试用名额吗？]
    Carol> [给 Alice 试用名额吗？]
    给 Alice 试用名额吗？
    夜间精华试用 · 3月2日 12:00 起待审核
    Alice 于 3月2日 12:00 申请。带来并且也申请了的朋友：0 位。
    剩余名额：2 / 2。
    • 你的肤质是？ 干性
    [给名额] [不通过]
    [全部待审核]
    Carol> [不通过]
    你选择了：不通过。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [这次试用更适合其他朋友。]
    [你不久前刚参加过试用。]
    [申请信息填得不够完整。]
    Carol> [申请信息填得不够完整。]
    ✅ 已决定：不通过。理由：申请信息填得不够完整。
    会通知当事人。
    还有 1 件待审核。
    给 Bob 试用名额吗？
    夜间精华试用 · 3月2日 12:00 起待审核
    Bob 于 3月2日 12:00 申请。带来并且也申请了的朋友：0 位。
    剩余名额：2 / 2。
    • 你的肤质是？ 油性
    • 为什么想试？ 最近皮肤状态不好。
    [给名额] [不通过]
    [全部待审核]
    Carol> [给名额]
    你选择了：给名额。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [你的情况很适合这次试用。]
    [你在群里一直很活跃。]
    Carol> 看起来你正需要它。
    ✅ 已决定：给名额。理由：看起来你正需要它。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    (A moment passes.)
    Alice hears:
    夜间精华试用 这次没有选上你。茶里 的说明：申请信息填得不够完整。
    [我要申诉]
    Bob hears:
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月5日 12:00 前领取，逾期会顺延给下一位。
    茶里：看起来你正需要它。
    [🎁 领取名额]
    [不要了]
    Alice> [我要申诉]
    没有给你名额（夜间精华试用）
    哪里弄错了，或者还有什么我们该知道？两三句话就够。每个决定只能申诉一次，请一次说清楚。
    发送「取消」可随时退出。
    Alice> 冬天皮肤特别干，申请时忘了写。
    申诉已经交给团队，会尽量由另一位同事来看。有结果我会在这里告诉你，在那之前一切不变。
    Carol> 审核
    待审核（最早的在前）：申诉 1 件
    • Alice 的申诉（夜间精华试用，3月2日 12:00 起）
    [Alice 的申诉]
    Carol> [Alice 的申诉]
    Alice 的申诉
    夜间精华试用 · 3月2日 12:00 起待审核
    Alice 于 3月2日 12:00 申请。带来并且也申请了的朋友：0 位。
    剩余名额：1 / 2。
    • 你的肤质是？ 干性
    Carol 于 3月2日 12:00 的决定：申请信息填得不够完整。
    Alice 说：「冬天皮肤特别干，申请时忘了写。」
    [支持申诉] [维持原决定]
    [全部待审核]
    Carol> [支持申诉]
    你选择了：支持申诉。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [你说得对，是我们弄错了，抱歉。]
    [你补充的情况说明了问题。]
    Carol> [你补充的情况说明了问题。]
    ✅ 已决定：支持申诉。理由：你补充的情况说明了问题。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    (A moment passes.)
    Alice hears:
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月5日 12:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    ✅ 你关于 夜间精华试用 的申诉成立。
    理由：你补充的情况说明了问题。
    """,
)
async def test_applications_are_worked_off_one_after_another(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale, approve="hand", quota=2, questions=QUESTIONS) as town:
        await hear_carol(town)
        await town.play(script)
