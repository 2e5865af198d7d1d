"""A trial as people live it in a chat, word for word, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots.serum import QUESTIONS, open_trial, open_trial_town
from tests.dialogue import in_both


@in_both(
    """
    Alice> /trial
    🧴 Night serum trial
    A full box, free.
    1 place, still free. Apply until Mar 16, 12:00.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Alice> [✋ Apply]
    (1/2) What is your skin like?
    Say “cancel” to stop.
    [Dry] [Oily]
    Alice> blue
    Please press one of the buttons, or give its number.
    (1/2) What is your skin like?
    Say “cancel” to stop.
    [Dry] [Oily]
    Alice> [Dry]
    (2/2) Why would you like to try it?
    Say “cancel” to stop.
    [Skip]
    Alice> [Skip]
    🎉 A place in Night serum trial is yours: one Night serum.
    Take it by Mar 5, 12:00; after that it passes on to the next in line.
    [🎁 Take my place]
    [No, thanks]
    Carl> /start
    Hi Carl! This is Night serum trial by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [🧴 See the trial]
    [My invite link]
    [My friends] [Leaderboard]
    Carl> [🧴 See the trial]
    🧴 Night serum trial
    A full box, free.
    The one place is spoken for at the moment. You can still apply until Mar 16, 12:00 and wait in \
    line: it passes on if it is not taken.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Carl> [✋ Apply]
    (1/2) What is your skin like?
    Say “cancel” to stop.
    [Dry] [Oily]
    Carl> 2
    (2/2) Why would you like to try it?
    Say “cancel” to stop.
    [Skip]
    Carl> I am curious.
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are the only one in line.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    Carl> /invite
    (picture: Your invite card with a QR code)
    Here is your invitation to Night serum trial.
    https://tea.example/r/<Carl's code>
    Code: <Carl's code>
    A new friend counts once they have taken a place in the trial. Open until Mar 16.
    [Copy link]
    [My friends] [Leaderboard]
    Bob> /join <Carl's code>
    Welcome, Bob! Carl invited you to Night serum trial.
    A full box, free.
    You are in. Apply now: it counts for Carl once you have a place.
    [🧴 See the trial]
    Bob> [🧴 See the trial]
    🧴 Night serum trial
    A full box, free.
    The one place is spoken for at the moment. You can still apply until Mar 16, 12:00 and wait in \
    line: it passes on if it is not taken.
    How places are given: first come, first served.
    The line: whoever brought more friends who applied is further ahead; with equal numbers, whoever applied first.
    [✋ Apply]
    [Bring friends]
    Bob> [✋ Apply]
    (1/2) What is your skin like?
    Say “cancel” to stop.
    [Dry] [Oily]
    Bob> 1
    (2/2) Why would you like to try it?
    Say “cancel” to stop.
    [Skip]
    Bob> -
    ⏳ You are in line for Night serum trial. I tell you the moment a place is yours.
    You are number 2 of 2 in line. All ahead of you brought more friends who applied.
    Friends of yours who applied: 0. Each one more moves you up.
    [Bring friends]
    [Leave the line]
    (A moment passes.)
    Carl hears:
    👏 Bob has applied for Night serum trial too, thanks to you.
    You are first of 2 in line.
    Friends of yours who applied: 1. Each one more moves you up.
    Alice> [🎁 Take my place]
    📦 Your Night serum is set aside. Where should it go? Please say so by Mar 5, 12:00, or the place passes on.
    (1/5) Who receives it?
    Say “cancel” to stop.
    Alice> Lin Mei
    (2/5) A phone number for the carrier?
    Say “cancel” to stop.
    Alice> 5123 4567
    (3/5) District?
    Say “cancel” to stop.
    Alice> Central
    (4/5) Street and number?
    Say “cancel” to stop.
    Alice> 1 Queen's Road
    (5/5) Is this right?
    Lin Mei
    5123 4567
    Central
    1 Queen's Road
    Hong Kong SAR China
    Say “cancel” to stop.
    [Yes, send it there]
    [Enter it again]
    Alice> [Yes, send it there]
    ✅ Noted. Night serum will be packed; I tell you when it is on its way. Until then you can change the address.
    [Change the address]
    (The parcel leaves.)
    Alice hears:
    🚚 Night serum is on its way with SF Express, tracking number SF123456.
    [📬 It has arrived]
    Alice> [📬 It has arrived]
    Now it is your turn: try Night serum, and tell Acme Tea how it is by Mar 16, 12:00. It takes a minute.
    [✍️ Give feedback]
    [🛒 Buy it]
    12 days later:
    Alice hears:
    ⏰ A reminder. Now it is your turn: try Night serum, and tell Acme Tea how it is by Mar 16, 12:00. \
    It takes a minute.
    [✍️ Give feedback]
    [🛒 Buy it]
    Alice> [✍️ Give feedback]
    (1/4) How do you like Night serum?
    Say “cancel” to stop.
    [★★★★★] [★★★★☆] [★★★☆☆]
    [★★☆☆☆] [★☆☆☆☆]
    Alice> 4
    (2/4) What would you tell a friend about it? A few words are enough.
    Say “cancel” to stop.
    [Skip]
    Alice> Sinks in fast.
    (3/4) Would you like to add a photo? Just send it.
    Say “cancel” to stop.
    [Skip]
    Alice> [Skip]
    (4/4) May Acme Tea show this to others, with the name you have here?
    Say “cancel” to stop.
    [Yes, gladly]
    [No, only the brand]
    Alice> [Yes, gladly]
    💛 Thank you! Acme Tea has your feedback on Night serum trial.
    [🛒 Buy it]
    Alice> /trial
    💛 Thank you! Acme Tea has your feedback on Night serum trial.
    [🛒 Buy it]
    Carol> /trial figures serum
    📊 Night serum trial
    Places given: 1 of 1.
    • 3 applied
    • 1 got a place
    • 1 took it
    • 1 have it in hand
    • 1 gave feedback
    • 0 bought something afterwards
    In line now: 2
    Brought by a friend: 1
    Not taken in time 0 · no feedback 0 · declined 0 · withdrawn 0
    Rating ★★★★☆ 4.0 · 1 may be published
    [💬 Feedback]
    Carol> [💬 Feedback]
    💬 Night serum trial: what people say
    ★★★★☆ Alice · may be published
    “Sinks in fast.”
    [📊 Figures]
    3 days later:
    Bob hears:
    All places in Night serum trial went to others this time. Thank you for waiting.
    """,
    """
    Alice> 试用
    🧴 夜间精华试用
    正装一盒，免费试用。
    共 1 个名额，还剩 1 个，3月16日 12:00 截止申请。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Alice> [✋ 申请试用]
    1/2 你的肤质是？
    发送「取消」可随时退出。
    [干性] [油性]
    Alice> 蓝色
    请点下面的选项，或回复它的序号。
    1/2 你的肤质是？
    发送「取消」可随时退出。
    [干性] [油性]
    Alice> [干性]
    2/2 为什么想试？
    发送「取消」可随时退出。
    [跳过]
    Alice> [跳过]
    🎉 恭喜，你拿到了 夜间精华试用 的名额：夜间精华 一份。
    请在 3月5日 12:00 前领取，逾期会顺延给下一位。
    [🎁 领取名额]
    [不要了]
    Carl> 开始
    Carl，你好！这里是 茶里 的 夜间精华试用。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [🧴 看看试用]
    [我的邀请链接]
    [我的朋友] [排行榜]
    Carl> [🧴 看看试用]
    🧴 夜间精华试用
    正装一盒，免费试用。
    名额（共 1 个）暂时满了。3月16日 12:00 前仍可申请候补，没人领的名额会顺延。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Carl> [✋ 申请试用]
    1/2 你的肤质是？
    发送「取消」可随时退出。
    [干性] [油性]
    Carl> 2
    2/2 为什么想试？
    发送「取消」可随时退出。
    [跳过]
    Carl> 有点好奇
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    目前候补名单上只有你一位。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    Carl> /invite
    (picture: 你的邀请海报和二维码)
    这是你的 夜间精华试用 专属邀请。
    https://tea.example/r/<Carl's code>
    邀请码：<Carl's code>
    新朋友领到试用名额就算数。活动截止 3月16日。
    [复制链接]
    [我的朋友] [排行榜]
    Bob> /join <Carl's code>
    Bob，欢迎你！Carl 邀请你参加 夜间精华试用。
    正装一盒，免费试用。
    你已经在群里了，现在就去申请吧；你领到名额，Carl 的邀请就算数。
    [🧴 看看试用]
    Bob> [🧴 看看试用]
    🧴 夜间精华试用
    正装一盒，免费试用。
    名额（共 1 个）暂时满了。3月16日 12:00 前仍可申请候补，没人领的名额会顺延。
    名额规则：先到先得。
    候补顺序：带来申请的朋友越多越靠前；一样多，先申请的在前。
    [✋ 申请试用]
    [邀请朋友]
    Bob> [✋ 申请试用]
    1/2 你的肤质是？
    发送「取消」可随时退出。
    [干性] [油性]
    Bob> 1
    2/2 为什么想试？
    发送「取消」可随时退出。
    [跳过]
    Bob> -
    ⏳ 你在 夜间精华试用 的候补名单里，轮到你我马上通知。
    当前排位：第 2 位（共 2 人）。排在你前面的人，带来申请的朋友都比你多。
    你带来申请的朋友：0 位。每多一位，排位往前。
    [邀请朋友]
    [退出申请]
    (A moment passes.)
    Carl hears:
    👏 你邀请的 Bob 也申请了 夜间精华试用。
    当前排位：第 1 位（共 2 人）。
    你带来申请的朋友：1 位。每多一位，排位往前。
    Alice> [🎁 领取名额]
    📦 你的 夜间精华 已留好，寄到哪里？请在 3月5日 12:00 前填写地址，逾期名额会顺延。
    1/5 收件人姓名？
    发送「取消」可随时退出。
    Alice> 林小雨
    2/5 收件人手机号？
    发送「取消」可随时退出。
    Alice> 5123 4567
    3/5 区或县？
    发送「取消」可随时退出。
    Alice> 中环
    4/5 详细地址？（街道、小区、门牌号）
    发送「取消」可随时退出。
    Alice> 皇后大道中 1 号
    5/5 请核对收货地址：
    林小雨
    5123 4567
    中环
    皇后大道中 1 号
    中国香港特别行政区
    发送「取消」可随时退出。
    [没错，就寄这里]
    [重新填写]
    Alice> [没错，就寄这里]
    ✅ 地址已保存。夜间精华 准备发货，寄出后我会通知你；发货前可以修改地址。
    [修改地址]
    (The parcel leaves.)
    Alice hears:
    🚚 夜间精华 已发货：SF Express，运单号 SF123456。
    [📬 已收到]
    Alice> [📬 已收到]
    好好体验 夜间精华，记得在 3月16日 12:00 前告诉 茶里 用得怎么样，一分钟就好。
    [✍️ 写反馈]
    [🛒 去购买]
    12 days later:
    Alice hears:
    ⏰ 提醒一下：好好体验 夜间精华，记得在 3月16日 12:00 前告诉 茶里 用得怎么样，一分钟就好。
    [✍️ 写反馈]
    [🛒 去购买]
    Alice> [✍️ 写反馈]
    1/4 夜间精华 用得怎么样？打个分吧：
    发送「取消」可随时退出。
    [★★★★★] [★★★★☆] [★★★☆☆]
    [★★☆☆☆] [★☆☆☆☆]
    Alice> 4
    2/4 如果跟朋友聊起它，你会怎么说？几句话就好。
    发送「取消」可随时退出。
    [跳过]
    Alice> 吸收很快
    3/4 想配张照片吗？直接发过来就行。
    发送「取消」可随时退出。
    [跳过]
    Alice> [跳过]
    4/4 茶里 可以公开展示你的评价吗？会带上你的昵称。
    发送「取消」可随时退出。
    [可以公开] [仅品牌可见]
    Alice> [可以公开]
    💛 谢谢！茶里 已收到你对 夜间精华试用 的反馈。
    [🛒 去购买]
    Alice> 我的试用
    💛 谢谢！茶里 已收到你对 夜间精华试用 的反馈。
    [🛒 去购买]
    Carol> /trial figures serum
    📊 夜间精华试用
    名额已发 1 / 1。
    • 申请 3 人
    • 获得名额 1 人
    • 已领取 1 人
    • 已收到 1 人
    • 已反馈 1 人
    • 之后下单 0 人
    目前候补：2 人
    朋友带来的申请：1 人
    逾期未领 0 · 未反馈 0 · 未通过 0 · 已退出 0
    评分 ★★★★☆ 4.0 · 可公开 1 条
    [💬 看反馈]
    Carol> [💬 看反馈]
    💬 夜间精华试用 用户反馈
    ★★★★☆ Alice · 可公开
    「吸收很快」
    [📊 试用数据]
    3 days later:
    Bob hears:
    夜间精华试用 的名额都发完了，这次没轮到你。谢谢你的等待。
    """,
)
async def test_a_box_from_the_first_look_to_the_last_word(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale, questions=QUESTIONS) as town:
        await town.play(script)


async def test_a_code_is_in_the_answer_and_a_second_press_shows_it_again(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en", "promo_code") as town:
        await town.say("Alice", "/trial apply serum")
        first = await town.ask("Alice", "[🎁 Take my place]")
        assert first.startswith("🎁 Night serum is yours:")
        assert "Now it is your turn: try Night serum" in first
        assert await town.ask("Alice", "[🎁 Take my place]") == first
        await town.settle()
        assert town.news("Alice") == []
        await town.later(days=15)
        assert [town.shown(reply).splitlines()[0] for reply in town.news("Alice")] == [
            "Your feedback on Night serum trial has not reached us. Acme Tea would still love to hear it."
        ]
        await town.ask("Alice", "[✍️ Give feedback]")
        assert (await town.ask("Alice", "six")).startswith("Please choose one to five stars.")
        for words in ("2", "[Skip]", "[Skip]"):
            await town.say("Alice", words)
        assert "Thank you!" in await town.ask("Alice", "[No, only the brand]")


async def test_a_draw_says_before_what_binds_it_and_shows_it_after(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en", approve="draw") as town:
        about = await town.ask("Alice", "/trial")
        assert "How places are given: by a draw on Mar 16, 12:00." in about
        await town.say("Alice", "[✋ Apply]")
        await town.say("Bob", "/trial apply serum")
        await town.later(days=15)
        heard = [town.shown(reply).splitlines()[0] for name in ("Alice", "Bob") for reply in town.news(name)]
        assert sorted(heard) == [
            "🎉 A place in Night serum trial is yours: one Night serum.",
            "🎟 The draw for Night serum trial is over, and you were not drawn this time.",
        ]
        assert "The draw was held on Mar 17, 12:00, and anybody can check it." in await town.ask("Dana", "/trial")


async def test_a_dialog_left_half_way_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en", questions=QUESTIONS) as town:
        await town.say("Alice", "/trial apply serum")
        await town.say("Alice", "Dry")
        town.restart()
        await town.later(days=6)
        assert "A place in Night serum trial is yours" in await town.ask("Alice", "Curious.")


async def test_questions_that_changed_meanwhile_are_asked_anew(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en", questions=QUESTIONS) as town:
        await town.say("Alice", "/trial apply serum")
        open_trial(
            town, questions=[QUESTIONS[0], {"key": "age", "text": {"en": "How old are you?", "zh_Hans": "年龄？"}}]
        )
        assert (await town.ask("Alice", "Dry")).startswith("(2/2) Why would you like to try it?")
        again = await town.ask("Alice", "I am curious.")
        assert again.startswith("The questions have changed meanwhile")
        await town.say("Alice", "Dry")
        assert "A place in Night serum trial is yours" in await town.ask("Alice", "31")


async def test_whoever_answers_too_late_is_told_so_and_asked_nothing_more(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en", questions=QUESTIONS) as town:
        await town.say("Alice", "/trial apply serum")
        await town.say("Alice", "Dry")
        await town.later(days=14)
        assert await town.ask("Alice", "Curious.") == "Applications are not open right now."
        assert "Applications are closed." in await town.ask("Alice", "/trial")


async def test_bringing_friends_is_for_the_trial_one_waits_for(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en") as town:
        await town.say("Bob", "/trial apply serum")
        await town.say("Alice", "/trial apply serum")
        open_trial(town, slug="cream")
        await town.say("Alice", "[Bring friends]")
        await town.say("Cem", "/join <Alice's code>")
        await town.say("Cem", "/trial apply serum")
        await town.settle()
        assert "👏 Cem has applied" in town.shown(town.news("Alice")[-1])


async def test_several_trials_are_offered_by_name(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en") as town:
        open_trial(town, slug="cream")
        assert await town.ask("Alice", "/trial") == (
            "Several things can be tried. Which one?\n[Night serum trial]\n[Night serum trial]"
        )
        assert "A place in Night serum trial is yours" in await town.ask("Alice", "/trial apply cream")
        assert (await town.ask("Alice", "/trial cream")).startswith("🎉")


async def test_nobody_but_staff_sees_the_figures(tmp_path: Path) -> None:
    async with open_trial_town(tmp_path, "en") as town:
        assert "📊" not in await town.ask("Alice", "/trial figures serum")
        assert "📊" in await town.ask("Carol", "/trial figures serum")


STEPS = (
    ("Bob: came, has not applied for the trial yet", "Bob：来了，还没申请试用"),
    ("Bob: has applied, waits for a place", "Bob：已申请，等名额"),
    ("Bob: a place is kept for them, counts when they take it", "Bob：有名额了，领取后就算数"),
    ("Bob: has no place in the trial", "Bob：没有试用名额"),
)


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
async def test_an_advocate_sees_how_far_a_friend_came(tmp_path: Path, locale: str) -> None:
    async with open_trial_town(tmp_path, locale) as town:
        await town.say("Alice", "/invite")
        await town.say("Bob", "/join <Alice's code>")
        await town.say("Cem", "/trial apply serum")
        seen = [await town.ask("Alice", "/me")]
        await town.say("Bob", "/trial apply serum")
        seen.append(await town.ask("Alice", "/me"))
        await town.say("Cem", "/trial leave serum")
        seen.append(await town.ask("Alice", "/me"))
        await town.later(hours=80)
        seen.append(await town.ask("Alice", "/me"))
        zh = locale == "zh_Hans"
        for text, (en, chinese) in zip(seen, STEPS, strict=True):
            assert (chinese if zh else en) in text
