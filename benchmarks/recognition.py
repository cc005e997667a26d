"""Text recognition of scanned pages: the recall of their words and the processor time of each engine.

Six pages are drawn and read back: serif and sans serif type of 8 to 12 points, English and German, a table, headings of
several sizes; and two columns, turned by 0.8 degrees and with noise, as from a scanner. Each is drawn at ``--dpi``.

*recall*: the share of the page's words that are in the recognised text, each as often as it is on the page, in its
spelling with case and punctuation. *order*: the same of pairs of neighbouring words, which shows the order of reading.
Processor time is that of the reader process and of the programs that it starts, the loading of models excluded.
``--pictures FOLDER`` keeps the pages.
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from harness import arguments, in_turns, report, spread_of

ENGINES = ("tesseract", "rapidocr")

ENGLISH = """The tenant shall pay the monthly rent of 1,240 euros in advance, no later than the third working day of
each month, by bank transfer to the account named in annex B. A payment is on time when it has been
credited to the landlord by that day. If the tenant is more than two weeks late, the landlord may charge
interest at five percentage points above the base rate, as published by the central bank on 1 January and
1 July of each year.

The deposit amounts to 3,720 euros and may be paid in three equal instalments, the first of which is due
at the start of the tenancy. The landlord invests it separately from his own property; the interest
belongs to the tenant. Small repairs of up to 110 euros each, and of up to 8 percent of the yearly rent in
all, are paid by the tenant, provided that they concern parts which are used often, such as taps, switches
and locks.

Either side may end this agreement with three months' notice, in writing and with a signature. Notice is
given "at the end of a month" and must arrive by the third working day. Keys, meters and the state of
every room are written down together when the flat is handed over (see § 14); photographs are added where
the two sides disagree.

Pets other than small animals need consent, which may be refused only for good reasons. The tenant informs
the landlord of damage to walls, windows and pipes without delay, since whoever is silent pays for what
follows. Heating costs are shared by use (70 %) and by area (30 %); the account is sent within twelve
months, and objections are possible for twelve more."""

GERMAN = """Der Mieter zahlt die monatliche Miete von 1.240 Euro im Voraus, spätestens bis zum dritten Werktag eines
jeden Monats, durch Überweisung auf das in Anlage B genannte Konto. Maßgeblich für die Rechtzeitigkeit ist
der Eingang des Geldes. Gerät der Mieter länger als zwei Wochen in Verzug, darf der Vermieter Zinsen in
Höhe von fünf Prozentpunkten über dem Basiszinssatz verlangen, den die Bundesbank zum 1. Januar und zum 1.
Juli veröffentlicht.

Die Kaution beträgt 3.720 Euro und kann in drei gleichen Teilbeträgen geleistet werden, deren erster zu
Beginn des Mietverhältnisses fällig ist. Der Vermieter legt sie getrennt von seinem Vermögen an; die
Erträge stehen dem Mieter zu. Kleine Instandhaltungen bis zu 110 Euro im Einzelfall, höchstens jedoch 8
Prozent der Jahresmiete, trägt der Mieter, soweit sie häufig benutzte Gegenstände betreffen, etwa
Wasserhähne, Lichtschalter und Türschlösser.

Jede Seite kann diesen Vertrag mit einer Frist von drei Monaten schriftlich kündigen. Die Kündigung muss
„bis zum dritten Werktag eines Kalendermonats“ zugehen. Schlüssel, Zählerstände und der Zustand aller
Räume werden bei der Übergabe gemeinsam festgehalten (siehe § 14); Fotos werden beigefügt, wo beide Seiten
Verschiedenes behaupten.

Größere Haustiere bedürfen der Zustimmung, die nur aus triftigen Gründen verweigert werden darf. Schäden
an Wänden, Fenstern und Rohren meldet der Mieter unverzüglich, denn wer schweigt, haftet für die
Folgeschäden. Heizkosten werden zu 70 % nach Verbrauch und zu 30 % nach Fläche umgelegt."""

ROWS = (
    ("Artikel", "Größe", "Menge", "Preis", "Summe"),
    ("Türschloss", "72 mm", "4", "38,50 €", "154,00 €"),
    ("Wasserhahn", "½ Zoll", "12", "24,90 €", "298,80 €"),
    ("Lichtschalter", "weiß", "25", "6,75 €", "168,75 €"),
    ("Fensterglas", "80 × 120 cm", "3", "112,00 €", "336,00 €"),
    ("Rohrschelle", "M8", "140", "0,85 €", "119,00 €"),
    ("Heizkörper", "600 × 1000", "2", "189,00 €", "378,00 €"),
    ("Dübel", "8 mm", "500", "0,06 €", "30,00 €"),
    ("Schlüsselbrett", "Buche", "1", "19,95 €", "19,95 €"),
)


def paragraphs(text: str) -> list[str]:
    return [" ".join(one.split()) for one in text.split("\n\n")]


def html(parts: Sequence[str]) -> str:
    return "".join(f"<p>{one}</p>" for one in parts)


def table() -> str:
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    return f"<h2>Rechnung Nr. 4711</h2><table border=1 cellspacing=0 cellpadding=4 width=100%>{rows}</table>"


def headed() -> str:
    english, german = paragraphs(ENGLISH), paragraphs(GERMAN)
    return (
        f"<h1>Rental agreement</h1><p>{english[0]}</p><h2>Deposit</h2><p>{english[1]}</p>"
        f"<h2>Kündigung</h2><p><i>{german[2]}</i></p><h3>Haustiere und Schäden</h3><p><b>{german[3]}</b></p>"
    )


PAGES: dict[str, tuple[str, str, float]] = {
    "serif 11 points, en": (html(paragraphs(ENGLISH)), "DejaVu Serif", 11),
    "sans serif 10 points, de": (html(paragraphs(GERMAN)), "DejaVu Sans", 10),
    "sans serif 8 points, en and de": (html(paragraphs(ENGLISH) + paragraphs(GERMAN)), "Noto Sans", 8),
    "table, de": (table(), "Noto Sans", 11),
    "headings, italics, bold, en and de": (headed(), "Noto Serif", 11),
}
COLUMNS = "two columns, turned, noise, en and de"


def draw_pages(dpi: int) -> dict[str, tuple[Any, str]]:
    """Each page as grey pixels, with its text."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    app = QGuiApplication.instance() or QGuiApplication([])
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    margin = round(0.8 * dpi)
    pages: dict[str, tuple[Any, str]] = {}
    for name, (body, font, points) in PAGES.items():
        picture, painter = new_page(width, height)
        text = draw(painter, body, font, points, dpi, margin, margin, width - 2 * margin)
        painter.end()
        pages[name] = pixels_of(picture), text
    picture, painter = new_page(width, height)
    column = (width - 2 * margin - round(0.35 * dpi)) // 2
    left = draw(painter, html(paragraphs(ENGLISH)), "DejaVu Serif", 9.5, dpi, margin, margin, column)
    second = margin + column + round(0.35 * dpi)
    right = draw(painter, html(paragraphs(GERMAN)), "DejaVu Serif", 9.5, dpi, second, margin, column)
    painter.end()
    pages[COLUMNS] = scanned(picture), f"{left}\n{right}"
    del app
    return pages


def new_page(width: int, height: int) -> tuple[Any, Any]:
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter

    picture = QImage(width, height, QImage.Format.Format_Grayscale8)
    picture.fill(Qt.GlobalColor.white)
    return picture, QPainter(picture)


def draw(painter: Any, body: str, font: str, points: float, dpi: int, left: int, top: int, width: int) -> str:
    """Draw a body of HTML; returns its text."""
    from PySide6.QtGui import QAbstractTextDocumentLayout, QFont, QPalette, QTextDocument

    document = QTextDocument()
    face = QFont(font)
    face.setPixelSize(round(points * dpi / 72))
    document.setDefaultFont(face)
    document.setHtml(body)
    document.setTextWidth(width)
    painter.save()
    painter.translate(left, top)
    context = QAbstractTextDocumentLayout.PaintContext()
    context.palette.setColor(QPalette.ColorRole.Text, "black")
    document.documentLayout().draw(painter, context)
    painter.restore()
    return document.toPlainText()


def pixels_of(picture: Any) -> Any:
    whole = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return whole[:, : picture.width()].copy()


def scanned(picture: Any) -> Any:
    """Turned a little, on paper that is not white, with grain and specks."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QTransform

    size = picture.width(), picture.height()
    turned = picture.transformed(QTransform().rotate(0.8), Qt.TransformationMode.SmoothTransformation)
    turned = turned.convertToFormat(picture.format())
    left, top = (turned.width() - size[0]) // 2, (turned.height() - size[1]) // 2
    pixels = pixels_of(turned)[top : top + size[1], left : left + size[0]].astype(np.float32)
    chance = np.random.default_rng(7)
    pixels = 40 + pixels * (200 / 255) + chance.normal(0, 9, pixels.shape)
    specks = chance.random(pixels.shape) < 0.0004
    pixels[specks] = 60
    return pixels.clip(0, 255).astype(np.uint8)


def words_of(text: str) -> list[str]:
    return re.findall(r"\S+", text.replace("\ufffc", " "))


def recall(known: Sequence[Any], read: Sequence[Any]) -> float:
    return sum((Counter(known) & Counter(read)).values()) / max(1, len(known))


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    return list(itertools.pairwise(words))


def write_scan(pixels: Any, dpi: int, path: Path) -> Path:
    from PIL import Image

    Image.fromarray(pixels).save(path, resolution=dpi)
    return path


def processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    from workbench.reading.ocr import recognisers
    from workbench.reading.page_pictures import recognise_page
    from workbench.reading.reader_calls import RecognisePage

    parser = arguments(__doc__ or "", "pictures", "json", rounds=3, dpi=200, engines=ENGINES)
    given = parser.parse_args()
    folder = given.pictures or Path(tempfile.mkdtemp(prefix="recognition-"))
    folder.mkdir(parents=True, exist_ok=True)
    pages = draw_pages(given.dpi)
    files = {
        name: write_scan(pixels, given.dpi, folder / f"{number}.pdf")
        for number, (name, (pixels, _)) in enumerate(pages.items(), 1)
    }
    engines = {str(one.name): one for one in recognisers() if one.name in given.engines}
    rows: dict[str, dict[str, Any]] = {}
    for name, path in files.items():
        known = words_of(pages[name][1])
        texts: dict[str, str] = {}

        def measure(engine: str, number: int, path: Path = path, texts: dict[str, str] = texts) -> tuple[float, float]:
            spent, begun = processor_seconds(), time.perf_counter()
            texts[engine] = recognise_page(RecognisePage(path=str(path), page=1), engines[engine]).text
            return processor_seconds() - spent, time.perf_counter() - begun

        found = in_turns(given.rounds, list(engines), measure)
        rows[name] = {"words": len(known)} | {
            engine: {
                "recall": round(recall(known, words_of(texts[engine])), 3),
                "order": round(recall(pairs(known), pairs(words_of(texts[engine]))), 3),
                "processor_s": spread_of([spent for spent, _ in values], 2),
                "wall_s": spread_of([wall for _, wall in values], 2),
            }
            for engine, values in found.items()
        }
        print(name, rows[name], flush=True)
    report({"engines": {name: one.description for name, one in engines.items()}, "pages": rows}, given.json)


if __name__ == "__main__":
    main()
