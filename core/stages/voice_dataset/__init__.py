"""From a recording to frozen sets of clean, transcribed clips of one voice.

`importing` decodes a file into a recording; `cutting` plans clips and cuts them; `editing` and `processing` change one
or many; `judging` says what may be wrong; `freezing` makes sets, `export` hands them on. `sound` knows signals, `words`
texts. Every clip is a recipe and its rendered file; the recording is never touched.
"""
