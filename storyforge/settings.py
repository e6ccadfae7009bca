"""All settings in groups with units, read once by an entry point.

Sources, strongest first: arguments, `STORYFORGE_<GROUP>_<NAME>` variables, the TOML file named
by `STORYFORGE_CONFIG`, the defaults here (which need no server at all).
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

CONFIG_VARIABLE = "STORYFORGE_CONFIG"
GATE_NAMES = ("black", "frozen", "noise", "join")


class Group(BaseModel):
    """A group of settings; unknown names are refused, so that a typo is not silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeSettings(Group):
    """The node itself; it serves one local owner, so it binds to loopback only.

    metrics: whether `/metrics` answers (Prometheus text); closed unless asked for.
    """

    data_dir: Path = Path("var/storyforge")
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    api_processes: int = Field(default=1, ge=1, le=32)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can reach the address."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class DatabaseSettings(Group):
    """`url` empty: SQLite in the data directory. PostgreSQL: postgresql+psycopg://..."""

    url: str = ""
    pool_size: int = Field(default=10, ge=1)
    busy_timeout_s: float = Field(default=30.0, gt=0)


class BrokerSettings(Group):
    """`url` empty: the embedded Valkey, started by `storyforge up`."""

    url: str = ""
    connect_timeout_s: float = Field(default=2.0, gt=0)


class StoreSettings(Group):
    """The object store; `endpoint_url` empty: files in the data directory."""

    endpoint_url: str = ""
    public_endpoint_url: str = ""  # where players reach the same server, if not there
    region: str = "us-east-1"
    access_key: str = Field(default="", repr=False)
    secret_key: str = Field(default="", repr=False)
    videos_bucket: str = "storyforge-videos"
    assets_bucket: str = "storyforge-assets"
    exports_bucket: str = "storyforge-exports"
    internal_bucket: str = "storyforge-internal"
    connect_timeout_s: float = Field(default=3.0, gt=0)
    read_timeout_s: float = Field(default=20.0, gt=0)
    attempts: int = Field(default=4, ge=1, le=10)
    part_mb: int = Field(default=16, ge=5, le=512)


class WriterSettings(Group):
    """Who writes the scripts; `model` and `url` empty: the rule-based writer.

    model: a catalogue name or a model's folder, served by vLLM that the node starts and watches;
    with `url` the name by which that server knows it (empty: the only one that it serves).
    url: of an OpenAI-compatible server that runs already; several are separated by commas.
    python: of the environment that vLLM is installed in. devices: cards that get an instance each,
    e.g. `0,2`; empty: the first, or the CPU. cache_gb: decimal, of prompts on each card.
    """

    model: str = ""
    url: str = ""
    key: str = Field(default="", repr=False)
    python: Path | None = None
    devices: str = ""
    cache_gb: float = Field(default=4.0, gt=0)
    context_tokens: int = Field(default=16_384, ge=2_048)
    first_token_s: float = Field(default=60.0, gt=0)
    between_tokens_s: float = Field(default=20.0, gt=0)
    answer_s: float = Field(default=300.0, gt=0)
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.9, gt=0, le=1)
    repairs: int = Field(default=2, ge=0, le=2)
    # How long strings may be is told to the engine itself; xgrammar is slow and wrong at that.
    bounded_strings: Literal["own", "always", "never"] = "own"
    probe_s: float = Field(default=10.0, gt=0)
    probe_deadline_s: float = Field(default=30.0, gt=0)
    start_s: float = Field(default=900.0, gt=0)


class VideoSettings(Group):
    """What films the shots; `model` empty: the storyboard renderer, else a model's folder.

    quality: a preset's name; only `exact` leaves every pixel as the model made it. steps: of the
    denoising, the model's own number when None. shrink: whether a shot that does not fit into the
    device's memory may be rendered smaller and scaled up; otherwise it fails, saying what would fit.
    """

    model: str = ""
    quality: str = "exact"
    steps: int | None = Field(default=None, ge=1, le=1000)
    width: int = Field(default=1280, ge=64, le=4096, multiple_of=2)
    height: int = Field(default=720, ge=64, le=4096, multiple_of=2)
    fps: int = Field(default=24, ge=1, le=120)
    x264_preset: str = "veryfast"
    shrink: bool = False
    encoder: Literal["auto", "nvenc", "x264"] = "auto"  # auto: NVENC where it really works


class GateSettings(Group):
    """What a clip must be to be shown; where the numbers come from is in pipelines/gates.

    off: gates to leave out, by name, separated by commas: black, frozen, noise, join. retakes: how
    often a refused shot is rendered again with another seed. Luma and its changes are of 0-255,
    shares 0-1, colour in CIE76 units, contrast and sharpness in octaves.
    """

    off: str = ""
    retakes: int = Field(default=2, ge=0, le=20)
    black_peak: float = Field(default=32.0, ge=0, le=255)
    black_deviation: float = Field(default=2.0, ge=0)
    black_share: float = Field(default=0.98, gt=0, le=1)
    motion_min: float = Field(default=0.001, ge=0)
    structure_min: float = Field(default=0.1, ge=0, le=1)
    steadiness_min: float = Field(default=0.35, ge=-1, le=1)
    colour_noticed: float = Field(default=2.3, ge=0)
    contrast_noticed: float = Field(default=0.5, ge=0)
    colour_max: float = Field(default=20.0, ge=0)
    contrast_max: float = Field(default=1.5, ge=0)
    sharpness_max: float = Field(default=3.5, ge=0)
    correction_s: float = Field(default=0.5, ge=0)

    @field_validator("off")
    @classmethod
    def _names_are_known(cls, value: str) -> str:
        unknown = {name.strip() for name in value.split(",")} - {"", *GATE_NAMES}
        if unknown:
            raise ValueError(
                f"no gate is named {', '.join(sorted(unknown))}; known are {', '.join(GATE_NAMES)}"
            )
        return value

    @property
    def names_off(self) -> tuple[str, ...]:
        """The gates that are left out, in the order of their names."""
        return tuple(sorted({name.strip() for name in self.off.split(",")} - {""}))


class ModelsSettings(Group):
    """The model store. `root` empty: in the data directory. budget_gb: decimal; 0 for no limit.

    hub_url: a mirror of the hub; empty for the client's own. token: for gated models.
    """

    root: Path | None = None
    budget_gb: float = Field(default=0.0, ge=0)
    hub_url: str = ""
    token: str = Field(default="", repr=False)


class LimitSettings(Group):
    """What a request may ask for."""

    body_bytes: int = 512 * 1024
    picture_bytes: int = 20 * 1024 * 1024
    picture_pixels: int = Field(default=64_000_000, ge=1)
    text_chars: int = 8_000
    title_chars: int = 200
    min_segment_s: float = 1.0
    max_segment_s: float = 120.0
    default_segment_s: float = 8.0
    queued_jobs: int = 10_000
    live_sockets: int = 2_000


class JobSettings(Group):
    """The job core's clocks. Death is noticed within lease_s + sweep_s."""

    lease_s: float = Field(default=30.0, gt=0)
    heartbeat_s: float = Field(default=10.0, gt=0)
    sweep_s: float = Field(default=5.0, gt=0)
    cancel_poll_s: float = Field(default=2.0, gt=0)
    stage_deadline_s: float = Field(default=600.0, gt=0)
    backoff_s: float = Field(default=5.0, ge=0)
    backoff_max_s: float = Field(default=120.0, ge=0)
    lost_attempts: int = Field(default=3, ge=1)
    unavailable_attempts: int = Field(default=12, ge=1)
    loading_attempts: int = Field(default=200, ge=1)  # a model that starts, or sleeps: hours
    device_attempts: int = Field(default=3, ge=1)  # of a job whose device fails or is too small
    stuck_attempts: int = Field(default=2, ge=1)
    batch: int = Field(
        default=4, ge=1, le=32
    )  # jobs of one shape that a film worker claims at once
    batch_patience_s: float = Field(default=300.0, ge=0)  # who has waited longer goes first
    batch_overtaken: int = Field(default=8, ge=1)  # who was overtaken more often goes first
    writers: int = Field(default=2, ge=1, le=64)
    publishers: int = Field(default=1, ge=1, le=64)
    fence: bool = True  # tests switch it off to prove that the oracle sees the damage
    work_ttl_s: float = 7 * 86_400.0
    leftover_grace_s: float = Field(default=3600.0, ge=0)  # then a dead encode's files are deleted


class Settings(BaseSettings):
    """Everything the node can be told; see each group."""

    model_config = SettingsConfigDict(
        env_prefix="STORYFORGE_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="ignore",
        frozen=True,
    )

    node: NodeSettings = NodeSettings()
    database: DatabaseSettings = DatabaseSettings()
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    writer: WriterSettings = WriterSettings()
    video: VideoSettings = VideoSettings()
    gates: GateSettings = GateSettings()
    models: ModelsSettings = ModelsSettings()
    limits: LimitSettings = LimitSettings()
    jobs: JobSettings = JobSettings()
    # For tests only: stage:point:action, see storyforge/failpoints.py
    failpoint: str = Field(default="", validation_alias="FAILPOINT")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, os.environ.get(CONFIG_VARIABLE) or None)
        return init_settings, env_settings, toml

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database.url or f"sqlite:///{self.node.data_dir.resolve()}/storyforge.db"

    @property
    def work_dir(self) -> Path:
        """Where jobs keep their saved stage results on this host."""
        return self.node.data_dir / "work"

    @property
    def quarantine_dir(self) -> Path:
        """Where the devices that are out of service are noted."""
        return self.node.data_dir / "devices"

    @property
    def profiles_dir(self) -> Path:
        """Where the measured profiles of this host's cards are kept."""
        return self.node.data_dir / "profiles"

    @property
    def models_dir(self) -> Path:
        """Where the model store is."""
        return self.models.root or self.node.data_dir / "models"


def load_settings() -> Settings:
    """Read the settings; entry points call this once and hand them down."""
    return Settings()
