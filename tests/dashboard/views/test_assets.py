"""The committed look fits the committed templates, so that no Node is needed to find out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "dashboard" / "static" / "dashboard"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# Names that carry no look of their own: htmx sets them.
HOOKS = {"htmx-indicator"}


def _classes_of(template: Path) -> set[str]:
    text = template.read_text("utf-8")
    found: set[str] = set()
    # A quote inside a tag would end the attribute too early.
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.S)
    for _, value in re.findall(r"""\bclass=(["'])(.*?)\1""", text, flags=re.S):
        found.update(value.split())
    return found


def _classes_of_css() -> set[str]:
    css = (STATIC / "app.css").read_text("utf-8")
    names = re.findall(r"\.((?:\\.|[\w-])+)", css)
    return {re.sub(r"\\(.)", r"\1", name) for name in names}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_class_of_a_template_is_in_the_built_css(template):
    missing = _classes_of(template) - _classes_of_css() - HOOKS

    assert not missing, f"run `npm run build` in frontend/: {sorted(missing)}"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_carries_an_inline_script_or_style(template):
    text = template.read_text("utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)


def test_no_template_repeats_what_the_layout_says_for_all():
    assert '"defaultSettleDelay": 0' in (ROOT / "templates" / "_head.html").read_text("utf-8")

    repeats = [path for path in TEMPLATES if "settle:0ms" in path.read_text("utf-8")]

    assert not repeats


def test_every_icon_that_is_asked_for_is_drawn():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")))

    asked = set()
    for template in TEMPLATES:
        asked.update(re.findall(r'\{% icon "([\w-]+)"', template.read_text("utf-8")))

    assert asked <= drawn


def test_the_lock_of_the_build_names_no_download_address():
    assert "://" not in (ROOT / "frontend" / "package-lock.json").read_text("utf-8")


@pytest.mark.parametrize("name", ["uplot.js", "inter.woff2"])
def test_what_others_wrote_keeps_its_licence_beside_it(name):
    assert (STATIC / "vendor" / f"{name.split('.')[0]}.LICENSE").exists()
