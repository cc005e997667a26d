"""Thirty questions on ten documents of the kinds that people have: how many are answered rightly, marked, declined?

    python benchmarks/own_documents.py

The documents are made here, in the formats of tests/documents.py: a contract as PDF, a Word file with a table of spare
parts, a price list in Excel, an e-mail, release notes in Markdown, minutes in HTML, a German lease in Word, a German
house rule in OpenDocument, a Chinese notice, and a handbook of 300 sections. The starter model answers with the
program's defaults. An answer is right when it holds one of the accepted texts, and a question that the documents do not
answer is right when it is declined.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, get_args

from answers import Bench
from harness import arguments
from trust import contains, is_marked, recipe

from tests.documents import (
    write_docx,
    write_docx_body,
    write_eml,
    write_html,
    write_odt,
    write_pdf,
    write_text,
    write_xlsx,
)
from workbench.records.recipes.parts import Mode, QuoteLength
from workbench.text.language import detect_language

CONTRACT = (
    (
        "Services Agreement between Northwind Analytics Ltd (the Provider) and Calder & Sons LLP (the Client).",
        "1. Term. This agreement begins on 1 March 2025 and runs for an initial term of twelve months.",
        "2. Fees. The Client pays a monthly fee of 4,750 euros. Invoices are due within thirty days of receipt.",
        "3. Termination. Either party may end this agreement by giving ninety days' written notice.",
    ),
    (
        "4. Liability. The liability of the Provider is limited to the fees paid in the preceding six months.",
        "5. Sub-processors. Tallgrass Hosting Inc. in the United States stores backups. Fjordnet AB in Sweden "
        "delivers e-mail.",
        "6. Governing law. This agreement is governed by the laws of Ireland; the courts of Dublin have jurisdiction.",
    ),
)
PARTS = (
    ("Part number", "Name", "Fits", "Stock"),
    ("SP-1042", "Shaft seal", "Pump P-200", "17"),
    ("SP-1077", "Impeller", "Pump P-200", "3"),
    ("SP-2210", "Float switch", "Tank T-8", "42"),
    ("SP-2251", "Level sensor", "Tank T-8", "0"),
)
PRICES = (
    ("Item", "Unit", "Price in EUR", "Supplier"),
    ("Hydraulic oil HLP 46", "20 litres", "78.50", "Oelwerk Nord"),
    ("Grease cartridge", "400 grams", "6.90", "Lubrix"),
    ("Filter element F-12", "piece", "31.20", "Filtra"),
)
MAIL = (
    "Dear Ms Okafor,\n\nthe inspection of boiler 3 took place on 14 May. The safety valve opened at 9.2 bar and was "
    "set back to 8.5 bar. The next inspection is due in November 2026. Please order a new pressure gauge; the old one "
    "shows 0.4 bar too much.\n\nKind regards\nPeter Lindqvist"
)
NOTES = """# Release notes 4.2

## Changes

- The export writes CSV files in UTF-8 with a byte order mark.
- Sessions now end after 45 minutes without activity.
- The nightly backup runs at 02:30 and keeps fourteen copies.

## Known problems

- Printing from Firefox cuts the last column; use the PDF export instead.
"""
MINUTES = (
    "Present were Amara Diallo, Jonas Weber and Li Wen. Amara Diallo took the chair.",
    "The committee approved a budget of 18,000 euros for the new workshop roof.",
    "Jonas Weber will collect three offers from roofers by 30 June.",
    "The next meeting takes place on 9 July in room 214.",
)
LEASE = (
    "Mietvertrag zwischen Frau Helga Brandt (Vermieterin) und Herrn Tarek Yilmaz (Mieter).",
    "§ 1 Mietsache. Vermietet wird die Wohnung im zweiten Stock, Lindenstraße 14 in Kassel, mit 64 Quadratmetern.",
    "§ 3 Miete. Die Grundmiete beträgt monatlich 720 Euro. Die Vorauszahlung auf die Betriebskosten beträgt 165 Euro.",
    "§ 5 Kaution. Der Mieter leistet eine Kaution von drei Grundmieten, zahlbar in drei gleichen Raten.",
    "§ 8 Kündigung. Die Kündigungsfrist beträgt für den Mieter drei Monate zum Monatsende.",
    "§ 11 Tierhaltung. Die Haltung von Hunden bedarf der vorherigen Zustimmung der Vermieterin.",
)
RULES = (
    "Die Ruhezeiten sind werktags von 13 bis 15 Uhr und von 22 bis 6 Uhr einzuhalten.",
    "Das Treppenhaus wird im wöchentlichen Wechsel von den Mietern gereinigt.",
    "Fahrräder sind im Keller abzustellen; der Hausmeister, Herr Novak, verwaltet die Schlüssel.",
)
NOTICE = (
    "停水通知\n\n因主管道维修，本小区将于六月十二日上午九时至下午四时停水。请各位住户提前储水。"
    "维修期间，三号楼门口设有临时供水点。如有疑问，请致电物业办公室，电话为五五零一八八。"
    "负责人为王建国先生。\n"
)
FACTS = {
    41: "The dam at Hollin Reach is inspected by divers every five years.",
    127: "The emergency generator holds fuel for seventy-two hours.",
    208: "Visitors must wear yellow helmets in the turbine hall.",
    266: "The fish ladder was rebuilt in 1998 after the flood.",
}
QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("How much notice must be given to terminate the services agreement?", ("ninety days",)),
    ("What is the monthly fee of the Client?", ("4,750",)),
    ("Which sub-processor is in the United States?", ("Tallgrass",)),
    ("Which law governs the agreement with Northwind?", ("Ireland",)),
    ("When are invoices due?", ("thirty days",)),
    ("To what is the liability of the Provider limited?", ("preceding six months",)),
    ("What is the part number of the impeller?", ("SP-1077",)),
    ("How many float switches are in stock?", ("42",)),
    ("Which pump does the shaft seal fit?", ("P-200",)),
    ("What does hydraulic oil HLP 46 cost?", ("78.50", "78.5")),
    ("Who supplies the filter element F-12?", ("Filtra",)),
    ("At what pressure did the safety valve of boiler 3 open?", ("9.2 bar",)),
    ("When is the next inspection of boiler 3 due?", ("November 2026",)),
    ("After how many minutes do sessions end?", ("45",)),
    ("How many copies of the nightly backup are kept?", ("fourteen",)),
    ("Who took the chair at the meeting?", ("Amara Diallo",)),
    ("What budget was approved for the workshop roof?", ("18,000",)),
    ("Where does the next meeting take place?", ("room 214",)),
    ("Wie hoch ist die Grundmiete der Wohnung?", ("720 Euro",)),
    ("Welche Kündigungsfrist gilt für den Mieter?", ("drei Monate",)),
    ("Wie viele Grundmieten beträgt die Kaution?", ("drei Grundmieten",)),
    ("Wer verwaltet die Schlüssel zum Keller?", ("Novak",)),
    ("Wie groß ist die Wohnung in der Lindenstraße?", ("64 Quadratmeter", "64 Quadratmetern")),
    ("什么时候停水？", ("六月十二日",)),
    ("临时供水点在哪里？", ("三号楼",)),
    ("How often do divers inspect the dam at Hollin Reach?", ("every five years",)),
    ("For how long does the fuel of the emergency generator last?", ("seventy-two hours",)),
    ("Who is the insurer of the Client?", ()),
    ("What is the top speed of the company car?", ()),
    ("Wie hoch ist die Miete für den Stellplatz?", ()),
)


def write_all(folder: Path) -> None:
    write_pdf(folder / "contract.pdf", CONTRACT, "Services Agreement")
    rows = "".join(
        f"<w:tr>{''.join(f'<w:tc><w:p><w:r><w:t>{cell}</w:t></w:r></w:p></w:tc>' for cell in row)}</w:tr>"
        for row in PARTS
    )
    head = "<w:p><w:r><w:t>Spare parts, as of April 2026</w:t></w:r></w:p>"
    write_docx_body(folder / "spare-parts.docx", f"{head}<w:tbl>{rows}</w:tbl>")
    write_xlsx(folder / "prices.xlsx", PRICES, "Prices")
    write_eml(folder / "boiler.eml", "Inspection of boiler 3", MAIL)
    write_text(folder / "release-notes.md", NOTES)
    write_html(folder / "minutes.html", "Minutes of the works committee", MINUTES)
    write_docx(folder / "Mietvertrag.docx", "Mietvertrag", LEASE)
    write_odt(folder / "Hausordnung.odt", "Hausordnung", RULES)
    write_text(folder / "停水通知.txt", NOTICE)
    rng = random.Random(0)
    things = ("pump", "valve", "gate", "crane", "cable", "filter", "sluice", "panel", "relay", "boat", "ladder", "tank")
    acts = ("cleaned", "painted", "listed", "checked", "stored", "measured", "labelled", "tested", "moved", "oiled")
    sections = []
    for number in range(1, 301):
        filler = [
            f"The {rng.choice(things)} of bay {rng.randint(2, 90)} is {rng.choice(acts)} by shift {rng.randint(1, 9)} "
            f"before the {rng.choice(things)} of bay {rng.randint(2, 90)} is {rng.choice(acts)}."
            for _ in range(6)
        ]
        if number in FACTS:
            filler.insert(3, FACTS[number])
        sections.append(f"{number}. Works on line {rng.randint(100, 999)}\n\n{' '.join(filler)}")
    write_text(folder / "handbook.txt", "\n\n".join(sections))


class OwnBench(Bench):
    """The workers and a collection of these documents."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._start(folder, write_all)


def measure(bench: Bench, mode: Mode, length: QuoteLength, show: bool) -> dict[str, Any]:
    counts = Counter[str]()
    for question, accepted in QUESTIONS:
        result = bench.ask(question, bench.collection, recipe(mode, quote_length=length))
        language = detect_language(question)
        right = bool(accepted) and not result.declined and contains(result.answer, list(accepted), language)
        if not accepted:
            kind = "unanswerable, declined" if result.declined else "unanswerable, answered"
        elif result.declined:
            kind = "answerable, declined"
        else:
            marked = is_marked(result)
            kind = f"{'right' if right else 'wrong'}, {'marked' if marked else 'not marked'}"
        counts[kind] += 1
        if show:
            print(f"{kind}: {question} | {result.answer[:160]!r}", flush=True)
    return dict(counts)


def main() -> int:
    parser = arguments(__doc__, "keep", show=False)
    parser.add_argument("--mode", choices=get_args(Mode), default="automatic")
    parser.add_argument("--quote-length", choices=get_args(QuoteLength), default="sentence")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = OwnBench(chosen.keep or Path(folder))
        try:
            print(json.dumps(measure(bench, chosen.mode, chosen.quote_length, chosen.show), ensure_ascii=False))
        finally:
            bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
