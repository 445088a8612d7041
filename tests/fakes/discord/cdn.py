"""The fake's CDN: attachments as they were uploaded, one avatar for everybody."""

import base64

from aiohttp import web

from tests.fakes.discord.world import Attachment, snowflake

# A PNG of one transparent pixel.
AVATAR = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Cdn:
    def __init__(self) -> None:
        self.address = ""  # known once the server listens
        self.files: dict[str, Attachment] = {}
        self.breaks_off = False  # in the middle of each file
        self.redirects_to = ""  # instead of each file

    def upload(
        self, filename: str, content: bytes, content_type: str, **extra: object
    ) -> Attachment:
        """Keep a file. `extra` are payload fields such as `duration_secs` and `waveform`."""
        path = f"attachments/{snowflake()}/{filename}"
        file = Attachment(filename, content, content_type, f"{self.address}/{path}", extra)
        self.files[path] = file
        return file

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path.startswith(("avatars/", "embed/avatars/")):
            return web.Response(body=AVATAR, content_type="image/png")
        file = self.files.get(path)
        if file is None:
            return web.Response(status=404)
        if self.redirects_to:
            return web.Response(status=302, headers={"Location": self.redirects_to})
        if self.breaks_off:
            half = web.StreamResponse(headers={"Content-Length": str(len(file.content))})
            await half.prepare(request)
            await half.write(file.content[: len(file.content) // 2])
            assert request.transport is not None
            request.transport.close()
            return half
        return web.Response(body=file.content, headers={"Content-Type": file.content_type})
