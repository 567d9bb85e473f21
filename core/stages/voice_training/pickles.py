"""Looks into files of weights without loading them: they are pickles, which may run whatever their maker wrote."""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from pathlib import Path
from typing import Final

from core.errors import InvalidInputError
from core.translation import N_

MOST_MEMBERS: Final = 20_000
LARGEST_PICKLE: Final = 64 << 20
"""Bytes of the part that is a program; the numbers lie beside it."""
_ZIP: Final = b"PK"
_HARMLESS: Final = re.compile(
    r"collections OrderedDict"
    r"|torch\._utils _rebuild_(tensor_v2|parameter)"
    r"|torch (\w+Storage|Size|device|(float|bfloat|int|uint)\d+|bool)"
    r"|torch\.storage (UntypedStorage|TypedStorage)"
    r"|(GPT_SoVITS\.)?utils HParams"
    r"|pathlib (PosixPath|WindowsPath|PurePosixPath|PureWindowsPath)"
    r"|numpy dtype|numpy\.(core|_core)\.multiarray scalar"
    r"|_codecs encode"
)
"""Names a pickle of weights may call, `module name`: tensors, settings of GPT-SoVITS, numbers."""
_RECALLS: Final = frozenset({"BINGET", "LONG_BINGET", "GET"})
_FORBIDDEN: Final = frozenset({"EXT1", "EXT2", "EXT4"})
_WORDS: Final = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "SHORT_BINSTRING"})
_BESIDE: Final = frozenset({"MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"})
"""What may stand between the two words of a name and their use."""


def must_be_harmless(file: Path, head: bytes = _ZIP) -> None:
    """Raise InvalidInputError unless the file holds tensors and settings as GPT-SoVITS saves them, and nothing else.

    `head`: the two bytes it must begin with.
    """
    try:
        with file.open("rb", buffering=0) as content:
            if content.read(len(head)) != head:
                raise _refused(file, N_("its first bytes are not those of its model"))
            with zipfile.ZipFile(io.BufferedReader(_Mended(content))) as archive:
                _look_into(archive, file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, RuntimeError) as error:
        raise _refused(file, N_("it is not whole")) from error


class _Mended(io.RawIOBase):
    """A file read with a zip's own first two bytes, as GPT-SoVITS reads it."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        start = self._file.tell()
        count = self._file.readinto(buffer) or 0
        for place in range(start, min(start + count, len(_ZIP))):
            buffer[place - start] = _ZIP[place]
        return count


def _look_into(archive: zipfile.ZipFile, file: Path) -> None:
    members = archive.infolist()
    programs = [one for one in members if one.filename.endswith(".pkl")]
    if len(members) > MOST_MEMBERS or len(programs) != 1 or not re.fullmatch(r"[^/]+/data\.pkl", programs[0].filename):
        raise _refused(file, N_("it is not built as weights are"))
    if any(re.search(r"(^|/)(code|constants)\W", one.filename) for one in members):
        raise _refused(file, N_("it holds a program"))
    with archive.open(programs[0]) as packed:
        content = packed.read(LARGEST_PICKLE + 1)
    if len(content) > LARGEST_PICKLE:
        raise _refused(file, N_("it is not built as weights are"))
    for name in names_called(content):
        if not _HARMLESS.fullmatch(name):
            raise InvalidInputError(
                N_("The file {file} is not taken: loading it would call {name}."),
                remedy=N_("Take voices from people you trust only; weights of GPT-SoVITS call nothing of the kind."),
                file=file.name,
                name=name,
            )


def names_called(content: bytes) -> list[str]:
    """Return the names a pickle would look up, as `module name`; ValueError when it is none or hides them."""
    reading = _Reading()
    for opcode, argument, _position in pickletools.genops(content):
        reading.goes_on(opcode.name, argument)
    return reading.names


class _Reading:
    """What a pickle's instructions have said so far; a name is two words in a row, or it is refused."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._words: list[str] = []
        self._memo: dict[int, str | None] = {}

    def goes_on(self, kind: str, argument: object) -> None:
        """Take the next instruction; ValueError where what it looks up cannot be known."""
        if kind in _FORBIDDEN:
            raise ValueError(f"{kind} looks up what cannot be known")
        if kind in _BESIDE:
            place = len(self._memo) if kind == "MEMOIZE" else int(str(argument))
            self._memo[place] = self._words[-1] if self._words else None
        elif kind in _WORDS:
            self._words.append(str(argument))
        elif kind in _RECALLS and (word := self._memo.get(int(str(argument)))) is not None:
            self._words.append(word)
        else:
            if kind in ("GLOBAL", "INST"):
                self.names.append(str(argument))
            elif kind == "STACK_GLOBAL":
                self.names.append(self._looked_up())
            self._words.clear()

    def _looked_up(self) -> str:
        if len(self._words) < 2:
            raise ValueError("a name that is made up while it loads")
        return " ".join(self._words[-2:])


def _refused(file: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        N_("The file {file} is not taken: {why}."),
        remedy=N_("Export the voice again, and see that the file comes whole."),
        file=file.name,
        why=why,
    )
