"""What people taught, as training data: rows that our own importer and OpenAI's take."""

from typing import Any

from trainerbot.formats.rows import Kind


def record(row: Any, kind: Kind) -> dict[str, Any]:
    """One row as training data. A question that a reviewer worded for that goes before the asked one."""
    if kind == Kind.UNPAIRED:
        return {
            "prompt": [_user(row.message.reply_to.content)],
            "completion": [_assistant(row.message.content)],
            "label": row.rating > 0,
        }
    if kind == Kind.PREFERENCE:
        return {
            "input": {"messages": [_user(row.own_question or row.question)]},
            "preferred_output": [_assistant(row.better_answer)],
            "non_preferred_output": [_assistant(row.rejected_answer)],
        }
    return {"messages": [_user(row.own_question or row.question), _assistant(row.better_answer)]}


def _user(words: str) -> dict[str, str]:
    return {"role": "user", "content": words}


def _assistant(words: str) -> dict[str, str]:
    return {"role": "assistant", "content": words}
