"""What a pretend group keeps pinned, and who may pin there."""

from __future__ import annotations

from tests.bots.telegram.botapi_wire import Refusal
from tests.bots.telegram.botapi_world import Group, Shown, Someone


class PinBoard:
    """The part of the server that pins messages."""

    bot: Someone
    groups: dict[int, Group]
    messages: dict[int, list[Shown]]

    def _do_pinChatMessage(self, chat_id: int, message_id: int, disable_notification: bool = False) -> bool:
        group = self._board(chat_id)
        if not any(message.message_id == message_id for message in self.messages.get(chat_id, [])):
            raise Refusal(400, "Bad Request: message to pin not found")
        if message_id not in group.pinned:
            group.pinned.append(message_id)
        return True

    def _do_unpinChatMessage(self, chat_id: int, message_id: int) -> bool:
        group = self._board(chat_id)
        if message_id not in group.pinned:
            raise Refusal(400, "Bad Request: message to unpin not found")
        group.pinned.remove(message_id)
        return True

    def _board(self, chat_id: int) -> Group:
        group = self.groups.get(chat_id)
        if group is None:
            raise Refusal(400, "Bad Request: chat not found")
        status = group.statuses.get(self.bot.id)
        if status in ("left", "kicked"):
            raise Refusal(403, "Forbidden: bot was kicked from the supergroup chat")
        if status != "administrator" or not group.can_pin:
            raise Refusal(400, "Bad Request: not enough rights to manage pinned messages in the chat")
        return group
