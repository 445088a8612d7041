"""Whatever is done to a draft: taken back step by step, it is what it was."""

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from dashboard.services import drafts
from dashboard.services.drafts.freezing import sum_up
from dashboard.services.examples import Filter
from tests.dashboard.drafts.making import content, labelled, sums, version_of
from trainerbot.errors import InvalidInput, NotFound
from trainerbot.formats.rows import Kind

N_ROWS = 6
WORDS = st.sampled_from(["copper roofs", "swans", "ann@example.org", "Ärger 北京", "x"])
POSITIONS = st.integers(0, N_ROWS + 2)
LABELS = st.sampled_from(["shop", "club", "bar"])
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("rewrite"), POSITIONS, WORDS, LABELS),
        st.tuples(st.just("add"), WORDS, LABELS),
        st.tuples(st.just("remove"), st.lists(POSITIONS, min_size=1, max_size=3)),
        st.tuples(st.just("remove"), st.builds(Filter, label=LABELS)),
        st.tuples(st.just("mask")),
        st.tuples(st.just("deduplicate"), st.booleans()),
        st.tuples(st.just("split"), st.integers(0, 9)),
        st.tuples(st.just("relabel"), st.lists(POSITIONS, min_size=1, max_size=3), LABELS),
        st.tuples(st.just("undo")),
        st.tuples(st.just("redo")),
    ),
    max_size=12,
)


def do(draft, verb, *args):
    match verb:
        case "rewrite":
            row = draft.examples.filter(position=args[0]).first()
            if row is not None:
                record = {"text": args[1], "label": args[2]}
                drafts.rewrite(row, record=record, actor=None)
        case "add":
            drafts.add(draft, record={"text": args[0], "label": args[1]}, actor=None)
        case "remove":
            drafts.remove(draft, chosen=args[0], actor=None)
        case "mask":
            drafts.mask(draft, actor=None)
        case "deduplicate":
            drafts.deduplicate(draft, near=args[0], actor=None)
        case "split":
            drafts.split(draft, shares={"train": 0.5, "test": 0.5}, seed=args[0], actor=None)
        case "relabel":
            drafts.relabel(draft, chosen=args[0], label=args[1], actor=None)
        case "undo":
            drafts.undo(draft, actor=None)
        case "redo":
            drafts.redo(draft, actor=None)


class UndoTest(TestCase):
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(acts=ACTS)
    def test_a_sequence_of_edits_taken_back_leaves_everything_as_it_was(self, acts):
        labels = ["shop", "club", "bar"]
        records = [labelled(n % 4, labels[n % 3]) for n in range(N_ROWS)]
        draft = version_of(records, kind=Kind.LABELLED, draft=True)
        before, before_sums, before_truth = content(draft), sums(draft), sum_up(draft)

        for act in acts:
            with contextlib.suppress(InvalidInput, NotFound):
                do(draft, *act)
            truth = sum_up(draft)
            draft.refresh_from_db()
            assert (draft.n_examples, draft.n_bytes) == (truth.n_examples, truth.n_bytes)
            assert draft.sha256 in ("", truth.sha256)
        while drafts.edits(draft).filter(undone_at=None).exists():
            drafts.undo(draft, actor=None)

        assert content(draft) == before
        assert sums(draft) == before_sums
        assert sum_up(draft) == before_truth
