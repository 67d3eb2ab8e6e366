"""The ratios of WCAG 2.2 between the colours of `colours.css`: 4.5:1 of texts (1.4.3), 3:1 of parts (1.4.11)."""

import re
from pathlib import Path

import pytest

import web
from tests.contrast import ratio

STATIC = Path(web.__file__).parent / "static"
STATES = ("up", "down", "error", "pending", "paused", "maintenance")
GROUNDS = ("paper", "surface", "surface-2", "surface-3")
CARDS = ("paper", "surface", "surface-2")
PHASES = ("phase-dns", "phase-connect", "phase-tls", "phase-wait", "phase-download")
PAIR = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


def _colours() -> dict[str, tuple[str, str]]:
    found = PAIR.findall((STATIC / "colours.css").read_text())
    return {name: (light, dark) for name, light, dark in found}


COLOURS = _colours()

TEXTS = [
    *((text, ground) for text in ("ink", "ink-2", "ink-3", "accent", "accent-strong") for ground in CARDS),
    *((text, "accent-soft") for text in ("ink", "accent-strong")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("surface", "ink"),
    *((state, ground) for state in STATES for ground in (*CARDS, f"{state}-soft")),
    *(("ink", f"{state}-soft") for state in STATES),
    *(("ink-3", f"{state}-soft") for state in STATES),
]
PARTS = [
    *(("control", ground) for ground in GROUNDS),
    *(("focus", ground) for ground in (*GROUNDS, "accent-soft", *(f"{state}-soft" for state in STATES))),
    *((f"{state}-fill", ground) for state in STATES for ground in GROUNDS),
    *((part, ground) for part in PHASES for ground in ("surface", "surface-3")),
    *((part, "surface") for part in ("accent", "chart-line", "chart-second")),
    ("on-accent", "accent"),
]


def test_the_ratio_is_that_of_the_definition() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_texts_stand_out(text: str, ground: str, scheme: int) -> None:
    assert ratio(COLOURS[text][scheme], COLOURS[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("part", "ground"), PARTS)
def test_parts_stand_out(part: str, ground: str, scheme: int) -> None:
    assert ratio(COLOURS[part][scheme], COLOURS[ground][scheme]) >= 3


def test_no_other_style_sheet_names_a_colour() -> None:
    """Otherwise its contrast would be known to no one."""
    named = re.compile(r"#[0-9a-f]{3,8}\b(?![^{]*\{)|\b(?:rgb|hsl|oklch)a?\(", re.IGNORECASE)
    found = {
        path.name: named.findall(path.read_text())
        for path in sorted(STATIC.glob("*.css"))
        if path.name != "colours.css"
    }
    assert not {name: hits for name, hits in found.items() if hits}


def test_parts_are_drawn_with_the_colours_that_are_measured() -> None:
    """Inputs, boxes and switches take `--control`; what has the focus takes `--focus`; nothing that tells is translucent."""
    controls = (STATIC / "controls.css").read_text()
    assert "border-color: var(--control)" in controls
    assert not re.search(r"line-strong|var\(--line\)", controls)
    for path in STATIC.glob("*.css"):
        for rule in re.findall(r"[^{}]+\{[^{}]*\}", path.read_text()):
            if "var(--focus)" in rule or "fill: var(--phase" in rule:
                assert "opacity" not in rule, rule
