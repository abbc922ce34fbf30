"""Little words of German, Spanish and French and what they are in English. Data only."""

from __future__ import annotations

MARKERS: dict[str, frozenset[str]] = {
    "en": frozenset(
        [
            "the",
            "and",
            "is",
            "are",
            "has",
            "have",
            "must",
            "can",
            "each",
            "every",
            "of",
            "with",
            "to",
            "be",
            "should",
            "may",
            "which",
            "that",
            "it",
            "or",
            "not",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "ein",
            "eine",
            "einen",
            "einem",
            "einer",
            "eines",
            "und",
            "ist",
            "hat",
            "haben",
            "muss",
            "müssen",
            "kann",
            "können",
            "jede",
            "jeder",
            "jedes",
            "nicht",
            "zu",
            "mit",
            "für",
            "werden",
            "wird",
            "darf",
            "dürfen",
            "oder",
            "sein",
            "höchstens",
            "mindestens",
            "zwischen",
            "nur",
            "dem",
            "den",
            "des",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "los",
            "las",
            "una",
            "y",
            "es",
            "tiene",
            "tienen",
            "debe",
            "deben",
            "puede",
            "pueden",
            "cada",
            "del",
            "con",
            "por",
            "para",
            "o",
            "como",
            "entre",
            "ser",
            "no",
            "un",
            "la",
            "de",
            "en",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "les",
            "une",
            "et",
            "est",
            "doit",
            "doivent",
            "peut",
            "peuvent",
            "chaque",
            "des",
            "avec",
            "pour",
            "ou",
            "entre",
            "être",
            "ne",
            "du",
            "au",
            "un",
            "la",
            "de",
            "en",
            "sont",
        ]
    ),
}
NOUN_GENITIVES = frozenset(["einer", "eines", "des", "der", "jeder", "jedes"])
INFINITIVES = frozenset(["be", "have", "create", "edit", "delete", "list", "manage", "add", "show", "belong"])

# one line each: words of the language, alternatives by |, = English
PHRASES: dict[str, str] = {
    "de": """
ein|eine|einen|einem|einer|eines=a
der|die|das|den|dem|des=the
jede|jeder|jedes|jeden|jedem=each
alle=all
hat|haben|besitzt|besitzen|enthält|enthalten|besteht aus|bestehen aus=has
hat zu|haben zu=must
muss|müssen=must
darf nicht|dürfen nicht=must not
darf kein|darf keine|darf keinen=must not have a
darf|dürfen=may
kann nicht|können nicht=can not
kann|können=can
soll|sollen|sollte|sollten=should
nicht=not
ist|wird=is
sind=are
sein|werden|liegen|betragen=be
erforderlich|notwendig|verpflichtend|obligatorisch|ein pflichtfeld|pflichtfeld|pflichtfelder|pflichtangaben|pflicht=required
angegeben=given
ausgefüllt=filled in
freiwillig|optional=optional
eindeutig|einmalig|einzigartig=unique
leer=empty
negativ=negative
positiv=positive
beträgt|liegt=is
zwischen=between
und=and
oder=or
bis=to
von=of
höchstens|maximal|nicht mehr als|nicht länger als|nicht größer als=at most
mindestens|minimal|wenigstens=at least
größer als|mehr als=more than
kleiner als|weniger als=less than
zeichen|buchstaben=characters
gehört zu|gehören zu|gehört|gehören=belongs to
genau=exactly
entweder=either
einer von|eine von|eines von|einem von=one of
nur=only
mit=with
viele|mehrere=many
wenn er|wenn sie|wenn es=when it
verwaltet|verwalten=manage
speichert|speichern=manage
anlegen|erfassen|erstellen=create
bearbeiten|ändern=edit
löschen|entfernen=delete
anzeigen|auflisten|ansehen=list
beginnt als|beginnen als|startet als=starts as
neue|neuer|neues|neuen=new
kleines|kleine|kleiner|kleinen=small
prozent=percent
""",
    "es": """
un|una|unos|unas=a
el|la|los|las=the
cada=each
todo|toda|todos los|todas las=each
tiene que|tienen que=must
tiene|tienen|contiene|contienen|consta de=has
tener=have
debe|deben=must
no puede|no pueden|no debe|no deben=must not
puede|pueden=can
ser|estar=be
es|está=is
son|están=are
no=not
obligatorio|obligatoria|obligatorios|obligatorias|requerido|requerida=required
opcional|opcionales=optional
único|única|únicos|únicas=unique
vacío|vacía=empty
negativo|negativa=negative
positivo|positiva=positive
entre=between
y|e=and
o|u=or
como máximo|a lo sumo|no más de|máximo|un máximo de=at most
como mínimo|al menos|por lo menos|mínimo|un mínimo de=at least
mayor que|mayor a|más de=greater than
menor que|menor a|menos de=less than
hasta=up to
caracteres=characters
pertenece a|pertenecen a|pertenece al=belongs to
a=to
al=to the
de un|de una=of a
de la|de los|de las|del=of the
de cada=of each
uno de|una de|uno de los|una de las=one of
solo|sólo|únicamente=only
con=with
muchos|muchas|varios|varias=many
gestiona|gestionar|administra|administrar=manage
crear|añadir=create
editar|modificar=edit
eliminar|borrar=delete
listar|ver=list
que=that
""",
    "fr": """
un|une=a
des=some
le|la|les=the
chaque=each
a|ont|possède|possèdent|contient|contiennent|comporte|comportent=has
avoir=have
doit|doivent=must
ne doit pas|ne doivent pas|ne peut pas|ne peuvent pas=must not
peut|peuvent=can
être=be
est=is
sont=are
obligatoire|obligatoires|requis|requise=required
facultatif|facultative|optionnel|optionnelle=optional
unique|uniques=unique
vide=empty
négatif|négative=negative
positif|positive=positive
compris entre|comprise entre|entre=between
et=and
ou=or
au plus|au maximum|pas plus de|maximum=at most
au moins|au minimum|minimum=at least
supérieur à|supérieure à|plus de=greater than
inférieur à|inférieure à|moins de=less than
jusqu'à=up to
caractères=characters
appartient à|appartiennent à=belongs to
à=to
de un|de une=of a
de la|de le|de les|du=of the
de chaque=of each
l'un de|l'un des|l'une des|un de|un des|une des|le un de|le un des|le une de=one of
soit=either
seul|seule|seulement|uniquement=only
avec=with
plusieurs=many
gère|gèrent|gérer=manage
créer|ajouter=create
modifier=edit
supprimer=delete
lister|voir=list
qui|que=that
""",
}
