"""Real tiny models in real processes: killed amid denoise and decode, then seen in a browser."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest

from storyforge.database.leases import LOST
from storyforge.domain.job import Job, JobState, Lane, Stage
from tests.chaos.evidence import Evidence
from tests.chaos.node import SWEEPER, WORKERS, Node
from tests.journeys.browser import browsing, find_chromium
from tests.journeys.stage_points import check_node
from tests.journeys.test_browser_playback import PATIENCE_MS, play, playback
from tests.servers.nodes import SQLITE_ONLY, StartNode
from tests.servers.postgres import free_port
from tests.tiny_models.fixtures import TinyModel

# Progress is written twice a second: each half must last longer, and a tiny step takes 10 ms.
STEPS = 200
SECONDS = 5.0
SHOTS = 2
TEXT = "Mira runs through the old forest. At night the fox waits by the river."


def _kill_while(node: Node, job_id: UUID, is_so: Callable[[Job], bool], what: str) -> Job:
    """SIGKILL to the process that films, once the job is as said; gives the job of that moment."""
    seen = node.wait_for(job_id, is_so, what)
    assert seen.state is JobState.LEASED
    assert node.signal_child(Lane.FILM, signal.SIGKILL)
    node.wait_for(job_id, lambda job: job.epoch > seen.epoch, "is claimed again")
    return seen


def _second_shot_is_denoised(job: Job) -> bool:
    return job.stage is Stage.RENDER_SHOTS and job.message == "Rendering shot 2 of 2."


def _frames_are_decoded(job: Job) -> bool:
    return job.stage is Stage.ENCODE_HLS and job.message.startswith("Encoding frame")


def _epochs(evidence: Evidence, job_id: UUID, stage: Stage) -> dict[int, int]:
    """Which attempt the stage (0) and each of its two shots (1, 2) are of."""
    rows = evidence.results[job_id]
    return {row.item: row.epoch for row in rows if row.stage == stage and row.item <= SHOTS}


@pytest.mark.browser
@SQLITE_ONLY
@pytest.mark.parametrize("name", ["wan.wan22_ti2v", "ltx.ltx_t2v"])
def test_a_kill_in_denoise_or_decode_costs_only_what_was_not_saved(
    name: str, start_node: StartNode, tiny_model: TinyModel
) -> None:
    """From POST to the film in Chromium, with two deaths on the way."""
    port = free_port()
    env = {
        "STORYFORGE_NODE_PORT": str(port),
        "STORYFORGE_VIDEO_MODEL": str(tiny_model(name)),
        "STORYFORGE_VIDEO_STEPS": str(STEPS),
        "STORYFORGE_GATES_OFF": "noise,join",  # random weights film noise
        "STORYFORGE_JOBS_LEASE_S": "6",
    }
    node = start_node(env, programs={"api": ("api.main",), **WORKERS, **SWEEPER})
    node.wait_ready(3)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        node.wait_until(lambda: _answers(client), "the API answers")
        scene = client.post("/v1/scenes", json={"title": "Two deaths"}).json()
        asked = client.post(
            f"/v1/scenes/{scene['id']}/continue",
            json={"text": TEXT, "targetDuration": SECONDS, "seed": 7},
        )
        assert asked.status_code == 202, asked.text
        job_id = UUID(asked.json()["jobId"])
        node.accepted.append(job_id)

        denoising = _kill_while(node, job_id, _second_shot_is_denoised, "denoises its 2nd shot")
        decoding = _kill_while(node, job_id, _frames_are_decoded, "is decoded")
        job = node.wait_ended()[job_id]
        assert job.state is JobState.DONE, job.error
        assert job.attempts == {LOST: 2}
        assert denoising.epoch < decoding.epoch < job.epoch

        evidence = check_node(node)
        rendered = _epochs(evidence, job_id, Stage.RENDER_SHOTS)
        assert rendered == {1: denoising.epoch, 2: decoding.epoch, 0: decoding.epoch}
        encoded = _epochs(evidence, job_id, Stage.ENCODE_HLS)
        assert encoded[0] > decoding.epoch
        _plays_in_a_browser(client, scene["pageUrl"], SECONDS)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/scenes").status_code == 200
    except httpx.TransportError:
        return False


def _plays_in_a_browser(client: httpx.Client, page_url: str, seconds: float) -> None:
    found: dict[str, Any]
    with browsing(find_chromium()) as page:
        page.goto(f"{client.base_url}{page_url}?rev=1")
        play(page)
        page.wait_for_function("() => document.getElementById('film').ended", timeout=PATIENCE_MS)
        found = playback(page)
    assert found["csp"] == []
    assert found["error"] is None
    assert found["duration"] == pytest.approx(seconds, abs=0.2)
    assert found["frames"][-1]["time"] == pytest.approx(seconds, abs=0.5)
