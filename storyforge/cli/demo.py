"""`storyforge demo`: film a short story of its own from beginning to end and show it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from storyforge import clock
from storyforge.cli.borrowed_node import borrow_node
from storyforge.cli.data_lock import running_node
from storyforge.cli.demo_story import DEMO_STORY
from storyforge.cli.film_files import save_mp4
from storyforge.cli.film_progress import film_progress
from storyforge.cli.filming import film_story
from storyforge.cli.node_client import NodeClient
from storyforge.cli.ports import is_free
from storyforge.settings import Settings

_DEFAULT_DATA_DIR = Path("var/demo")  # apart from the owner's own stories
_LOOK_S = 1.0


@dataclass(frozen=True)
class DemoFiles:
    """What the demo leaves behind."""

    film: Path
    contact_sheet: Path


def run_demo(settings: Settings, out_dir: Path, console: Console) -> None:
    """Film the story, write the files, say where to watch; serve on while a terminal watches."""
    data_dir = demo_data_dir(settings)
    console.print(f"[bold]{DEMO_STORY.title}[/bold], a story in three parts.")
    console.print("Starting the node ...", style="dim")
    started_s = clock.monotonic_s()
    with borrow_node(data_dir, demo_port(settings)) as client:
        with film_progress(console) as progress:
            scene_id = film_story(client, DEMO_STORY, progress.show)
        files = _write_files(client, scene_id, out_dir)
        took_s = clock.monotonic_s() - started_s
        console.print(f"Filmed in {took_s:.0f} s, start of the node included.")
        _say_where(console, f"{client.url}/scenes/{scene_id}", files)
        if console.is_terminal:
            _serve_until_interrupted(data_dir, console)
    if not console.is_terminal:
        where = "" if data_dir == _DEFAULT_DATA_DIR.resolve() else f" --data-dir {data_dir}"
        shown = where or f" --data-dir {_DEFAULT_DATA_DIR}"
        console.print(f"The node has ended; `storyforge up{shown}` serves the scene again.")


def demo_data_dir(settings: Settings) -> Path:
    """The directory that was named, or the demo's own."""
    named = "data_dir" in settings.node.model_fields_set
    return (settings.node.data_dir if named else _DEFAULT_DATA_DIR).resolve()


def demo_port(settings: Settings) -> int:
    """The port in force; when nobody asked for it and it is taken, any free one."""
    node = settings.node
    asked = "port" in node.model_fields_set
    return node.port if asked or is_free(node.host, node.port) else 0


def _write_files(client: NodeClient, scene_id: str, out_dir: Path) -> DemoFiles:
    from pipelines.encoding.contact_sheet import contact_sheet

    files = DemoFiles(out_dir / "demo.mp4", out_dir / "demo-contact-sheet.png")
    save_mp4(client, scene_id, files.film)
    contact_sheet(files.film, files.contact_sheet)
    return files


def _say_where(console: Console, url: str, files: DemoFiles) -> None:
    for name, value in (
        ("Watch", url),
        ("Film", files.film),
        ("Contact sheet", files.contact_sheet),
    ):
        console.print(f"{name + ':':<15}{value}", markup=False, highlight=False, soft_wrap=True)


def _serve_until_interrupted(data_dir: Path, console: Console) -> None:
    console.print("Serving until Ctrl-C.", style="dim")
    try:
        while running_node(data_dir) is not None:
            clock.sleep_s(_LOOK_S)
    except KeyboardInterrupt:
        console.print()
