"""Escapes: every text can be shown in one line and typed back."""

from hypothesis import given
from hypothesis import strategies as st

from web.ui import escapes

texts = st.text(st.one_of(st.sampled_from("\\\r\n\txuUn0a"), st.characters(exclude_categories=["Cs"])))


@given(texts)
def test_what_is_shown_stands_for_the_text_itself(text: str) -> None:
    shown = escapes.escaped(text)
    assert escapes.plain(shown) == text
    assert shown.isprintable()


@given(texts)
def test_what_is_typed_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        meant = escapes.plain(text)
    except ValueError as error:
        assert "is not an escape" in str(error)
    else:
        assert escapes.plain(escapes.escaped(meant)) == meant
