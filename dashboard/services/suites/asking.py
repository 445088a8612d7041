"""One case asked as a chat asks it, and its answer judged by a model where its judge is one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.models import SuiteAnswer, SuiteCase, SuiteRun
from dashboard.services import providers
from dashboard.services.asking import AT_ONCE, AT_ONCE_OURS, Crowd
from trainerbot.conversation import Finished, Recalled, prompting, turn
from trainerbot.errors import ProviderRefused
from trainerbot.judging import Verdict, not_judged
from trainerbot.judging import model as judge_model
from trainerbot.llm import Abilities, ChatModel, Usage, by_name, open_chat
from trainerbot.messages import ChatMessage, Role

NOT_KNOWN: Final = Abilities()


@dataclass(frozen=True, slots=True)
class Said:
    """What came of asking a case. finished: None where it was refused, and `error` says why.

    usage: what that took nevertheless, as of a model that thought and said nothing.
    """

    case: SuiteCase
    finished: Finished | None
    ms: int
    error: str = ""
    usage: Usage = turn.NOTHING_TOLD


@dataclass(frozen=True, slots=True)
class Ruled:
    """A judge model's verdict on an answer that is stored already."""

    answer: SuiteAnswer
    verdict: Verdict
    usage: Usage


class Asker(Crowd[Said | Ruled]):
    """Asks the model of a run, and its judge model. Use it as a context manager, in one thread."""

    def __init__(self, run: SuiteRun) -> None:
        asked = providers.named(run.endpoint)
        is_ours = asked.name == "modelserver"
        super().__init__(at_once=AT_ONCE_OURS if is_ours else AT_ONCE, close=self._close_clients_)
        self._run = run
        self._llm = open_chat(asked)
        self._judge: ChatModel | None = None
        if run.judge_model:
            judges = providers.named(run.judge_endpoint)
            self._judge = self._llm if judges == asked else open_chat(judges)

    def ask(self, case: SuiteCase, recalled: Recalled) -> None:
        """Ask about one more case. recalled: what Recall found, or nothing at all."""
        self.add(self._ask(case, recalled))

    def judge(self, answer: SuiteAnswer) -> None:
        """Let the judge model read one more answer, whose case is at hand."""
        self.add(self._rule(answer))

    async def _ask(self, case: SuiteCase, recalled: Recalled) -> Said:
        began, run = time.monotonic(), self._run
        history = chat_messages(case.history)
        turns = turn.answer(
            case.question,
            history=history,
            system_prompt=case.system or run.system_prompt,
            recalled=recalled,
            llm=self._llm,
            model=run.model,
            temperature=run.temperature,
            max_tokens=run.max_tokens,
            abilities=by_name(run.model) if _is_long(history) else NOT_KNOWN,
        )
        finished, told, spent = None, "", turn.NOTHING_TOLD
        try:
            async for event in turns:
                if isinstance(event, Finished):
                    finished = event
        except (turn.NoAnswer, turn.NoWords) as error:
            # Asked again, it would be paid for again, and say no more.
            told, spent = str(error), error.usage
        except ProviderRefused as error:
            # Of one question, too, where a filter took it for what nobody may answer.
            told = str(error) if error.code == "content_filter" else self.refused(error)
        else:
            self.accepted()
        return Said(case, finished, round(1000 * (time.monotonic() - began)), told, spent)

    async def _rule(self, answer: SuiteAnswer) -> Ruled:
        case, chat = answer.case, self._judge
        assert chat is not None  # only runs with a judge model get here
        asked = judge_model.messages(
            question=case.question,
            answer=answer.answer,
            expected=case.expected,
            rubric=case.judge_args.get("rubric", ""),
            history=chat_messages(case.history),
        )
        try:
            judged = await judge_model.ask(chat, asked, model=self._run.judge_model)
        except ProviderRefused as error:
            return Ruled(answer, not_judged(self.refused(error)), Usage())
        self.accepted()
        return Ruled(answer, judged.verdict, judged.usage)

    async def _close_clients_(self) -> None:
        await self._llm.close()
        if self._judge is not None and self._judge is not self._llm:
            await self._judge.close()


def chat_messages(history: Sequence[dict[str, str]]) -> list[ChatMessage]:
    return [ChatMessage(Role(each["role"]), each["content"]) for each in history]


def _is_long(history: Sequence[ChatMessage]) -> bool:
    n_tokens = sum(prompting.tokens_in(message.content) for message in history)
    return n_tokens > prompting.HISTORY_TOKENS
