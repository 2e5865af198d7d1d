"""What is said while a group comes to a brand, word for word."""

from __future__ import annotations

from pathlib import Path

from tests.bots.square import Square
from tests.dialogue import in_both
from tests.house import House, fresh_sqlite

EN = """
Mei adds the bot to tea.
Hello! Invite your friends with me: everybody gets a link of their own, and friends who count bring rewards. \
An admin of this group presses the button (or says /connect) to begin.
⚠️ To count invitations I still need here:
• to be an administrator (without it I do not see who joins)
• Invite users via link (for a link of each member's own)
Open the group's profile → Edit → Administrators → choose me (or Add Admin) → switch these on → save.
[Connect this group]
Ann in tea> /connect
Only an admin of this group can do this. If you run the brand, ask me in private for a one-time code (/connect \
code) and say it here.
Mei in tea> /connect
Nobody has started a brand with me yet. Start one for this group: you become its owner. For another name, say \
/connect new and the name.
[Start a new brand “tea lovers”]
Mei in tea> [Start a new brand “tea lovers”]
tea lovers is set up, and you are its owner.
✅ This group now belongs to tea lovers. Its admins can launch campaigns: /campaign
⚠️ To count invitations I still need here:
• to be an administrator (without it I do not see who joins)
• Invite users via link (for a link of each member's own)
Open the group's profile → Edit → Administrators → choose me (or Add Admin) → switch these on → save.
Mei in tea> /connect
This group belongs to tea lovers.
⚠️ To count invitations I still need here:
• to be an administrator (without it I do not see who joins)
• Invite users via link (for a link of each member's own)
Open the group's profile → Edit → Administrators → choose me (or Add Admin) → switch these on → save.
[Disconnect]
Mei> /connect
Groups of tea lovers:
• tea lovers · Telegram
[Code for a group of ours]
[Code for a partner's group]
Mei> /connect code
Say this in the group that is to belong to tea lovers: /connect <code>
It works once, within 30 minutes. The admins of that group may then run campaigns of tea lovers; a partner gets \
the other code.
[Copy]
Li adds the bot to room on wechat.
Hello! Invite your friends with me: everybody gets a link of their own, and friends who count bring rewards.
To begin, somebody who runs the brand asks me in private for a one-time code (/connect code) and says it here.
Li in room on wechat> /connect
I cannot see here who the group's owner is. Somebody who runs the brand asks me in private for a one-time code \
(/connect code) and says it here.
Li in room on wechat> /connect <code>
✅ This group now belongs to tea lovers. Its admins can launch campaigns: /campaign
Li in room on wechat> /connect <code>
This code does not work: it was mistyped or used before, it is for something else, or its 30 minutes are over. \
Please ask for a new one.
Li in room on wechat> /connect foo
This group belongs to tea lovers.
Mei> /connect partner
Send this to the admin of the partner's group, who says it there: /connect <code>
It works once, within 30 minutes. They get the admin's share where a campaign gives one, and see only what came \
of their own group.
[Copy]
Zoe in fans> /connect <code>
✅ This group is now a partner of tea lovers. You get the admin's share where a campaign gives one, and \
/campaign shows you what came of your group.
⚠️ To count invitations I still need here:
• to be an administrator (without it I do not see who joins)
• Invite users via link (for a link of each member's own)
Open the group's profile → Edit → Administrators → choose me (or Add Admin) → switch these on → save.
Zoe in fans> /connect
This group is a partner of tea lovers.
⚠️ To count invitations I still need here:
• to be an administrator (without it I do not see who joins)
• Invite users via link (for a link of each member's own)
Open the group's profile → Edit → Administrators → choose me (or Add Admin) → switch these on → save.
[Disconnect]
Mei in tea> /connect off
Take this group away from tea lovers? Invitations into it no longer count from then on; what has counted stays.
[Yes, disconnect]
Mei in tea> [Yes, disconnect]
This group no longer belongs to tea lovers. What has counted stays. To come back, say /connect.
Mei in tea> [Yes, disconnect]
This group is not connected to any brand.
Mei adds the bot to cake.
Hello! Invite your friends with me: everybody gets a link of their own, and friends who count bring rewards. \
An admin of this group presses the button (or says /connect) to begin.
⚠️ To count invitations I still need here:
• to be an administrator (without it I do not see who joins)
• Invite users via link (for a link of each member's own)
Open the group's profile → Edit → Administrators → choose me (or Add Admin) → switch these on → save.
[Connect this group]
Mei> /connect
Groups of tea lovers:
• room lovers · WeChat
• fans lovers · Telegram · partner
“cake lovers” is waiting: say /connect there.
[Code for a group of ours]
[Code for a partner's group]
Ann> /connect
Groups are connected in the group itself: add me there, then an admin says /connect. With a one-time code of \
the brand, say /connect and the code.
"""
ZH = """
Mei adds the bot to tea.
大家好，我是邀请有礼小助手！人人都有专属邀请链接，朋友达标就有奖励。请本群管理员点下方按钮，或发送「连接」，即可启用。
⚠️ 要准确统计邀请，我在本群还缺这些权限：
• 管理员身份（没有就看不到谁进群）
• 「通过链接邀请用户」（为每位成员生成专属链接）
打开群资料 →「编辑」→「管理员」→ 选择我（没有就先「添加管理员」）→ 打开上述权限 → 保存。
[连接本群]
Ann in tea> 连接
只有本群管理员可以这样做。如果你是品牌负责人，请私聊我发送「连接 连接码」，再把连接码发到这里。
Mei in tea> 连接
还没有品牌。现在就为本群新建一个，你就是所有者。想用别的名字，发送「连接 新建 品牌名」。
[新建品牌「tea lovers」]
Mei in tea> [新建品牌「tea lovers」]
品牌「tea lovers」已建好，你是所有者。
✅ 本群已接入「tea lovers」。群管理员发送「活动」即可开活动。
⚠️ 要准确统计邀请，我在本群还缺这些权限：
• 管理员身份（没有就看不到谁进群）
• 「通过链接邀请用户」（为每位成员生成专属链接）
打开群资料 →「编辑」→「管理员」→ 选择我（没有就先「添加管理员」）→ 打开上述权限 → 保存。
Mei in tea> 连接
本群已接入「tea lovers」。
⚠️ 要准确统计邀请，我在本群还缺这些权限：
• 管理员身份（没有就看不到谁进群）
• 「通过链接邀请用户」（为每位成员生成专属链接）
打开群资料 →「编辑」→「管理员」→ 选择我（没有就先「添加管理员」）→ 打开上述权限 → 保存。
[断开连接]
Mei> 连接
「tea lovers」的群：
• tea lovers · Telegram
[给自家群生成连接码]
[给合作群生成连接码]
Mei> 连接 连接码
在要接入「tea lovers」的群里发送：连接 <code>
30 分钟内有效，只能用一次。连接后，该群管理员可以管理「tea lovers」的活动；合作方的群请用合作群连接码。
[复制]
Li adds the bot to room on wechat.
大家好，我是邀请有礼小助手！人人都有专属邀请链接，朋友达标就有奖励。
启用方法：请品牌负责人私聊我发送「连接 连接码」，再把拿到的连接码发到本群。
Li in room on wechat> 连接
我在这里认不出谁是群主。请品牌负责人私聊我发送「连接 连接码」，再把拿到的连接码发到本群。
Li in room on wechat> 连接 <code>
✅ 本群已接入「tea lovers」。群管理员发送「活动」即可开活动。
Li in room on wechat> 连接 <code>
这个码无效：可能输错、已用过、用途不符，或已超过 30 分钟。请重新要一个。
Li in room on wechat> 连接 foo
本群已接入「tea lovers」。
Mei> 连接 合作群
把这句话发给合作群的群主，由对方在群里发送：连接 <code>
30 分钟内有效，只能用一次。活动设有群主分成时归对方所有，对方只能看到自己群的数据。
[复制]
Zoe in fans> 连接 <code>
✅ 本群已成为「tea lovers」的合作群。活动设有群主分成时归你所有，发送「活动」可查看本群带来的数据。
⚠️ 要准确统计邀请，我在本群还缺这些权限：
• 管理员身份（没有就看不到谁进群）
• 「通过链接邀请用户」（为每位成员生成专属链接）
打开群资料 →「编辑」→「管理员」→ 选择我（没有就先「添加管理员」）→ 打开上述权限 → 保存。
Zoe in fans> 连接
本群是「tea lovers」的合作群。
⚠️ 要准确统计邀请，我在本群还缺这些权限：
• 管理员身份（没有就看不到谁进群）
• 「通过链接邀请用户」（为每位成员生成专属链接）
打开群资料 →「编辑」→「管理员」→ 选择我（没有就先「添加管理员」）→ 打开上述权限 → 保存。
[断开连接]
Mei in tea> 连接 断开
要断开本群与「tea lovers」的连接吗？断开后，进本群不再计入邀请；已计入的不受影响。
[确定断开]
Mei in tea> [确定断开]
本群已与「tea lovers」断开，已计入的不受影响。想恢复时发送「连接」。
Mei in tea> [确定断开]
本群还没有接入任何品牌。
Mei adds the bot to cake.
大家好，我是邀请有礼小助手！人人都有专属邀请链接，朋友达标就有奖励。请本群管理员点下方按钮，或发送「连接」，即可启用。
⚠️ 要准确统计邀请，我在本群还缺这些权限：
• 管理员身份（没有就看不到谁进群）
• 「通过链接邀请用户」（为每位成员生成专属链接）
打开群资料 →「编辑」→「管理员」→ 选择我（没有就先「添加管理员」）→ 打开上述权限 → 保存。
[连接本群]
Mei> 连接
「tea lovers」的群：
• room lovers · 微信
• fans lovers · Telegram · 合作群
「cake lovers」还没有连接：请在群里发送「连接」。
[给自家群生成连接码]
[给合作群生成连接码]
Ann> 连接
连接要在群里进行：先把我拉进群，再由群管理员发送「连接」。手上有品牌的连接码，就在群里发送「连接」加连接码。
"""


@in_both(en=EN, zh=ZH)
async def test_the_words(tmp_path: Path, locale: str, script: str) -> None:
    house = House(fresh_sqlite(tmp_path))
    square = Square(house, "zh_Hans" if locale == "zh" else "en")
    square.telegram.admins |= {("tea", "mei"), ("fans", "zoe")}
    square.telegram.missing = ["administrator", "can_invite_users"]
    await square.play(script)
    house.close()
