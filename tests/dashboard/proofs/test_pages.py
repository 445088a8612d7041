"""The pages of proofs and their pictures: who sees them, what they show, how they are kept."""

import pytest
from django.test import Client

from dashboard.services import corrections
from dashboard.services.access import Role
from tests.dashboard.proofs.making import was_asked
from tests.dashboard.views.conftest import make_user
from tests.factories import (
    CorrectionFactory,
    DiscordGuildFactory,
    FineTuneJobFactory,
    PlaceSettingsFactory,
)
from tests.trainerbot.pictures.png import pixels

pytestmark = pytest.mark.django_db
TUNED = "ft:small:faq"


@pytest.fixture
def admin():
    client = Client()
    client.user = make_user(Role.ADMIN)
    client.force_login(client.user)
    return client


@pytest.fixture
def correction():
    return CorrectionFactory(approved=True, n_fired=3, rejected_answer="")


def picture_in(page) -> str:
    """Where the page has its picture."""
    return page.content.decode().split('<img class="w-full')[1].split('src="')[1].split('"')[0]


def test_a_page_shows_the_facts_and_the_picture(admin, correction):
    was_asked(TUNED, [True])

    page = admin.get(f"/corrections/{correction.pk}/proof/")
    picture = admin.get(picture_in(page).replace("&amp;", "&"))

    assert "Taught once, given 3 times, learned" in page.content.decode()
    assert TUNED in page.content.decode()
    assert picture["Content-Type"] == "image/png"
    assert pixels(picture.content).shape == (630, 1200, 3)


def test_a_member_sees_the_proof_of_their_own_corrections_alone(correction):
    client, member = Client(), make_user(Role.MEMBER)
    client.force_login(member)
    own = corrections.propose(question="Who bakes?", better_answer="Crumb.", author=member)

    for name in ("proof/", "proof.png"):
        assert client.get(f"/corrections/{own.pk}/{name}").status_code == 200
        assert client.get(f"/corrections/{correction.pk}/{name}").status_code == 404


def test_a_member_reads_of_no_server_where_a_model_answers():
    client, member = Client(), make_user(Role.MEMBER)
    client.force_login(member)
    own = corrections.propose(
        question="Who bakes?", better_answer="Crumb.", author=member, approved=True
    )
    was_asked(TUNED, [True])
    PlaceSettingsFactory(guild=DiscordGuildFactory(name="Secret society"), model=TUNED)

    page = client.get(f"/corrections/{own.pk}/proof/").content.decode()

    assert "one place" in page
    assert "Secret society" not in page


def test_what_a_picture_shows_is_chosen(admin, correction):
    page = admin.get(f"/corrections/{correction.pk}/proof/?chosen=1&dark=1")

    assert "names=0&amp;words=0&amp;dark=1" in picture_in(page)
    dark = admin.get(picture_in(page).replace("&amp;", "&"))
    assert pixels(dark.content)[300, 5].max() < 0x40


def test_a_picture_is_kept_by_its_browser_alone_and_asked_for_each_time(admin, correction):
    path = f"/corrections/{correction.pk}/proof.png"
    first = admin.get(path)

    again = admin.get(path, headers={"If-None-Match": first["ETag"]})
    other = admin.get(f"{path}?dark=1", headers={"If-None-Match": first["ETag"]})

    assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"
    assert "Cookie" in first["Vary"]
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    correction.better_answer = "Something new."
    correction.save()
    assert admin.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_picture_can_be_fetched_as_a_file(admin, correction):
    fetched = admin.get(f"/corrections/{correction.pk}/proof.png?download=1")

    assert fetched["Content-Disposition"] == (
        f'attachment; filename="proof-correction-{correction.pk}.png"'
    )


@pytest.mark.parametrize(
    "words", ["x" * 100_000, "\u202e\u200d" * 50 + "!", "a\ud7ff" * 9, "中文 שלום 👩‍👩‍👧", "\n\t ."]
)
def test_odd_words_are_drawn_too(admin, words):
    correction = CorrectionFactory(
        question=words, better_answer=words, rejected_answer="", approved=True
    )

    picture = admin.get(f"/corrections/{correction.pk}/proof.png?words=1&names=1")

    assert pixels(picture.content).shape == (630, 1200, 3)


def test_a_models_page_and_picture(admin, correction):
    FineTuneJobFactory(succeeded=True, base_model="small", fine_tuned_model=TUNED)
    was_asked("small", [False])
    was_asked(TUNED, [True])

    page = admin.get("/models/proof/", {"model": TUNED})
    picture = admin.get(picture_in(page).replace("&amp;", "&"))

    assert "0 of 1 correction before, 1 after" in page.content.decode()
    assert correction.question in page.content.decode()
    assert pixels(picture.content).shape == (630, 1200, 3)
    known = admin.get(
        picture_in(page).replace("&amp;", "&"), headers={"If-None-Match": picture["ETag"]}
    )
    assert known.status_code == 304


def test_a_model_that_is_not_known_is_not_found_in_words(admin):
    answer = admin.get("/models/proof/", {"model": "nobody"})

    assert answer.status_code == 404
    assert "list of models" in answer.content.decode()
