"""The team of a brand in the chat: who is in it, who comes to it by a code, and who goes."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from core import clock
from referral import audit, members, staff
from tests.dialogue import Town, in_both, open_town
from tests.house import person


def _owner(town: Town, name: str) -> None:
    def give(session: Session) -> None:
        known = members.meet(session, town.brand.id, [person(name, "webchat")], [clock.now()], "message")[0]
        staff.give(session, town.brand.id, known.member_id, "owner", "webchat:boss")

    town.do(give)


@in_both(
    en="""
    Alice> /staff
    You have no role here. If somebody gave you a code, say /staff and the code.
    (Mei is an owner.)
    (Mei reads her news.)
    Mei> /staff
    Who runs Acme Tea
    • Mei · owner
    Your role: owner.
    Besides them, the admins of your own groups may run campaigns.
    [Code for an owner] [Code for a manager] [Code for a reviewer]
    [Remove Mei]
    Mei> [Remove Mei]
    Remove Mei as owner?
    [Yes, remove]
    Mei> [Yes, remove]
    A brand always has at least one owner. Make somebody else an owner first.
    Mei> [Code for a reviewer]
    Send this to the person who is to be reviewer of Acme Tea; they say it to me in private: /staff <code>
    They may then: decide what waits for review. The code works once, within 30 minutes.
    [Copy]
    Ann in the group> /staff <code>
    (only to Ann)
    Please write to me in private for this.
    Ann> /staff <code>
    ✅ You are now reviewer of Acme Tea. You may: decide what waits for review.
    Bea> /staff <code>
    This code does not work: it was mistyped or used before, it is for something else, or its 30 minutes are over. \
    Please ask for a new one.
    1 minutes later:
    Mei hears:
    Ann is now reviewer of Acme Tea. If that is a surprise, take it away: /staff
    Ann> /staff
    Who runs Acme Tea
    • Mei · owner
    • Ann · reviewer
    Your role: reviewer.
    Ann> /staff manager
    Only an owner of the brand can change who runs it.
    Ann> /campaign
    Only admins of the group can manage campaigns.
    Mei> /staff
    Who runs Acme Tea
    • Mei · owner
    • Ann · reviewer
    Your role: owner.
    Besides them, the admins of your own groups may run campaigns.
    [Code for an owner] [Code for a manager] [Code for a reviewer]
    [Remove Mei]
    [Remove Ann]
    Mei> [Remove Ann]
    Remove Ann as reviewer?
    [Yes, remove]
    Mei> [Yes, remove]
    Ann has no role for Acme Tea any more.
    Mei> [Yes, remove]
    This person has no role here.
    1 minutes later:
    Ann hears:
    You are no longer reviewer of Acme Tea. Your rewards and friends stay as they are.
    """,
    zh="""
    Alice> 团队
    你在这里没有角色。如果收到了授权码，请发送「团队」加授权码。
    (Mei is an owner.)
    (Mei reads her news.)
    Mei> 团队
    「茶里」的团队
    • Mei · 所有者
    你的角色：所有者。
    此外，自家群的群管理员也可以管理活动。
    [所有者授权码] [运营授权码] [审核员授权码]
    [移除 Mei]
    Mei> [移除 Mei]
    Mei 目前是所有者，要移除吗？
    [确定移除]
    Mei> [确定移除]
    品牌至少要有一位所有者，请先让另一位成为所有者。
    Mei> [审核员授权码]
    把这句话发给要担任「茶里」审核员的人，请对方私聊我发送：团队 <code>
    权限：处理待审核的事项。30 分钟内有效，只能用一次。
    [复制]
    Ann in the group> 团队 <code>
    (only to Ann)
    请私聊我处理这件事。
    Ann> 团队 <code>
    ✅ 你现在是「茶里」的审核员，可以：处理待审核的事项。
    Bea> 团队 <code>
    这个码无效：可能输错、已用过、用途不符，或已超过 30 分钟。请重新要一个。
    1 minutes later:
    Mei hears:
    Ann 现在是「茶里」的审核员。如果不是你们安排的，请发送「团队」将其移除。
    Ann> 团队
    「茶里」的团队
    • Mei · 所有者
    • Ann · 审核员
    你的角色：审核员。
    Ann> 团队 运营
    只有品牌所有者可以调整团队。
    Ann> 活动
    只有群管理员可以管理活动。
    Mei> 团队
    「茶里」的团队
    • Mei · 所有者
    • Ann · 审核员
    你的角色：所有者。
    此外，自家群的群管理员也可以管理活动。
    [所有者授权码] [运营授权码] [审核员授权码]
    [移除 Mei]
    [移除 Ann]
    Mei> [移除 Ann]
    Ann 目前是审核员，要移除吗？
    [确定移除]
    Mei> [确定移除]
    Ann 已不在「茶里」的团队里。
    Mei> [确定移除]
    这个人没有任何角色。
    1 minutes later:
    Ann hears:
    你不再是「茶里」的审核员。你的奖励和好友不受影响。
    """,
)
async def test_the_team(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        town.stage["Mei is an owner."] = lambda: _owner(town, "Mei")
        town.stage["Mei reads her news."] = lambda: town.news("Mei")
        await town.play(script)
        assert town.do(lambda s: audit.verify_chain(s, town.brand.id)) == []
        acts = [entry.act for entry in town.do(lambda s: audit.entries_of(s, town.brand.id, acts=["staff.take"]))]
        assert acts == ["staff.take"]
