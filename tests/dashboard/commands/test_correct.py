import pytest

from dashboard.models import AuditEvent, Correction
from dashboard.services import recall
from tests.dashboard.commands.running import refusal, rows, run, write

pytestmark = pytest.mark.django_db


def test_a_correction_is_in_force_at_once_word_for_word():
    words = run("correct", "When?", "  At *nine*.\n")
    correction = Correction.objects.get()
    assert words == f"Correction #{correction.pk} is in force.\n"
    assert (correction.state, correction.author_name) == ("approved", "command line")
    assert recall.current().recall("when").verbatim.answer == "  At *nine*.\n"
    assert AuditEvent.objects.get().actor_name == "command line"


def test_json_gives_the_id_of_each(tmp_path):
    lessons = [{"question": f"Room {n}?", "answer": f"Floor {n}."} for n in range(3)]
    path = write(tmp_path / "lessons.jsonl", *lessons)
    printed = rows("correct", "--file", path)
    ids = Correction.objects.order_by("pk").values_list("pk", flat=True)
    assert printed == [{"id": pk} for pk in ids]


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), "The question is empty"),
        (("When?",), "The better answer is empty"),
        (("When?", " "), "The better answer is empty"),
        (("When?", "x" * 32_001), "32,000 is the most"),
        (("When?", "nul \x00"), "no text"),
        (("half \ud83d", "At nine."), "no text"),
    ],
)
def test_a_correction_of_nothing_is_refused_in_words(args, complaint):
    assert complaint in refusal("correct", *args)
    assert not Correction.objects.exists()


def test_a_file_and_words_together_are_refused(tmp_path):
    assert "not both" in refusal("correct", "When?", "--file", tmp_path / "x.jsonl")
