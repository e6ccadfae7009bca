"""Where the HLS muxer writes: media parts into a folder, its own playlist nowhere.

FFmpeg's HLS muxer ignores the errors of its writes: on a full disk it would encode on into parts
that are cut off. So the parts are written here, and the encoder asks after every frame.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class PartFiles:
    """Opens what the muxer asks for; keeps the first failure, in the muxer's own thread.

    on_part: called with the name of each part that the muxer has finished.
    """

    def __init__(self, folder: Path, on_part: Callable[[str], None]) -> None:
        self._folder = folder
        self._on_part = on_part
        self._open: list[_PartFile] = []
        self.failure: OSError | None = None

    def open(self, url: str, _flags: int, _options: dict[str, str]) -> _PartFile | _Nowhere:
        """The muxer's `io_open`; `url` is a part's name or the playlist's."""
        if not url.endswith(".ts"):
            return _Nowhere()
        part = _PartFile(self, self._folder / Path(url).name)
        self._open.append(part)
        return part

    def closed(self, name: str) -> None:
        """The muxer has finished a part."""
        if self.failure is None:
            self._on_part(name)

    def disown(self) -> None:
        """Parts that are closed from here on are not whole."""
        self._on_part = lambda _name: None

    def check(self) -> None:
        """Raise what the disk refused, if it did."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Close what the muxer left open."""
        for part in self._open:
            part.close()
        self._open.clear()


class _PartFile:
    """One part. Never raises: an exception would be lost between C and Python."""

    def __init__(self, files: PartFiles, path: Path) -> None:
        self._files = files
        self._name = path.name
        self._file: io.FileIO | None = None
        try:
            self._file = io.FileIO(path, "w")
        except OSError as exc:
            files.failure = files.failure or exc

    def write(self, data: bytes) -> int:
        """Write all of it, unless something failed before."""
        if self._file is not None and self._files.failure is None:
            try:
                written = 0
                while written < len(data):
                    written += self._file.write(data[written:])
            except OSError as exc:
                self._files.failure = exc
        return len(data)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        if self._file is None or self._file.closed:
            return
        with suppress(OSError):  # nothing is buffered, so nothing is lost here
            self._file.close()
        self._files.closed(self._name)


class _Nowhere:
    """Takes the muxer's playlist; we write a better one."""

    def write(self, data: bytes) -> int:
        """Forget it."""
        return len(data)

    def close(self) -> None:
        """Nothing is open."""
