"""Members say whether what they buy by a contact alone is theirs."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> /purchases
    When you buy from Acme Tea with an invite code or link, we know it is you; with only your e-mail or phone we do not.
    If you agree, then as soon as one order shows both you and that contact, \
    later orders with it are counted as yours, too. \
    Of the contact we keep only a fingerprint that cannot be turned back. \
    You can take this back at any time.
    [Yes, count them]
    Alice> [Yes, count them]
    Done. Buy once from Acme Tea in a way that shows it is you and leave your e-mail or phone: \
    later orders with that contact alone are then yours, too.
    [Take it back]
    Alice> [Yes, count them]
    Done. Buy once from Acme Tea in a way that shows it is you and leave your e-mail or phone: \
    later orders with that contact alone are then yours, too.
    [Take it back]
    Alice> /purchases
    You agreed: what you buy from Acme Tea with only your e-mail or phone is counted as yours, too.
    [Take it back]
    Alice> [Take it back]
    As you wish. What you buy with only your e-mail or phone is not counted as yours.
    [Yes, count them]
    """,
    zh="""
    Alice> 订单关联
    在 茶里 的网店下单时带着邀请码或邀请链接，我们认得出是你；只留了邮箱或手机号，就认不出来。
    同意关联后，只要有一笔订单同时认得出你和这个联系方式，以后用它下的单也都算到你名下。联系方式只存一串还原不出原文的指纹，随时可以撤回。
    [同意关联]
    Alice> [同意关联]
    好的，已开启。在 茶里 用认得出是你的方式下一单，并留下邮箱或手机号，以后只凭它下的单也算到你名下。
    [撤回]
    Alice> 订单关联 撤回
    好的，不关联。只留邮箱或手机号下的单，不会算到你名下。
    [同意关联]
    """,
)  # fmt: skip
async def test_members_say_whether_their_purchases_are_joined_to_them(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
