"""What a request for whole documents asks: a summary, a list, a translation, and of what.

Read by words of English, German, French and Spanish; which documents it means is ``document_choice``'s.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from workbench.text.language import detect_question_language, language_name, split_words
from workbench.text.terms import Vocabulary

Asked = Literal["summary", "list", "translation"]

_TRANSLATE = re.compile(r"\b(?:translat\w*|übersetz\w*|tradui\w*|traduc\w*|traduz\w*)\b", re.I)
_SUMMARISE = re.compile(
    r"\bsum(?:s|med)?\b.{0,40}\bup\b|\bsummar\w+|\boverview\b|\bgist\b|\bin (?:short|brief|a nutshell)\b"
    r"|\b(?:main|key) (?:points?|facts)\b|\bwhat\b.{0,60}\b(?:about|say|deal with)\b"
    r"|\bzusammenfass\w*|\bfass\w*\b.*\bzusammen\b|\büberblick\b|\bübersicht\b|\bworum\b|\bwovon\b|\bdas wichtigste\b"
    r"|\bkurz(?:fassung|e[rn]? inhalt)\b|\bwas steht\b"
    r"|\br[ée]sum\w*|\bde quoi\b|\baperçu\b|\bvue d.ensemble\b|\bl.essentiel\b"
    r"|\bresumen\b|\bresúm\w*|\bde qué\b|\blo (?:esencial|más importante)\b",
    re.I,
)
_LANGUAGES = {
    "English": "english englisch englische anglais inglés ingles",
    "German": "german deutsch deutsche allemand alemán aleman",
    "French": "french französisch französische français francais francés frances",
    "Spanish": "spanish spanisch spanische espagnol español espanol castellano",
    "Italian": "italian italienisch italienische italien italiano",
    "Dutch": "dutch niederländisch niederländische néerlandais neerlandés holländisch",
    "Polish": "polish polnisch polnische polonais polaco",
    "Portuguese": "portuguese portugiesisch portugiesische portugais portugués",
    "Chinese": "chinese chinesisch chinesische chinois chino",
}
_COMMAND_WORDS = """
list lists listed name show give tell write make find want need please all every each everything whole complete
full entire document documents file files text overview summary summarise summarize sum main points point short
brief according stand stands contain contains say says said about there anything happen happened
liste auflisten aufzählen nenne nennen zeig zeige gib sag schreib bitte alle alles allen aller ganze ganzen gesamte
sämtliche dokument dokumente datei dateien zusammenfassung zusammenfassen fass fasse zusammen überblick übersicht
wichtigste kurz kurze steht stehen laut gibt worum geht
lister donne donnez montre montrez résume résumé résumez tous toutes tout toute fichier fichiers aperçu essentiel
parle plaît lista listar dame muestra resume resumen resúmeme hazme todos todas todo toda documento documentos archivo
archivos habla trata favor"""
_COMMANDS = frozenset(_COMMAND_WORDS.split())


def read_request(request: str) -> tuple[Asked, str]:
    """What is asked, and the English name of the language of a translation ("" where none is named)."""
    if _TRANSLATE.search(request):
        spoken = split_words(request)
        for name, words in _LANGUAGES.items():
            if any(word in words.split() for word in spoken):
                return "translation", name
        own = detect_question_language(request, ("en", "de", "fr", "es"))
        return "translation", language_name(own) if own else ""
    return ("summary" if _SUMMARISE.search(request) else "list"), ""


def subject_terms(request: str, vocabulary: Vocabulary, names: Collection[str]) -> list[str]:
    """The stems of what a request is about: without its commands, and without the words ``names`` (in lower case) that
    name the document."""
    kept = [word for word in split_words(request) if word not in _COMMANDS and word not in names]
    return vocabulary.content_terms(" ".join(kept))
