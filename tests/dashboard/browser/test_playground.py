"""The heart of it in a real browser: ask, correct, ask again."""

import pytest
from playwright.sync_api import Page, Response, WebSocketRoute, expect

from dashboard.models import Conversation, Correction, Feedback, Message
from dashboard.services import corrections
from tests.dashboard.browser.conftest import LOOKS, another_page
from tests.dashboard.browser.test_pages import look_at
from tests.factories import AnswerFactory, ConversationFactory, CorrectionFactory, UserFactory
from tests.fakes.openai_endpoint import Reply, error_body

QUESTION = "When does our library open?"
# A minute and more: nobody who is in the midst of it finds it over.
SLOW = Reply(pieces=tuple(f"word{n} " for n in range(2000)), delay_s=0.05)


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your message").fill(question)
    page.keyboard.press("Enter")


def fits(page: Page, width: int) -> bool:
    return page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_ask_then_correct_then_ask_again(open_page, endpoint, take_picture, size, theme):
    name = f"{theme}-{size[0]}"
    endpoint.default = Reply(
        pieces=("Our library is open ", "day and night, ", "all through the year."),
        system_fingerprint="fp-1",
    )
    page = open_page("/playground/", user=UserFactory(admin=True), size=size, theme=theme)
    expect(page.get_by_label("Model", exact=True)).to_contain_text("Default: large")
    take_picture(page, f"playground-empty-{name}")

    page.get_by_role("button", name=QUESTION).click()
    page.get_by_role("button", name="Correct").click()
    dialog = page.get_by_role("dialog", name="Correct this answer")
    expect(dialog.get_by_label("The right answer")).to_be_focused()
    page.keyboard.type("At nine o'clock.\nOn Sundays it stays closed.")
    take_picture(page, f"playground-correct-{name}")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="In force from the next message")).to_be_visible()
    take_picture(page, f"playground-in-force-{name}")
    page.get_by_role("button", name="Ask again").click()

    badge = page.get_by_role("link", name="corrected · #")
    expect(badge).to_be_visible()
    expect(page.locator("[data-answer]").last).to_have_text(
        "At nine o'clock.\nOn Sundays it stays closed.", use_inner_text=True
    )
    page.get_by_text("Why this answer").last.click()
    expect(page.get_by_text("No model was asked")).to_be_visible()
    assert fits(page, size[0])
    take_picture(page, f"playground-corrected-{name}")

    page.reload()
    expect(badge).to_be_visible()
    badge.click()
    expect(page.get_by_role("heading", name=f"#{Correction.objects.get().pk}")).to_be_visible()


def test_words_appear_while_they_form_and_stop_ends_them(open_page, endpoint, take_picture):
    endpoint.replies = [SLOW]
    page = open_page("/playground/", user=UserFactory(admin=True))

    ask(page, "Tell me all.")
    expect(page.get_by_text("word3")).to_be_visible()
    take_picture(page, "playground-streaming")
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    kept = Message.objects.get(role="assistant")
    assert kept.content.startswith("word0 word1 ")
    assert len(kept.content) < len("".join(SLOW.pieces))


def test_a_failure_is_told_in_words_and_can_be_retried(open_page, endpoint, take_picture):
    endpoint.replies = [Reply(status=400, error=error_body("The model is on holiday."))]
    page = open_page("/playground/", user=UserFactory(admin=True))

    ask(page, "When?")
    failure = page.get_by_role("alert").filter(has=page.get_by_role("button", name="Retry"))
    expect(failure).to_be_visible()
    take_picture(page, "playground-failed")
    failure.get_by_role("button", name="Retry").click()

    expect(page.get_by_text("Hello there.")).to_be_visible()
    assert Conversation.objects.count() == 1


def test_shift_and_enter_make_a_line_and_enter_sends(open_page, endpoint):
    page = open_page("/playground/", user=UserFactory(admin=True))

    page.get_by_label("Your message").fill("One")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Two")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Hello there.")).to_be_visible()
    assert Message.objects.get(role="user").content == "One\nTwo"
    expect(page.get_by_label("Your message")).to_have_value("")


def test_what_a_model_says_is_never_markup(open_page, endpoint):
    endpoint.default = Reply(pieces=("<img src=x onerror=alert(1)>", "<b>bold</b>"))
    page = open_page("/playground/", user=UserFactory(admin=True))

    ask(page, "<script>alert(2)</script>")

    expect(page.get_by_text("<img src=x onerror=alert(1)><b>bold</b>")).to_be_visible()
    expect(page.get_by_text("<script>alert(2)</script>")).to_be_visible()
    assert page.locator("#thread img, #thread b, #thread script").count() == 0


def test_the_chosen_model_stays_in_the_address_and_answers(open_page, endpoint):
    page = open_page("/playground/?model=large", user=UserFactory(admin=True))
    expect(page.get_by_label("Model", exact=True)).to_have_value("large")

    ask(page, "When?")
    expect(page.get_by_text("Hello there.")).to_be_visible()

    conversation = Conversation.objects.get()
    assert page.url.endswith(f"/playground/{conversation.pk}/?model=large")
    assert endpoint.chats[-1]["model"] == "large"
    with another_page(page):
        page.get_by_role("link", name="New conversation").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("large")
    expect(page.get_by_text("Hello there.")).to_have_count(0)


def test_a_members_correction_waits_and_takes_effect_once_approved(open_page, endpoint):
    member, trainer = UserFactory(), UserFactory(trainer=True)
    page = open_page("/playground/", user=member)
    ask(page, QUESTION)
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("The right answer").fill("At nine.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Waiting for review")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    corrections.approve(correction=Correction.objects.get(), reviewer=trainer)
    ask(page, QUESTION)

    expect(page.get_by_text("corrected · #")).to_be_visible()


def test_a_draft_survives_escape(open_page, endpoint):
    answer = AnswerFactory(conversation__user=UserFactory(admin=True))
    page = open_page(f"/playground/{answer.conversation_id}/", user=answer.conversation.user)
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("The right answer").fill("Half a thought")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.get_by_role("button", name="Correct").click()

    expect(page.get_by_label("The right answer")).to_have_value("Half a thought")
    page.get_by_role("button", name="Start from the old answer").click()
    expect(page.get_by_label("The right answer")).to_have_value("It never closes.")


def test_an_empty_correction_is_refused_in_the_dialog(open_page, endpoint):
    answer = AnswerFactory(conversation__user=UserFactory(admin=True))
    page = open_page(
        f"/playground/{answer.conversation_id}/",
        user=answer.conversation.user,
        tolerates=["422"],
    )
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("The right answer").fill("   ")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("is empty")


def test_a_thumb_is_kept(open_page, endpoint):
    answer = AnswerFactory(conversation__user=UserFactory(admin=True))
    page = open_page(f"/playground/{answer.conversation_id}/", user=answer.conversation.user)

    page.get_by_role("button", name="Good answer").click()

    expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    assert Feedback.objects.get().rating == 1


def test_a_lost_connection_is_told_and_the_next_question_gets_through(open_page, endpoint):
    endpoint.replies = [SLOW]
    routes: list[WebSocketRoute] = []

    def watch(page: Page) -> None:
        def meet(route: WebSocketRoute) -> None:
            route.connect_to_server()
            routes.append(route)

        page.route_web_socket("**/ws/playground/", meet)

    page = open_page("/playground/", user=UserFactory(admin=True), before=watch)
    ask(page, "Tell me all.")
    expect(page.get_by_text("word3")).to_be_visible()

    routes[0].close(code=1012)
    expect(page.get_by_text("The connection was lost")).to_be_visible()
    expect(page.get_by_text("word3")).to_be_visible()
    page.get_by_role("button", name="Retry").click()

    expect(page.get_by_text("Hello there.")).to_be_visible()


def test_a_transcript_follows_what_is_said_elsewhere(open_page, endpoint):
    trainer = UserFactory(trainer=True)
    member = UserFactory()
    conversation = ConversationFactory(user=member, title=QUESTION)
    watching = open_page(f"/conversations/{conversation.pk}/", user=trainer)
    expect(watching.get_by_text("Nothing was said yet")).to_be_visible()

    talking = open_page(f"/playground/{conversation.pk}/", user=member)
    ask(talking, QUESTION)

    expect(watching.get_by_text("Hello there.")).to_be_visible()


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_of_talk_fits_its_screen(open_page, endpoint, take_picture, theme, size):
    admin = UserFactory(admin=True, username="maya")
    answer = AnswerFactory(
        conversation__user=admin,
        conversation__title=QUESTION,
        content="a very long word " + "x" * 300,
        completion_tokens=128,
        first_token_ms=40,
        prompt_tokens=12,
    )
    AnswerFactory(conversation=answer.conversation, content="", error="The model server is down.")
    CorrectionFactory(
        message=answer,
        rejected_answer="The library opens at ten on Monday, and never on Sunday.",
        better_answer="The library opens at nine on Monday, and at noon on Sunday.",
    )
    CorrectionFactory(message=answer, question="y" * 300, n_fired=3)
    CorrectionFactory(approved=True)
    addresses = {
        "conversations": "/conversations/",
        "search": "/conversations/?q=nothing+like+this",
        "conversation": f"/conversations/{answer.conversation_id}/",
        "playground": f"/playground/{answer.conversation_id}/",
        "corrections": "/corrections/",
        "rejected": "/corrections/?state=rejected",
        "correction": f"/corrections/{Correction.objects.approved().get().pk}/",
        "teach": "/corrections/teach/",
    }
    page = open_page("/account/password/", user=admin, theme=theme, size=size)

    for name, address in addresses.items():
        look_at(page, address)
        take_picture(page, f"talk-{name}-{theme}-{size[0]}")


def test_reviewing_without_the_mouse(open_page, endpoint):
    first, second, third = (CorrectionFactory(question=f"{n}?") for n in ("a", "b", "c"))
    page = open_page("/corrections/", user=UserFactory(trainer=True))

    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text("c?")).to_have_count(0)
    expect(page.get_by_role("article").first).to_be_focused()
    page.keyboard.press("e")
    page.get_by_label("The right answer").fill("Better.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("b?")).to_have_count(0)
    page.keyboard.press("r")
    page.get_by_label("Why").fill("No.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing waits for review")).to_be_visible()

    states = [Correction.objects.get(pk=row.pk).state for row in (third, second, first)]
    assert states == ["approved", "approved", "rejected"]
    assert Correction.objects.get(pk=second.pk).better_answer == "Better."


def test_news_while_a_fragment_is_on_its_way_is_asked_of_the_new_one(open_page, endpoint):
    trainer = UserFactory(trainer=True)
    conversation = ConversationFactory(user=trainer, title=QUESTION)
    page = open_page(f"/conversations/{conversation.pk}/", user=trainer)
    expect(page.get_by_text("Nothing was said yet")).to_be_visible()
    answers = [0]

    def is_second(response: Response) -> bool:
        answers[0] += response.url.endswith("/messages/")
        return answers[0] == 2

    with page.expect_response(is_second):
        page.evaluate(
            """() => {
              const shown = () => document.getElementById("messages");
              const tell = () => shown().dispatchEvent(
                new CustomEvent("tell", { bubbles: true, detail: "followed" }));
              tell();
              tell();
            }"""
        )
