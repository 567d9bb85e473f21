"""Clips and sets of them, on every database: what one person does another sees, and everything can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.identity import now
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, ClipSet, Measures, Recording, Reference, SetClip, TextOrigin
from core.errors import ConflictError, NotFoundError
from core.store import Store
from core.store.clips import ClipFilter, ClipOrder

WHERE = ClipFilter("a-qing")
QUIET = Measures(loudness=-30.0, peak_db=-9.0, snr_db=12.0, clipped=0, voiced=0.8, musical=0.1)


def recording(number: int = 1) -> Recording:
    return Recording(f"rec-{number}", "a-qing", f"morning {number}.wav", f"{number}" * 64, 60, 48_000, 1, now())


def clip(number: int, **more: object) -> Clip:
    whole = Clip(f"clip-{number}", "rec-1", number, number + 0.5, f"第{number}句", "沈青", "c" * 64, now(), seconds=0.5)
    return replace(whole, **more)  # type: ignore[arg-type]


@pytest.fixture
def cut(store: Store) -> Store:
    """A store with a recording and six clips of it, of which some are measured."""
    store.voice.add_recording(recording())
    store.clips.add(
        [
            clip(0, confidence=0.9, measures=QUIET),
            clip(1, confidence=0.2, measures=replace(QUIET, snr_db=40.0, loudness=-18.0), complaints=("music",)),
            clip(2, measures=replace(QUIET, snr_db=None), text=""),
            clip(3, confidence=0.5, seconds=3.0, oddness=4.0, complaints=("other_speaker", "noisy")),
            clip(4, status=ReviewStatus.ACCEPTED),
            clip(5, status=ReviewStatus.REJECTED, text="竹子"),
        ],
        who="anna",
    )
    return store


def ids(store: Store, order: ClipOrder = ClipOrder.PLACE, *, descending: bool = False, limit: int = 4) -> list[int]:
    """The numbers of all clips in an order, read page by page."""
    found, after = [], None
    while True:
        page = store.clips.page(WHERE, order=order, descending=descending, after=after, limit=limit)
        found += [int(one.id[-1]) for one in page.rows]
        after = page.next_cursor
        if after is None:
            return found


def test_a_clip_comes_back_as_it_was_stored(cut):
    assert cut.clips.get("clip-1") == replace(clip(1), **{
        name: getattr(cut.clips.get("clip-1"), name) for name in ("created_at", "confidence", "measures", "complaints")
    })  # fmt: skip
    assert cut.clips.get("clip-1").measures == replace(QUIET, snr_db=40.0, loudness=-18.0)
    assert cut.clips.get("clip-1").complaints == ("music",)
    assert cut.clips.get("clip-2").measures is not None
    assert cut.clips.get("clip-4").measures is None


@pytest.mark.parametrize("limit", [1, 4, 50])
def test_clips_are_paged_in_every_order_with_the_unknown_last(cut, limit):
    assert ids(cut, limit=limit) == [0, 1, 2, 3, 4, 5]
    assert ids(cut, ClipOrder.CONFIDENCE, limit=limit) == [1, 3, 0, 2, 4, 5]
    assert ids(cut, ClipOrder.CONFIDENCE, descending=True, limit=limit) == [0, 3, 1, 2, 4, 5]
    assert ids(cut, ClipOrder.SNR, limit=limit) == [0, 1, 2, 3, 4, 5]
    assert ids(cut, ClipOrder.SNR, descending=True, limit=limit) == [1, 0, 2, 3, 4, 5]
    assert ids(cut, ClipOrder.LENGTH, descending=True, limit=limit)[0] == 3
    assert ids(cut, ClipOrder.ODDNESS, descending=True, limit=limit)[0] == 3


@pytest.mark.parametrize("order", ClipOrder)
@pytest.mark.parametrize("descending", [False, True])
def test_one_walks_from_clip_to_clip_in_every_order_and_comes_round(cut, order, descending):
    there = ids(cut, order, descending=descending)
    walked = [cut.clips.get(f"clip-{there[0]}")]
    for _step in range(6):
        walked.append(cut.clips.after(walked[-1], WHERE, order=order, descending=descending))
    assert [int(one.id[-1]) for one in walked] == [*there, there[0]]


def test_from_a_clip_that_has_left_the_filter_one_goes_on_to_the_next(cut):
    waiting = replace(WHERE, status=ReviewStatus.PENDING)
    accepted = cut.clips.edit("clip-1", 0, who="anna", status=ReviewStatus.ACCEPTED)
    assert cut.clips.after(accepted, waiting).id == "clip-2"
    assert cut.clips.after(accepted, replace(WHERE, ids=("clip-1",))) is None


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"status": ReviewStatus.ACCEPTED}, [4]),
        ({"wordless": True}, [2]),
        ({"wordless": False, "status": ReviewStatus.PENDING}, [0, 1, 3]),
        ({"complaint": "noisy"}, [3]),
        ({"complained": True}, [1, 3]),
        ({"complained": False, "status": ReviewStatus.PENDING}, [0, 2]),
        ({"text": "竹"}, [5]),
        ({"ids": ("clip-1", "clip-4")}, [1, 4]),
        ({"recording_id": "rec-2"}, []),
        ({"within": (1.4, 3.1)}, [1, 2, 3]),
    ],
)
def test_clips_are_filtered(cut, more, wanted):
    where = replace(WHERE, **more)
    assert [int(one.id[-1]) for one in cut.clips.iterate(where, batch=2)] == wanted
    assert cut.clips.count(where) == len(wanted)


def test_what_is_known_of_all_clips_is_counted(cut):
    assert cut.clips.counts("a-qing") == {
        ReviewStatus.PENDING: 4,
        ReviewStatus.ACCEPTED: 1,
        ReviewStatus.REJECTED: 1,
    }
    assert cut.clips.seconds(WHERE) == pytest.approx(5.5)


def test_a_run_that_hands_in_its_clips_again_adds_none(cut):
    assert cut.clips.add([clip(0), clip(9)], who="anna") == 1
    assert cut.clips.get("clip-0").confidence == 0.9


def test_of_two_who_edit_the_same_clip_the_second_is_told(cut):
    edited = cut.clips.edit("clip-0", 0, who="anna", text="改过", text_origin=TextOrigin.HAND)
    assert (edited.text, edited.revision, edited.reviewed_by) == ("改过", 1, "anna")
    with pytest.raises(ConflictError):
        cut.clips.edit("clip-0", 0, who="bert", text="别的")
    assert cut.clips.get("clip-0") == edited


def test_what_the_store_keeps_itself_is_not_edited(cut):
    with pytest.raises(ValueError, match="recording_id"):
        cut.clips.edit("clip-0", 0, who="anna", recording_id="rec-2")


def test_many_clips_are_rejected_at_once_and_taken_back_at_once(cut):
    where = replace(WHERE, complained=True)
    assert cut.clips.edit_all(where, who="anna", status=ReviewStatus.REJECTED) == 2
    assert cut.clips.counts("a-qing")[ReviewStatus.REJECTED] == 3

    undone = cut.clips.undo("anna", "a-qing")
    assert (undone.action, undone.records) == ("edit", 2)
    assert cut.clips.counts("a-qing")[ReviewStatus.REJECTED] == 1
    assert cut.clips.redo("anna", "a-qing").records == 2
    assert cut.clips.counts("a-qing")[ReviewStatus.REJECTED] == 3


def test_chosen_clips_that_somebody_changed_meanwhile_are_left_alone(cut):
    cut.clips.edit("clip-0", 0, who="bert", text="先改")
    assert cut.clips.edit_these({"clip-0": 0, "clip-1": 0}, who="anna", status=ReviewStatus.ACCEPTED) == 1
    assert cut.clips.get("clip-0").status is ReviewStatus.PENDING
    with pytest.raises(ConflictError):
        cut.clips.edit_these({"clip-0": 0}, who="anna", status=ReviewStatus.ACCEPTED)


def test_many_clips_get_another_sound_each_as_one_change(cut):
    wanted = {f"clip-{one}": (0, {"sha256": f"{one}" * 64, "seconds": 0.4}) for one in (0, 1)}
    cut.clips.edit("clip-1", 0, who="bert", text="先改")
    assert cut.clips.edit_each(wanted, who="anna", action="sound") == ["clip-0"]
    assert (cut.clips.get("clip-0").sha256, cut.clips.get("clip-1").sha256) == ("0" * 64, "c" * 64)
    assert cut.clips.undo("anna", "a-qing").action == "sound"
    assert cut.clips.get("clip-0").sha256 == "c" * 64


def test_deleted_clips_come_back_whole(cut):
    before = cut.clips.get("clip-3")
    assert cut.clips.delete({"clip-3": 0, "clip-4": 0}, who="anna") == 2
    with pytest.raises(NotFoundError):
        cut.clips.get("clip-3")
    cut.clips.undo("anna", "a-qing")
    assert cut.clips.get("clip-3") == replace(before, revision=1)
    assert cut.clips.redo("anna", "a-qing").records == 2
    assert cut.clips.count(WHERE) == 4


def test_a_split_is_one_change(cut):
    whole = cut.clips.get("clip-3")
    halves = [replace(whole, end=3.2, text="前"), replace(whole, id="clip-n", start=3.2, text="后")]
    first, second = cut.clips.replace({"clip-3": 0}, halves, who="anna", action="split")
    assert (first.revision, second.revision) == (1, 0)
    assert [one.text for one in cut.clips.iterate(replace(WHERE, ids=("clip-3", "clip-n")))] == ["前", "后"]

    cut.clips.undo("anna", "a-qing")
    assert cut.clips.get("clip-3") == replace(whole, revision=2)
    assert cut.clips.count(WHERE) == 6


def test_joining_two_clips_is_one_change(cut):
    joined = replace(cut.clips.get("clip-0"), end=1.5, text="合")
    cut.clips.replace({"clip-0": 0, "clip-1": 0}, [joined], who="anna", action="merge")
    assert ids(cut) == [0, 2, 3, 4, 5]
    cut.clips.undo("anna", "a-qing")
    assert ids(cut) == [0, 1, 2, 3, 4, 5]
    assert cut.clips.get("clip-1").complaints == ("music",)


def test_each_person_takes_back_their_own_and_nothing_that_another_changed_since(cut):
    cut.clips.edit("clip-0", 0, who="anna", text="安")
    cut.clips.edit("clip-1", 0, who="bert", text="伯")
    cut.clips.edit("clip-0", 1, who="bert", text="又")
    with pytest.raises(ConflictError):
        cut.clips.undo("anna", "a-qing")
    assert cut.clips.undo("bert", "a-qing").first_id == "clip-0"
    assert cut.clips.get("clip-0").text == "安"


def test_taking_back_clips_leaves_lines_alone_and_the_other_way_round(cut):
    cut.clips.edit("clip-0", 0, who="anna", text="安")
    assert cut.review.undoable("anna", "a-qing") is None
    assert cut.review.undo("anna", "a-qing") is None
    assert cut.clips.get("clip-0").text == "安"


def test_what_is_judged_is_no_decision(cut):
    cut.clips.judge({"clip-0": (1.5, ("noisy",))})
    judged = cut.clips.get("clip-0")
    assert (judged.oddness, judged.complaints, judged.revision) == (1.5, ("noisy",), 0)


def test_a_line_is_spoken_by_the_best_clip_that_nobody_rejected(cut):
    cut.clips.edit_these({"clip-5": 0, "clip-0": 0, "clip-4": 0}, who="anna", utterance_id="s.1.0")
    assert cut.clips.of_line("a-qing", "s.1.0").id == "clip-4"
    cut.clips.edit("clip-4", 1, who="anna", status=ReviewStatus.REJECTED)
    assert cut.clips.of_line("a-qing", "s.1.0").id == "clip-0"
    assert cut.clips.of_line("a-qing", "s.9.9") is None


def frozen(store: Store, name: str, *clips: Clip) -> ClipSet:
    made = ClipSet(f"set-{name}", "a-qing", name, "", "f" * 64, {}, now(), len(clips), 3.0)
    members = [
        SetClip(
            ordinal=number,
            clip_id=one.id,
            revision=one.revision,
            recording_id=one.recording_id,
            recording_sha256="1" * 64,
            start=one.start,
            end=one.end,
            effects=one.effects,
            sha256=one.sha256,
            seconds=one.seconds,
            text=one.text,
            speaker=one.speaker,
            language=one.language,
            utterance_id=None,
            reference=number == 0,
        )
        for number, one in enumerate(clips)
    ]
    store.clip_sets.add(made, members, who="anna")
    return made


def test_a_set_stays_as_it_was_whatever_becomes_of_its_clips(cut):
    first = frozen(cut, "c1", cut.clips.get("clip-0"), cut.clips.get("clip-1"))
    cut.clips.edit("clip-0", 0, who="anna", text="改过", reference=Reference.CHOSEN)
    cut.clips.delete({"clip-1": 0}, who="anna")
    second = frozen(cut, "c2", cut.clips.get("clip-0"), cut.clips.get("clip-2"))

    assert [one.text for one in cut.clip_sets.clips(first.id)] == ["第0句", "第1句"]
    assert [one.text for one in cut.clip_sets.clips(first.id, after=0)] == ["第1句"]
    difference = cut.clip_sets.difference(first.id, second.id)
    assert [one.clip_id for one in difference.added] == ["clip-2"]
    assert [one.clip_id for one in difference.removed] == ["clip-1"]
    assert [(was.text, is_.text) for was, is_ in difference.changed] == [("第0句", "改过")]
    assert difference.same == 0
    assert [one.name for one in cut.clip_sets.sets("a-qing")] == ["c2", "c1"]
    assert cut.clip_sets.free_name("a-qing") == "c3"


def test_subtitles_are_put_beside_a_recording_that_is_there(cut):
    cut.voice.put_subtitles("rec-1", "a.srt", "5" * 64, who="anna")
    beside = cut.voice.recording("rec-1")
    assert (beside.subtitles_name, beside.subtitles_sha256) == ("a.srt", "5" * 64)
    assert cut.events.of("recording", "rec-1")[0].before == {"subtitles_name": "", "subtitles_sha256": ""}
    with pytest.raises(NotFoundError):
        cut.voice.put_subtitles("rec-9", "a.srt", "5" * 64, who="anna")


def test_a_recording_in_a_set_is_not_deleted(cut):
    frozen(cut, "c1", cut.clips.get("clip-0"))
    with pytest.raises(ConflictError):
        cut.voice.delete_recording("rec-1", who="anna")
    cut.clip_sets.delete("set-c1", who="anna")
    cut.voice.delete_recording("rec-1", who="anna")
    assert cut.clips.count(WHERE) == 0
    with pytest.raises(NotFoundError):
        cut.clip_sets.get("set-c1")
    assert cut.clips.undo("anna", "a-qing") is None
