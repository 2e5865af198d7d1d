"""Points become things: a voucher's code in private, a parcel with an address, a place in a draw."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, select

from bots.state import Conversation
from core import clock
from core.outbox import Outbox
from rewards.items import draws
from rewards.items.draws import Prize
from tests.bots.till import Till
from tests.dialogue import Town, in_both, open_town


def open_shop(town: Town, folder: Path) -> Till:
    """Coffee by voucher, a teapot by post, and a role nobody here can wear; Alice has 1,000 points."""
    till = Till(town, folder)
    about = {"en": "Show the code at the counter.", "zh_Hans": "到店出示券码即可。"}
    till.offers("coffee", "voucher", "A cup of coffee", "咖啡券", 300, about=about, per_member=2)
    till.fills("coffee", ["CAFE-1,2026-06-30", "CAFE-2,2026-06-30", "CAFE-3,2026-06-30"])
    till.offers("teapot", "physical", "A teapot", "紫砂壶", 500, stock=1, settings={"countries": ["CN"]})
    till.offers(
        "gold",
        "discord_role",
        "Gold for a month",
        "金牌会员（一个月）",
        900,
        settings={"role": "Gold", "group": "1", "days": 30},
    )
    thanks = "For testing our tea" if town.locale == "en" else "感谢试茶"
    town.stage["Alice is given 1,000 points."] = till.gives("Alice", 1000, thanks)
    town.stage["The teapot is shipped."] = till.ships("SF Express" if town.locale == "en" else "顺丰", "SF1234567")
    town.stage["The teapot arrives."] = till.delivers
    return till


@in_both(
    en="""
    Alice> /shop
    What your points buy at Acme Tea
    You have 0 points.
    • A cup of coffee · 300 points · 300 points short
    • A teapot · 500 points · 500 points short
    • Gold for a month · 900 points · needs your account there
    [A cup of coffee]
    [A teapot]
    [Gold for a month]
    [My rewards]
    (Alice is given 1,000 points.)
    Alice hears:
    🎁 Acme Tea gave you 1,000 points: “For testing our tea”
    [My rewards]
    Alice> /rewards
    Yours now: 1,000 points
    • Mar 2 · 1,000 points from Acme Tea, “For testing our tea”: yours
    [Spend points]
    [Why?] [Statement] [Proof]
    Alice> [Spend points]
    What your points buy at Acme Tea
    You have 1,000 points.
    • A cup of coffee · 300 points · 3 left
    • A teapot · 500 points · 1 left
    • Gold for a month · 900 points · needs your account there
    [A cup of coffee]
    [A teapot]
    [Gold for a month]
    [My rewards]
    Alice> [A cup of coffee]
    A cup of coffee
    300 points
    Show the code at the counter.
    3 left.
    Each person can have 2; you have had 0.
    [Get it for 300 points]
    [Back to the shop]
    Alice> [Get it for 300 points]
    A cup of coffee for 300 points? You will have 700 points left.
    [Confirm]
    [Cancel]
    Alice> [Confirm]
    🎁 A cup of coffee is yours:
    • CAFE-1 (until Jun 30)
    [Back to the shop]
    Alice> [Confirm]
    🎁 A cup of coffee is yours:
    • CAFE-1 (until Jun 30)
    [Back to the shop]
    Alice> [Back to the shop]
    What your points buy at Acme Tea
    You have 700 points.
    • A cup of coffee · 300 points · 2 left
    • A teapot · 500 points · 1 left
    • Gold for a month · 900 points · needs your account there
    [A cup of coffee]
    [A teapot]
    [Gold for a month]
    [What I have had] [My rewards]
    Alice> [Gold for a month]
    Gold for a month
    900 points
    This is given on Discord, where we do not know you yet. Link your account with /link, then try again.
    [Back to the shop]
    Alice> [A teapot]
    A teapot
    500 points
    1 left.
    [Get it for 500 points]
    [Back to the shop]
    Alice> [Get it for 500 points]
    A teapot for 500 points? You will have 200 points left.
    [Confirm]
    [Cancel]
    Alice> yes
    ✅ A teapot is yours. Now I need to know where to send it. Only whoever ships it sees your address, and it is \
    erased afterwards.
    (1/8) Who receives it?
    Say “cancel” to stop.
    Alice> 王爱丽
    (2/8) A phone number for the carrier?
    Say “cancel” to stop.
    Alice> 12345
    This does not look right. Please check it once more.
    (2/8) A phone number for the carrier?
    Say “cancel” to stop.
    Alice> 13800138000
    (3/8) Province or state?
    Say “cancel” to stop.
    Alice> 浙江省
    (4/8) Town or city?
    Say “cancel” to stop.
    Alice> 杭州市
    (5/8) District?
    Say “cancel” to stop.
    Alice> 西湖区
    (6/8) Street and number?
    Say “cancel” to stop.
    Alice> 龙井路 1 号
    (7/8) Postcode?
    Say “cancel” to stop.
    [Skip]
    Alice> [Skip]
    (8/8) Is this right?
    王爱丽
    13800138000
    浙江省
    杭州市
    西湖区
    龙井路 1 号
    China
    Say “cancel” to stop.
    [Yes, send it there]
    [Enter it again]
    Alice> [Yes, send it there]
    ✅ Noted. A teapot will be packed; I tell you when it is on its way. Until then you can change the address.
    [Change the address]
    Alice> [Change the address]
    A teapot goes to:
    王爱丽
    13800138000
    浙江省
    杭州市
    西湖区
    龙井路 1 号
    China
    [Change the address]
    Alice> /rewards
    Yours now: 200 points · on its way to you: 500 points · used so far: 300 points
    • Mar 2 · 1,000 points from Acme Tea, “For testing our tea”: yours
    [Spend points]
    [Why?] [Statement] [Proof]
    (The teapot is shipped.)
    Alice hears:
    🚚 A teapot is on its way with SF Express, tracking number SF1234567.
    [What I have had]
    Alice> [Change the address]
    The parcel is on its way or was cancelled; its address can no longer be changed.
    [Back to the shop]
    (The teapot arrives.)
    Alice hears:
    📬 A teapot has arrived. Enjoy it! Your address will be erased.
    [What I have had]
    Alice> /shop mine
    What you have had. Choose one to see it again:
    [Mar 2 · A teapot]
    [Mar 2 · A cup of coffee]
    [Back to the shop]
    Alice> [Mar 2 · A cup of coffee]
    🎁 A cup of coffee is yours:
    • CAFE-1 (until Jun 30)
    [Back to the shop]
    Alice in the group> /shop mine
    (only to Alice)
    That is between us: please write to me in private.
    """,
    zh="""
    Alice> 商城
    茶里 积分商城
    你有 0 积分。
    • 咖啡券 · 300 积分 · 还差 300 积分
    • 紫砂壶 · 500 积分 · 还差 500 积分
    • 金牌会员（一个月） · 900 积分 · 需先绑定账号
    [咖啡券]
    [紫砂壶]
    [金牌会员（一个月）]
    [我的奖励]
    (Alice is given 1,000 points.)
    Alice hears:
    🎁 茶里 给你发放了 1,000 积分：感谢试茶
    [我的奖励]
    Alice> 奖励
    可用：1,000 积分
    • 3月2日 · 1,000 积分，茶里 发放（感谢试茶）：可用
    [积分兑换]
    [为什么？] [对账单] [凭证]
    Alice> [积分兑换]
    茶里 积分商城
    你有 1,000 积分。
    • 咖啡券 · 300 积分 · 剩 3 份
    • 紫砂壶 · 500 积分 · 剩 1 份
    • 金牌会员（一个月） · 900 积分 · 需先绑定账号
    [咖啡券]
    [紫砂壶]
    [金牌会员（一个月）]
    [我的奖励]
    Alice> [咖啡券]
    咖啡券
    300 积分
    到店出示券码即可。
    剩余 3 份。
    每人限兑 2 份，你已兑 0 份。
    [用 300 积分 兑换]
    [返回商城]
    Alice> [用 300 积分 兑换]
    用 300 积分 兑换 咖啡券？兑换后还剩 700 积分。
    [确认]
    [取消]
    Alice> [确认]
    🎁 咖啡券 已到手：
    • CAFE-1（有效期至 6月30日）
    [返回商城]
    Alice> [确认]
    🎁 咖啡券 已到手：
    • CAFE-1（有效期至 6月30日）
    [返回商城]
    Alice> [返回商城]
    茶里 积分商城
    你有 700 积分。
    • 咖啡券 · 300 积分 · 剩 2 份
    • 紫砂壶 · 500 积分 · 剩 1 份
    • 金牌会员（一个月） · 900 积分 · 需先绑定账号
    [咖啡券]
    [紫砂壶]
    [金牌会员（一个月）]
    [我的兑换] [我的奖励]
    Alice> [金牌会员（一个月）]
    金牌会员（一个月）
    900 积分
    这件商品在 Discord 上发放，我们还不认识你的 Discord 账号。请先发送「绑定」关联账号，再来兑换。
    [返回商城]
    Alice> [紫砂壶]
    紫砂壶
    500 积分
    剩余 1 份。
    [用 500 积分 兑换]
    [返回商城]
    Alice> [用 500 积分 兑换]
    用 500 积分 兑换 紫砂壶？兑换后还剩 200 积分。
    [确认]
    [取消]
    Alice> 确认
    ✅ 紫砂壶 兑换成功！接下来请告诉我寄到哪里。地址只给发货人看，送达后会删除。
    1/8 收件人姓名？
    发送「取消」可随时退出。
    Alice> 王爱丽
    2/8 收件人手机号？
    发送「取消」可随时退出。
    Alice> 12345
    看起来不对，请检查后再填一次。
    2/8 收件人手机号？
    发送「取消」可随时退出。
    Alice> 13800138000
    3/8 省份或直辖市？
    发送「取消」可随时退出。
    Alice> 浙江省
    4/8 城市？
    发送「取消」可随时退出。
    Alice> 杭州市
    5/8 区或县？
    发送「取消」可随时退出。
    Alice> 西湖区
    6/8 详细地址？（街道、小区、门牌号）
    发送「取消」可随时退出。
    Alice> 龙井路 1 号
    7/8 邮政编码？
    发送「取消」可随时退出。
    [跳过]
    Alice> [跳过]
    8/8 请核对收货地址：
    王爱丽
    13800138000
    浙江省
    杭州市
    西湖区
    龙井路 1 号
    中国
    发送「取消」可随时退出。
    [没错，就寄这里]
    [重新填写]
    Alice> [没错，就寄这里]
    ✅ 地址已保存。紫砂壶 准备发货，寄出后我会通知你；发货前可以修改地址。
    [修改地址]
    Alice> [修改地址]
    紫砂壶 将寄往：
    王爱丽
    13800138000
    浙江省
    杭州市
    西湖区
    龙井路 1 号
    中国
    [修改地址]
    Alice> 奖励
    可用：200 积分 · 兑换中：500 积分 · 已使用：300 积分
    • 3月2日 · 1,000 积分，茶里 发放（感谢试茶）：可用
    [积分兑换]
    [为什么？] [对账单] [凭证]
    (The teapot is shipped.)
    Alice hears:
    🚚 紫砂壶 已发货：顺丰，运单号 SF1234567。
    [我的兑换]
    Alice> [修改地址]
    包裹已发出或已取消，地址不能再修改。
    [返回商城]
    (The teapot arrives.)
    Alice hears:
    📬 紫砂壶 已送达，祝使用愉快！你的地址会被删除。
    [我的兑换]
    Alice> 兑换 我的
    你兑换过的，点开可以再看：
    [3月2日 · 紫砂壶]
    [3月2日 · 咖啡券]
    [返回商城]
    Alice> [3月2日 · 咖啡券]
    🎁 咖啡券 已到手：
    • CAFE-1（有效期至 6月30日）
    [返回商城]
    Alice in the group> 兑换 我的
    (only to Alice)
    这件事我们私下聊，请私信我。
    """,
)
async def test_points_become_coffee_and_a_teapot(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        open_shop(town, tmp_path)
        await town.play(script)


@in_both(
    en="""
    Alice> hello
    Hi Alice! This is Spring tea by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    (Alice is given 1,000 points.)
    Alice hears:
    🎁 Acme Tea gave you 1,000 points: “For testing our tea”
    [My rewards]
    (Alice gets a cup of coffee.)
    Alice hears:
    🎁 Acme Tea gave you 1 × A cup of coffee: “Sorry”
    🎁 A cup of coffee is yours:
    • CAFE-1 (until Jun 30)
    [What I have had]
    (Somebody takes the rest.)
    (Alice gets a cup of coffee again.)
    Alice hears:
    🎁 Acme Tea gave you 1 × A cup of coffee: “Sorry again”
    [My rewards]
    Carol hears:
    🎁 Acme Tea gave you 2 × A cup of coffee: “-”
    🎁 A cup of coffee is yours:
    • CAFE-2 (until Jun 30)
    • CAFE-3 (until Jun 30)
    [What I have had]
    ⚠️ A cup of coffee is out of codes (0 of 3). Add more with daixin voucher import coffee FILE.
    (More coffee comes.)
    Alice hears:
    🎁 Acme Tea gave you 1 × A cup of coffee: “Sorry again”
    🎁 A cup of coffee is yours:
    • CAFE-4 (until Jun 30)
    [What I have had]
    Alice> /rewards
    Yours now: 1,000 points
    • Mar 2 · 1 × A cup of coffee from Acme Tea, “Sorry again”: handed over
    • Mar 2 · 1 × A cup of coffee from Acme Tea, “Sorry”: handed over
    • Mar 2 · 1,000 points from Acme Tea, “For testing our tea”: yours
    [Spend points]
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice> 你好
    Alice，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    (Alice is given 1,000 points.)
    Alice hears:
    🎁 茶里 给你发放了 1,000 积分：感谢试茶
    [我的奖励]
    (Alice gets a cup of coffee.)
    Alice hears:
    🎁 茶里 给你发放了 1 × 咖啡券：抱歉让你久等
    🎁 咖啡券 已到手：
    • CAFE-1（有效期至 6月30日）
    [我的兑换]
    (Somebody takes the rest.)
    (Alice gets a cup of coffee again.)
    Alice hears:
    🎁 茶里 给你发放了 1 × 咖啡券：再次致歉
    [我的奖励]
    Carol hears:
    🎁 茶里 给你发放了 2 × 咖啡券：-
    🎁 咖啡券 已到手：
    • CAFE-2（有效期至 6月30日）
    • CAFE-3（有效期至 6月30日）
    [我的兑换]
    ⚠️ 咖啡券 的券码已发完（0/3）。请用 daixin voucher import coffee 文件 补充。
    (More coffee comes.)
    Alice hears:
    🎁 茶里 给你发放了 1 × 咖啡券：再次致歉
    🎁 咖啡券 已到手：
    • CAFE-4（有效期至 6月30日）
    [我的兑换]
    Alice> 奖励
    可用：1,000 积分
    • 3月2日 · 1 × 咖啡券，茶里 发放（再次致歉）：已发放
    • 3月2日 · 1 × 咖啡券，茶里 发放（抱歉让你久等）：已发放
    • 3月2日 · 1,000 积分，茶里 发放（感谢试茶）：可用
    [积分兑换]
    [为什么？] [对账单] [凭证]
    """,
)
async def test_a_gift_that_is_out_of_stock_comes_later(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        till = open_shop(town, tmp_path)
        await town.say("Carol", "/help")
        sorry, again = ("Sorry", "Sorry again") if locale == "en" else ("抱歉让你久等", "再次致歉")
        town.stage |= {
            "Alice gets a cup of coffee.": till.gives("Alice", 1, sorry, "item:coffee"),
            "Somebody takes the rest.": till.gives("Carol", 2, "-", "item:coffee"),
            "Alice gets a cup of coffee again.": till.gives("Alice", 1, again, "item:coffee"),
            "More coffee comes.": lambda: till.fills("coffee", ["CAFE-4,2026-06-30"]),
        }
        await town.play(script)


async def test_an_address_and_a_code_lie_nowhere_in_clear(tmp_path: Path) -> None:
    def kept(session: Session) -> str:
        talks = [str(row.data) for row in session.exec(select(Conversation)).all()]
        return " ".join([*talks, *(str(row.payload) for row in session.exec(select(Outbox)).all())])

    async with open_town(tmp_path) as town:
        till = open_shop(town, tmp_path)
        await town.say("Alice", "/shop")
        await town.play("(Alice is given 1,000 points.)")
        for words in ("/shop teapot", "[Get it for 500 points]", "[Confirm]", "Wang Aili", "13800138000", "Zhejiang"):
            await town.say("Alice", words)
        assert not {"Wang Aili", "13800138000", "Zhejiang"} & set(town.do(kept).split("'"))
        assert "Aili" not in town.do(kept)
        town.restart()
        assert "(5/8) District?" in await town.ask("Alice", "Hangzhou")
        till.gives("Alice", 1, "Sorry", "item:coffee")()
        await town.settle()
        assert "CAFE-1" in "".join(town.shown(reply) for reply in town.news("Alice"))
        assert "CAFE" not in town.do(kept)


async def test_a_price_that_changes_while_one_thinks_is_shown_again(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        till = open_shop(town, tmp_path)
        await town.say("Alice", "/shop")
        await town.play("(Alice is given 1,000 points.)")
        await town.say("Alice", "/shop coffee")
        await town.say("Alice", "[Get it for 300 points]")
        till.offers("coffee", "voucher", "A cup of coffee", "咖啡券", 400, per_member=2)
        shown = await town.ask("Alice", "[Confirm]")
        assert "The price has changed" in shown
        assert "A cup of coffee for 400 points? You will have 600 points left." in shown
        assert "CAFE-1" in await town.ask("Alice", "[Confirm]")
        await town.say("Alice", "/shop coffee")
        await town.say("Alice", "[Get it for 400 points]")
        await town.later(minutes=31)
        assert "Your points were not touched" in await town.ask("Alice", "[Confirm]")
        await town.say("Alice", "/shop coffee")
        await town.say("Alice", "[Get it for 400 points]")
        assert "nothing was changed" in await town.ask("Alice", "[Cancel]")
        assert "600 points" in await town.ask("Alice", "/rewards")


async def test_who_has_a_ticket_hears_what_was_drawn(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        till = open_shop(town, tmp_path)
        till.offers("ticket", "ticket", "A ticket", "奖券", 100)
        campaign = town.campaign()

        def opens(session: Session) -> draws.Draw:
            title = {"en": "Tea gala", "zh_Hans": "茶会抽奖"}
            closes = clock.now() + timedelta(days=1)
            prizes = [Prize("PTS", 500)]
            return draws.create_draw(session, town.brand.id, "gala", "ticket", campaign.id, title, prizes, closes)

        await town.say("Alice", "/shop")
        draw = town.do(opens)
        await town.play("(Alice is given 1,000 points.)")
        town.news("Alice")
        await town.say("Alice", "/shop ticket")
        await town.say("Alice", "[Get it for 100 points]")
        receipt = await town.ask("Alice", "[Confirm]")
        assert "No. 1 in Tea gala" in receipt
        assert draw.commitment in receipt
        await town.later(days=1)
        town.do(lambda session: draws.reveal(session, draws.find_draw(session, town.brand.id, "gala")))
        await town.settle()
        [news] = town.news("Alice")
        assert "your No. 1 won place 1 among 1! Your prize: 500 points." in town.shown(news)
        assert "Yours now: 1,400 points" in await town.ask("Alice", "/rewards")
