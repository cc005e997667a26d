"""Cues of a request: words and forms that tell which road it takes, in English, German, French and Spanish.

A cue is a pattern over the folded text: lower case, without accents, digits as 0. The patterns of the four languages
are joined, since words of one are rare in the others. The classifier learns what each cue is worth.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    # the conversation itself
    "thanks": (
        "thanks|thank you|thx|cheers|danke|dankeschon|merci|gracias|perfekt|perfect|perfecto|parfait|super|great|"
        "cool|prima|toll|genial|ok|okay|vale|d'accord|lol|alles klar|got it|i see|wonderful|aha|de nada|genau|"
        "exactly|exact"
    ),
    "greeting": (
        "hi|hello|hey|good (?:morning|evening|afternoon|night|day)|hallo|guten (?:tag|morgen|abend)|gute nacht|"
        "servus|moin|gruss gott|bonjour|bonsoir|salut|hola|buenos dias|buenas (?:noches|tardes)|bye|see you|"
        "goodbye|tschuss|feierabend|wiedersehen|bis (?:bald|morgen|spater)|a bientot|au revoir|bonne (?:journee|"
        "soiree|nuit)|adios|hasta (?:luego|manana|pronto)|wie geht's|how are you|ca va|que tal"
    ),
    "rewrite": (
        "shorter|longer|simpler|simply|more simply|friendlier|politer|rephrase|rewrite|reword|repeat|again|"
        "bullet points?|more details?|in detail|kurzer|langer|einfacher|hoflicher|formuliere?|umformulieren|"
        r"wiederhole?n?|noch ?mal|nochmals|stichpunkte\w*|fachworte\w*|ausfuhrlicher|genauer|plus (?:courte?|"
        r"longue?|simples?|simplement)|reformul\w+|repetes?|repeter|raccourci\w*|redis|redites|mots plus simples|"
        r"encore une fois|mas (?:corto|corta|largo|sencill\w+|simple|breve|despacio|formal)|repite\w*|repetir|"
        "otra vez|de nuevo|abrevia|acorta|kurze|shorten"
    ),
    "form": (
        "as a list|as bullets?|als (?:liste|tabelle|stichpunkte)|sous forme de|en una lista|en forma de|"
        "in (?:one|two|three|a) (?:sentences?|words?|paragraphs?)|in einem satz|in (?:zwei|drei) satzen|"
        "en (?:une|deux|trois) phrases?|en (?:una|dos|tres) frases?|without (?:the )?jargon|noch ?mal ohne|"
        "ohne (?:zahlen|fachworter)|sans les chiffres|sin numeros|(?:un|une|ein|einem|a) (?:tableau|tabelle|"
        "table|tabla|e-?mail)"
    ),
    "in_language": (
        "(?:in|into|auf|ins|en|al|to) (?:german|english|french|spanish|italian|deutsche?|englische?|"
        "franzosische?|spanische?|italienische?|allemand|anglais|francais|espagnol|italien|aleman|ingles|frances|"
        "espanol|italiano)"
    ),
    "translation": r"translat\w+|ubersetz\w*|tradui\w*|traduc\w*|traducir",
    "assistant": (
        r"your|yourself|you|deine\w*|dir|dich|ta|tes|toi|tu|te|t'\w+|vous-meme|eres|estas|sabes|puedes|contestas|"
        "dices|crees|as-tu|es-tu|peux-tu|dis-moi|me contestas|entiendes|du (?:wiederholst|hast|bist|kannst|irrst|"
        "sollst|musst)"
    ),
    "assistant_about": (
        "who are you|are you|can you do|what can you|how did you|did you|you (?:just|said|wrote|misunderstood|"
        "meant|repeat)|why do you|bist du|kannst du (?:eigentlich|alles)|was kannst du|hast du|meinst du|"
        "wie kommst du|du wiederholst|tu es|t'es|qui t'a|pourquoi as-tu|comment fais-tu|que sabes|quien eres|"
        r"estas segur\w|te has|has entendido|por que me|answers?|antworte?s?t?|antwort|reponses?|repond\w*|"
        "respuestas?|respondes?"
    ),
    "wrong": (
        "wrong|not what i|meant|misunderstood|didn't understand|don't understand|forget|never ?mind|falsch|"
        r"meinte|verstanden|vergiss|egal|stimmt|trompe\w*|compris|oublie|faux|pas ca|equivocad\w+|no entiendo|"
        r"olvida\w*|no es lo que|segur[oa]|really|wirklich|vraiment|de verdad|are you sure|bist du sicher|"
        r"sicher\?|tu es sur|sur de toi|stop it"
    ),
    "continue": "go on|continue|keep going|mach weiter|weiter|sigue|continua|stop|halt|arrete|para ya|basta|next",
    "before": (
        "so far|earlier|at the beginning|first question|last (?:answer|paragraph|sentence|question|point)|"
        r"second point|previous|above|letzte\w* (?:absatz|satz|antwort|frage|punkt)|erste frage|eben|gerade|"
        "vorhin|oben|derniere (?:phrase|reponse|question|partie)|premiere question|ci-dessus|tout a l'heure|"
        "lo anterior|ultima (?:frase|respuesta)|primera pregunta|just (?:wrote|said)"
    ),
    # tables
    "how_many": (
        r"how many|how often|number of|count|wie ?viele?n?|wieviele\w*|anzahl|zahle\w*|wie oft|combien d[e']?|"
        "combien|nombre d[e']?|combien de fois|cuant[oa]s|cuantas veces|numero de|cantidad de|cuenta las|"
        "cuenta los"
    ),
    "total": (
        r"totals?|sum|sums|altogether|in total|added up|add up|insgesamt|gesamt\w*|summe\w*|zusammen|en tout|"
        r"somme|au total|totaux|totale|suma|sumar?|sumas|en total|ausrechnen|rechne|calculat\w+|work out|"
        r"calcule\w*|berechne\w*|montent|monte|overall|all told"
    ),
    "average": (
        r"average|averages|mean|median|durchschnitt\w*|mittlere\w*|schnitt|mittelwert|moyenn?e?s?|mediane?|media|"
        "promedio|medio"
    ),
    "extreme": (
        "highest|lowest|most|least|largest|smallest|biggest|longest|shortest|best|worst|earliest|latest|cheapest|"
        r"dearest|oldest|youngest|fastest|slowest|hochste\w*|hochst\w*|niedrigste\w*|meisten?|wenigsten?|"
        r"grosste\w*|kleinste\w*|langste\w*|kurzeste\w*|teuerste\w*|billigste\w*|gunstigste\w*|beste\w*|"
        r"alteste\w*|jungste\w*|schnellste\w*|fruheste\w*|le plus|la plus|les plus|plus grande?s?|plus petite?s?|"
        r"le moins|la moins|la mas|el mas|los mas|las mas|mas (?:alt\w|baj\w|car[oa]s?|barat\w+|larg\w+|cort\w+|"
        r"visitantes|rapid\w|antigu\w)|mayor|menor|maxim\w|minim\w|mejor|peor"
    ),
    "more_than": (
        "over|under|more than|less than|fewer than|at least|at most|above|below|born after|uber|unter|mehr als|"
        "weniger als|mindestens|hochstens|plus de|moins de|au moins|mas de|menos de|al menos|antes de|despues de"
    ),
    "sheet": (
        "columns?|rows?|sheet|spreadsheet|tables?|cells?|entries|register|spalten?|zeilen?|tabellen?|eintrage|"
        "liste|colonnes?|lignes?|tableaux?|feuille|registre|columnas?|filas?|hoja|tablas?|registro|staff list|"
        "delivery list"
    ),
    "per": (
        r"per|pro|each|je (?!suis|ne|dois|veux|peux|vous|n')\w+|par (?:mois|an|annee|jour|commune|pays|match|"
        "parcelle|personne|region)|por (?:mes|ano|dia|pais|partido|parcela|persona|region)|nach (?:land|monat|"
        "jahr|punkten|kategorie)"
    ),
    "sort": (
        r"sort|rank|order by|top|sortiere?n?|ordne|classe[rz]?|trie[rz]?|ordena\w*|croissant|decroissant|"
        "aufsteigend|absteigend|by (?:date|price|size|name)|first (?:five|ten)|five|ten|funf|zehn|cinq|dix|cinco|"
        "diez"
    ),
    "share": r"share of|percent\w*|prozent\w*|anteil|pourcentage|part des|porcentaje|proporcion|quote|rate of",
    "status": (
        r"unpaid|paid|still open|are open|is open|offen\w*|bezahlt|unbezahlt|impayee?s?|payee?s?|sin pagar|pagad\w+|"
        r"pendientes?|abiert\w+|defekt\w*|missing|overdue|distinct|duplicate|doppelt|repetid\w+"
    ),
    "things": (
        "invoices?|orders?|customers?|employees|sales|items?|suppliers|members|rechnungen|bestellungen|kunden|"
        r"mitarbeiter|umsatz\w*|verkauf\w*|mitglieder|teilnehmer|factures?|commandes?|clients?|ventes?|salaries|"
        "membres|depenses|colis|facturas?|pedidos?|clientes|ventas|empleados|socios|envios|ingresos|gastos|"
        "expenses|hours|stunden|heures|horas"
    ),
    # whole documents
    "summary": (
        r"summar\w+|sum up|tl ?;? ?dr|gist|overview|outline|abstract|precis|briefing|recap|key (?:points|findings|"
        r"takeaways|messages)|main (?:points|ideas|topics|arguments)|digest|zusammen\w*fass\w*|zusammenfass\w*|"
        r"fasse?|uberblick|inhaltsangabe|kernaussagen?|gliederung|wichtigste\w*|hauptpunkte|kurzfassung|merkblatt|"
        r"resum\w*|synthese|vue d'ensemble|apercu|l'essentiel|essentiel|grandes lignes|en bref|points (?:cles|"
        "principaux)|trame|sintesis|resumen|resumir|mas importante|puntos (?:clave|principales|importantes)|"
        "vision general|esquema|guion|indice|sommaire|plan d[ue]"
    ),
    "about": (
        r"what (?:is|are|was) .{0,40}about|what's .{0,40}about|what about|worum (?:geht|ging)|wovon handel\w*|"
        r"worum|de quoi (?:parle|s'agit|traite|il)\w*|de que (?:trata|va|habla)\w*|sobre que"
    ),
    "what_in": (
        "what(?: is|'s) in|what happens in|was steht in|was steht im|was ist in|was wurde|was sind das|"
        "que contient|que hay en|que dice|que propone|que ideas|quelles? .{0,30}(?:decrite?s?|citee?s?)|"
        "what does .{0,40}(?:say|cover)|which topics|welche themen|que faut-il|everything|alles was|"
        r"tout ce qu\w*|todo lo que"
    ),
    "all": (
        r"all|every|alle[rsn]?|alles|samtliche\w*|jede\w*|tous|toutes|tout|tod[oa]s?|completo|completa|complet|"
        r"au complet|sin dejar|ganze\w*|whole|entire|entier|entera?|entero|full|from beginning to end|"
        r"du debut a la fin|general|vollstandig\w*"
    ),
    "list": (
        r"list|liste|listen|auflisten|aufzahlen|enumerat\w*|enumer\w*|name every|nenne|nennen|nomme\w*|dresse|"
        r"lista|listado|extract|extrahiere\w*|extrais|extrae|zahle .{0,20}auf|give me|gib mir|donne-moi|dame|"
        "una lista"
    ),
    "topics": (
        "topics?|chapters?|contents|themen|kapitel|inhaltsverzeichnis|themes?|chapitres?|temas?|capitulos?|"
        "sections?|abschnitte?|duties|pflichten|obligations|engagements|obligaciones|deadlines|fristen|delais|"
        r"plazos|fechas limite|zutaten|ingredients?|ingredientes|decisions?|beschlusse|beschloss\w*|acuerdos|"
        "consignes|regeln|rules|consejos|pasos|steps|schritte|etapes|people|personen|personnages?|personajes|"
        "arguments?|argumente|conditions|condiciones|quejas|reproches|findings|ergebnisse|conclusions?|"
        r"conclusiones|safety|sicherheits\w*|seguridad"
    ),
    "explain": (
        r"explain|erklare?n?|expliqu\w*|explica\w*|tell me|erzahl\w*|raconte\w*|cuentame|draft|write|schreib\w*|"
        r"erstelle?n?|ecris|redige\w*|haz|escribe|make"
    ),
    "should_know": (
        "should i know|need to know|muss ich wissen|zu beachten|achten|faut-il (?:retenir|savoir)|debo saber|"
        "hay que saber|no time|keine zeit|pas le temps|before the meeting|before i sign"
    ),
    "document": (
        "documents?|reports?|files?|papers?|handbook|manual|minutes|essay|thesis|study|story|dokumente?|"
        "berichte?|dateien?|handbuch|protokolls?|aufsatz|studie|roman|novelle|akten?|briefe?s?|rapports?|"
        "fichiers?|dossier|manuel|comptes? rendus?|memoire|etude|guide|lettre|documentos?|informes?|archivos|"
        "actas?|tesis|novela|cartas?|ensayo|contract|vertrags?|contrat|contrato|lease|letter|mails?|thread|"
        "verlauf"
    ),
    # comparisons
    "compare": (
        r"compar\w+|vergleich\w*|versus|vs|contrast|gegenuber\w*|gegeneinander|side by side|side|nebeneinander|"
        r"en regard|cote a cote|lado a lado|frente a|confront\w*|contradict\w*|widersprech\w*|widerspruch\w*|"
        r"contredi\w*|contradic\w*|pros and cons|vor- und nachteile|avantages|inconvenients|ventajas|opposite|"
        "against|gegen|contra"
    ),
    "differ": (
        r"differ\w*|unterschied\w*|unterscheid\w*|abweich\w*|weich\w* .{0,40}ab|diferenc\w*|difier\w*|divergen\w*|"
        r"distingu\w*|disagree\w*|deviat\w*|en quoi|in what respects|discrepan\w*|ecarts?"
    ),
    "changed": (
        r"chang\w+|removed|added|gone|geandert\w*|verandert\w*|anderung\w*|gestrichen|weggefallen|hinzugekommen|"
        r"neu|was ist neu|dropped|modifi\w*|disparu\w*|supprim\w*|ajoute\w*|cambi\w+|elimin\w*|anadi\w*|"
        r"modifica\w*|newer|stricter|evolu\w*|anders|als vorher|than before|qu'avant|que antes|no longer|"
        "nicht mehr|ne .{0,20} plus"
    ),
    "versions": (
        r"old|new|versions? 0|previous version|draft|final|alte\w*|neue\w*|alt/neu|entwurf\w*|fassung\w*|"
        r"ancien\w*|nouvel\w*|nouveau\w*|avant-projet|reedition|edition|antigu\w*|nuev\w+|borrador|editions?|"
        r"revis\w+"
    ),
    "two": r"two|both|three|beide\w*|zwei|drei|deux|trois|dos|tres|ambos|ambas",
    "same": (
        r"same|identical|equal|gleich\w*|dasselbe|derselbe|dieselbe|identisch|identiques?|pareil|meme|iguales|"
        r"igual|mismo|misma|coincid\w*|agree with|ubereinstimm\w*|stimmen .{0,40}uberein|correspond\w*"
    ),
    "which_of": (
        r"which of|which one|welche\w* (?:der|von) (?:beiden|zwei|drei)|lequel|laquelle|lesquel\w*|cual de|"
        "cuales de"
    ),
    "comparative": (
        "cheaper|better|worse|shorter delivery|stricter|more expensive|higher than|later|earlier than|than|"
        "billiger|besser|schlechter|gunstiger|kurzere|strenger|vollstandiger|als der|als die|als das|als vorher|"
        r"mehr als der|weniger neben\w*|lohnt|moins cher|meilleure?s?|plus .{0,25} que|moins .{0,25} que|"
        r"mas .{0,25} que|menos .{0,25} que|mas barat\w+|barata|mejor que|peor que"
    ),
    "or": "or|oder|ou|o",
    # several places
    "relative": (
        r"(?:the|that) \w+ (?:who|that|which|whose)|person who|the one who|whose|where the|when the|als (?:der|"
        r"die|das) \w+|celui qui|celle qui|personne qui|dont|quand (?:le|la|sa|son)|el que|la que|del que|"
        r"de la que|al que|cuando (?:el|la|se)|cuyo|cuya|refers to|mentioned in|genannt\w*|erwahnt\w*|"
        r"cite(?:e?s)?|mencionad\w+|prevue?|described in"
    ),
    "both_named": r"each|jeweils|chacune?|cada un\w|respectively|wofur|also|auch beim|aussi|tambien|beide im|figurent",
    "chain": (
        r"replaced|stands in|nachfolger\w*|vertritt|vertretung|remplac\w*|sustitu\w*|reemplaz\w*|supervisor|"
        r"author of|autor\w* (?:de|des|of)|the mother|mutter|father|vater|soeur|sister|hermana|abuela|cousine|"
        r"uncle|onkel|erfinder\w*|composer|komponist\w*|compositeur"
    ),
    "between": "between|zwischen|entre|lie between|liegen|separe|from .{0,30} to|since|seit|depuis|desde",
    "fits": (
        r"fit|fits|match|meet|passt|passen|reicht|ausreich\w*|vertraglich|convient|assez grande?|suffi\w*|cabe|"
        "vale para|sirve|allowed by|enough|compatible|genug|noch|still"
    ),
    "left": r"left|remain\w*|ubrig|bleibt|reste|queda|restamos|minus|plus|moins|together with|dazu|abzuglich",
    # other collections
    "collections": (
        r"collections?|librar\w+|archives?|folders?|my mails?|inbox|notes|papers|photos|recipes|sammlung\w*|"
        r"bibliothek\w*|\w*ordner|archiv|\w*notizen|\w*unterlagen|mails|rezepten?|anleitungen|bibliotheque|"
        r"dossiers?|mails|notes|recettes|archives|coleccion\w*|biblioteca|carpetas?|correos?|archivo|notas|"
        "recetas|cuaderno|libraries|export"
    ),
    "seek": (
        r"search|look|try|check|ask|see|switch|suche?|schau|guck|frage?|sieh|nimm|wechsle|durchsuche|probier\w*|"
        "cherche[rz]?|regarde[rz]?|essaie|essaye|passe|consulte|demande|busca|mira|prueba|cambia|pregunta|find"
    ),
    "elsewhere": (
        r"elsewhere|everywhere|another|other|others|instead|not here|anderswo|uberall|andere[nrsm]?|statt\w*|"
        "lieber|nicht hier|ailleurs|partout|plutot|pas ici|autres?|otros?|otras?|mejor en|en vez de|aqui no|"
        "todas partes|rather|all collections|allen sammlungen"
    ),
    "anything": (
        "anything about|something about|any mention|etwas dazu|dazu etwas|dazu|davon|la-dessus|a ce sujet|"
        r"hay algo|algo sobre|say about it|say something|mention\w*|en parlent|lo menciona|is it there|"
        "does it say|knows|weiss"
    ),
    # one place
    "asks_one": "when|where|who|why|wann|wo|wer|wem|wen|warum|quand|qui|pourquoi|cuando|donde|quien|por que|ubi",
    "how_measure": (
        "how (?:long|old|high|much|far|big|thick|fast|hot|heavy|deep|wide)|wie (?:lange|alt|hoch|weit|gross|dick|"
        "schnell|heiss|schwer|teuer|heisst|viel)|combien (?:coute|de temps|de jours)|quelle? (?:est|age|dose|"
        "temperature)|cuanto|cuanta|cada cuanto|a partir de|cual es|what is the|what's the|was kostet|how do i|"
        "comment|como se"
    ),
    "limit": r"maximum|minimum|max|min|deadline|limit|frist|kundigungsfrist|hochst\w+|date limite|plazo|preavis|notice",
    "identity": (
        r"phone|number|password|code|address|account|name of|name|nummer|telefon\w*|kontonummer|passwort|adresse|"
        "numero|telephone|mot de passe|nom|compte|telefono|contrasena|direccion|nombre|codigo"
    ),
    "may": (
        "allowed|may i|can i|must|have to|darf|durfen|muss|mussen|erlaubt|puis-je|peut-on|faut|admis|se puede|"
        r"hay que|puedo|permitted|included|covered|gilt|sind|deckt|cubre|incluid\w+"
    ),
}

_FORMS = {
    "and_question": (
        r"\b(?:and|und|et|y)\s+(?:to |at |in |on |a |fur |zu |von |pour |de |con )?(?:what|who|when|where|why|how|"
        r"which|was|wer|wem|wann|wo|wohin|warum|wie|wofur|welche\w*|qui|quand|ubi|pourquoi|combien|comment|"
        r"quel\w*|que|quien|cuando|donde|por que|como|cual|cuanto)\b"
    ),
    "german_relative": r", (?:in |auf |fur |zu |von |mit |bei |an )?(?:die|der|das|den|dem|deren|dessen|wo) \w+",
    "begins_and": r"^\W*(?:and|und|et|y)\b",
    "begins_question": (
        r"^\W*(?:what|who|when|where|why|how|which|was|wer|wem|wann|wo|wohin|warum|wie|welche\w*|qui|quand|ubi|"
        r"pourquoi|combien|comment|quel\w*|que|quien\w*|cuando|donde|por que|como|cual\w*|cuant\w+)\b"
    ),
    "begins_is": (
        r"^\W*(?:is|are|does|do|did|has|have|was|were|may|can|ist|sind|gilt|hat|haben|darf|muss|kann|passt|reicht|"
        r"est-ce|est|sont|puis|a-t|y a|es|esta|hay|son|puede|cubre|coincid\w+|dice)\b"
    ),
    "begins_all": r"^\W*(?:all|every|alle\w*|samtliche|tous|toutes|tod[oa]s)\b",
    "begins_with_verb": (
        r"^\W*(?:please |bitte )?(?:compare|summari[sz]e|list|give|show|count|sum|find|sort|put|make|write|tell|"
        r"name|extract|explain|outline|contrast|vergleiche?|fass\w*|liste|gib|zeig\w*|zahle|nenne|erstell\w*|"
        r"erklar\w*|stelle|schreib\w*|resume\w*|compare[rz]?|liste|donne|fais|dresse|classe|mets|resume|compara|"
        r"enumera|lista|haz|ordena|cuentame)\b"
    ),
    "please": r"\b(?:please|bitte|s'il (?:te|vous) plait|por favor)\b",
    "question_mark": r"\?",
    "digit": r"\d",
    "comma": ",",
    "two_commas": ",.*,",
    "colon": ":",
    "sentences": r"[.?!]\s+\S",
    "file_name": r"\b[\w-]+\.(?:pdf|docx?|xlsx?|pptx?|csv|odt|ods|txt|md|html?|eml)\b",
    "and": r"\b(?:and|und|et|y)\b",
    "it": r"\b(?:it|this|that|das|dies\w*|es|ca|cela|ce|eso|esto|lo)\b",
    "yes_or_no": (
        r"^\W*(?:no|non|nein|si|yes|ja|oui|ah|oh|ach so|also)\b[\s,.!]*(?:$|(?:i|das|das|ce|eso|no|merci|danke|"
        r"thanks|gracias|d\'accord)\b)"
    ),
    "quoted": '["“”«»„]',
}

_LENGTHS = (2, 4, 6, 9, 13, 18)
"""Most words of a request of each length."""

CUES: dict[str, re.Pattern[str]] = {
    **{name: re.compile(rf"(?<!\w)(?:{words})(?!\w)") for name, words in _WORDS.items()},
    **{name: re.compile(pattern) for name, pattern in _FORMS.items()},
}
NAMES: tuple[str, ...] = (*CUES, "question_words", *(f"at most {most} words" for most in _LENGTHS))
"""The cues in the order of ``cues_of``."""

_QUESTION_WORD = re.compile(
    r"\b(?:what|who|whose|when|where|why|how|which|was|wer|wem|wen|wann|wo|wohin|warum|wie|welche\w*|qui|ubi|quand|"
    r"pourquoi|combien|comment|quel\w*|quien\w*|cuando|donde|como|cual\w*|cuant\w+)\b"
)


def fold(text: str) -> str:
    """The text in lower case, without accents, on one line, with plain apostrophes and each digit as 0. French *où*
    becomes *ubi*, since without its accent it would be *ou*, or."""
    plain = unicodedata.normalize("NFKD", re.sub(r"\boù\b", "ubi", text.casefold().replace("’", "'")))
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return re.sub(r"\d", "0", " ".join(plain.split()))


def is_of_conversation(text: str) -> bool:
    """Whether a request greets, thanks or asks about the program itself, so that it needs no answer before it."""
    folded = fold(text)
    return any(CUES[name].search(folded) for name in ("thanks", "greeting", "assistant_about"))


def cues_of(text: str) -> list[float]:
    """1 for each cue that a request has, else 0, in the order of ``NAMES``."""
    folded = fold(text)
    words = len(re.findall(r"\w+", folded))
    asked = len(_QUESTION_WORD.findall(folded))
    return [
        *(float(pattern.search(folded) is not None) for pattern in CUES.values()),
        float(asked > 1),
        *(float(words <= most) for most in _LENGTHS),
    ]
