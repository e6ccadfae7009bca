"""HLS playlists (RFC 8216 and its bis) as pure functions: records in, text out.

A *part* is one Media Segment of the RFC; a *segment* is ours: one committed piece of the film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TypeAlias
from uuid import UUID

from storyforge.domain.segment import (
    EncodedSegment,
    HlsProfile,
    LiveFilm,
    Part,
    Rung,
    RungMedia,
)

# 6 covers all we use: decimal EXTINF (3), INDEPENDENT-SEGMENTS and START (draft-14 on).
VERSION = 6
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_INDEPENDENT = "#EXT-X-INDEPENDENT-SEGMENTS"
# hls.js takes an open EVENT for a live stream and would skip its first parts.
_FROM_THE_START = "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"
_HEAD = ("#EXTM3U", f"#EXT-X-VERSION:{VERSION}")
# The peak bit rate is taken over runs lasting this many target durations (RFC 8216bis, 4.4.6.2).
_RUN_MIN_TARGETS, _RUN_MAX_TARGETS = 0.5, 1.5

Prefix: TypeAlias = Callable[[UUID], str]
"""Gives the relative path of a segment's files, `""` or ending in a slash."""


def variant_playlist(media: RungMedia, profile: HlsProfile) -> str:
    """One rung of one segment as a finished VOD of its own."""
    return _text(
        *_HEAD,
        f"#EXT-X-TARGETDURATION:{profile.target_duration}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        _INDEPENDENT,
        *_part_lines(media.parts, ""),
        "#EXT-X-ENDLIST",
    )


def segment_master(media: EncodedSegment) -> str:
    """The master of one segment; its rungs' playlists lie beside it as `<rung>.m3u8`."""
    return _master(
        ((rung.rung, RungRates.of(rung, media.profile)) for rung in media.rungs),
        media.profile,
        lambda rung: f"{rung.name}.m3u8",
        start=(),
    )


def scene_master(
    profile: HlsProfile, rates: Mapping[str, RungRates], rung_uri: Callable[[Rung], str]
) -> str:
    """The master of a whole scene, pointing at its rung playlists.

    rates: by rung name, of all segments shown; see `scene_rates`. A rung without any is left out.
    rung_uri: relative address of a rung's playlist.
    """
    known = ((rung, rates[rung.name]) for rung in profile.rungs if rung.name in rates)
    return _master(known, profile, rung_uri, start=(_FROM_THE_START,))


def live_master(film: LiveFilm, rung_uri: Callable[[Rung], str]) -> str:
    """The master of a film that is being made; its rates are declared, not measured."""
    rates = (
        (media.rung, replace(RungRates.of(media, film.profile), peak=float(media.bandwidth)))
        for media in film.rungs
    )
    return _master(rates, film.profile, rung_uri, start=(_FROM_THE_START,))


def live_rung_playlist(film: LiveFilm, media: RungMedia, prefix: str) -> str:
    """One rung of a film that is being made: EVENT, and closed once the film has `ended`."""
    block = segment_block(media.parts, prefix, first=True)
    return scene_header(film.profile, ended=False) + block + (scene_tail() if film.ended else "")


def scene_rung_playlist(
    entries: Iterable[tuple[UUID, RungMedia]],
    profile: HlsProfile,
    *,
    ended: bool,
    prefix: Prefix,
) -> str:
    """One rung of a whole scene: EVENT while it is open, VOD with ENDLIST once `ended`.

    Equals `scene_header + segment_block... + (ENDLIST when ended)`; a cache that keeps the text
    of an open scene appends the next segment's block to it.
    """
    blocks = (
        segment_block(media.parts, prefix(segment_id), first=number == 0)
        for number, (segment_id, media) in enumerate(entries)
    )
    tail = scene_tail() if ended else ""
    return "".join((scene_header(profile, ended=ended), *blocks, tail))


def scene_header(profile: HlsProfile, *, ended: bool) -> str:
    """All lines before the first part; never changes while the scene is open."""
    return _text(
        *_HEAD,
        f"#EXT-X-TARGETDURATION:{profile.target_duration}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        _INDEPENDENT,
        _FROM_THE_START,
    )


def segment_block(parts: Sequence[Part], prefix: str, *, first: bool) -> str:
    """The lines that one segment adds to its scene's playlist.

    Every segment but the first opens with DISCONTINUITY: its timestamps start anew.
    """
    join = () if first else ("#EXT-X-DISCONTINUITY",)
    return _text(*join, *_part_lines(parts, prefix))


def scene_tail() -> str:
    """What closes the playlist of a finished scene."""
    return _text("#EXT-X-ENDLIST")


@dataclass(frozen=True)
class RungRates:
    """Measured rates of one rung over parts that follow each other; grows by `then`.

    peak: bits per second, the largest over contiguous parts lasting 0.5 to 1.5 target durations.
    bits, seconds: of everything so far. codecs: of the segment with the highest H.264 level.
    tail: (bits, seconds) of the last parts, those that a run into the next segment can hold.
    """

    target_duration: int
    codecs: str = ""
    peak: float = 0.0
    bits: int = 0
    seconds: float = 0.0
    tail: tuple[tuple[int, float], ...] = field(default=(), repr=False)

    @staticmethod
    def of(media: RungMedia, profile: HlsProfile) -> RungRates:
        """The rates of one segment's rung."""
        return RungRates(profile.target_duration).then(media)

    def then(self, media: RungMedia) -> RungRates:
        """The rates with one more segment behind; runs over the join are measured too."""
        run, peak = list(self.tail), self.peak
        for part in media.parts:
            run.append((part.bytes * 8, part.seconds))
            peak = max(peak, _peak_of_runs_ending_here(run, self.target_duration))
        return RungRates(
            self.target_duration,
            # avc1.PPCCLL: at equal profile the higher level is the larger string
            max(self.codecs, media.codecs),
            peak,
            self.bits + sum(part.bytes for part in media.parts) * 8,
            self.seconds + sum(part.seconds for part in media.parts),
            tuple(run),
        )

    @property
    def average_bandwidth(self) -> int:
        """Bits per second over everything; 0 when there is nothing."""
        return ceil(self.bits / self.seconds) if self.seconds else 0

    @property
    def bandwidth(self) -> int:
        """The peak, never under the average (a clip too short for any run has no peak)."""
        return max(ceil(self.peak), self.average_bandwidth)


def scene_rates(
    segments: Iterable[Sequence[RungMedia]], profile: HlsProfile
) -> dict[str, RungRates]:
    """The rates of every rung over all segments, by rung name."""
    rates: dict[str, RungRates] = {}
    for rungs in segments:
        for media in rungs:
            before = rates.get(media.rung.name) or RungRates(profile.target_duration)
            rates[media.rung.name] = before.then(media)
    return rates


def _peak_of_runs_ending_here(run: list[tuple[int, float]], target_duration: int) -> float:
    """The largest rate over allowed runs that end with the last entry; drops what is too old."""
    bits, seconds, peak = 0, 0.0, 0.0
    for back in range(len(run) - 1, -1, -1):
        bits += run[back][0]
        seconds += run[back][1]
        if seconds > _RUN_MAX_TARGETS * target_duration:
            del run[: back + 1]
            break
        if seconds >= _RUN_MIN_TARGETS * target_duration:
            peak = max(peak, bits / seconds)
    return peak


def _master(
    rungs: Iterable[tuple[Rung, RungRates]],
    profile: HlsProfile,
    uri: Callable[[Rung], str],
    start: tuple[str, ...],
) -> str:
    lines = [*_HEAD, _INDEPENDENT, *start]
    for rung, rates in rungs:
        attributes = (
            f"BANDWIDTH={rates.bandwidth}",
            f"AVERAGE-BANDWIDTH={rates.average_bandwidth}",
            f'CODECS="{rates.codecs}"',
            f"RESOLUTION={rung.width}x{rung.height}",
            f"FRAME-RATE={profile.fps:.3f}",
            "CLOSED-CAPTIONS=NONE",
        )
        lines += (f"#EXT-X-STREAM-INF:{','.join(attributes)}", uri(rung))
    return _text(*lines)


def _part_lines(parts: Iterable[Part], prefix: str) -> Iterable[str]:
    for part in parts:
        yield f"#EXTINF:{part.seconds:.6f},\n{prefix}{part.uri}"


def _text(*lines: str) -> str:
    return "\n".join(lines) + "\n"
