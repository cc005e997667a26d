from __future__ import annotations

from ui.features.chat.conversation.copying import as_text, copied_answer
from workbench.records.messages import Citation


def cited(n: int, path: str, page: int | None) -> Citation:
    return Citation(
        n=n, collection="k", document="d", document_hash="h", path=path, title="t", start=0, end=1, text="x", page=page
    )


def test_a_copied_answer_names_its_sources_and_their_places() -> None:
    citations = (cited(1, "/a/lease.pdf", 3), cited(2, "/a/<terms>.docx", None))
    copied = copied_answer("It is **900** [1], \\(x_1*y_2*z\\) [2].", citations)
    assert copied.text().endswith("[2].\n\nSources:\n[1] lease.pdf, page 3\n[2] <terms>.docx")
    assert "<strong>900</strong>" in copied.html()
    assert "\\(x_1*y_2*z\\)" in copied.html()
    assert "[1] lease.pdf, page 3<br>[2] &lt;terms&gt;.docx" in copied.html()


def test_an_answer_without_sources_is_copied_as_it_is() -> None:
    assert as_text("Plain", ()) == "Plain"
    assert "<img" not in copied_answer("![x](https://example.org/x.png)", ()).html()
