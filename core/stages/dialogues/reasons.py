"""What the short reasons mean that extractors give for a speaker, one sentence each.

A reason is a word, or a word, a colon and the words of the text it rests on: `cue-before:笑道`.
"""

from __future__ import annotations

from core.translation import N_

_SENTENCES: dict[str, str] = {
    "cue-before": N_("The narration right before the words names the speaker: {words}."),
    "cue-after": N_("The narration right after the words says who speaks: {words}."),
    "deed-before": N_("This person acts right before the words, in the same paragraph: {words}."),
    "deed-after": N_("This person acts right after the words, in the same paragraph: {words}."),
    "sent-to-speak": N_("Somebody was sent to say this."),
    "unnamed": N_("The text does not name the speaker: {words}."),
    "group": N_("Several people speak together: {words}."),
    "subject-carried": N_("The cue names nobody; this person was acting just before: {words}."),
    "same-subject": N_("The cue names nobody; the same person goes on: {words}."),
    "another": N_("“He” or “she” in the cue is not the one who acted just before: {words}."),
    "reply": N_("The cue is an answer, so the other one of the two speaks: {words}."),
    "revealed": N_("Heard first; the narration after the words shows who it is."),
    "pronoun": N_("“{words}” in the cue most likely means this person."),
    "names-himself": N_("The speaker says their own name."),
    "narration": N_("Quoted in the middle of narration about this person."),
    "turn-taking": N_("No cue: two people take turns, and it is this one's."),
    "last-speaker": N_("No cue: the last one who spoke."),
    "nobody-named": N_("Nothing tells who speaks."),
    "not-said": N_("A term, a title or an inscription: nobody says it."),
    "label": N_("The line begins with the speaker's name: {words}."),
    "label-semicolon": N_(
        "The line begins with the speaker's name, set off by a semicolon typed for a colon: {words}."
    ),
    "label-bracket": N_("The line begins with the speaker's name in brackets: {words}."),
    "label-gap": N_("The line begins with the speaker's name, set off by a wide blank: {words}."),
    "label-blank": N_("The line begins with a name and one blank, which need not be its speaker: {words}."),
    "label-action": N_("The line begins with a name and a direction: {words}."),
    "label-alone": N_("The speaker's name has the line before to itself: {words}."),
    "goes-on": N_("No new name: {words} goes on."),
    "collected-quote": N_("Every line of this source is the persona's own."),
}
_UNKNOWN = N_("The extractor gives this reason: {words}.")


def explained(reason: str) -> tuple[str, dict[str, str]]:
    """Return the sentence that explains a reason, to be translated, and the values that fill it."""
    word, _, words = reason.partition(":")
    if word not in _SENTENCES:
        return _UNKNOWN, {"words": reason}
    sentence = _SENTENCES[word]
    return sentence, {"words": words} if "{words}" in sentence else {}
