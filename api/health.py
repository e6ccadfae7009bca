"""Health: is this process alive, and can the node do its work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.health_checks import Finding
from api.problems import Problem, problem_response
from api.services import Use
from storyforge.domain.wire import Wire

router = APIRouter(prefix="/health", tags=["health"])
_RETRY_AFTER_S = 5.0


class CheckOut(Wire):
    """One dependency as seen just now."""

    name: str
    ok: bool
    detail: str
    degraded: bool = False


@router.get("/live")
def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "alive"}


@router.get("/ready")
def ready(services: Use, request: Request) -> Response:
    """200 when all that a continuation needs is there, 503 saying what is not.

    `status` is `degraded` when the node works without part of what it has; see `checks`.
    """
    findings = services.health.look()
    checks = [_out(finding) for finding in findings]
    down = [finding.name for finding in findings if not finding.ok]
    if not down:
        status = "degraded" if any(finding.degraded for finding in findings) else "ready"
        return JSONResponse({"status": status, "checks": checks})
    problem = Problem(
        503,
        "not_ready",
        "Not ready",
        f"Down: {', '.join(down)}. See checks.",
        retry_after_s=_RETRY_AFTER_S,
        headers={"Retry-After": f"{_RETRY_AFTER_S:.0f}"},
        extra={"checks": checks},
    )
    return problem_response(request, problem)


def _out(finding: Finding) -> dict[str, object]:
    return CheckOut(
        name=finding.name, ok=finding.ok, detail=finding.detail, degraded=finding.degraded
    ).to_json()
