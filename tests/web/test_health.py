"""What operators and their machines see of a process."""

from __future__ import annotations

from pathlib import Path

from core import outbox
from core.log import hide
from tests.web.site import PREVIEW, open_site


async def test_healthy_while_the_database_answers_and_every_role_is_fit(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        site.health["telegram"] = {"state": "degraded", "detail": "rate limited"}
        answer = await site.client.get("/healthz")
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert answer.json()["database"]["state"] == "ready"
        assert answer.json()["roles"]["telegram"] == {"state": "degraded", "detail": "rate limited"}


async def test_one_dead_platform_is_seen_and_its_secret_is_not(tmp_path: Path) -> None:
    hide("sesame-open-123")
    async with open_site(tmp_path) as site:
        token = "123456789:" + "A" * 35
        site.health["telegram"] = {"state": "down", "detail": f"401 at /bot{token}/getMe sesame-open-123"}
        answer = await site.client.get("/healthz")
        assert answer.status_code == 503
        assert token not in answer.text
        assert "sesame" not in answer.text
        assert (await site.client.get("/livez")).status_code == 200, "it lives, though it is not well"


async def test_a_lost_database_is_unfit(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        site.house.reader.close()
        answer = await site.client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json()["database"]["state"] == "down"
        assert (await site.client.get("/metrics")).status_code == 200


async def test_metrics_count_requests_by_route_commits_touches_and_the_outbox(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        for _ in range(3):
            await site.click(f"/r/{code}")
        await site.click(f"/r/{code}", PREVIEW)
        await site.click("/nowhere/at/all")
        site.house.do(lambda session: outbox.put(session, [outbox.Message("test", "key", {})]))
        text = (await site.client.get("/metrics")).text
        assert 'daixin_requests_total{route="/r/{code}",status="302"} 3.0' in text
        assert 'daixin_requests_total{route="none",status="404"} 1.0' in text
        assert 'daixin_touches_total{robot="no"} 3.0' in text
        assert 'daixin_touches_total{robot="yes"} 1.0' in text
        assert 'daixin_outbox_messages{state="pending"} 1.0' in text
        assert 'daixin_role_up{role="webchat"} 1.0' in text
        assert "daixin_writer_commits_total" in text
        assert code not in text
