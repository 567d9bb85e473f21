"""From a recording to clips of one voice.

`recordings.import_recording` keeps a sound file as it is; `waveform` draws it, `speech` proposes where somebody
speaks, `clips.make_clip` cuts and renders a line, `run` takes the noise out of one. Every clip is a recipe and
its rendered file; the recording is never touched.
"""
