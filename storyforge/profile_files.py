"""Keeps the profiles of this host's cards: one JSON file each, by the card's UUID or name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import ValidationError

from storyforge.domain.profile import DeviceProfile
from storyforge.errors import SetupProblem

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9.-]+")
_AGAIN = "make it again with `storyforge bench`, or remove the file"


def profile_path(folder: Path, device: str) -> Path:
    """Where a card's profile lies. device: its UUID, else its name."""
    return folder / f"profile-{_NOT_A_NAME.sub('_', device)}.json"


def save_profile(folder: Path, profile: DeviceProfile) -> Path:
    """Keep a card's newest profile: whole or not at all. Gives its file."""
    path = profile_path(folder, profile.uuid or profile.device)
    folder.mkdir(parents=True, exist_ok=True)
    write_profile(path, profile)
    return path


def write_profile(path: Path, profile: DeviceProfile) -> None:
    """Write a profile to a file: whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}.tmp")
    with part.open("w", encoding="utf-8") as file:
        file.write(profile.model_dump_json(by_alias=True, indent=2))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def find_profile(folder: Path, device: str) -> DeviceProfile | None:
    """The profile of a card, by its UUID or name; None when it was never measured.

    Raises SetupProblem for one that is damaged or of another version.
    """
    path = profile_path(folder, device)
    return read_profile(path) if path.is_file() else None


def read_profile(path: Path) -> DeviceProfile:
    """A profile from a file. Raises SetupProblem when it is missing, damaged or of another version."""
    try:
        return DeviceProfile.model_validate_json(path.read_bytes())
    except FileNotFoundError as exc:
        raise SetupProblem(f"There is no profile {path.name}.") from exc
    except OSError as exc:
        raise SetupProblem(f"The profile {path.name} cannot be read: {exc.strerror}.") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise SetupProblem(
            f"The profile {path.name} is damaged at {where} ({first['msg']}); {_AGAIN}."
        ) from exc


def merged(older: DeviceProfile | None, newer: DeviceProfile) -> DeviceProfile:
    """The newer profile, with the older one's models that it did not measure.

    Only where both are of the same card with the same torch and diffusers; else figures of two
    set-ups would stand side by side.
    """
    if older is None or _setup(older) != _setup(newer):
        return newer
    seen = {one.name for one in newer.models}
    kept = tuple(one for one in older.models if one.name not in seen)
    return newer.model_copy(
        update={"models": newer.models + kept, "switch": newer.switch or older.switch}
    )


def _setup(profile: DeviceProfile) -> tuple[str, ...]:
    return profile.uuid, profile.device, profile.driver, profile.torch, profile.diffusers
