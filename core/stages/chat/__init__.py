"""Talking with her: text at once, voice clause by clause while the text still streams.

`talk.answer` is the way in. It asks a chat model (`choice`), cuts the reply into clauses (`clauses`), has
each spoken in a thread (`spoken`, `mouth`) and keeps both sides' messages with what made them.
"""
