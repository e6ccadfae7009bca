"""The faces that captions are set in, and which of them can show a character."""

from __future__ import annotations

import importlib
import io
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

# Folders of system fonts on Linux and macOS, the last resort for scripts no wheel covers.
SYSTEM_DIRS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")
# Files worth trying there, best first (names as distributions ship them).
_SYSTEM_FILES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "DejaVuSans.ttf",
    "FreeSans.ttf",
    "Arial Unicode.ttf",
)
# Which face of the CJK collection (its own order): Japanese, Korean, simplified Chinese.
_LAST_CODE = 0xFFFF  # closes every format 4 table
_JAPANESE, _KOREAN, _CHINESE = 0, 1, 2


@dataclass(frozen=True)
class Coverage:
    """The code points of a face as sorted ranges."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def has(self, character: str) -> bool:
        """Whether the face has a glyph of its own for a character."""
        code = ord(character)
        at = bisect_right(self.starts, code) - 1
        return at >= 0 and code <= self.ends[at]


@dataclass(frozen=True)
class Face:
    """One font file (bytes), the face inside it, and its weight when it is variable."""

    name: str
    data: bytes
    index: int = 0
    weight: int | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.index, self.weight))

    @property
    def coverage(self) -> Coverage:
        """What the face can show."""
        return _coverage(self)

    def at(self, size_px: int) -> ImageFont.FreeTypeFont:
        """The face at a size in pixels."""
        return _sized(self, size_px)


@lru_cache(maxsize=64)
def _sized(face: Face, size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(io.BytesIO(face.data), size_px, index=face.index)
    if face.weight is not None:
        values = [
            float(face.weight) if b"eight" in (axis["name"] or b"") else float(axis["minimum"] or 0)
            for axis in font.get_variation_axes()
        ]
        font.set_variation_by_axes(values)
    return font


@lru_cache(maxsize=32)
def _coverage(face: Face) -> Coverage:
    try:
        ranges = sorted(_ranges(face.data, face.index))
    except (struct.error, IndexError, ValueError):
        ranges = []  # a damaged table: the face is simply not chosen
    return Coverage(tuple(low for low, _ in ranges), tuple(high for _, high in ranges))


def _ranges(data: bytes, index: int) -> Iterator[tuple[int, int]]:
    """The ranges of the best Unicode `cmap` subtable (OpenType 1.9: formats 4 and 12)."""
    base = struct.unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == b"ttcf" else 0
    tables = struct.unpack_from(">H", data, base + 4)[0]
    cmap = next(
        struct.unpack_from(">I", data, base + 12 + 16 * at + 8)[0]
        for at in range(tables)
        if data[base + 12 + 16 * at : base + 16 + 16 * at] == b"cmap"
    )
    count = struct.unpack_from(">H", data, cmap + 2)[0]
    formats: dict[int, int] = {}
    for at in range(count):
        offset = cmap + struct.unpack_from(">HHI", data, cmap + 4 + 8 * at)[2]
        formats[struct.unpack_from(">H", data, offset)[0]] = offset
    if 12 in formats:  # noqa: PLR2004 - the format's number
        groups = struct.unpack_from(">I", data, formats[12] + 12)[0]
        for at in range(groups):
            low, high, _ = struct.unpack_from(">III", data, formats[12] + 16 + 12 * at)
            yield low, high
        return
    offset = formats[4]
    segments = struct.unpack_from(">H", data, offset + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", data, offset + 14)
    starts = struct.unpack_from(f">{segments}H", data, offset + 16 + 2 * segments)
    yield from ((low, high) for low, high in zip(starts, ends, strict=True) if low < _LAST_CODE)


def _from_literata(file_part: str) -> bytes | None:
    spec = find_spec("fontpkg_literata")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder, "files").glob(file_part)):
            return path.read_bytes()
    return None


def _from_pymupdf_fonts(module: str) -> bytes | None:
    if find_spec("pymupdf_fonts") is None:
        return None
    data = importlib.import_module(f"pymupdf_fonts.{module}").fontbuffer
    return bytes(data)


def _from_noto_cjk() -> bytes | None:
    spec = find_spec("noto_cjk_sans_otc")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).glob("*.ttc"):
            return path.read_bytes()
    return None


def _from_system(name: str, folders: Sequence[str]) -> bytes | None:
    for folder in folders:
        for path in sorted(Path(folder).rglob(name)) if Path(folder).is_dir() else []:
            return path.read_bytes()
    return None


@lru_cache(maxsize=1)
def _cjk_data() -> bytes | None:
    return _from_noto_cjk() or _from_system("NotoSansCJK-Regular.ttc", SYSTEM_DIRS)


@lru_cache(maxsize=16)
def _named(name: str) -> Face | None:
    """One of our faces, or None where its wheel is not installed."""
    cjk = {"cjk-jp": _JAPANESE, "cjk-kr": _KOREAN, "cjk-sc": _CHINESE}
    if name in cjk:
        data = _cjk_data()
        return Face(name, data, cjk[name]) if data else None
    if name == "serif":
        data = _from_literata("Literata[[]*.ttf")
        return Face(name, data, weight=520) if data else None
    modules = {
        "sans": "FiraGO_Regular",
        "sans-bold": "FiraGO_Bold",
        "symbols": "NotoSansSymbols_Regular",
        "symbols-2": "NotoSansSymbols2_Regular",
    }
    data = _from_pymupdf_fonts(modules[name])
    return Face(name, data) if data else None


@lru_cache(maxsize=1)
def _system_faces() -> tuple[Face, ...]:
    found = ((name, _from_system(name, SYSTEM_DIRS)) for name in _SYSTEM_FILES)
    return tuple(Face(name, data) for name, data in found if data)


@lru_cache(maxsize=1)
def _last_face() -> Face | None:
    """Pillow's own face, so that there is always one."""
    font = ImageFont.load_default(size=16)
    if isinstance(font, ImageFont.FreeTypeFont) and isinstance(font.path, io.BytesIO):
        return Face("built-in", font.path.getvalue())
    return None


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7af" or "\u1100" <= character <= "\u11ff"


def _is_kana(character: str) -> bool:
    return "\u3040" <= character <= "\u30ff"


def chain(text: str, *, serif: bool, bold: bool = False) -> Iterator[Face]:
    """The faces to try for a text, the best looking first; never empty."""
    wanted = ["serif"] if serif and not bold else []
    wanted += ["sans-bold"] if bold else []
    han = "cjk-sc"
    if any(_is_kana(one) for one in text):
        han = "cjk-jp"
    elif any(_is_hangul(one) for one in text):
        han = "cjk-kr"
    wanted += ["sans", han, "symbols", "symbols-2"]
    for name in wanted:
        face = _named(name)
        if face is not None:
            yield face
    yield from _system_faces()
    last = _last_face()
    if last is not None:
        yield last


def face_for(character: str, faces: Sequence[Face]) -> Face | None:
    """The first face that has the character; None when nobody can show it."""
    return next((face for face in faces if face.coverage.has(character)), None)
