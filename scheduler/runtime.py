"""Puts a worker process together from the settings: database, store, models, heartbeat."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from inference.devices.nvenc import probe_nvenc
from inference.devices.nvml_reader import NvmlReader, load_nvml
from inference.devices.quarantine import Quarantine
from inference.language.agent.open_agent import open_script_agent
from inference.language.model import LanguageModel, Watchable
from inference.language.rule_writer.writer import RuleWriter
from inference.narration.espeak import EspeakVoice
from inference.video.model import SavingModel, VideoModel
from inference.video.open_model import open_video_model
from inference.video.storyboard.model import StoryboardModel
from models_cache.catalogue.read import read_catalogue
from models_cache.store import model_store
from pipelines.continuation import Tools
from pipelines.continuity.rules import RuleValidator
from pipelines.encoding.encoders import X264, EncoderChoice, choose_encoder
from scheduler.claims import Claims
from scheduler.device_guard import DeviceGuard, Pin
from scheduler.dispatch import CeleryDispatcher, make_celery
from scheduler.drain import Worker
from scheduler.heartbeat import Heartbeat
from scheduler.pace import KnownPeaks, Pace, profile_of
from scheduler.video_choice import choose_video
from storyforge.database.engine import open_database
from storyforge.database.workers import WorkerRecord
from storyforge.domain.job import Lane
from storyforge.errors import SetupProblem
from storyforge.events import RedisEvents
from storyforge.failpoints import Failpoints, parse_failpoints
from storyforge.settings import Settings
from storyforge.storage import open_store
from storyforge.storage.tokens import load_or_make_secret


def build_worker(
    settings: Settings, lane: Lane, device: str, stopping: Callable[[], bool]
) -> Worker:
    """Open everything that this lane needs; call it in the process that will do the work.

    device: the name of the pinned device, or `cpu`. stopping: true once the worker shuts down.
    """
    broker_url = require_broker(settings)
    database = open_database(settings.database_url, settings.database)
    name = f"{lane.value}@{socket.gethostname()}:{os.getpid()}"
    guard = DeviceGuard(pin=_pin(settings, device), suggest=lambda size: _suggested(settings, size))
    pace = _film_kit(settings, lane, device, guard.card)
    tools = Tools(
        language=_language_model(settings, lane),
        validator=RuleValidator(),
        animatic=StoryboardModel(),
        video=pace.video,
        store=open_store(settings),
        video_settings=settings.video,
        work_dir=settings.work_dir,
        gates=settings.gates,
        encoder=_encoder(settings, lane, device),
        voice=EspeakVoice(),
    )
    claims = Claims(
        database,
        lane,
        name,
        settings.jobs,
        fused=pace.fused,
        with_history=isinstance(tools.language, Watchable),
    )
    heartbeat = Heartbeat(
        database,
        settings.jobs,
        _record(name, lane, device, tools, pace.info(settings.video)),
        info=lambda: {**guard.info(), **filming_now(tools.video, claims)},
    )
    guard.listen(heartbeat.end_for)
    heartbeat.start()
    timeout_s = settings.broker.connect_timeout_s
    return Worker(
        name=name,
        lane=lane,
        database=database,
        tools=tools,
        events=RedisEvents(broker_url, timeout_s=timeout_s),
        dispatcher=CeleryDispatcher(make_celery(settings, broker_url)),
        heartbeat=heartbeat,
        failpoints=failpoints_of(settings),
        jobs=settings.jobs,
        stopping=stopping,
        claims=claims,
        device=guard,
    )


def _record(
    name: str, lane: Lane, device: str, tools: Tools, pace: Mapping[str, Any]
) -> WorkerRecord:
    """What the worker's row says from the start."""
    info = {
        "device": device,
        "video": tools.video.name,
        "writer": tools.language.name,
        "encoder": tools.encoder.codec,
        "encoderReason": tools.encoder.reason,
        **pace,
    }
    return WorkerRecord(name=name, role=lane.value, pid=os.getpid(), info=info)


def failpoints_of(settings: Settings) -> Failpoints:
    """The armed failpoints, latched in the data directory."""
    return Failpoints(parse_failpoints(settings.failpoint), settings.work_dir / "failpoints")


def require_broker(settings: Settings) -> str:
    """The broker's URL. Raises SetupProblem when there is none."""
    if not settings.broker.url:
        raise SetupProblem(
            "No broker is set. `storyforge up` starts an embedded one; on its own this process "
            "needs STORYFORGE_BROKER_URL, e.g. redis://127.0.0.1:6379/0."
        )
    return settings.broker.url


def _language_model(settings: Settings, lane: Lane) -> LanguageModel:
    """For the lane that writes, what the settings name: rules, or the script agent on a server.

    Connects to nothing.
    """
    if lane is not Lane.WRITE or not (settings.writer.model or settings.writer.url):
        return RuleWriter()
    secret = load_or_make_secret(settings.node.data_dir / "writer.secret")
    return open_script_agent(settings.writer, secret)


def _pin(settings: Settings, device: str) -> Pin | None:
    """The pinned device; None on the CPU."""
    if not device.isdecimal():
        return None
    return Pin(NvmlReader(load_nvml()), int(device), Quarantine(settings.quarantine_dir))


def _suggested(settings: Settings, total_bytes: int) -> str:
    """The catalogue's video model for a card of that size."""
    pair = read_catalogue(settings.models_dir / "catalogue").recommend(total_bytes)
    return pair.video if pair is not None else ""


def _encoder(settings: Settings, lane: Lane, device: str) -> EncoderChoice:
    """What this process encodes with; tried once, as its child does it."""
    if lane is not Lane.FILM:
        return X264
    probe = (lambda: probe_nvenc(int(device))) if device.isdecimal() else None
    return choose_encoder(settings.video.encoder, probe)


def _film_kit(settings: Settings, lane: Lane, device: str, card: str) -> Pace:
    """The configured model with its card's profile, for the lane that films.

    Weights are loaded by the first render. card: the device's own name.
    """
    if lane is not Lane.FILM:
        return Pace("", StoryboardModel())
    video = settings.video
    catalogue = read_catalogue(settings.models_dir / "catalogue")
    choice = choose_video(video.model, video.steps, catalogue, model_store(settings))
    profile = profile_of(settings.profiles_dir, card)
    model = open_video_model(
        choice.folder,
        device,
        quality=video.quality,
        steps=choice.steps,
        guidance=choice.guidance,
        shift=choice.shift,
        cache_dir=settings.node.data_dir / "compiled",
        shrink=video.shrink,
        known_peak=KnownPeaks(choice.name, profile, choice.entry),
    )
    return Pace(choice.name, model, profile)


def filming_now(video: VideoModel, claims: Claims) -> Mapping[str, Any]:
    """What the worker's device holds and how, for its row: empty where nothing is to be said."""
    if claims.lane is not Lane.FILM:
        return {}
    savings = list(video.savings) if isinstance(video, SavingModel) else []
    return {"savings": savings, "shape": claims.key}
