"""The examples of the page: their code, and what is kept of their output."""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[4] / "docs" / "modelserver.md"
TITLE = "## OpenAI's guide, run\n"
_EXAMPLE = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Example:
    """One block of Python; `output` is what the page says that it prints."""

    code: str
    output: str


def section(page: str) -> str:
    """Return the part of the page that is OpenAI's guide."""
    return page[page.index(TITLE) :].split("\n## ")[0]


def examples(page: str) -> list[Example]:
    """Return the examples in their order."""
    found = _EXAMPLE.finditer(section(page))
    return [Example(one["code"], one["output"] or "") for one in found]


def with_outputs(page: str, outputs: list[str]) -> str:
    """Return the page with these outputs below its examples."""
    old, given = section(page), iter(outputs)
    new = _EXAMPLE.sub(
        lambda one: f"```python\n{one['code']}```\n\n```text\n{next(given)}```\n", old
    )
    return page.replace(old, new)


def printed(code: str, names: dict[str, Any]) -> str:
    """Run the code among `names`, and return what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        exec(compile(code, str(PAGE), "exec"), names)
    return told.getvalue()


def shape(output: str) -> str:
    """Return the output without what differs from run to run: ids, figures, a model's words."""
    output = re.sub(r"('content': )(['\"]).*\2(?=, 'refusal')", r"\1WORDS", output)
    output = re.sub(r"(?s)(Answer: )(?!\{).*(?=\nCompletionUsage)", r"\1WORDS", output)
    output = re.sub(r"\b(file|ftjob)-\w+", r"\1-ID", output)
    output = re.sub(r":\w{8}\b", ":ID", output)
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "N", output)
