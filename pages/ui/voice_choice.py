"""Which of the saved weights is her voice: measured side by side, listened to, voted on blindly, made a voice of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.domain.run import Run, RunState
from core.stages.voice_training.ranking import RankingSettings
from core.translation import N_
from pages.ui import charts
from pages.ui.blind_vote import blind_vote
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, empty, say_next
from pages.ui.i18n import _, moment, number
from pages.ui.markup import plain
from pages.ui.part_tabs import PART
from pages.ui.run_panel import stage_run, start_run
from pages.ui.settings_form import settings_form
from pages.ui.state import TRAINED
from pages.ui.tables import chosen_row
from pages.ui.voice_pairs import name_of, play_take, take_of

_RANKING: Final = "voice_ranking"
_MOST_BESIDE: Final = 3
MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "cer": (N_("wrong characters (CER)"), "0.0 %"),
    "similarity": (N_("like her"), "0.000"),
    "pace": (N_("at her pace"), "0.00"),
    "swallowed": (N_("swallowed"), "0.0 %"),
    "repeated": (N_("repeated"), "0.0 %"),
    "faults": (N_("spoiled takes"), "0.0 %"),
    "rtf": (N_("real-time factor"), "0.00"),
    "loudness": (N_("loudness (LUFS)"), "0.0"),
}
"""What is measured of a pair -> its column's title and how it is written."""


def choice_room(visit: Visit) -> None:
    """Draw the comparison of a training's weights."""
    trainings = _trainings(visit)
    if not trainings:
        empty(_("No voice has been trained here yet."), icon="record_voice_over")
        return
    training = _chosen(trainings)
    TRAINED.set(training.id)
    rankings = [
        run
        for run in visit.studio.store.runs.all(persona_id=visit.persona.id, kind=_RANKING)
        if run.settings.get("run_id") == training.id
    ]
    done = next((run for run in rankings if run.state is RunState.SUCCEEDED), None)
    with st.expander(
        _("Let them speak and measure"),
        icon=":material/straighten:",
        expanded=not rankings,
        key=f"rank.{len(rankings)}",
    ):
        _form(visit, training)
    if rankings and not (done and rankings[0] is done):
        stage_run(visit, kind=_RANKING)
    if done is None:
        st.caption(_("Until they are measured, a voice can be made of any pair by its epochs."))
        _voice_of(visit, training, None, {})
        return
    _measured(visit, training, done)


def _trainings(visit: Visit) -> dict[str, Run]:
    runs = visit.studio.store.runs.all(persona_id=visit.persona.id, kind="voice_training")
    return {run.id: run for run in runs if run.state is RunState.SUCCEEDED and run.result.get("weights")}


def _chosen(trainings: Mapping[str, Run]) -> Run:
    def called(run_id: str) -> str:
        run = trainings[run_id]
        told = [str(run.settings.get("name") or ""), str(run.result.get("version", "")), moment(run.created_at)]
        return " · ".join(one for one in told if one)

    ids = list(trainings)
    index = ids.index(TRAINED.get()) if TRAINED.get() in trainings else 0
    return trainings[st.selectbox(_("Training"), ids, index=index, format_func=called, key="voice.training")]


def _form(visit: Visit, training: Run) -> None:
    st.caption(
        _(
            "Every chosen pair of weights speaks the same sentences with the same seed. What comes is compared with "
            "clips that were kept back from the training."
        )
    )
    usual = {name: training.settings[name] for name in ("device", "precision")}
    values = settings_form(
        RankingSettings,
        RankingSettings(run_id=training.id, **usual),
        key=f"rank.{training.id}",
        first=("pairs", "device", "precision", "recogniser", "sentences"),
        omit={"run_id"},
    )
    if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="rank.start"):
        start_run(visit, {**values, "run_id": training.id}, kind=_RANKING)


def _measured(visit: Visit, training: Run, ranking: Run) -> None:
    pairs: Sequence[Mapping[str, Any]] = ranking.result["pairs"]
    sentences: Sequence[str] = ranking.result["sentences"]
    st.markdown(f"##### {_('Measured')}")
    _measured_with(ranking.result)
    picked = chosen_row([_row(pair) for pair in pairs], key=f"ranked.{ranking.id}")
    best = pairs[picked or 0]
    charts.bars({name_of(pair): pair["total"] for pair in pairs}, title=_("Total"), key=f"total.{ranking.id}", digits=3)
    beside, vote = st.tabs([_("Listen side by side"), _("Vote blindly")])
    with beside:
        _beside(visit, ranking, pairs, sentences)
    with vote:
        blind_vote(visit, ranking, pairs, sentences)
    _voice_of(visit, training, best, best["scores"])


def _measured_with(result: Mapping[str, Any]) -> None:
    """Say by what ears the figures came about; other ears give other figures."""
    measure = result["measure"]
    told = []
    if measure.get("recogniser"):
        told.append(_("Words were heard by {name}.").format(name=measure["recogniser"]))
    else:
        told.append(_("No speech recognition took part, so wrong, swallowed and repeated words are not known."))
    if measure.get("voiceprint"):
        told.append(_("Likeness is by {name}.").format(name=_(measure["voiceprint"])))
    if result.get("ceiling") is not None:
        told.append(
            _("Her own clips reach {number} among themselves.").format(number=number(result["ceiling"], "0.000"))
        )
    st.caption("  \n".join(told))


def _row(pair: Mapping[str, Any]) -> dict[str, Any]:
    head = {_("rank"): pair["rank"], _("pair"): name_of(pair), _("total"): _shown(pair["total"], "0.000")}
    return head | {_(title): _shown(pair["scores"].get(name), pattern) for name, (title, pattern) in MEASURES.items()}


def _shown(value: float | None, pattern: str) -> str:
    return "—" if value is None else number(value, pattern)


def _beside(visit: Visit, ranking: Run, pairs: Sequence[Mapping[str, Any]], sentences: Sequence[str]) -> None:
    names = {name_of(pair): pair for pair in pairs}
    sentence = st.selectbox(
        _("Sentence"),
        range(len(sentences)),
        format_func=lambda one: sentences[one],
        key=f"beside.sentence.{ranking.id}",
    )
    chosen = st.multiselect(
        _("Pairs"),
        list(names),
        default=list(names)[:2],
        max_selections=_MOST_BESIDE,
        key=f"beside.pairs.{ranking.id}",
    )
    if not chosen:
        return
    for column, name in zip(st.columns(len(chosen)), chosen, strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{plain(name)}**")
            take = take_of(names[name], sentence)
            play_take(visit, take)
            if take:
                _facts(take)


def _facts(take: Mapping[str, Any]) -> None:
    told = [_("{seconds} s").format(seconds=number(take["seconds"], "0.0"))]
    if take.get("similarity") is not None:
        told.append(_("like her: {number}").format(number=number(take["similarity"], "0.000")))
    if take.get("cer") is not None:
        told.append(_("wrong characters: {number}").format(number=number(take["cer"], "0 %")))
    st.caption(" · ".join(told))
    if take.get("heard"):
        st.caption(_("Heard: {words}").format(words=plain(take["heard"])))


def _voice_of(visit: Visit, training: Run, pair: Mapping[str, Any] | None, scores: Mapping[str, Any]) -> None:
    """Ask for what a voice lacks beside the pair, and make it."""
    weights = training.result["weights"]
    epochs = {
        stage: sorted({one["epoch"] for one in weights if one["stage"] == stage}, reverse=True)
        for stage in ("sovits", "gpt")
    }
    references = {one["sha256"]: one for one in training.result.get("references", ())}
    title = _("Make a voice of {pair}").format(pair=name_of(pair)) if pair else _("Make a voice")
    with (
        st.expander(title, icon=":material/add_circle:", key=f"make.{training.id}.{title}"),
        st.form(f"make.{training.id}.{title}", border=False),
    ):
        left, right = st.columns(2)
        with left:
            sovits = st.selectbox(
                _("Epoch of the sound"), epochs["sovits"], index=_at(epochs["sovits"], pair, "sovits")
            )
            name = st.text_input(_("Name"), max_chars=80, placeholder=_("made of training and epochs"))
        with right:
            gpt = st.selectbox(_("Epoch of the speech"), epochs["gpt"], index=_at(epochs["gpt"], pair, "gpt"))
            reference = st.selectbox(
                _("Reference clip"), list(references), format_func=lambda one: references[one]["text"] or one[:12]
            )
        made = st.form_submit_button(_("Make it"), type="primary", icon=":material/check:")
    if made:
        wanted = {
            "run_id": training.id,
            "sovits_epoch": sovits,
            "gpt_epoch": gpt,
            "reference": reference or "",
            "name": name,
            "scores": dict(scores) if pair and (pair["sovits"], pair["gpt"]) == (sovits, gpt) else {},
        }
        with told_to_the_user():
            voice = visit.studio.make_voice(wanted, who=visit.who)
            PART.set("voices")
            say_next(_("{name} is among the voices now.").format(name=voice.name))


def _at(epochs: Sequence[int], pair: Mapping[str, Any] | None, stage: str) -> int:
    return epochs.index(pair[stage]) if pair and pair[stage] in epochs else 0
