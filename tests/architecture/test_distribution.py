"""What we install: exact pins, names that are ours alone, lockfiles without addresses."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection
from importlib.metadata import distribution, packages_distributions
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source_tree import PACKAGES, ROOT, tracked_files

OURS = "storyforge"  # the distribution
PIN = re.compile(r"^[A-Za-z0-9._-]+==[^\s=*]+$")


def pins() -> dict[str, str]:
    parts = (line.partition("==") for line in constraint_lines())
    return {canonicalize_name(name): version for name, _, version in parts}


def constraint_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [bare for line in lines if (bare := line.split("#")[0].strip())]


def test_every_constraint_is_an_exact_pin() -> None:
    assert [line for line in constraint_lines() if not PIN.match(line)] == []


def test_every_package_that_we_install_is_pinned_as_installed() -> None:
    pinned = pins()
    wrong = {
        name: f"installed {version}, pinned {pinned.get(name)}"
        for name, version in _installed_closure().items()
        if pinned.get(name) != version
    }
    assert wrong == {}


def test_the_direct_dependencies_allow_their_pins() -> None:
    pinned = pins()
    project = _project()
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["models"]]
    wrong = [
        line
        for line in wanted
        if not (requirement := Requirement(line)).specifier.contains(
            pinned.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
    ]
    assert wrong == []


def test_the_core_never_asks_for_torch() -> None:
    names = {canonicalize_name(Requirement(line).name) for line in _project()["dependencies"]}
    assert names & {"torch", "vllm", "diffusers", "transformers", "accelerate"} == set()


def test_no_other_distribution_owns_one_of_our_names() -> None:
    owners = packages_distributions()
    foreign = {
        name: sorted(set(owners[name]) - {OURS})
        for name in PACKAGES
        if set(owners.get(name, ())) - {OURS}
    }
    assert foreign == {}


def test_lockfiles_carry_no_resolved_addresses() -> None:
    locks = [path for path in tracked_files() if path.name == "package-lock.json"]
    with_address = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in locks
        for name, entry in json.loads(path.read_text()).get("packages", {}).items()
        if "resolved" in entry
    ]
    assert with_address == []


def _project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])


def _installed_closure() -> dict[str, str]:
    """Name and version of everything that the core and the dev extra bring, as installed."""
    project = _project()
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    waiting = [Requirement(line) for line in lines]
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        one = distribution(wanted.name)
        found[key[0]] = one.version
        inner = (Requirement(line) for line in one.requires or ())
        waiting += [need for need in inner if _applies(need, wanted.extras)]
    return found


def _applies(requirement: Requirement, extras: Collection[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
