"""Plans a segment's film: what each shot starts from, and how it joins what is before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.video.model import ShotRequest, VideoModel
from pipelines.encoding.pictures import Picture, cover
from pipelines.files import SavedFile
from pipelines.gates.joins import Scenery, join_kinds
from pipelines.start_pictures import StartPictures, read_picture
from storyforge.domain.film_record import JoinKind, PictureSource, StartPicture
from storyforge.domain.segment import SegmentSummary


@dataclass(frozen=True)
class FilmPlan:
    """The shots as they are filmed, and what each starts from and follows.

    last, style: the files of the last frame and the style frame that joins are held against.
    """

    shots: tuple[ShotRequest, ...]
    starts: tuple[StartPicture, ...]
    kinds: tuple[JoinKind, ...]
    last: Path | None = None
    style: Path | None = None

    def last_picture(self) -> Picture | None:
        """The last frame of the segment before, at this film's size."""
        return self._read(self.last)

    def style_picture(self) -> Picture | None:
        """The style frame, as a shot of this film that starts from it shows it."""
        return self._read(self.style)

    def _read(self, path: Path | None) -> Picture | None:
        if path is None:
            return None
        return cover(read_picture(path), self.shots[0].width, self.shots[0].height)


def plan_film(
    shots: Sequence[ShotRequest],
    pictures: StartPictures,
    before: SegmentSummary | None,
    video: VideoModel,
    folder: Path,
) -> FilmPlan:
    """Give the first shot the last frame of the segment before, and the others the style frame.

    before: the segment before, in short. What the model cannot use is said in words.
    """
    filmed, starts = [], []
    for shot in shots:
        picture, start = _start(shot, pictures, video)
        starts.append(start)
        if picture is not None:
            given = {
                "first_frame": str(folder / picture.path),
                "first_frame_sha256": picture.sha256,
            }
            shot = shot.model_copy(update=given)  # noqa: PLW2901  the same shot, with its picture
        filmed.append(shot)
    kinds = join_kinds(
        [Scenery(shot.shot.place, shot.shot.light) for shot in shots],
        Scenery(before.place, before.light) if before else None,
        [start.source for start in starts],
        drifts=video.drifts,
    )
    return FilmPlan(
        shots=tuple(filmed),
        starts=tuple(starts),
        kinds=kinds,
        last=folder / pictures.last_frame.path if pictures.last_frame else None,
        style=folder / pictures.style_frame.path if pictures.style_frame else None,
    )


def _start(
    shot: ShotRequest, pictures: StartPictures, video: VideoModel
) -> tuple[SavedFile | None, StartPicture]:
    """The picture for one shot, and what the record says of it."""
    source, picture = PictureSource.STYLE_FRAME, pictures.style_frame
    if shot.index == 0 and pictures.last_frame is not None:
        source, picture = PictureSource.LAST_FRAME, pictures.last_frame
    notes = list(pictures.notes) if shot.index == 0 else []
    if picture is None and video.starts_from_picture:
        notes.append("The scene has no style frame to start from.")
    if picture is not None and not video.starts_from_picture:
        notes.append(f"{video.name} cannot start from a picture.")
        picture = None
    seen = [one for one in pictures.references if one in shot.shot.characters]
    if seen:
        notes.append(
            f"{video.name} takes no reference images of characters: those of {', '.join(seen)} "
            "are not used."
        )
    note = " ".join(notes)
    if picture is None:
        return None, StartPicture(note=note)
    return picture, StartPicture(source=source, sha256=picture.sha256, note=note)
