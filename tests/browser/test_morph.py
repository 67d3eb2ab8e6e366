"""What updates a page in place: afterwards it reads exactly like what was fetched, and the focus is where it was."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow]
Visit = Callable[..., "Page"]
_MORPH = """async ([old, fresh, focused]) => {
  const address = document.querySelector("script[src$='/live.js']").src.replace("live.js", "morph.js");
  const { morph } = await import(address);
  document.getElementById("ground")?.remove();
  const ground = document.createElement("div");
  ground.id = "ground";
  document.body.append(ground);
  ground.innerHTML = old;
  const wanted = document.createElement("template");
  wanted.innerHTML = fresh;
  const links = ground.querySelectorAll("a[id]");
  const link = links[focused % Math.max(1, links.length)];
  link?.focus();
  morph(ground, wanted.content.cloneNode(true));
  return {
    same: ground.innerHTML === wanted.innerHTML,
    found: ground.innerHTML,
    kept: !link?.isConnected || document.activeElement === link,
  };
}"""


def _element(name: str, number: int | None, attribute: str, inside: list[str]) -> str:
    mark = "" if number is None else f' id="x{number}"'
    title = f' title="{attribute}"' if attribute else ""
    link = ' href="#"' if name == "a" else ""
    return f"<{name}{link}{mark}{title}>{''.join(inside)}</{name}>"


@st.composite
def trees(draw: st.DrawFn) -> str:
    """HTML in which no id stands twice."""
    free = list(range(12))

    def level(depth: int) -> list[str]:
        found = []
        for _ in range(draw(st.integers(0, 5))):
            if draw(st.booleans()) or depth == 0:
                number = free.pop(draw(st.integers(0, len(free) - 1))) if free and draw(st.booleans()) else None
                found.append(_element("a", number, draw(st.sampled_from(("", "one", "two"))), ["text"]))
            elif draw(st.booleans()):
                found.append(draw(st.sampled_from(("a word", "another", "<!-- note -->"))))
            else:
                number = free.pop(draw(st.integers(0, len(free) - 1))) if free and draw(st.booleans()) else None
                name = draw(st.sampled_from(("div", "span", "section", "ul")))
                found.append(_element(name, number, "", level(depth - 1)))
        return found

    return "".join(level(3))


def test_any_content_becomes_any_other(visit: Visit) -> None:
    page = visit("/")

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(trees(), trees(), st.integers(0, 20))
    def holds(old: str, fresh: str, focused: int) -> None:
        outcome = page.evaluate(_MORPH, [old, fresh, focused])
        assert outcome["same"], (old, fresh, outcome["found"])
        assert outcome["kept"], (old, fresh)

    holds()
