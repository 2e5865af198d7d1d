"""The stand-in's REST interface: the requests the adapter makes, with Discord's refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import BodyPartReader, web

from tests.bots.discord.payloads import BOT, Guild, Interaction, Invite, Message, application_json, invite_json
from tests.bots.discord.world import TOKEN, Call, World, dm_channel

Body = dict[str, Any]
Handler = Callable[[web.Request, Any], Awaitable[web.Response]]
BASE = "/api/v10"
PAGE = 1000


def reply(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON with the exact content type that discord.py demands (no charset)."""
    return web.Response(
        body=json.dumps(data).encode(), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


def refused(status: int, code: int, message: str) -> web.Response:
    return reply({"code": code, "message": message}, status)


def routes(world: World) -> Iterable[web.RouteDef]:
    """All routes over one world."""
    table = Rest(world)
    yield web.get("/attachments/{id}", table.download)
    yield from (
        web.route(method, BASE + path, table.guarded(handler))
        for method, path, handler in (
            ("GET", "/users/@me", table.me),
            ("GET", "/oauth2/applications/@me", table.application),
            ("PUT", "/applications/{app}/commands", table.put_commands),
            ("GET", "/gateway/bot", table.gateway_bot),
            ("POST", "/interactions/{id}/{token}/callback", table.callback),
            ("POST", "/webhooks/{app}/{token}", table.follow_up),
            ("PATCH", "/webhooks/{app}/{token}/messages/@original", table.edit_original),
            ("DELETE", "/webhooks/{app}/{token}/messages/@original", table.delete_original),
            ("POST", "/users/@me/channels", table.open_private),
            ("POST", "/channels/{channel}/messages", table.create_message),
            ("PUT", "/channels/{channel}/messages/pins/{message}", table.pin),
            ("DELETE", "/channels/{channel}/messages/pins/{message}", table.unpin),
            ("POST", "/channels/{channel}/invites", table.create_invite),
            ("GET", "/guilds/{guild}/invites", table.list_invites),
            ("DELETE", "/invites/{code}", table.delete_invite),
            ("GET", "/guilds/{guild}/members", table.list_members),
            ("POST", "/guilds/{guild}/members-search", table.search_members),
            ("GET", "/guilds/{guild}/members/{user}", table.get_member),
            ("PUT", "/guilds/{guild}/members/{user}/roles/{role}", table.add_role),
            ("DELETE", "/guilds/{guild}/members/{user}/roles/{role}", table.remove_role),
        )
    )


class Rest:
    """The handlers; each gets the request and its body as data."""

    def __init__(self, world: World) -> None:
        self.world = world

    def guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Record, check the token, refuse what a test wants refused."""

        async def handle(request: web.Request) -> web.StreamResponse:
            body = await _body(request)
            path = request.path.removeprefix(BASE)
            call = Call(request.method, path, body, request.headers.get("X-Audit-Log-Reason", ""))
            self.world.calls.append(call)
            by_token = path.startswith(("/webhooks/", "/interactions/"))
            if not by_token and request.headers.get("Authorization") != f"Bot {TOKEN}":
                return refused(401, 0, "401: Unauthorized")
            if self.world.before_answer is not None:
                await self.world.before_answer(call)
            for prefix, refusal in self.world.broken.items():
                if path.startswith(prefix):
                    return reply(refusal.body, refusal.status, refusal.headers)
            answer = await handler(request, body)
            if self.world.charset and "Content-Type" in answer.headers:
                answer.headers["Content-Type"] += f"; charset={self.world.charset}"
            return answer

        return handle

    async def download(self, request: web.Request) -> web.Response:
        """What people sent, as the CDN gives it out: to anybody who has the address."""
        file = self.world.files.get(request.match_info["id"])
        return web.Response(status=404) if file is None else web.Response(body=file)

    # ---- who we are

    async def me(self, request: web.Request, body: Any) -> web.Response:
        return reply(self.world.bot.json())

    async def application(self, request: web.Request, body: Any) -> web.Response:
        return reply(application_json(self.world.bot))

    async def gateway_bot(self, request: web.Request, body: Any) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        return reply({"url": self.world.gateway_url, "shards": 2, "session_start_limit": limit})

    async def put_commands(self, request: web.Request, body: Any) -> web.Response:
        self.world.commands = body
        return reply([{"id": str(n), "application_id": request.match_info["app"], **c} for n, c in enumerate(body, 1)])

    # ---- interactions

    async def callback(self, request: web.Request, body: Any) -> web.Response:
        interaction = self.world.interactions.get(request.match_info["token"])
        if interaction is None:
            return refused(404, 10062, "Unknown interaction")
        if self.world.refusals and body["type"] in (4, 7):
            return self._refuse()
        if interaction.answer is not None:
            return refused(400, 40060, "Interaction has already been acknowledged.")
        data = {**(body.get("data") or {}), "files": body.get("files")}
        problem = _problem(data) if body["type"] in (4, 7) else None
        if problem is not None:
            return problem
        interaction.answer = body["type"]
        message = self._called_back(interaction, body["type"], data, body.get("files") or {})
        answer: Body = {"interaction": {"id": interaction.id, "type": 2}}
        if message is not None:
            answer["interaction"]["response_message_id"] = message.id
            answer["resource"] = {"type": body["type"], "message": message.json()}
        return reply(answer)

    def _called_back(self, interaction: Interaction, kind: int, data: Body, files: Body) -> Message | None:
        match kind:
            case 4 | 5:
                sees = interaction.user.id if data.get("flags", 0) & 64 else None
                channel = self.world.channel_of(interaction)
                interaction.original = self._add(channel, data, files, sees)
                interaction.original.thinking = kind == 5
            case 6:
                interaction.original = interaction.message
            case 7:
                assert interaction.message is not None
                interaction.original = interaction.message
                _edit(interaction.message, data, files)
            case 9:
                interaction.modal = data
                return None
        return interaction.original

    async def follow_up(self, request: web.Request, body: Any) -> web.Response:
        interaction = self.world.interactions[request.match_info["token"]]
        if interaction.answer is None:
            return refused(404, 10015, "Unknown Webhook")
        if self.world.refusals:
            return self._refuse()
        sees = interaction.user.id if body.get("flags", 0) & 64 else None
        original = interaction.original
        if original is not None and original.thinking and not original.deleted:
            original.thinking = False
            _edit(original, body, body.get("files") or {})
            return reply(original.json())
        message = self._add(self.world.channel_of(interaction), body, body.get("files") or {}, sees)
        return reply(message.json())

    async def edit_original(self, request: web.Request, body: Any) -> web.Response:
        original = self.world.interactions[request.match_info["token"]].original
        if original is None or original.deleted:
            return refused(404, 10008, "Unknown Message")
        if self.world.refusals:
            return self._refuse()
        filled, original.thinking = original.thinking, False
        _edit(original, body, body.get("files") or {})
        original.edited = not filled
        return reply(original.json())

    async def delete_original(self, request: web.Request, body: Any) -> web.Response:
        original = self.world.interactions[request.match_info["token"]].original
        if original is None or original.deleted:
            return refused(404, 10008, "Unknown Message")
        original.deleted = True
        return web.Response(status=204)

    # ---- messages

    async def open_private(self, request: web.Request, body: Any) -> web.Response:
        user = self.world.users.get(str(body["recipient_id"]))
        if user is None:
            return refused(404, 10013, "Unknown User")
        return reply({"id": dm_channel(user.id), "type": 1, "recipients": [user.json()]})

    async def create_message(self, request: web.Request, body: Any) -> web.Response:
        channel = request.match_info["channel"]
        if self.world.refusals:
            return self._refuse()
        private = next((user for user in self.world.users.values() if dm_channel(user.id) == channel), None)
        if private is None and not any(channel in guild.channels for guild in self.world.guilds.values()):
            return refused(404, 10003, "Unknown Channel")
        if private is not None and not private.accepts_messages:
            return refused(403, 50007, "Cannot send messages to this user")
        problem = _problem(body)
        if problem is not None:
            return problem
        known = self._of_nonce(channel, body) or self._add(channel, body, body.get("files") or {}, None)
        return reply(known.json())

    def _of_nonce(self, channel: str, body: Body) -> Message | None:
        """The message that was posted under this name already, if names are to be unique."""
        if not body.get("enforce_nonce"):
            return None
        return next((one for one in self.world.messages if (one.channel, one.nonce) == (channel, body["nonce"])), None)

    async def pin(self, request: web.Request, body: Any) -> web.Response:
        return self._pinned(request, True)

    async def unpin(self, request: web.Request, body: Any) -> web.Response:
        return self._pinned(request, False)

    def _pinned(self, request: web.Request, pinned: bool) -> web.Response:
        if self.world.may_not_pin:
            return refused(403, 50013, "Missing Permissions")
        where = (request.match_info["channel"], request.match_info["message"])
        message = next((one for one in self.world.messages if (one.channel, one.id) == where), None)
        if message is None or message.deleted:
            return refused(404, 10008, "Unknown Message")
        message.pinned = pinned
        return web.Response(status=204)

    def _add(self, channel: str, data: Body, files: Body, sees: str | None) -> Message:
        message = Message(self.world.next_id(), channel, data.get("content") or "", data.get("components") or [], sees)
        message.image = next(iter(files.values()), None)
        message.mentions = data.get("allowed_mentions")
        message.nonce = data.get("nonce")
        self.world.messages.append(message)
        return message

    def _refuse(self) -> web.Response:
        refusal = self.world.refusals[0]
        refusal.times -= 1
        if refusal.times <= 0:
            self.world.refusals.popleft()
        return reply(refusal.body, refusal.status, refusal.headers)

    # ---- guilds

    def _guild(self, request: web.Request) -> Guild:
        return self.world.guilds[request.match_info["guild"]]

    async def create_invite(self, request: web.Request, body: Any) -> web.Response:
        channel = request.match_info["channel"]
        guild = next(guild for guild in self.world.guilds.values() if channel in guild.channels)
        if len(guild.invites) >= guild.invite_limit:
            return refused(400, 30016, "Maximum number of invites reached (1000)")
        reason = request.headers.get("X-Audit-Log-Reason", "")
        code = f"made{self.world.next_id()}"
        invite = Invite(code, channel, BOT, max_uses=body["max_uses"], max_age=body["max_age"], reason=reason)
        guild.invites[code] = invite
        await self.world.tell_created(code, guild=guild.id)
        return reply(invite_json(guild, invite))

    async def list_invites(self, request: web.Request, body: Any) -> web.Response:
        guild = self._guild(request)
        return reply([invite_json(guild, invite) for invite in guild.invites.values()])

    async def delete_invite(self, request: web.Request, body: Any) -> web.Response:
        for guild in self.world.guilds.values():
            invite = guild.invites.pop(request.match_info["code"], None)
            if invite is not None:
                await self.world.tell_deleted(invite.code, guild=guild.id)
                return reply(invite_json(guild, invite))
        return refused(404, 10006, "Unknown Invite")

    async def list_members(self, request: web.Request, body: Any) -> web.Response:
        after = int(request.query.get("after", "0"))
        members = sorted(self._guild(request).members.values(), key=lambda member: int(member.user.id))
        return reply([member.json() for member in members if int(member.user.id) > after][:PAGE])

    async def search_members(self, request: web.Request, body: Any) -> web.Response:
        if self.world.index_builds > 0:
            self.world.index_builds -= 1
            return reply({"code": 110000, "message": "Index not yet available", "retry_after": 1}, 202)
        asked = body["and_query"]["user_id"]["or_query"]
        members = [member for member in self._guild(request).members.values() if member.user.id in asked]
        found = [
            {
                "member": member.json(),
                "source_invite_code": member.source,
                "join_source_type": 5 if member.source else 6,
                "inviter_id": None,
            }
            for member in members
        ]
        return reply({"guild_id": request.match_info["guild"], "members": found, "total_result_count": len(found)})

    async def get_member(self, request: web.Request, body: Any) -> web.Response:
        member = self._guild(request).members.get(request.match_info["user"])
        return reply(member.json()) if member else refused(404, 10007, "Unknown Member")

    async def add_role(self, request: web.Request, body: Any) -> web.Response:
        if request.match_info["role"] == "802":
            return refused(403, 50013, "Missing Permissions")
        roles = self._guild(request).members[request.match_info["user"]].roles
        if request.match_info["role"] not in roles:
            roles.append(request.match_info["role"])
        return web.Response(status=204)

    async def remove_role(self, request: web.Request, body: Any) -> web.Response:
        self._guild(request).members[request.match_info["user"]].roles.remove(request.match_info["role"])
        return web.Response(status=204)


async def _body(request: web.Request) -> Any:
    """JSON, or multipart's `payload_json` with the uploads under `files`."""
    if request.content_type == "multipart/form-data":
        payload: Body = {}
        files: Body = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "payload_json":
                payload = json.loads(await part.text())
            else:
                files[part.name or ""] = bytes(await part.read())
        return {**payload, "files": files}
    text = await request.text()
    return json.loads(text) if text else None


def _edit(message: Message, data: Body, files: Body) -> None:
    message.edited = True
    if "content" in data:
        message.content = data["content"] or ""
    if "components" in data:
        message.components = data["components"] or []
    if files:
        message.image = next(iter(files.values()))
    elif data.get("attachments") == []:
        message.image = None


def _problem(data: Body) -> web.Response | None:
    """Discord's limits."""
    content = data.get("content") or ""
    if len(content) > 2000:
        return refused(400, 50035, "content: Must be 2000 or fewer in length.")
    if not content and not data.get("files") and not data.get("attachments"):
        return refused(400, 50006, "Cannot send an empty message")
    seen: set[str] = set()
    rows = data.get("components") or []
    for row in rows:
        for button in row["components"]:
            custom_id = button.get("custom_id")
            if button["type"] == 3:
                options = button.get("options") or []
                values = [option["value"] for option in options]
                fits = all(1 <= len(o["label"]) <= 100 and 1 <= len(o["value"]) <= 100 for o in options)
                if (
                    not fits
                    or not 1 <= len(options) <= 25
                    or len(set(values)) < len(values)
                    or len(row["components"]) > 1
                ):
                    return refused(400, 50035, f"components: {button} is not valid")
                continue
            if custom_id in seen or len(custom_id or "") > 100 or not 1 <= len(button.get("label") or "") <= 80:
                return refused(400, 50035, f"components: {button} is not valid")
            if custom_id:
                seen.add(custom_id)
    if len(rows) > 5 or any(len(row["components"]) > 5 for row in rows):
        return refused(400, 50035, "components: too many")
    return None
