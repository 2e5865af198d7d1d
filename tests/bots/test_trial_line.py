"""The line for a place in a trial, word for word, in both languages."""

from __future__ import annotations

from pathlib import Path

from tests.bots.serum import open_trial_town
from tests.dialogue import in_both


@in_both(
    """
    Alice> /trial apply serum
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 3, 12:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    Bob> /trial
    🧴 Night serum trial
    A full box, free.
    The one place is spoken for at the moment. You can still apply until Mar 16, 12:00 and wait in \
    line: it passes on if it is not taken.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Bob> [✋ Apply]
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    12 hours later:
    Alice hears:
    ⏰ A reminder. 🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 3, 12:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    13 hours later:
    Alice hears:
    The place in Night serum trial that was kept for you was not taken in time and has passed on.
    Bob hears:
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 4, 13:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    Alice> [🎁 Take my place]
    No place is kept for you right now.
    The place in Night serum trial that was kept for you was not taken in time and has passed on.
    Bob> [🎁 Take my place]
    📦 Your Night serum is set aside. Where should it go? Please say so by Mar 4, 13:00, or the place passes on.
    (1/5) Who receives it?
    Say “cancel” to stop.
    Bob> cancel
    Stopped; nothing was changed.
    13 hours later:
    Bob hears:
    ⏰ A reminder. 📦 Your Night serum is set aside. Where should it go? Please say so by Mar 4, 13:00, or the place \
    passes on.
    [Tell the address]
    12 hours later:
    Bob hears:
    We had no address for your Night serum trial in time, so the place has passed on.
    Bob> /trial
    We had no address for your Night serum trial in time, so the place has passed on.
    """,
    """
    Alice> /trial apply serum
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月3日 12:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    Bob> /trial
    🧴 夜间精华试用
    正装一盒，免费试用。
    名额（共 1 个）暂时满了。3月16日 12:00 前仍可申请候补，没人领的名额会顺延。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Bob> [✋ 申请试用]
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    12 hours later:
    Alice hears:
    ⏰ 提醒一下：🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月3日 12:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    13 hours later:
    Alice hears:
    夜间精华试用 为你保留的名额没有按时领取，已顺延给下一位。
    Bob hears:
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月4日 13:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    Alice> [🎁 领取名额]
    目前没有为你保留的名额。
    夜间精华试用 为你保留的名额没有按时领取，已顺延给下一位。
    Bob> [🎁 领取名额]
    📦 你的 夜间精华 已留好，寄到哪里？请在 3月4日 13:00 前填写地址，逾期名额会顺延。
    1/5 收件人姓名？
    发送「取消」可随时退出。
    Bob> 取消
    已取消，没有任何改动。
    13 hours later:
    Bob hears:
    ⏰ 提醒一下：📦 你的 夜间精华 已留好，寄到哪里？请在 3月4日 13:00 前填写地址，逾期名额会顺延。
    [填写地址]
    12 hours later:
    Bob hears:
    夜间精华试用 一直没等到你的收货地址，名额已顺延给下一位。
    Bob> /trial
    夜间精华试用 一直没等到你的收货地址，名额已顺延给下一位。
    """,
)
async def test_a_place_that_is_not_taken_passes_on_and_is_said_to(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale, take_hours=24) as town:
        await town.play(script)


@in_both(
    """
    Alice> /trial apply serum
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 5, 12:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    Bob> /trial apply serum
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Bob> [Leave the line]
    Leave the line for Night serum trial? If you apply again later, you start at its end.
    [No, stay]
    [Yes, leave]
    Bob> [No, stay]
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Bob> [Leave the line]
    Leave the line for Night serum trial? If you apply again later, you start at its end.
    [No, stay]
    [Yes, leave]
    Bob> [Yes, leave]
    You have withdrawn from Night serum trial.
    [Apply again]
    Bob> [Apply again]
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Alice> [No, thanks]
    Give up your place in Night serum trial? It goes to the next in line.
    [No, stay]
    [Yes, leave]
    Alice> [Yes, leave]
    You have withdrawn from Night serum trial.
    [Apply again]
    (A moment passes.)
    Bob hears:
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 5, 12:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    Dana> /trial nothing
    🧴 Night serum trial
    A full box, free.
    The one place is spoken for at the moment. You can still apply until Mar 16, 12:00 and wait in \
    line: it passes on if it is not taken.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Dana> /trial take serum
    🧴 Night serum trial
    A full box, free.
    The one place is spoken for at the moment. You can still apply until Mar 16, 12:00 and wait in \
    line: it passes on if it is not taken.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    """,
    """
    Alice> /trial apply serum
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月5日 12:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    Bob> /trial apply serum
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Bob> [退出申请]
    确定退出 夜间精华试用 的申请吗？之后再申请要重新排队。
    [再想想]
    [确定退出]
    Bob> [再想想]
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Bob> [退出申请]
    确定退出 夜间精华试用 的申请吗？之后再申请要重新排队。
    [再想想]
    [确定退出]
    Bob> [确定退出]
    你已退出 夜间精华试用 的申请。
    [重新申请]
    Bob> [重新申请]
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Alice> [不要了]
    确定放弃 夜间精华试用 的名额吗？名额会给下一位。
    [再想想]
    [确定退出]
    Alice> [确定退出]
    你已退出 夜间精华试用 的申请。
    [重新申请]
    (A moment passes.)
    Bob hears:
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月5日 12:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    Dana> /trial nothing
    🧴 夜间精华试用
    正装一盒，免费试用。
    名额（共 1 个）暂时满了。3月16日 12:00 前仍可申请候补，没人领的名额会顺延。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Dana> /trial take serum
    🧴 夜间精华试用
    正装一盒，免费试用。
    名额（共 1 个）暂时满了。3月16日 12:00 前仍可申请候补，没人领的名额会顺延。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    """,
)
async def test_who_leaves_is_asked_first_and_may_come_back(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    """
    Alice> /trial
    🧴 Night serum trial
    A full box, free.
    1 place, still free. Apply until Mar 16, 12:00.
    How places are given: Acme Tea looks at every application.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Alice> [✋ Apply]
    📝 Your application for Night serum trial is in. Acme Tea looks at each one; I tell you as soon as it is decided.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Bob> /trial apply serum
    📝 Your application for Night serum trial is in. Acme Tea looks at each one; I tell you as soon as it is decided.
    You are number 2 of 2 in line. All ahead of you applied earlier.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    (Mei approves Alice.)
    Alice hears:
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 5, 12:00; after that it passes on to the next in line.
    Acme Tea: Fits well.
    [🎁 Take my place]
    [No, thanks]
    (Mei declines Bob.)
    Bob hears:
    Acme Tea did not choose you for Night serum trial this time: Dry skin only, this time.
    [Appeal]
    Bob> /trial
    Acme Tea did not choose you for Night serum trial this time: Dry skin only, this time.
    [Appeal]
    """,
    """
    Alice> /trial
    🧴 夜间精华试用
    正装一盒，免费试用。
    共 1 个名额，还剩 1 个，3月16日 12:00 截止申请。
    名额规则：由 茶里 逐一审核申请。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Alice> [✋ 申请试用]
    📝 已收到你对 夜间精华试用 的申请。茶里 会逐一审核，有结果我马上告诉你。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Bob> /trial apply serum
    📝 已收到你对 夜间精华试用 的申请。茶里 会逐一审核，有结果我马上告诉你。
    当前排位：第 2 位（共 2 人）。排在你前面的人都比你先申请。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    (Mei approves Alice.)
    Alice hears:
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月5日 12:00 前领取，逾期会顺延给下一位。
    茶里：Fits well.
    [🎁 领取名额]
    [不要了]
    (Mei declines Bob.)
    Bob hears:
    夜间精华试用 这次没有选上你。茶里 的说明：Dry skin only, this time.
    [我要申诉]
    Bob> /trial
    夜间精华试用 这次没有选上你。茶里 的说明：Dry skin only, this time.
    [我要申诉]
    """,
)
async def test_a_person_decides_and_the_reason_is_told(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale, approve="hand") as town:
        await town.play(script)


@in_both(
    """
    Alice> /trial
    🧴 Night serum trial
    A full box, free.
    1 place, still free. Apply until Mar 16, 12:00.
    How places are given: once 2 of your friends applied too, a place is yours at once while there are any. What is \
    left when applications close goes down the line.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Alice> [✋ Apply]
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    """,
    """
    Alice> /trial
    🧴 夜间精华试用
    正装一盒，免费试用。
    共 1 个名额，还剩 1 个，3月16日 12:00 截止申请。
    名额规则：带 2 位朋友来申请，有名额就直接给你；截止后剩下的名额按候补顺序发放。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Alice> [✋ 申请试用]
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    """,
)
async def test_friends_who_apply_give_a_place_at_once(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale, friends=2) as town:
        await town.play(script)


@in_both(
    """
    Alice in the group> /trial
    (only to Alice)
    🧴 Night serum trial
    A full box, free.
    1 place, still free. Apply until Mar 16, 12:00.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Alice in the group> /trial apply serum
    (only to Alice)
    That is between us: please write to me in private.
    """,
    """
    Alice in the group> /trial
    (only to Alice)
    🧴 夜间精华试用
    正装一盒，免费试用。
    共 1 个名额，还剩 1 个，3月16日 12:00 截止申请。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Alice in the group> /trial apply serum
    (only to Alice)
    这件事我们私下聊，请私信我。
    """,
)
async def test_in_a_group_it_is_shown_to_one_and_asked_in_private(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale) as town:
        await town.play(script)
