"""How an answer came about, in words."""

from botrunner.quoting import in_a_line
from dashboard.models import Message

NAME_CHARACTERS = 200
ERROR_CHARACTERS = 600


def of(answer: Message) -> str:
    """Which model and which corrections made an answer, and what it cost; or why there is none."""
    if answer.error:
        return f"There was no answer: {in_a_line(answer.error, ERROR_CHARACTERS)}"
    if answer.correction_id is not None:
        lines = [
            f"These are the words of correction #{answer.correction_id}, exactly as a person "
            "wrote them. No model was asked."
        ]
    else:
        lines = [f"{_model(answer)} wrote this answer{_time(answer)}."]
        if answer.example_ids:
            numbers = ", ".join(f"#{pk}" for pk in answer.example_ids)
            lines.append(f"It was shown these corrections of similar questions: {numbers}.")
        else:
            lines.append("No correction took part.")
        lines.append(_cost(answer))
    in_force = [pk for pk in _later(answer) if pk != answer.correction_id]
    if in_force:
        numbers = ", ".join(f"#{pk}" for pk in in_force)
        lines.append(f"It was corrected since by {numbers}.")
    return "\n".join(line for line in lines if line)


def _model(answer: Message) -> str:
    name = in_a_line(answer.model, NAME_CHARACTERS)
    return f"The model {name}" if name else "A model"


def _time(answer: Message) -> str:
    if answer.total_ms is None:
        return ""
    first = f", the first words after {answer.first_token_ms:,} ms" if answer.first_token_ms else ""
    return f" in {answer.total_ms:,} ms{first}"


def _cost(answer: Message) -> str:
    if answer.prompt_tokens is None and answer.completion_tokens is None:
        return "Its endpoint does not tell how many tokens that took."
    tokens = (
        f"It read {answer.prompt_tokens or 0:,} tokens and wrote {answer.completion_tokens or 0:,}"
    )
    if answer.cost_usd is None:
        return f"{tokens}."
    return f"{tokens}, which cost ${answer.cost_usd:.6f}."


def _later(answer: Message) -> list[int]:
    return list(answer.corrections.approved().order_by("pk").values_list("pk", flat=True))
