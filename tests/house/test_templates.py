"""Every template is shown by something: a view or a tag, or one that is shown."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "templates"
TEMPLATES = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*.html")}
# Django asks for these by itself: its own error pages.
BY_DJANGO = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
TAG = re.compile(r"""{%\s*(?:include|extends)\s+["']([^"']+)["']""")


def named_by_code() -> Iterator[str]:
    """Each string of our code, an f-string once for every other string that its module may put in."""
    for path in (ROOT / "dashboard").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        words = {
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        yield from words
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                pattern = "".join(
                    re.escape(str(piece.value)) if isinstance(piece, ast.Constant) else "(.+)"
                    for piece in node.values
                )
                for template in TEMPLATES:
                    found = re.fullmatch(pattern, template)
                    if found and found.groups() and words.issuperset(found.groups()):
                        yield template


def test_every_template_is_shown_by_something():
    shown: set[str] = set()
    waiting = {*BY_DJANGO, *named_by_code()} & TEMPLATES.keys()
    while waiting:
        shown |= waiting
        named = {
            name
            for each in waiting
            for name in TAG.findall(TEMPLATES[each].read_text(encoding="utf-8"))
        }
        waiting = (named & TEMPLATES.keys()) - shown

    assert len(shown) > 50
    assert sorted(TEMPLATES.keys() - shown) == []
