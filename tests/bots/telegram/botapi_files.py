"""Files of the pretend Telegram: people send them, the bot asks where they are and downloads them."""

from __future__ import annotations

import time
from typing import Any

from tests.bots.telegram.botapi_wire import Refusal
from tests.bots.telegram.botapi_world import Group, Someone, private

LARGEST_DOWNLOAD = 20 * 1024 * 1024


class FileShelf:
    """What people sent, by file id."""

    token: str
    files: dict[str, bytes]

    def show(
        self, who: Someone, body: bytes, *, kind: str = "photo", media_type: str = "", group: Group | None = None
    ) -> int:
        """Somebody sends a photo, an animation, a video or a document."""
        number = str(self._next())
        self.files[number] = body
        file: dict[str, Any] = {"file_id": number, "file_unique_id": number, "file_size": len(body)}
        if kind == "photo":
            small = file | {"file_id": "small", "file_unique_id": "small", "width": 90, "height": 60, "file_size": 900}
            sent: Any = [small, file | {"width": 1280, "height": 853}]
        else:
            sent = file | {"width": 320, "height": 240, "duration": 2, "mime_type": media_type}
        message = {"message_id": self._next(), "date": int(time.time()), "from": who.json(), kind: sent}
        return self.inject(message=message | {"chat": group.json() if group else private(who)})

    def download(self, path: str) -> bytes:
        """The file at `/file/bot<token>/<path>`. Raises `Refusal`."""
        token, _, name = path.removeprefix("/file/bot").partition("/")
        if token != self.token or name.removeprefix("sent/") not in self.files:
            raise Refusal(404, "Not Found")
        return self.files[name.removeprefix("sent/")]

    def _do_getFile(self, file_id: str) -> dict[str, Any]:
        body = self.files.get(file_id)
        if body is None:
            raise Refusal(400, "Bad Request: invalid file_id")
        if len(body) > LARGEST_DOWNLOAD:
            raise Refusal(400, "Bad Request: file is too big")
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": len(body), "file_path": f"sent/{file_id}"}

    def _next(self) -> int:
        raise NotImplementedError

    def inject(self, **update: Any) -> int:
        raise NotImplementedError
