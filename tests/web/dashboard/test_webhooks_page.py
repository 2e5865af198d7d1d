"""The pages of webhooks: an address is added, tested, given up, mended and told again; nobody else's is seen."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sqlmodel import Session

from core import ids
from core.outbox import Dispatcher
from referral.campaigns import find_campaign, move
from referral.webhooks import addresses, fanning, sending
from referral.webhooks import hearing as webhooks
from referral.webhooks.models import TYPES
from tests.house import later
from tests.referral.webhooks.receiver import Receiver, serving
from tests.web.brandsite import OTHER, Brandsite, Person, open_brand

PAGE = "/settings/webhooks"
SECRET = re.compile(r"whsec_[\w+/=]{44}")


class Story:
    """The site with a receiver, and the house's way out to it."""

    def __init__(self, site: Brandsite, receiver: Receiver) -> None:
        self.site, self.receiver = site, receiver
        self.dispatcher = Dispatcher(site.house.writer)
        sender = sending.Sender(site.house.writer, addresses.read_allowed("127.0.0.1"))
        self.dispatcher.on(webhooks.EVENTS_TOPIC, sending.number)
        self.dispatcher.on(fanning.SEND_TOPIC, sender, apart=4)

    async def rings(self) -> None:
        while await self.dispatcher.deliver_due():
            pass

    def moves(self, what: str) -> None:
        """The brand's campaign is paused, resumed."""

        def unit(session: Session) -> None:
            move(session, find_campaign(session, self.site.ours.brand_id, self.site.ours.campaign), what)

        self.site.house.do(unit)

    async def adds(self, who: Person, **fields: Any) -> tuple[str, str]:
        """An address is added on the page: (the path of its own page, its secret)."""
        made = await who.post(PAGE, url=self.receiver.url, once=str(ids.new()), **fields)
        assert made.status_code == 303, made.text
        path = made.headers["location"].removeprefix("/b/wild").partition("?")[0]
        return path, SECRET.findall((await who.get(path)).text)[0]


async def opened(stack: AsyncExitStack, folder: Path, locale: str = "en") -> Story:
    site = await stack.enter_async_context(open_brand(folder, locale, webhook_allow="127.0.0.1"))
    receiver = Receiver()
    await stack.enter_async_context(serving(receiver))
    return Story(site, receiver)


async def test_an_address_is_added_tested_and_heard(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        story = await opened(stack, tmp_path)
        mei = await story.site.person("manager")
        assert "Nobody is told yet" in (await mei.get(PAGE)).text
        path, secret = await story.adds(mei, event=["campaign.moved"])
        assert not SECRET.search((await mei.get(path)).text)
        await mei.post(f"{path}/test")
        soon = await mei.post(f"{path}/test")
        assert soon.status_code == 422
        story.moves("pause")
        assert "hx-get" in (await mei.get(path)).text  # something is under way
        await story.rings()
        assert story.receiver.types(secret) == ["webhook.test", "campaign.moved"]
        page = (await mei.get(path)).text
        assert "Delivered" in page
        assert "campaign.moved" in page
        assert "hx-get" not in page
        only = (await mei.get(f"{path}?type=campaign.moved&state=delivered")).text
        assert "#2" in only
        assert "#1 " not in only
        assert "Nothing fits" in (await mei.get(f"{path}?state=failed")).text


async def test_an_address_that_was_given_up_is_shown_loudly_and_goes_on(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        story = await opened(stack, tmp_path)
        mei = await story.site.person("owner")
        path, secret = await story.adds(mei, event=["campaign.moved"])
        story.receiver.says = 410
        story.moves("pause")
        await story.rings()
        assert "it is gone (410)" in (await mei.get(PAGE)).text
        assert "it is gone (410)" in (await mei.get("/")).text
        assert "it is gone" not in (await (await story.site.person("reviewer")).get("/")).text
        page = (await mei.get(path)).text
        assert "Switched off" in page
        assert "closed for today" in page
        story.moves("resume")
        await story.rings()
        assert len(story.receiver.heard) == 1
        story.receiver.says = 200
        assert (await mei.post(f"{path}/resume")).status_code == 303
        await story.rings()
        assert story.receiver.types(secret)[1:] == ["campaign.moved"] * 2
        await mei.post(f"{path}/replay", after="0")
        await story.rings()
        assert len(story.receiver.heard) == 5
        nothing = await mei.post(f"{path}/replay", after="2")
        assert nothing.headers["location"].endswith("said=webhook.nothing")
        delivery = re.findall(r"/again/([0-9a-f-]{36})", (await mei.get(path)).text)[0]
        await mei.post(f"{path}/again/{delivery}")
        await story.rings()
        assert len(story.receiver.heard) == 6


async def test_an_address_is_changed_paused_given_another_secret_and_removed(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        story = await opened(stack, tmp_path, "zh_Hans")
        mei = await story.site.person("owner")
        path, old = await story.adds(mei)
        assert (await mei.post(f"{path}/change", url=story.receiver.url + "?v=2", event=list(TYPES))).status_code == 303
        assert "v=2" in (await mei.get(path)).text
        await mei.post(f"{path}/pause")
        assert "已暂停" in (await mei.get(path)).text
        await mei.post(f"{path}/resume")
        await mei.post(f"{path}/rotate")
        new = SECRET.findall((await mei.get(path)).text)[0]
        story.moves("pause")
        await story.rings()
        assert story.receiver.types(old) == story.receiver.types(new) == ["campaign.moved"]
        assert (await mei.post(f"{path}/remove")).status_code == 303
        assert (await mei.get(path)).status_code == 404
        assert "还没有推送地址" in (await mei.get(PAGE)).text


REFUSED = {
    "": "no address we can send to",
    "http://8.8.8.8/x": "must begin with https",
    "https://10.0.0.1/x": "private network",
    "https://169.254.169.254/latest": "private network",
    "https://[::ffff:10.0.0.1]/": "private network",
    "https://me:secret@shop.example.com/": "no name or password",
    "https://shop.example.com:25/": "Port 25",
    "<script>alert(1)</script>": "must begin with https",
}


async def test_what_cannot_be_an_address_is_refused_with_its_reason(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        story = await opened(stack, tmp_path)
        mei = await story.site.person("owner")
        for url, said in REFUSED.items():
            refused = await mei.post(PAGE, url=url, event="referral.joined")
            assert refused.status_code == 400
            assert said in refused.text or not url, url
            assert "<script>alert" not in refused.text
            assert 'value="referral.joined" checked' in refused.text  # what was chosen is not lost


async def test_one_brand_never_reaches_another_ones(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        story = await opened(stack, tmp_path)
        mei = await story.site.person("owner")
        path, _ = await story.adds(mei)
        story.moves("pause")
        await story.rings()
        delivery = re.findall(r"/again/([0-9a-f-]{36})", (await mei.get(path)).text)[0]
        stranger = await story.site.person("owner", story.site.theirs)
        for asked in (path, f"{path}/list"):
            assert (await stranger.get(asked)).status_code == 404
        for act in ("test", "pause", "resume", "remove", "rotate", "replay", "change", f"again/{delivery}"):
            given = {"after": "0", "url": story.receiver.url}
            assert (await stranger.post(f"{path}/{act}", **given)).status_code == 404, act
        story.receiver.url += "?n=2"
        own, _ = await story.adds(mei)
        assert (await mei.post(f"{own}/again/{delivery}")).status_code == 404
        reviewer = await story.site.person("reviewer")
        assert (await reviewer.get(path)).status_code == 403
        assert OTHER not in (await mei.get(path)).text


async def test_a_browser_that_is_late_or_wrong_gets_an_answer(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        story = await opened(stack, tmp_path)
        mei = await story.site.person("owner")
        path, _ = await story.adds(mei)
        for after in ("", "x", "-1", "9" * 30, "１２"):
            assert (await mei.post(f"{path}/replay", after=after)).status_code == 400
        for query in ("before=x", "before=-1", "state=nonsense", "type=<b>", "before=" + "9" * 40):
            assert (await mei.get(f"{path}?{query}")).status_code in (200, 400)
        assert (await mei.get(f"{PAGE}/nonsense")).status_code == 404
        taken = await mei.post(PAGE, url=story.receiver.url)
        assert (taken.status_code, "already" in taken.text) == (409, True)
        once, url = str(ids.new()), story.receiver.url + "?n=2"
        first, second = [await mei.post(PAGE, url=url, once=once) for _ in range(2)]
        assert first.headers["location"] == second.headers["location"]
        found = story.site.house.ask(lambda session: fanning.endpoints_of(session, story.site.ours.brand_id))
        assert len(found) == 2
        with later(minutes=3):
            assert not SECRET.search((await mei.get(f"{PAGE}/{found[1].id}")).text)  # shown at once or not at all
