"""Training-data file formats: read, recognise, validate. Chat JSONL for now."""

from trainerbot.formats.chat import (
    ChatExample,
    Prompt,
    check_chat_jsonl,
    parse_prompt,
    read_chat_jsonl,
)
from trainerbot.formats.report import Problem, Report

__all__ = [
    "ChatExample",
    "Problem",
    "Prompt",
    "Report",
    "check_chat_jsonl",
    "parse_prompt",
    "read_chat_jsonl",
]
