"""Whisper in this process, through faster-whisper and CTranslate2."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.backends.asr import Heard, RecogniserSource, RefusedError, Transcript, certainty, overall
from core.errors import MissingArtifactError, SettingsError, ToolFailedError
from core.translation import N_

if TYPE_CHECKING:
    from faster_whisper import WhisperModel  # type: ignore[import-untyped]  # ships no types

_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a folder must hold: without the tokenizer faster-whisper would look for one on the network."""
_WRONG_SOUND = (ValueError, EOFError, IndexError)
"""What decoding raises besides FFmpeg's own errors."""


class FasterWhisper:
    """Loads its model at the first sound; one sound at a time."""

    name = "faster-whisper"

    def __init__(self, source: RecogniserSource) -> None:
        if not source.model:
            raise SettingsError(
                N_("No Whisper model is chosen."),
                remedy=N_("Give the folder of a converted model, or a size such as small."),
            )
        self._source = source
        self._model: WhisperModel | None = None
        self._lock = Lock()

    @property
    def label(self) -> str:
        """The model's name; a folder's last part."""
        return f"Whisper {Path(self._source.model).name}"

    def transcribe(self, wav: bytes | Path, *, language: str, prompt: str = "") -> Transcript:
        """Decode and listen; RefusedError when it is no sound."""
        with self._lock:
            model = self._model = self._model or self._loaded()
            self._check(language, model)
            try:
                samples = self._samples(wav)
                heard, info = model.transcribe(
                    samples,
                    language=language or None,
                    initial_prompt=prompt or None,
                    vad_filter=self._source.skip_silence,
                    condition_on_previous_text=False,
                )
                segments = tuple(
                    Heard(one.start, one.end, one.text.strip(), certainty(one.avg_logprob, one.no_speech_prob))
                    for one in heard
                )
            except (RuntimeError, MemoryError) as error:
                raise self._failed(error) from error
        text = "".join(one.text for one in segments)
        return Transcript(text, overall(segments), info.language, segments)

    def close(self) -> None:
        """Let go of the model."""
        with self._lock:
            self._model = None

    def _samples(self, wav: bytes | Path) -> Any:
        import av  # with faster-whisper anyway
        from faster_whisper import decode_audio

        try:
            samples = decode_audio(io.BytesIO(wav) if isinstance(wav, bytes) else str(wav))
        except (av.error.FFmpegError, *_WRONG_SOUND) as error:
            raise RefusedError(
                N_("This cannot be read as sound: {problem}"), remedy=N_("Cut the clip again."), problem=str(error)
            ) from None
        if not len(samples):
            raise RefusedError(
                N_("This cannot be read as sound: {problem}"), remedy=N_("Cut the clip again."), problem="0 s"
            )
        return samples

    def _loaded(self) -> WhisperModel:
        from faster_whisper import WhisperModel  # seconds, and much memory

        folder = Path(self._source.model)
        if folder.is_dir():
            missing = [name for name in _FILES if not (folder / name).is_file()]
            if missing:
                raise MissingArtifactError(
                    N_("The Whisper model in {folder} is not whole: {missing} is missing."),
                    remedy=N_(
                        "Choose the folder of a model converted by ct2-transformers-converter, with its tokenizer."
                    ),
                    folder=folder.name,
                    missing=", ".join(missing),
                )
        try:
            return WhisperModel(
                self._source.model,
                device=self._source.device,
                compute_type=self._precision(),
                local_files_only=folder.is_dir() or not self._source.download,
            )
        except (RuntimeError, MemoryError) as error:
            raise self._failed(error) from error
        except Exception as error:  # the hub's, the tokenizer's: each has a family of its own
            raise MissingArtifactError(
                N_("The Whisper model {model} cannot be loaded: {problem}"),
                remedy=N_("Give the folder of a converted model, or allow downloads in configs/transcription.yaml."),
                model=self._source.model,
                problem=str(error).splitlines()[0] if str(error) else type(error).__name__,
            ) from error

    def _precision(self) -> str:
        if self._source.compute_type != "auto":
            return self._source.compute_type
        import ctranslate2  # type: ignore[import-untyped]  # ships no types

        gpu = self._source.device == "cuda" or (self._source.device == "auto" and ctranslate2.get_cuda_device_count())
        return "float16" if gpu else "int8"

    @staticmethod
    def _check(language: str, model: WhisperModel) -> None:
        if language and language not in model.supported_languages:
            raise SettingsError(
                N_("This Whisper model does not know the language {language}."),
                remedy=N_("Give its two letters, such as zh or en, or choose a model for several languages."),
                language=language,
            )

    def _failed(self, error: BaseException) -> ToolFailedError:
        return ToolFailedError(
            N_("Whisper failed: {problem}"),
            remedy=N_("Choose the processor (device cpu) or a smaller model in configs/transcription.yaml."),
            problem=str(error).splitlines()[0] if str(error) else type(error).__name__,
        )
