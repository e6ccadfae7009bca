"""The one error taxonomy, read by workers (retry or not) and by HTTP (status).

Three branches: `Rejected` (the caller must change something), `Unavailable` (the same work may
pass later) and `Broken` (this work cannot pass; it goes to the dead letters). Anything else is
a bug. Every class has a `code`, stable on the wire, and an HTTP `status`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class FieldError:
    """One wrong place in a request body: a JSON pointer and what is wrong there."""

    pointer: str
    detail: str


class StoryForgeError(Exception):
    """Root of every error we raise on purpose; `str(error)` is the public detail."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Rejected(StoryForgeError):
    """The request or job can never pass as it is; nothing is retried."""

    code = "rejected"
    status = 400
    title = "Rejected"


class InvalidInput(Rejected):
    """Some field is wrong; `errors` names each one by JSON pointer."""

    code = "invalid_input"
    status = 422
    title = "Invalid input"

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)

    @classmethod
    def at(cls, pointer: str, detail: str) -> Self:
        """One wrong place: its JSON pointer, and what is wrong there."""
        return cls(f"{pointer}: {detail}", [FieldError(pointer, detail)])


class IdempotencyKeyReused(InvalidInput):
    """The same Idempotency-Key came again with another body."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class UnsupportedMediaType(Rejected):
    """The body is not of a type that this route reads."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"


class NotAuthenticated(Rejected):
    """No valid credentials were given."""

    code = "not_authenticated"
    status = 401
    title = "Not authenticated"


class Forbidden(Rejected):
    """The caller may not do this (foreign Host or Origin included)."""

    code = "forbidden"
    status = 403
    title = "Forbidden"


class NotFound(Rejected):
    """No such thing, or somebody else's private thing."""

    code = "not_found"
    status = 404
    title = "Not found"


class Gone(Rejected):
    """The thing was here and is not any more (an old playlist epoch)."""

    code = "gone"
    status = 410
    title = "Gone"


class Conflict(Rejected):
    """The state moved on; the detail names both sides."""

    code = "conflict"
    status = 409
    title = "Conflict"


class TooLarge(Rejected):
    """The body or a field is over its limit."""

    code = "too_large"
    status = 413
    title = "Too large"


class RangeNotSatisfiable(Rejected):
    """The requested byte range has no byte of the object; `size_bytes` is the whole size."""

    code = "range_not_satisfiable"
    status = 416
    title = "Range not satisfiable"

    def __init__(self, detail: str, size_bytes: int) -> None:
        super().__init__(detail)
        self.size_bytes = size_bytes


class ContentRejected(Rejected):
    """Moderation refused the content."""

    code = "content_rejected"
    status = 422
    title = "Content rejected"


class ModelRefused(Rejected):
    """A model repository holds something that could run foreign code; the detail names the file."""

    code = "model_refused"
    status = 422
    title = "Model refused"


class QuotaExceeded(Rejected):
    """The caller has used what it was given."""

    code = "quota_exceeded"
    status = 429
    title = "Quota exceeded"


class Unavailable(StoryForgeError):
    """The same work may pass later; workers back off and try again, bounded."""

    code = "unavailable"
    status = 503
    title = "Unavailable"

    def __init__(self, detail: str, retry_after_s: float = 5.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class QueueFull(Unavailable):
    """Too many jobs wait already."""

    code = "queue_full"
    title = "Queue full"


class NoDeviceFree(Unavailable):
    """No device can take the job now."""

    code = "no_device_free"
    title = "No device free"


class ModelLoading(Unavailable):
    """The model is not ready yet."""

    code = "model_loading"
    title = "Model loading"


class DeviceOutOfMemory(Unavailable):
    """The device ran out of memory for this plan; `doing` says at what, where it is known."""

    code = "device_out_of_memory"
    title = "Device out of memory"

    def __init__(self, detail: str, retry_after_s: float = 5.0, *, doing: str = "") -> None:
        super().__init__(detail, retry_after_s)
        self.doing = doing


class GpuTooSmall(DeviceOutOfMemory):
    """No plan fits the device; the detail names the setting that would."""

    code = "gpu_oom"
    title = "GPU too small"


class DeviceLost(Unavailable):
    """The device's context is gone; the process must end, and the job passes in another one."""

    code = "device_lost"
    title = "Device lost"


class WriterUnreachable(Unavailable):
    """The language model's server did not answer, or broke off."""

    code = "writer_unreachable"
    title = "Writer unreachable"


class StoreUnreachable(Unavailable):
    """The object store did not answer, or answered with a passing failure."""

    code = "store_unreachable"
    title = "Object store unreachable"


class DatabaseUnreachable(Unavailable):
    """The database did not answer."""

    code = "database_unreachable"
    title = "Database unreachable"


class BrokerUnreachable(Unavailable):
    """The broker did not answer."""

    code = "broker_unreachable"
    title = "Broker unreachable"


class DiskFull(Unavailable):
    """The local disk has no room left; the job waits for space."""

    code = "disk_full"
    title = "Disk full"


class Broken(StoryForgeError):
    """This work cannot pass; it goes to the dead letters with its reason."""

    code = "broken"
    status = 500
    title = "Broken"


class ScriptInvalid(Broken):
    """The writer gave no usable script within its bounded repairs."""

    code = "script_invalid"
    title = "Script invalid"


class ContinuityBroken(Broken):
    """The script contradicts the bible and could not be corrected."""

    code = "continuity_broken"
    title = "Continuity broken"


class RenderFailed(Broken):
    """The video model gave no usable frames."""

    code = "render_failed"
    title = "Render failed"


class QualityRefused(Broken):
    """A clip is no picture (black, frozen, noise, no numbers), or does not fit its neighbour."""

    code = "quality"
    title = "Quality refused"


class EncodeFailed(Broken):
    """The encoder refused the frames."""

    code = "encode_failed"
    title = "Encode failed"


class NarrationFailed(Broken):
    """The voice did not speak."""

    code = "narration_failed"
    title = "Narration failed"


class WeightsDamaged(Broken):
    """A model file does not match its recorded checksum."""

    code = "weights_damaged"
    title = "Weights damaged"


class StorageDenied(Broken):
    """The object store refuses our credentials."""

    code = "storage_denied"
    title = "Storage denied"


class StorageFull(Broken):
    """The object store's quota is used up."""

    code = "storage_full"
    title = "Storage full"


class ObjectDamaged(Broken):
    """A stored object does not match its recorded size or checksum."""

    code = "object_damaged"
    title = "Object damaged"


class SetupProblem(StoryForgeError):
    """The node cannot start as configured; the detail names the setting and the cure."""

    code = "setup_problem"
    title = "Set-up problem"
