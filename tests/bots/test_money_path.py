"""The whole path of money, as it is walked in chat: earned, held, released, withdrawn, received, refunded, owed."""

from __future__ import annotations

from pathlib import Path

from tests.bots.till import Till
from tests.dialogue import in_both, open_town

SHARE = {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 500, "hold_days": 3}
TERMS = {"provider": "manual", "minimum": 500, "fee": 50}


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice> /withdraw
    There is nothing to withdraw right now.
    [My rewards]
    (Bob buys for 200 yuan.)
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has bought something. You earned CN¥10.00, yours on Mar 5, 12:00.
    [My rewards]
    Alice> /rewards
    Yours now: CN¥0.00 · on hold: CN¥10.00 (next release Mar 5)
    • Mar 2 · CN¥10.00 for an order of Bob (Spring tea): held until Mar 5, 12:00, then yours
    [Why?] [Statement] [Proof]
    Alice> /withdraw
    Nothing to withdraw yet: CN¥10.00 is on hold, the next of it until Mar 5, 12:00.
    [My rewards]
    3 days later:
    Alice hears:
    💰 CN¥10.00 added to your balance for bringing Bob to Spring tea.
    [My rewards]
    Alice> [My rewards]
    Yours now: CN¥10.00
    • Mar 2 · CN¥10.00 for an order of Bob (Spring tea): yours
    [Withdraw]
    [Why?] [Statement] [Proof]
    Alice> [Withdraw]
    How much do you want to withdraw by bank transfer? You can have up to CN¥10.00, and at least CN¥5.00. Fee: CN¥0.50.
    Say “cancel” to stop.
    [All: CN¥10.00]
    Alice> 3
    The least you can take out is CN¥5.00.
    How much do you want to withdraw by bank transfer? You can have up to CN¥10.00, and at least CN¥5.00. Fee: CN¥0.50.
    Say “cancel” to stop.
    [All: CN¥10.00]
    Alice> 7.505
    “7.505” has more decimals than CNY allows.
    How much do you want to withdraw by bank transfer? You can have up to CN¥10.00, and at least CN¥5.00. Fee: CN¥0.50.
    Say “cancel” to stop.
    [All: CN¥10.00]
    Alice> 100
    You can use CN¥10.00 at most right now.
    How much do you want to withdraw by bank transfer? You can have up to CN¥10.00, and at least CN¥5.00. Fee: CN¥0.50.
    Say “cancel” to stop.
    [All: CN¥10.00]
    Alice> lots
    “lots” is not an amount.
    How much do you want to withdraw by bank transfer? You can have up to CN¥10.00, and at least CN¥5.00. Fee: CN¥0.50.
    Say “cancel” to stop.
    [All: CN¥10.00]
    Alice> ¥8
    (1/3) Whom should the money go to? The name on the account, please.
    Say “cancel” to stop.
    Alice> Alice Wang
    (2/3) Which account? A bank card, an IBAN, Alipay or the like.
    Say “cancel” to stop.
    Alice> 6222 0212 3456 7899
    This does not look right. Please check it and try again.
    (2/3) Which account? A bank card, an IBAN, Alipay or the like.
    Say “cancel” to stop.
    Alice> 6222 0212 3456 7894
    (3/3) Which bank is it with?
    Say “cancel” to stop.
    [Skip]
    Alice> ICBC
    Noted: bank transfer, A** …7894.
    Please check before it goes out:
    You withdraw CN¥8.00
    Fee: CN¥0.50
    Arrives: CN¥7.50
    By bank transfer to A** …7894
    Acme Tea transfers it by hand; I tell you when it has been paid.
    [Confirm]
    [Pay to somewhere else]
    [Cancel]
    Alice> maybe
    Please press Confirm, or say “yes”. To stop, say “cancel”.
    Please check before it goes out:
    You withdraw CN¥8.00
    Fee: CN¥0.50
    Arrives: CN¥7.50
    By bank transfer to A** …7894
    Acme Tea transfers it by hand; I tell you when it has been paid.
    [Confirm]
    [Pay to somewhere else]
    [Cancel]
    Alice> [Confirm]
    ✅ Noted: CN¥7.50 for A** …7894. Somebody at Acme Tea looks at it first; I tell you when it has been paid.
    Reference: <reference>
    [My withdrawals]
    Alice> [Confirm]
    You confirmed this before; it is paid once only:
    • Mar 5 · CN¥7.50 by bank transfer A** …7894: Acme Tea is looking at it (<reference>)
    [My withdrawals]
    Alice> /rewards
    Yours now: CN¥2.00 · being paid: CN¥8.00
    • Mar 2 · CN¥10.00 for an order of Bob (Spring tea): yours
    [Why?] [Statement] [Proof]
    (The bank pays.)
    Alice hears:
    ✅ CN¥7.50 has been paid: bank transfer A** …7894. Their reference: ICBC20260305
    [My rewards]
    Alice> [My rewards]
    Yours now: CN¥2.00 · paid so far: CN¥7.50
    • Mar 2 · CN¥10.00 for an order of Bob (Spring tea): yours
    [Why?] [Statement] [Proof]
    Alice> /withdraw list
    Your withdrawals:
    • Mar 5 · CN¥7.50 by bank transfer A** …7894: arrived on Mar 5, 12:00 (<reference>)
    [My rewards]
    (Bob gets 50 yuan back.)
    Alice hears:
    We took back CN¥2.50 of your reward for bringing Bob to Spring tea, because your friend's purchase was refunded. \
    You had used it already, so you owe CN¥0.50; it is taken from your next rewards.
    [My rewards]
    (Bob gets the rest back.)
    Alice hears:
    We took back your CN¥7.50 for bringing Bob to Spring tea, because your friend's purchase was refunded. You had \
    used it already, so you owe CN¥8.00; it is taken from your next rewards.
    [My rewards]
    Alice> /rewards
    Yours now: CN¥0.00 · paid so far: CN¥7.50
    You owe CN¥8.00: it had been paid to you when your friend's purchase was refunded. It is taken from your next \
    rewards.
    • Mar 2 · CN¥10.00 for an order of Bob (Spring tea): taken back, because your friend's purchase was refunded
    [Why?] [Statement] [Proof]
    Alice> /withdraw
    There is nothing to withdraw: you still owe CN¥8.00, which is taken from your next rewards.
    [My withdrawals]
    [My rewards]
    (Bob buys for 400 yuan.)
    Alice hears:
    ✅ Bob has bought something. You earned CN¥20.00, yours on Mar 8, 12:00.
    [My rewards]
    3 days later:
    Alice hears:
    💰 CN¥20.00 added to your balance for bringing Bob to Spring tea. CN¥8.00 of it settled what you owed.
    [My rewards]
    Alice> /rewards
    Yours now: CN¥12.00 · paid so far: CN¥7.50
    • Mar 5 · CN¥20.00 for an order of Bob (Spring tea): yours
    • Mar 2 · CN¥10.00 for an order of Bob (Spring tea): taken back, because your friend's purchase was refunded
    [Withdraw]
    [Why?] [Statement] [Proof]
    Alice> /why
    Spring tea: what counted, and why
    • Bob has been in the group since Mar 2, 12:00. The rule asks for 7 days, so it counts on Mar 9, 12:00. The \
    reward of CN¥10.00 was taken back, because your friend's purchase was refunded. You received CN¥20.00.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice> 提现
    目前没有可提现的金额。
    [我的奖励]
    (Bob buys for 200 yuan.)
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已下单，你获得 ¥10.00，将于 3月5日 12:00 入账。
    [我的奖励]
    Alice> 奖励
    可提现：¥0.00 · 冻结中：¥10.00（3月5日 起解冻）
    • 3月2日 · ¥10.00，Bob 下单（春茶会）：冻结至 3月5日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    Alice> 提现
    暂时没有可提现的金额：¥10.00 还在冻结期，最近一笔 3月5日 12:00 解冻。
    [我的奖励]
    3 days later:
    Alice hears:
    💰 ¥10.00 已入账，感谢你邀请 Bob 参加 春茶会。
    [我的奖励]
    Alice> [我的奖励]
    可提现：¥10.00
    • 3月2日 · ¥10.00，Bob 下单（春茶会）：可用
    [提现]
    [为什么？] [对账单] [凭证]
    Alice> [提现]
    通过人工转账提现多少？最多 ¥10.00，最少 ¥5.00。手续费：¥0.50。
    发送「取消」可随时退出。
    [全部 ¥10.00]
    Alice> 3元
    每次最少提现 ¥5.00。
    通过人工转账提现多少？最多 ¥10.00，最少 ¥5.00。手续费：¥0.50。
    发送「取消」可随时退出。
    [全部 ¥10.00]
    Alice> 7.505
    “7.505”的小数位超过了 CNY 的精度。
    通过人工转账提现多少？最多 ¥10.00，最少 ¥5.00。手续费：¥0.50。
    发送「取消」可随时退出。
    [全部 ¥10.00]
    Alice> 一百
    “一百”不是有效金额。
    通过人工转账提现多少？最多 ¥10.00，最少 ¥5.00。手续费：¥0.50。
    发送「取消」可随时退出。
    [全部 ¥10.00]
    Alice> １００
    现在最多可用 ¥10.00。
    通过人工转账提现多少？最多 ¥10.00，最少 ¥5.00。手续费：¥0.50。
    发送「取消」可随时退出。
    [全部 ¥10.00]
    Alice> 8 元
    1/3 收款人姓名？请和账户上的一致。
    发送「取消」可随时退出。
    Alice> 王爱丽
    2/3 收款账号？银行卡号、支付宝账号等都可以。
    发送「取消」可随时退出。
    Alice> 6222 0212 3456 7899
    格式不对，请检查后再填一次。
    2/3 收款账号？银行卡号、支付宝账号等都可以。
    发送「取消」可随时退出。
    Alice> 6222 0212 3456 7894
    3/3 开户银行？（支付宝等可以跳过）
    发送「取消」可随时退出。
    [跳过]
    Alice> 工商银行
    收款信息已保存：人工转账，王** …7894。
    请核对：
    提现 ¥8.00
    手续费：¥0.50
    实际到账：¥7.50
    收款账户：王** …7894（人工转账）
    由 茶里 人工转账，打款后我会通知你。
    [确认]
    [更换收款账户]
    [取消]
    Alice> 再想想
    请点「确认」，或回复「确认」。不想继续请发送「取消」。
    请核对：
    提现 ¥8.00
    手续费：¥0.50
    实际到账：¥7.50
    收款账户：王** …7894（人工转账）
    由 茶里 人工转账，打款后我会通知你。
    [确认]
    [更换收款账户]
    [取消]
    Alice> [确认]
    ✅ 提现申请已提交：¥7.50 将打到 王** …7894。茶里 审核通过后打款，到账后我会通知你。
    单号：<reference>
    [提现记录]
    Alice> [确认]
    这笔之前已经确认过，只会打款一次：
    • 3月5日 · ¥7.50，人工转账 王** …7894：茶里 审核中（<reference>）
    [提现记录]
    Alice> 奖励
    可提现：¥2.00 · 打款中：¥8.00
    • 3月2日 · ¥10.00，Bob 下单（春茶会）：可用
    [为什么？] [对账单] [凭证]
    (The bank pays.)
    Alice hears:
    ✅ ¥7.50 已到账：人工转账 王** …7894。流水号：ICBC20260305
    [我的奖励]
    Alice> [我的奖励]
    可提现：¥2.00 · 已到账：¥7.50
    • 3月2日 · ¥10.00，Bob 下单（春茶会）：可用
    [为什么？] [对账单] [凭证]
    Alice> /withdraw list
    你的提现记录：
    • 3月5日 · ¥7.50，人工转账 王** …7894：3月5日 12:00 已到账（<reference>）
    [我的奖励]
    (Bob gets 50 yuan back.)
    Alice hears:
    邀请 Bob 参加 春茶会 的奖励扣回 ¥2.50：朋友的订单已退款。这笔你已经用掉，所以还有 ¥0.50 待扣，会从之后的奖励里扣。
    [我的奖励]
    (Bob gets the rest back.)
    Alice hears:
    邀请 Bob 参加 春茶会 的 ¥7.50 已扣回：朋友的订单已退款。这笔你已经用掉，所以还有 ¥8.00 待扣，会从之后的奖励里扣。
    [我的奖励]
    Alice> 奖励
    可提现：¥0.00 · 已到账：¥7.50
    你有待扣回的 ¥8.00：奖励发出之后，朋友的订单已退款。会从你之后的奖励里扣。
    • 3月2日 · ¥10.00，Bob 下单（春茶会）：已扣回，朋友的订单已退款
    [为什么？] [对账单] [凭证]
    Alice> 提现
    目前没有可提现的金额：还有 ¥8.00 待扣回，会从之后的奖励里扣。
    [提现记录]
    [我的奖励]
    (Bob buys for 400 yuan.)
    Alice hears:
    ✅ Bob 已下单，你获得 ¥20.00，将于 3月8日 12:00 入账。
    [我的奖励]
    3 days later:
    Alice hears:
    💰 ¥20.00 已入账，感谢你邀请 Bob 参加 春茶会。其中 ¥8.00 已用于抵扣欠款。
    [我的奖励]
    Alice> 奖励
    可提现：¥12.00 · 已到账：¥7.50
    • 3月5日 · ¥20.00，Bob 下单（春茶会）：可用
    • 3月2日 · ¥10.00，Bob 下单（春茶会）：已扣回，朋友的订单已退款
    [提现]
    [为什么？] [对账单] [凭证]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 从 3月2日 12:00 起在群里。规则要求留满 7 天，到 3月9日 12:00 就算数。¥10.00 \
    的奖励已扣回：朋友的订单已退款。已入账 ¥20.00。
    """,
)
async def test_earned_withdrawn_refunded_and_owed(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(
        tmp_path, locale, rewards__rules=[SHARE], rewards__budgets={"CNY": 100_000}, payout=TERMS
    ) as town:
        till = Till(town, tmp_path)
        town.stage = {
            "Bob buys for 200 yuan.": till.buys("Bob", 200),
            "Bob buys for 400 yuan.": till.buys("Bob", 400),
            "The bank pays.": till.bank("paid", "ICBC20260305"),
            "Bob gets 50 yuan back.": till.refunds_last(50),
            "Bob gets the rest back.": till.refunds_last(None),
        }
        await town.play(script)
