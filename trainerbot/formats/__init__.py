"""Training-data file formats: detect, read, validate, and show what is wrong where."""

from trainerbot.formats.catalogue import FORMATS, Format
from trainerbot.formats.chat import (
    ChatExample,
    Prompt,
    parse_prompt,
    read_chat_jsonl,
)
from trainerbot.formats.checking import check, check_chat_jsonl
from trainerbot.formats.detection import Detected, detect
from trainerbot.formats.excerpts import excerpt
from trainerbot.formats.reading import read
from trainerbot.formats.report import Problem, Report
from trainerbot.formats.rows import Kind, Options, Row
from trainerbot.formats.spelling import canonical
from trainerbot.formats.writing import write

__all__ = [
    "FORMATS",
    "ChatExample",
    "Detected",
    "Format",
    "Kind",
    "Options",
    "Problem",
    "Prompt",
    "Report",
    "Row",
    "canonical",
    "check",
    "check_chat_jsonl",
    "detect",
    "excerpt",
    "parse_prompt",
    "read",
    "read_chat_jsonl",
    "write",
]
