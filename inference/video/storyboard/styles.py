"""The looks of the drawing as data: what each style preset does to light, colour and paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from inference.video.storyboard.colour import (
    Rgb,
    chroma,
    lighten,
    mix,
    rgb,
    saturate,
    times,
    unlike,
)
from storyforge.domain.presets import DEFAULT_STYLE
from storyforge.domain.script import Light

Edge = Literal["cut", "wash", "flat"]


@dataclass(frozen=True)
class LightScheme:
    """The colours of one time of day: sky from top to horizon, sun or moon, light, far haze."""

    top: str
    middle: str
    low: str
    sun: str
    ambient: str
    haze: str


@dataclass(frozen=True)
class Style:
    """One look.

    saturation, lift: applied to every surface (lift mixes white in).
    tint, tint_share: a colour laid over every surface.
    edge: `cut` paper with shadows, `wash` of water colour, `flat` poster colour.
    paper, grain: strength of the textures (0..1, 8-bit steps). vignette: darkening of corners.
    haze_share: how strongly distance fades things.
    """

    lights: Mapping[Light, LightScheme]
    saturation: float = 1.0
    lift: float = 0.0
    tint: str = "#808080"
    tint_share: float = 0.0
    edge: Edge = "cut"
    paper: float = 0.5
    grain: float = 2.0
    vignette: float = 0.28
    haze_share: float = 0.85
    lamp: str = "#ffd27a"
    serif: bool = True


def _lights(dawn: str, day: str, dusk: str, night: str) -> Mapping[Light, LightScheme]:
    return {
        light: LightScheme(*(f"#{part}" for part in text.split()))
        for light, text in zip(Light, (dawn, day, dusk, night), strict=True)
    }


# Columns: top of sky, middle, horizon, sun or moon, light on surfaces, haze of the distance.
STYLES: Mapping[str, Style] = {
    "storybook": Style(
        _lights(
            "5f74b8 d9a3b4 ffd9a6 fff0c4 f7d9cf eec6b6",
            "3f93cf 8cc9e4 eaf3df fff6cf fffaf0 c9e2e3",
            "33296b b2527e ffad66 ffdc92 d79aa0 cf7f7b",
            "0a1238 1f3470 4a68a6 fbf3d2 56679c 34508a",
        ),
        paper=0.8,
    ),
    "noir": Style(
        _lights(
            "4a4e55 8b8d90 cfcbc3 f6f1e6 b9b7b4 a3a3a3",
            "6e7276 a9aaab deddd8 ffffff d4d3d1 bdbdbb",
            "17181c 4c4a4b b59a7c ffe0b0 7d7876 5d5a5a",
            "050608 14161c 3a3f4a f3efe2 4b5058 262a33",
        ),
        saturation=0.10,
        tint="#20242c",
        tint_share=0.22,
        edge="flat",
        paper=0.12,
        grain=5.0,
        vignette=0.55,
        lamp="#ffc46b",
        serif=False,
    ),
    "scifi": Style(
        _lights(
            "1b2a57 7b5aa8 ffb3a8 ffe9dc b7a8dd a58fc4",
            "0e4f7a 3fa3b8 bdf0e2 f4ffff cfeef2 9ad6da",
            "150f3d 742b86 ff6f91 ffd0b5 a77bc4 93508f",
            "03060f 0c1b3e 1d5f83 d9fbff 4a6ea6 1c4469",
        ),
        saturation=0.95,
        tint="#1fb6c9",
        tint_share=0.16,
        edge="flat",
        paper=0.1,
        grain=2.5,
        vignette=0.38,
        lamp="#7ff4ff",
        serif=False,
    ),
    "watercolour": Style(
        _lights(
            "b9c3e2 f3d3d3 fdebcf fff3d6 fff0ea f4dcd8",
            "9fcbe8 cfe6ee fbf7ea fff8dc ffffff dfecec",
            "8d86bd eaa6a6 fdd0a0 ffe7b8 f2d3d3 e6b7b2",
            "35487c 6377a8 a9b4d2 fbf6e2 9aa6cc 8393bd",
        ),
        saturation=0.9,
        lift=0.18,
        edge="wash",
        paper=1.0,
        grain=1.0,
        vignette=0.06,
        haze_share=0.8,
    ),
    "pastel": Style(
        _lights(
            "a8b6f0 f6c4dc ffe6cf fff3dc ffe9ee f3cfdd",
            "6fbcf2 b4e1fa fdf1f4 fffbe6 fffdfd d8ecf8",
            "7e6fd0 f59ac0 ffcf9e ffeac2 f4c6d6 e9a4bd",
            "1d2464 4551a6 9a8fd6 fff7dd 8b93d8 6b73c0",
        ),
        saturation=1.12,
        lift=0.16,
        tint="#f7b6d2",
        tint_share=0.08,
        edge="flat",
        paper=0.1,
        grain=1.0,
        vignette=0.12,
        serif=False,
    ),
    "ink": Style(
        _lights(
            "d9d0bf e8dcc6 f4e3c6 d8573c dcd2c2 e6dac5",
            "e7e1d2 efe9db f6f0e2 c8432f e4dccb ebe4d4",
            "b9a78f dfc3a0 efd0a2 c2382a c9b69d d6bf9f",
            "3c4049 5e6167 8d8a84 f2e8d0 8b8b88 74746f",
        ),
        saturation=0.22,
        tint="#2b2a2a",
        tint_share=0.30,
        edge="wash",
        paper=1.0,
        grain=1.5,
        vignette=0.12,
        haze_share=0.97,
        lamp="#e8b15a",
    ),
}

_LAMPLIGHT: Rgb = (0.98, 0.80, 0.62)

# Colours of surfaces in plain daylight.
SURFACES: Mapping[str, str] = {
    "leaf": "#5d9a4c",
    "pine": "#2f6650",
    "grass": "#86b257",
    "meadow": "#a5bf5e",
    "rock": "#72798c",
    "cliff": "#8a7a70",
    "snow": "#f1f6fb",
    "sand": "#e3bd7c",
    "dune": "#d59f5c",
    "water": "#3f8fae",
    "deep": "#215d86",
    "bark": "#5b4434",
    "wood": "#8a5f3d",
    "stone": "#a7a0a0",
    "wall": "#e6d3b0",
    "brick": "#a75a48",
    "roof": "#b0503f",
    "slate": "#4c5a72",
    "tower": "#5b6880",
    "metal": "#8793a3",
    "road": "#6c6d76",
    "earth": "#77583d",
    "cave": "#4a3f4c",
    "paper": "#f3e6cc",
}


@dataclass(frozen=True)
class Paint:
    """All colours of one shot: style, light and the bible's palette brought together."""

    style: Style
    light: Light
    palette: tuple[str, ...] = ()
    wintry: bool = False
    indoors: bool = False
    _scheme: LightScheme = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_scheme", self.style.lights[self.light])

    def _from_palette(self, base: Rgb, where: float, share: float) -> Rgb:
        """`base` with `share` of its nearest of the palette; where: 0 dark .. 1 light."""
        if not self.palette:
            return base
        picked = min((rgb(one) for one in self.palette), key=lambda one: unlike(one, base, where))
        blend = mix(base, saturate(picked, min(1.0, self.style.saturation + 0.1)), share)
        # Opposite hues meet in grey: give back the colour that the base had.
        had, left = chroma(base), chroma(blend)
        return saturate(blend, min(2.5, had / left)) if 0.02 < left < had else blend  # noqa: PLR2004 - greys stay grey

    @property
    def sky(self) -> tuple[Rgb, Rgb, Rgb]:
        """Top, middle and horizon of the sky."""
        dark = 0.15 if self.light in {Light.NIGHT, Light.DUSK} else 0.5
        return (
            self._from_palette(rgb(self._scheme.top), dark, 0.28),
            self._from_palette(rgb(self._scheme.middle), 0.6, 0.2),
            self._from_palette(rgb(self._scheme.low), 1.0, 0.3),
        )

    @property
    def sun(self) -> Rgb:
        """The colour of the sun or the moon."""
        return rgb(self._scheme.sun)

    @property
    def haze(self) -> Rgb:
        """What the distance fades to."""
        return self._from_palette(rgb(self._scheme.haze), 0.7, 0.22)

    @property
    def ambient(self) -> Rgb:
        """The light that falls on surfaces."""
        outside = rgb(self._scheme.ambient)
        return mix(outside, _LAMPLIGHT, 0.62) if self.indoors and self.dark else outside

    @property
    def lamp(self) -> Rgb:
        """Lit windows, lanterns, fire."""
        return rgb(self.style.lamp)

    @property
    def dark(self) -> bool:
        """Whether lamps are lit and shadows are deep."""
        return self.light in {Light.NIGHT, Light.DUSK}

    def graded(
        self, colour: Rgb, *, under_light: bool = True, least_saturation: float = 0.0
    ) -> Rgb:
        """A plain daylight colour as this style and light show it."""
        lit = times(colour, self.ambient) if under_light else colour
        lit = saturate(lit, max(self.style.saturation, least_saturation))
        keep = 0.5 if least_saturation > self.style.saturation else 1.0
        lit = mix(lit, rgb(self.style.tint), self.style.tint_share * keep)
        return lighten(lit, self.style.lift * (0.4 if self.light is Light.NIGHT else 1.0))

    def surface(self, name: str, depth: float) -> Rgb:
        """A surface (`SURFACES`) at a depth of 0 (horizon) to 1 (at the camera)."""
        plain = rgb(SURFACES[name])
        if self.wintry and name in {"grass", "meadow", "leaf", "pine", "roof", "earth", "road"}:
            plain = mix(plain, rgb(SURFACES["snow"]), 0.45 if name == "pine" else 0.78)
        plain = self._from_palette(plain, 0.25 + 0.4 * depth, 0.16)
        near = lighten(self.graded(plain), -0.24 * max(0.0, depth - 0.35))
        away = (1.0 - min(1.0, depth)) ** 1.15 * self.style.haze_share
        return mix(near, self.haze, away)


def style_named(name: str) -> Style:
    """The style of a preset; an unknown name gets the default look."""
    return STYLES.get(name.strip().lower(), STYLES[DEFAULT_STYLE])
