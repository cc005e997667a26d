"""Sprachhaus Brennstedt, a language school with evening courses and exams: its documents (all invented)."""

import datetime
import random
from pathlib import Path
from typing import Any

import kit
from questions_kit import TableAt

TEXTS = Path(__file__).parent / "texts"
LANGUAGE = {
    "Rahmenvertrag Lehrkräfte 2026.docx": "de",
    "Office handbook.pdf": "en",
    "Protokoll Konferenz 14-04-2026.docx": "de",
    "Re_ Re_ English for your sales people.eml": "en",
    "Lettre Delcourt mai.odt": "fr",
    "front desk notes.md": "en",
    "haeufige-fragen.html": "de",
    "Mietvertrag Gerbergasse 14.pdf": "de",
    "Abendkurse F26.xlsx": "de",
    "Summer intensive 2026.xlsx": "en",
    "Std Lehrkräfte Jan-Mai.xlsx": "de",
    "pruefungen_juni_26.csv": "de",
    "company_invoices.csv": "en",
    "Bücher + Leihgeräte.xlsx": "de",
    "Ateliers de conversation.xlsx": "fr",
    "House.xlsx": "en",
}
PICTURES: dict[str, str] = {}
TABLES = {
    "courses": TableAt("Abendkurse F26.xlsx", "Kurse", skip=1),
    "summer": TableAt("Summer intensive 2026.xlsx", "Enrolled"),
    "complaints": TableAt("Summer intensive 2026.xlsx", "Complaints 2026"),
    "hours": TableAt("Std Lehrkräfte Jan-Mai.xlsx", "Stunden", head=2, last="Summe"),
    "exams": TableAt("pruefungen_juni_26.csv", delimiter=";", encoding="cp1252", decimal=","),
    "invoices": TableAt("company_invoices.csv"),
    "books": TableAt("Bücher + Leihgeräte.xlsx", "Bücher"),
    "devices": TableAt("Bücher + Leihgeräte.xlsx", "Leihgeräte", skip=1),
    "ateliers": TableAt("Ateliers de conversation.xlsx", "2026"),
    "rooms": TableAt("House.xlsx", "Rooms"),
    "meters": TableAt("House.xlsx", "Meters 2025"),
}


def day(text: str) -> datetime.date | None:
    """A date from `day.month.` of 2026, or with the year; nothing from an empty text."""
    if not text:
        return None
    parts = [int(one) for one in text.rstrip(".").split(".")]
    return datetime.date(parts[2] if len(parts) > 2 else 2026, parts[1], parts[0])


COURSES: list[list[Any]] = [
    ["Nr.", "Sprache", "Stufe", "Lehrkraft", "Tag", "von", "Raum", "Beginn", "Abd.", "TN", "max.", "Gebühr €", "Bem."],
    ["F101", "Deutsch", "A1.1", "Ammer", "Mo", "18:00", "Ahorn", day("9.3."), 24, 14, 16, 298, None],
    ["F102", "Deutsch", "A1.2", "Ammer", "Mi", "18:00", "Ahorn", day("11.3."), 24, 11, 16, 298, None],
    ["F103", "Deutsch", "A2.1", "Bühler", "Di", "18:30", "Birke", day("10.3."), 24, 16, 16, 298, "Warteliste 3"],
    ["F104", "Deutsch", "A2.2", "Wilk", "Do", "18:30", "Birke", day("12.3."), 24, 9, 16, 298, None],
    ["F105", "Deutsch", "B1.1", "Bühler", "Mo", "18:30", "Eiche", day("9.3."), 28, 15, 16, 336, None],
    ["F106", "Deutsch", "B1.2", "Tekin", "Mi", "19:00", "Eiche", day("11.3."), 28, 12, 16, 336, None],
    ["F107", "Deutsch", "B2.1", "Tekin", "Di", "19:00", "Linde", day("10.3."), 28, 8, 14, 352, None],
    ["F108", "Deutsch", "C1", "Wilk", "Fr", "17:30", "Linde", day("13.3."), 20, 6, 12, 330, "Prüfung möglich"],
    ["F201", "Englisch", "A2", "Keane", "Mo", "18:00", "Buche", day("9.3."), 15, 10, 14, 165, None],
    ["F202", "Englisch", "B1", "Pettifer", "Di", "18:00", "Buche", day("10.3."), 15, 13, 14, 165, None],
    ["F203", "Englisch", "B1", "Keane", "Do", "19:30", "Buche", day("12.3."), 15, 7, 14, 165, None],
    ["F204", "Englisch", "B2", "Pettifer", "Mi", "19:30", "Ulme", day("11.3."), 15, 12, 12, 178, "voll"],
    ["F205", "Englisch", "C1", "Pettifer", "Do", "18:00", "Ulme", day("12.3."), 12, 5, 12, 160, None],
    ["F206", "Englisch", "Konversation", "Keane", "Fr", "18:00", "Ulme", day("20.3."), 10, 9, 10, 98, None],
    ["F301", "Französisch", "A1", "Rousset", "Mo", "19:30", "Dachstube", day("9.3."), 15, 6, 12, 165, None],
    ["F302", "Französisch", "A2", "Rousset", "Mi", "18:00", "Dachstube", day("11.3."), 15, 8, 12, 165, None],
    ["F303", "Französisch", "B1", None, "Do", "18:00", "Dachstube", None, 15, 7, 12, 172, "Lehrkraft gesucht"],
    ["F401", "Spanisch", "A1", "Escudero", "Di", "18:00", "Ahorn", day("10.3."), 15, 16, 16, 165, "Warteliste 5"],
    ["F402", "Spanisch", "A1", "Salcedo", "Do", "18:00", "Ahorn", day("12.3."), 15, 12, 16, 165, None],
    ["F403", "Spanisch", "A2", "Escudero", "Mi", "19:45", "Birke", day("11.3."), 15, 11, 14, 165, None],
    ["F404", "Spanisch", "B1", "Salcedo", "Mo", "19:45", "Birke", day("9.3."), 15, 7, 14, 172, None],
    ["F405", "Spanisch", "B2", "Salcedo", "Fr", "19:00", "Eiche", day("27.3."), 12, 5, 10, 160, None],
    ["F501", "Italienisch", "A1", "Donati", "Di", "19:30", "Dachstube", day("10.3."), 15, 10, 12, 165, None],
    ["F502", "Italienisch", "A2", "Paci", "Do", "19:45", "Linde", day("12.3."), 15, 9, 12, 165, None],
    ["F503", "Italienisch", "B1", "Donati", "Mo", "18:00", "Linde", day("16.3."), 12, 6, 12, 158, None],
    ["F601", "Dänisch", "A1", "Viborg", "Mi", "18:15", "Linde", day("11.3."), 12, 8, 12, 144, None],
    ["F602", "Dänisch", "A2", "Viborg", "Mo", "20:00", "Ulme", day("16.3."), 12, 3, 12, 144, "Zuschlag"],
    ["F701", "Chinesisch", "A1", "Tao", "Sa", "10:00", "Saal", day("14.3."), 14, 7, 10, 196, None],
    ["F702", "Türkisch", "A1", "Tekin", "Do", "18:15", "Saal", None, 12, 2, 12, 144, "abgesagt"],
    ["F801", "Gebärdensprache", "1", "Ockenfels", "Fr", "18:00", "Saal", day("20.3."), 12, 13, 14, 150, None],
]
HOURS: list[list[Any]] = [
    ["Ammer", "A", 38, 2, 41, 0, 46, 4, 35, 0, 44, 1, None],
    ["Bühler", "B", 36, 0, 40, 3, 48, 0, 33, 2, 46, 0, None],
    ["Donati", "A", 22, 4, 24, 0, 28, 2, 20, 0, 26, 6, None],
    ["Escudero", "A", 26, 0, 28, 2, 34, 0, 27, 4, 33, 0, None],
    ["Keane", "B", 30, 6, 32, 0, 36, 2, 28, 8, 35, 4, None],
    ["Ockenfels", "A", 8, 0, 8, 0, 12, 0, 10, 0, 12, 0, "nur freitags"],
    ["Paci", "A", 12, 2, 14, 6, 16, 0, 12, 3, 15, 0, None],
    ["Pettifer", "C", 42, 0, 44, 2, 43, 0, None, None, 39, 1, "April krank"],
    ["Rousset", "B", 21, 3, 23, 0, 27, 5, 22, 0, 24, 2, None],
    ["Salcedo", "A", 25, 2, 27, 0, 37, 6, 24, 0, 31, 3, None],
    ["Tao", "A", 14, 0, 15, 0, 16, 0, 13, 0, 14, 0, "Elternzeit ab August"],
    ["Tekin", "C", 33, 0, 36, 4, 45, 8, 31, 5, 43, 0, None],
    ["Viborg", "B", 13, 0, 13, 0, 18, 2, 14, 6, 16, 0, None],
    ["Wilk", "B", 29, 5, 31, 0, 35, 3, 27, 2, 36, 9, None],
]
BOOKS: list[list[Any]] = [
    ["Titel", "Sprache", "Stufe", "Verlag", "Da", "Mind.", "EK", "VK", "bestellt", "kommt am", "Regal"],
    ["Ankommen 1", "Deutsch", "A1", "Kaldera", 23, 20, 14.2, 19.9, 0, None, "R1"],
    ["Ankommen 1 Arbeitsbuch", "Deutsch", "A1", "Kaldera", 31, 25, 8.9, 12.5, 0, None, "R1"],
    ["Ankommen 2", "Deutsch", "A2", "Kaldera", 9, 20, 14.2, 19.9, 30, day("12.6."), "R1"],
    ["Ankommen 2 Arbeitsbuch", "Deutsch", "A2", "Kaldera", 18, 20, 8.9, 12.5, 20, day("12.6."), "R1"],
    ["Ankommen 3", "Deutsch", "B1", "Kaldera", 17, 15, 15.6, 21.5, 0, None, "R1"],
    ["Brücken B2", "Deutsch", "B2", "Morello", 6, 10, 17.8, 24.9, 12, None, "R2"],
    ["Brücken C1", "Deutsch", "C1", "Morello", 8, 6, 18.4, 25.9, 0, None, "R2"],
    ["Milestones A2", "Englisch", "A2", "Tamarisk", 14, 12, 16.1, 22.8, 0, None, "R3"],
    ["Milestones B1", "Englisch", "B1", "Tamarisk", 11, 20, 16.1, 22.8, 24, day("19.6."), "R3"],
    ["Milestones B2", "Englisch", "B2", "Tamarisk", 19, 14, 17.3, 24.5, 0, None, "R3"],
    ["Small Talk, Big Talk", "Englisch", "B2", "Tamarisk", 4, 5, 11.4, 16.9, 6, None, "R3"],
    ["En route 1", "Französisch", "A1", "Morello", 13, 8, 15.9, 22.4, 0, None, "R4"],
    ["En route 2", "Französisch", "A2", "Morello", 7, 8, 15.9, 22.4, 0, None, "R4"],
    ["Carnet de voix", "Französisch", "B1", "Morello", 10, 6, 19.2, 27.5, 0, None, "R4"],
    ["Vereda 1", "Spanisch", "A1", "Tamarisk", 26, 24, 14.8, 20.9, 0, None, "R5"],
    ["Vereda 2", "Spanisch", "A2", "Tamarisk", 5, 12, 14.8, 20.9, 15, day("26.6."), "R5"],
    ["Vereda 3", "Spanisch", "B1", "Tamarisk", 12, 10, 15.5, 21.9, 0, None, "R5"],
    ["Ponte 1", "Italienisch", "A1", "Morello", 16, 12, 15.2, 21.4, 0, None, "R6"],
    ["Ponte 2", "Italienisch", "A2", "Morello", 15, 10, 15.2, 21.4, 0, None, "R6"],
    ["Dansk nu", "Dänisch", "A1", "Fjordlys", 3, 8, 21.6, 29.8, 10, day("15.7."), "R6"],
    ["Kleine Zeichen", "Chinesisch", "A1", "Fjordlys", 21, 8, 22.5, 31, 0, None, "R6"],
    ["Hände sprechen", "Gebärdensprache", "1", "Kaldera", 2, 6, 12.7, 18.2, 0, None, None],
]
DEVICES: list[list[Any]] = [
    ["Gerät", "Nr.", "Wer", "seit", "bis", "zurück", "Bem."],
    ["Beamer", "B1", "Rousset", day("9.3."), day("3.7."), None, None],
    ["Beamer", "B2", "Tekin", day("11.3."), day("30.4."), day("29.4."), None],
    ["Tablet", "T1", "Keane", day("16.3."), day("29.5."), day("2.6."), None],
    ["Tablet", "T2", "Escudero", day("10.3."), day("26.6."), None, None],
    ["Tablet", "T3", "Salcedo", day("12.3."), day("26.6."), None, "Sprung im Glas"],
    ["Tablet", "T4", "Donati", day("7.4."), day("15.5."), None, "Ladekabel fehlt"],
    ["Tablet", "T5", "Paci", day("9.4."), day("8.5."), day("8.5."), None],
    ["Laptop", "N1", "Grodzki", day("12.1."), None, None, "Dauerleihe"],
    ["Laptop", "N2", "Viborg", day("13.4."), day("17.4."), day("15.4."), "für das Protokoll"],
    ["Lautsprecher", "L1", "Delcourt", day("24.4."), day("26.6."), None, None],
    ["Lautsprecher", "L2", "Bühler", day("4.5."), day("22.5."), day("27.5."), None],
    ["Dokumentenkamera", "D1", "Ammer", day("20.4."), day("8.5."), None, "flackert"],
    ["Kopfhörerkoffer", "K1", "Solheim", day("1.6."), day("16.6."), None, "20 Stück, für die Prüfung"],
    ["Flipchart", "F1", "Wilk", day("17.3."), day("27.3."), day("27.3."), None],
]
ATELIERS: list[list[Any]] = [
    ["Atelier", "Date", "Animé par", "Salle", "Places", "Inscrits", "Présents", "Tarif €", "Remarque"],
    ["Galette et souvenirs", day("9.1."), "Delcourt", "Dachstube", 12, 12, 11, 12, None],
    ["Chansons d'hiver", day("23.1."), "Delcourt", "Saal", 25, 17, 15, 9, None],
    ["Parler de son métier", day("6.2."), "Rousset", "Eiche", 14, 8, 8, 9, None],
    ["Carnaval", day("13.2."), "Rousset", "Saal", 25, 21, 18, 10.5, "masques à rendre"],
    ["La poésie à voix haute", day("6.3."), "Delcourt", "Dachstube", 12, 3, None, 9, "annulé"],
    ["Jeux de société", day("20.3."), "Rousset", "Saal", 25, 19, 19, 7.5, None],
    ["Le train et la gare", day("10.4."), "Rousset", "Birke", 14, 10, 7, 9, None],
    ["Crêpes", day("24.4."), "Delcourt", "Keller", 10, 10, 10, 16, "liste d'attente : 4"],
    ["Au téléphone", day("8.5."), "Rousset", "Eiche", 14, 6, 5, 9, None],
    ["Promenade en ville", day("22.5."), "Delcourt", None, 15, 13, 9, 6, "pluie"],
    ["Le roman policier", day("12.6."), "Delcourt", "Dachstube", 12, 11, None, 11, None],
    ["Chansons d'été", day("26.6."), "Delcourt", "Saal", 25, 14, None, 9.5, None],
    ["Pique-nique", day("10.7."), "Rousset", None, 20, 16, None, 8, None],
]
ROOMS: list[list[Any]] = [
    ["Room", "Floor", "Seats", "m²", "Board", "Projector", "Key no.", "What's wrong"],
    ["Ahorn", "ground", 18, 38.5, "white", "yes", 401, None],
    ["Birke", "ground", 16, 34, "white", "yes", 402, "blind stuck"],
    ["Buche", "first", 16, 33.5, "green", "yes", 411, None],
    ["Eiche", "first", 20, 44, "white", "yes", 412, None],
    ["Linde", "first", 14, 29, "green", "no", 413, "radiator drips"],
    ["Ulme", "second", 12, 26.5, "white", "no", 421, None],
    ["Saal", "second", 56, 92, None, "yes", 422, "clock missing"],
    ["Teachers' room", "second", 10, 24, None, "no", 425, None],
    ["Dachstube", "attic", 13, 31, "green", "no", 431, "fuse too weak for cooking"],
    ["Keller", "basement", 22, 41, None, "no", 440, None],
]
METERS: list[list[Any]] = [
    ["Month", "Power kWh", "Gas m³", "Water m³", "Read on", "who"],
    ["January", 1184, 1036, 21, day("31.1.2025"), "Benno"],
    ["February", 1122, 948, 23, day("28.2.2025"), "Benno"],
    ["March", 1205, 711, 26, day("31.3.2025"), "Benno"],
    ["April", 987, 402, 19, day("30.4.2025"), "Farida"],
    ["May", 1013, 188, 24, day("2.6.2025"), "Benno"],
    ["June", 946, 41, 25, day("30.6.2025"), "Benno"],
    ["July", 512, None, 9, day("31.7.2025"), "Farida"],
    ["August", 688, 17, 34, day("1.9.2025"), "Nadja"],
    ["September", 1061, 96, 22, day("30.9.2025"), "Benno"],
    ["October", 1149, 377, 24, day("31.10.2025"), "Benno"],
    ["November", 1238, 794, 28, day("28.11.2025"), "Benno"],
    ["December", 1017, 981, 18, day("2.1.2026"), "Farida"],
]
COMPLAINTS: list[list[Any]] = [
    ["No.", "When", "Who", "About", "Course", "Weight", "In charge", "Answered", "Refund"],
    [1, day("13.1."), "Brigitte Samtleben", "cold room", "French A2", 2, "Nadja", day("15.1."), None],
    [2, day("19.1."), "Emeka Oduya", "wrong level", "German B1", 2, "Nadja", day("20.1."), 84],
    [3, day("2.2."), "Ralf Tietjen", "noise", "English B1", 1, "Benno", None, None],
    [4, day("11.2."), "Irena Malek", "invoice", "German A2", 1, "Farida", day("17.2."), None],
    [5, day("26.2."), "Heinz Grothe", "noise", "Spanish A1", 1, "Benno", day("27.2."), None],
    [6, day("10.3."), "Ana Belen Prieto", "waiting list", "Spanish A1", 2, "Nadja", day("12.3."), None],
    [7, day("12.3."), "Ulf Hagemeister", "teacher late", "English B1", 2, "Ilse", day("16.3."), 11],
    [8, day("17.3."), "Ralf Tietjen", "noise", "English B1", 1, "Benno", None, None],
    [9, day("24.3."), "Camille Rey", "no teacher", "French B1", 3, "Ilse", day("24.3."), 35],
    [10, day("26.3."), "Otto Wieland", "no teacher", "French B1", 3, "Ilse", day("30.3."), 35],
    [11, day("9.4."), "Sina Rothfuss", "cold room", "Danish A2", 2, "Benno", day("21.4."), None],
    [12, day("15.4."), "Levent Aksoy", "course cancelled", "Turkish A1", 2, "Nadja", day("16.4."), 144],
    [13, day("16.4."), "Doris Neidhart", "course cancelled", "Turkish A1", 2, "Nadja", day("20.4."), 144],
    [14, day("28.4."), "Pia Kammerer", "substitute teacher", "English C1", 1, "Ilse", None, None],
    [15, day("6.5."), "Emeka Oduya", "lift", "German B1", 2, "Benno", day("7.5."), None],
    [16, day("19.5."), "Gerda Mohrmann", "rude remark", "Spanish B1", 3, "Ilse", day("19.5."), 50],
    [17, day("27.5."), "Tomasz Wrona", "exam date", "German B2", 2, "Marit", None, None],
    [18, day("3.6."), "Camille Rey", "copies", "French B1", 1, "Nadja", None, None],
]
INVOICES: list[list[Any]] = [
    ["Inv", "Customer", "What for", "Issued", "Due", "Paid on", "Amount"],
    ["26-001", "Norvik Pumpen", "English group Jan", "2026-01-30", "2026-03-01", "2026-02-24", "624.00"],
    ["26-002", "Hotel Silberhof", "English reception", "2026-01-30", "2026-03-01", "2026-03-19", "890.00"],
    ["26-003", "Klinik Am Wehr", "German for nurses", "2026-02-04", "2026-03-06", "2026-03-05", "3480.00"],
    ["26-004", "Taubert Logistik", "Polish drivers", "2026-02-11", "2026-03-13", "2026-04-22", "1275.50"],
    ["26-005", "Kanzlei Ostermeyer", "Legal English", "2026-02-13", "2026-03-15", "2026-02-27", "1140.00"],
    ["26-006", "Norvik Pumpen", "English group Feb", "2026-02-27", "2026-03-29", "2026-03-23", "624.00"],
    ["26-007", "Stadtwerke Brennstedt", "German B1 group", "2026-03-02", "2026-04-01", "2026-03-31", "2210.00"],
    ["26-008", "Hotel Silberhof", "Spanish kitchen", "2026-03-09", "2026-04-08", "", "715.00"],
    ["26-009", "Brauhaus Finkel", "English menu check", "2026-03-12", "2026-04-11", "2026-03-20", "180.00"],
    ["26-010", "Klinik Am Wehr", "Exam fees", "2026-03-18", "2026-04-17", "2026-04-15", "1560.00"],
    ["26-011", "Norvik Pumpen", "Pronunciation workshop", "2026-03-24", "2026-04-23", "", "465.00"],
    ["26-012", "Norvik Pumpen", "English group Mar", "2026-03-31", "2026-04-30", "2026-04-28", "702.00"],
    ["26-013", "Zahnlabor Krone", "Translation of manual", "2026-04-01", "2026-05-01", "2026-05-11", "338.40"],
    ["26-014", "Taubert Logistik", "Polish drivers", "2026-04-08", "2026-05-08", "", "1275.50"],
    ["26-015", "Klinik Am Wehr", "German for nurses", "2026-04-10", "2026-05-10", "2026-05-08", "3190.00"],
    ["26-016", "Stadtwerke Brennstedt", "Intercultural day", "2026-04-16", "2026-05-16", "2026-05-20", "980.00"],
    ["26-017", "Kanzlei Ostermeyer", "Legal French", "2026-04-21", "2026-05-21", "2026-05-04", "1320.00"],
    ["26-018", "Norvik Pumpen", "English group Apr", "2026-04-30", "2026-05-30", "2026-05-26", "546.00"],
    ["26-019", "Hotel Silberhof", "English reception", "2026-05-05", "2026-06-04", "2026-06-02", "890.00"],
    ["26-020", "Brauhaus Finkel", "Italian for waiters", "2026-05-08", "2026-06-07", "2026-05-12", "429.00"],
    ["26-021", "Klinik Am Wehr", "Exam fees", "2026-05-13", "2026-06-12", "", "2080.00"],
    ["26-022", "Zahnlabor Krone", "English phone calls", "2026-05-19", "2026-06-18", "2026-06-08", "612.00"],
    ["26-023", "Taubert Logistik", "Safety talk in 3 languages", "2026-05-22", "2026-06-21", "", "540.00"],
    ["26-024", "Norvik Pumpen", "English group May", "2026-05-29", "2026-06-28", "2026-06-09", "624.00"],
    ["26-025", "Stadtwerke Brennstedt", "German B1 group", "2026-06-02", "2026-07-02", "", "2340.00"],
]
CANDIDATES = (
    "Adeyemi, Folake|Bartosz, Ewa|Bukowski, Jan|Castellano, Nuria|Demir, Aylin|Demir, Cem|Dragan, Mihai|Farkas, Réka|"
    "Ghebre, Yonas|Hassan, Rim|Ivanenko, Oksana|Jovic, Stefan|Karimi, Navid|Kovalenko, Daria|Lindqvist, Elin|"
    "Lopes, Rui|"
    "Malek, Justyna|Nguyen, Thao|Novak, Petra|Novakova, Ilona|Obi, Chidi|Petrosyan, Ani|Rahimi, Parwin|Rossi, Fabio|"
    "Sahin, Burak|Silva, Marta|Tesfaye, Helen|Torres, Iván|Wrona, Tomasz|Yilmaz, Deniz|Zielinska, Kasia|Zouari, Amine"
)
LEARNERS = (
    "Anders, Gudrun|Bachmann, Till|Bauer, Ingrid|Baur, Ingo|Cordes, Levke|Dietz, Rosemarie|Ebner, Lukas|Eckert, Sabine|"
    "Fischbach, Noah|Gerlach, Ute|Gerlach, Tim|Haug, Melanie|Hirsch, Valentin|Ibrahim, Salma|Jansen, Wiebke|"
    "Jung, Carola|"
    "Kessler, Bernd|Kirchner, Mona|Klee, Aaron|Lammers, Greta|Lorenz, Susi|Maurer, Kilian|Meister, Hedwig|Nagel, Rolf|"
    "Okafor, Ben|Paulsen, Maike|Pohl, Karsten|Quandt, Ella|Reuter, Silke|Riedel, Max|Sauer, Heike|Schuster, Olga|"
    "Seitz, Adrian|Stamm, Erika|Thies, Momme|Uhl, Barbara|Vogt, Jonas|Weber, Anke|Weber, Anna|Weller, Tobias|"
    "Zander, Ruth|Ziegler, Finn"
)
INTENSIVE = {
    "English B1": 240,
    "English B2": 255,
    "Spanish A1": 225,
    "Spanish A2": 225,
    "French A2": 230,
    "German B2": 310,
    "Italian A1": 198,
}


def summer() -> list[list[Any]]:
    luck = random.Random(3814)
    rows: list[list[Any]] = [
        ["No", "Name", "Course", "Signed up", "Full fee", "Red.", "To pay", "Paid?", "on", "How", "Note"]
    ]
    when = datetime.date(2026, 3, 30)
    names = LEARNERS.split("|")
    luck.shuffle(names)
    for number, name in enumerate(names, 1):
        course = luck.choice([*INTENSIVE, "English B1", "Spanish A1", "German B2"])
        fee, less = INTENSIVE[course], luck.choice([None, None, None, None, 0.1, 0.1, 0.2])
        late = (when - datetime.date(2026, 3, 30)).days / 75
        paid = luck.random() > 0.15 + 0.45 * late
        on = when + datetime.timedelta(days=luck.randint(0, 12))
        rows.append([number, name, course, when, fee, less, round(fee * (1 - (less or 0)), 2)])
        rows[-1] += ["yes" if paid else "no", on if paid else None]
        rows[-1] += [luck.choice(["card", "card", "cash", "transfer", "transfer"]) if paid else None]
        rows[-1] += [luck.choice([None, None, None, None, "GK", "BG", "FL", "VG", "VG"])]
        when += datetime.timedelta(days=luck.choice([0, 1, 1, 2, 3, 4]))
    return rows


def german(number: float) -> str:
    return f"{number:.1f}".replace(".", ",")


def exams() -> list[list[Any]]:
    luck = random.Random(5011)
    rows: list[list[Any]] = [
        ["Nr", "Name", "Prüfung", "Tag", "Hören", "Lesen", "Schreiben", "Sprechen", "Gesamt", "best.", "Gebühr", "Bem."]
    ]
    fees = {"DB1": "139,00", "DB2": "168,50", "DC1": "194,00", "EB2": "172,00"}
    for number, name in enumerate(CANDIDATES.split("|"), 301):
        exam = luck.choice(["DB1", "DB1", "DB2", "DB2", "DC1", "EB2"])
        date = "13.06.2026" if exam in ("DB1", "EB2") else "14.06.2026"
        level = luck.uniform(0.5, 0.92)
        parts = [min(25.0, max(5.0, round(2 * 25 * (level + luck.uniform(-0.16, 0.16))) / 2)) for _ in range(4)]
        away = luck.random() < 0.1
        rows.append([number, name, exam, date, *("" if away else german(one) for one in parts)])
        rows[-1] += ["" if away else german(sum(parts)), "" if away else "ja" if sum(parts) >= 60 else "nein"]
        rows[-1] += [fees[exam], "nicht erschienen" if away else ""]
    return rows


def write(out: Path) -> None:
    text = {one.stem: one.read_text(encoding="utf-8") for one in TEXTS.glob("*.txt")}
    path = {name: out / name for name in LANGUAGE}
    kit.write_docx(path["Rahmenvertrag Lehrkräfte 2026.docx"], text["contract"], font="Arial", size=10)
    kit.write_pdf(path["Office handbook.pdf"], text["handbook"], color="#1f5c4a", header="Sprachhaus Brennstedt")
    kit.write_docx(path["Protokoll Konferenz 14-04-2026.docx"], text["minutes"], font="Cambria")
    kit.write_eml(path["Re_ Re_ English for your sales people.eml"], text["norvik"])
    kit.write_odt(path["Lettre Delcourt mai.odt"], text["delcourt"])
    path["front desk notes.md"].write_text(text["desk"], encoding="utf-8")
    kit.write_html(path["haeufige-fragen.html"], text["faq"], title="Häufige Fragen", language="de")
    kit.write_pdf(
        path["Mietvertrag Gerbergasse 14.pdf"], text["lease"], font="Times-Roman", size=11, page_label="Seite %d"
    )
    title = ["Abendkurse Frühjahr 2026, Stand 13.04. (Nadja)"]
    kit.write_xlsx(
        path["Abendkurse F26.xlsx"],
        [kit.Sheet("Kurse", [title, *COURSES], head=2, formats={"H": "dd.mm.yyyy", "L": "0.00"})],
    )
    kit.write_xlsx(
        path["Summer intensive 2026.xlsx"],
        [
            kit.Sheet(
                "Enrolled",
                summer(),
                formats={"D": "dd/mm/yyyy", "E": "0.00", "F": "0%", "G": "0.00", "I": "dd/mm/yyyy"},
            ),
            kit.Sheet("Complaints 2026", COMPLAINTS, formats={"B": "dd/mm/yyyy", "H": "dd/mm/yyyy", "I": "0.00"}),
        ],
    )
    months = [part for one in ("Januar", "Februar", "März", "April", "Mai") for part in (one, None)]
    head = ["Lehrkraft", "Gruppe", *months, "Bem."]
    under = [None, None, *["Std.", "Vertr."] * 5, None]
    total = ["Summe", None, *(sum(row[c] or 0 for row in HOURS) for c in range(2, 12)), None]
    kit.write_xlsx(
        path["Std Lehrkräfte Jan-Mai.xlsx"],
        [
            kit.Sheet(
                "Stunden",
                [head, under, *HOURS, total],
                head=2,
                merged=("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:H1", "I1:J1", "K1:L1", "M1:M2"),
            )
        ],
    )
    kit.write_csv(path["pruefungen_juni_26.csv"], exams(), delimiter=";", encoding="cp1252")
    bills = [[*row[:-1], f"€{float(row[-1]):,.2f}"] for row in INVOICES[1:]]
    kit.write_csv(path["company_invoices.csv"], [INVOICES[0], *bills])
    kit.write_xlsx(
        path["Bücher + Leihgeräte.xlsx"],
        [
            kit.Sheet("Bücher", BOOKS, formats={"G": '0.00" €"', "H": '0.00" €"', "J": "dd.mm.yyyy"}),
            kit.Sheet(
                "Leihgeräte",
                [["Wer hat was? Bitte eintragen!"], *DEVICES],
                head=2,
                formats={"D": "dd.mm.yyyy", "E": "dd.mm.yyyy", "F": "dd.mm.yyyy"},
            ),
        ],
    )
    kit.write_xlsx(
        path["Ateliers de conversation.xlsx"],
        [kit.Sheet("2026", ATELIERS, formats={"B": "dd/mm/yyyy", "H": "0.00"})],
    )
    kit.write_xlsx(
        path["House.xlsx"],
        [
            kit.Sheet("Rooms", ROOMS, remarks={"C8": "60 allowed, 56 chairs"}),
            kit.Sheet("Meters 2025", METERS, formats={"E": "dd/mm/yyyy"}, remarks={"C8": "meter was changed"}),
        ],
    )
