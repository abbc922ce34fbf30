"""The words the offline reader knows. Data only: what is not here is not claimed to be understood."""

from __future__ import annotations

# Names that would hide what a record or the service has itself; columns and tables are quoted, so SQL words are free.
FORBIDDEN = frozenset({"id", "rowid", "oid", "limit", "offset"})
FORBIDDEN_ENTITIES = FORBIDDEN | {"app", "health", "openapi"}

DETERMINERS = frozenset(
    """a an the each every any all one its their his her this that these those both another exactly
    ein eine einen einem einer eines der die das den dem des jede jeder jedes jeden jedem alle kein keine keinen
    seine ihre sein ihr""".split()
)
PRONOUNS = frozenset("it they them er sie es".split())
PLAIN_ADJECTIVES = frozenset(
    "new existing single individual given own neue neuer neues neuen bestehende bestehenden einzelne einzelner".split()
)

# A noun phrase that holds one of these is no name of anything: verbs, modals, prepositions, quantities, questions.
STOP = frozenset(
    """a about above after again against all also always am an and any are as at be because been before being below
    between both but by can cannot could did do does during each either else enough every few first for from had has
    have having he her here him his how i if in into is it its itself just last least less like many may me might more
    most must my need needs neither never no none nor not nothing now of off often on once one only or other our out over
    per please same shall she should since so some soon still such than that the their them then there these they this
    those through to too two under unless until up us very was we were what when where whether which while who whom whose
    why will with within without would you your yours ever immediately automatically usually normally currently
    several multiple various
    aber als alle am an auch auf aus bei beim bis dann das dass dem den der des die durch ein eine einem einen einer eines
    für gegen hat haben hatte ich im in ist jede jeder jedes kann können kein keine mit muss müssen nach nicht noch nur
    oder ob ohne sich sie sind soll sollen sollte über um und unter vom von vor war was weil wenn wer werden wie wir wird
    wo wurde zu zum zur zwischen darf dürfen mehrere viele""".split()
)

SYSTEM_WORDS = frozenset(
    """system systems app apps software website webapp api
    interface ui frontend backend server database solution brief software screen everything something
    anything nothing nobody somebody someone anyone everyone people user-interface deployment code
    anwendung dienst programm oberfläche datenbank software jemand niemand""".split()
)

LABEL_WORDS = frozenset(
    """note notes goal goals user users feature features scope purpose constraint constraints technology technologies
    requirement requirements rule rules assumption assumptions example examples background context overview role roles
    actor actors stakeholders summary important warning status remark remarks question questions author version date
    functionality functions non-goals nongoals optional nice security performance deployment stack language languages
    entities entity data model models fields field must should could won't later why what how who when where
    hinweis hinweise ziel ziele zweck regeln regel anforderungen anforderung annahmen beispiel benutzer rollen umfang
    """.split()
)

NUMBER_WORDS = {
    word: value
    for value, words in enumerate(
        "zero null|one eins ein eine einen|two zwei|three drei|four vier|five fünf|six sechs|seven sieben|eight acht|"
        "nine neun|ten zehn|eleven elf|twelve zwölf".split("|")
    )
    for word in words.split()
} | {"fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100, "zwanzig": 20, "hundert": 100}

CHARACTER_UNITS = frozenset("character characters char chars letter letters zeichen buchstaben".split())
UNITS = frozenset(
    """% percent euro euros eur dollar dollars usd € $ £ pounds cents minute minutes hour hours second seconds day days week
    weeks month months year years kg kilogram kilograms gram grams g meter meters metre metres m cm km litre litres liter
    liters page pages point points star stars unit units piece pieces item items copy copies seat seats inclusive
    prozent minuten stunden tage tagen jahre jahren stück gramm kilo kilogramm punkte punkten sterne seiten""".split()
)

# word -> type, tried on the last word of a field first, then on the first.
FIELD_TYPES: dict[str, str] = {
    word: kind
    for kind, words in {
        "text": """description notes note comment comments text body content summary message remark remarks details
            biography bio instructions diagnosis abstract explanation reason beschreibung notiz notizen bemerkung bemerkungen
            kommentar hinweis zusammenfassung nachricht begründung descripción nota comentario commentaire""",
        "integer": """count number quantity age copies pages year capacity stock stars rating score points seats duration
            minutes hours days floor position level_number amount_of units size rank mileage attendees participants guests
            anzahl menge alter bestand jahr baujahr dauer stückzahl punkte plätze kapazität mindestbestand seitenzahl
            bewertung seiten exemplare etage
            año cantidad edad existencias capacidad année quantité âge capacité étage""",
        "number": """price amount cost fee total weight height width length rate salary balance budget discount percentage
            latitude longitude temperature distance volume tax fine deposit rent wage subtotal value worth
            preis betrag kosten gebühr summe gewicht höhe breite länge gehalt rabatt temperatur einkaufspreis verkaufspreis
            stückpreis
            precio importe peso prix montant poids""",
        "date": """date birthday deadline day birthdate datum geburtstag geburtsdatum lieferdatum frist bestelldatum
            eingangsdatum ablaufdatum mindesthaltbarkeitsdatum fecha""",
        "datetime": "time timestamp datetime moment zeitpunkt uhrzeit zeitstempel",
        "boolean": "active flag enabled available archived_flag aktiv verfügbar is_active",
        "string": """name title email e-mail mail phone telephone mobile isbn address city country street zip postcode url
            website link code sku barcode username password author publisher priority status state type kind category genre
            role color colour language currency location label subject surname nickname initials gender department
            specialty speciality serial identifier reference tag brand model make plate room shelf topic severity mode
            titel bezeichnung adresse stadt land straße postleitzahl telefon telefonnummer artikelnummer nummer kategorie
            priorität zustand art typ rolle farbe sprache ort lagerort autor verlag vorname nachname firma ansprechpartner
            seriennummer kundennummer regal einheit
            título nombre dirección autor nom titre adresse auteur""",
    }.items()
    for word in words.split()
}
TYPE_WORDS: dict[str, str] = {
    "text": "text",
    "long text": "text",
    "string": "string",
    "enum": "enum",
    "enumeration": "enum",
    "percentage": "number",
    "short text": "string",
    "word": "string",
    "number": "number",
    "decimal": "number",
    "decimal number": "number",
    "integer": "integer",
    "whole number": "integer",
    "int": "integer",
    "date": "date",
    "datetime": "datetime",
    "date and time": "datetime",
    "timestamp": "datetime",
    "boolean": "boolean",
    "bool": "boolean",
    "flag": "boolean",
    "yes/no": "boolean",
    "true or false": "boolean",
    "yes or no": "boolean",
    "ganzzahl": "integer",
    "ganze zahl": "integer",
    "zahl": "number",
    "datum": "date",
    "zeichenkette": "string",
    "ja/nein": "boolean",
}
STATE_FIELDS = ("status", "state", "zustand")
PLURAL_FIELDS = frozenset(
    """copies pages notes comments minutes hours days points seats details instructions remarks credits units stock stars
    initials guests participants attendees exemplare seiten notizen bemerkungen punkte plätze""".split()
)

CREATE = frozenset("add create register enter record new anlegen erfassen hinzufügen erstellen registrieren".split())
READ = frozenset("list view see show browse read display get open look anzeigen auflisten ansehen sehen lesen".split())
UPDATE = frozenset("edit update change modify replace rename correct ändern bearbeiten aktualisieren".split())
DELETE = frozenset("delete remove löschen entfernen".split())
MANAGE = frozenset("manage maintain administer keep track verwalten pflegen".split())
CRUD = CREATE | READ | UPDATE | DELETE | MANAGE
CRUD_PARTICIPLES = frozenset(
    """added created registered entered recorded listed viewed seen shown browsed read displayed edited updated changed
    modified replaced corrected deleted removed managed maintained
    angelegt erfasst hinzugefügt erstellt registriert angezeigt aufgelistet geändert bearbeitet aktualisiert gelöscht
    entfernt verwaltet gepflegt""".split()
)

MUST = frozenset(
    "must required mandatory never cannot can't shall always needs muss müssen nie niemals erforderlich".split()
)
COULD = frozenset("may could might optionally optional can kann können könnte darf dürfen".split())
MODALS = frozenset(
    """must should shall can cannot can't could may might never always only needs need required mandatory has have
    muss müssen soll sollen sollte sollten kann können darf dürfen nie niemals immer nur""".split()
)
NEGATIVE = frozenset("never cannot can't not no nobody only without nie niemals nicht kein keine nur".split())
QUALITY = frozenset(
    """fast quick quickly slow performance latency milliseconds ms secure security encrypted encryption
    encrypt uptime availability 24/7 reliable reliability scalable scale concurrent simultaneously backup
    backups accessible accessibility wcag gdpr privacy dsgvo usable usability responsive intuitive friendly easy simple
    maintainable portable throughput schnell sicher sicherheit zuverlässig verschlüsselt einfach barrierefrei
    leistung sekunden datenschutz""".split()
)
PURPOSE = frozenset(
    """service system app application tool platform software project website program api needs need wants want helps is are
    build tracks track manages manage keeps keep organises organizes runs lends
    dienst anwendung programm projekt braucht brauchen benötigt verwaltet möchte möchten ist führt werkzeug lager""".split()
)
PERSONS = frozenset(
    """user users member members librarian librarians customer customers admin admins administrator administrators manager
    managers doctor doctors nurse nurses patient patients receptionist receptionists student students teacher teachers
    employee employees clerk clerks owner owners guest guests visitor visitors seller sellers buyer buyers driver drivers
    agent agents operator operators author authors editor editors reader readers client clients parent parents staff
    benutzer benutzerin mitarbeiter mitarbeiterin kunde kunden lagerist lageristen verwalter administrator leser""".split()
)

IRREGULAR_PLURALS = {
    "quizzes": "quiz",
    "people": "person", "children": "child", "men": "man", "women": "woman", "mice": "mouse", "feet": "foot",
    "teeth": "tooth", "geese": "goose", "criteria": "criterion", "indices": "index", "matrices": "matrix",
    "movies": "movie", "cookies": "cookie", "shelves": "shelf", "knives": "knife", "lives": "life", "leaves": "leaf",
    "wolves": "wolf", "halves": "half", "houses": "house", "courses": "course", "purchases": "purchase",
    "expenses": "expense", "databases": "database", "cases": "case", "nurses": "nurse", "horses": "horse",
    "exercises": "exercise", "licenses": "license", "invoices": "invoice", "phases": "phase", "releases": "release",
    "responses": "response", "leases": "lease", "ties": "tie", "diagnoses": "diagnosis", "analyses": "analysis",
}  # fmt: skip
UNCOUNTED = frozenset(
    "kurs glas los fels hals haus series species news equipment sheep fish data stock status analysis diagnosis bus gas".split()
)

IRREGULAR_VERBS = {
    "paid": "pay", "sent": "send", "sold": "sell", "held": "hold", "begun": "begin", "lost": "lose", "found": "find",
    "taken": "take", "given": "give", "written": "write", "bought": "buy", "built": "build", "kept": "keep",
    "lent": "lend", "made": "make", "won": "win", "withdrawn": "withdraw", "done": "finish", "drawn": "draw",
    "cancelled": "cancel", "canceled": "cancel", "completed": "complete", "prepared": "prepare", "declined": "decline",
    "treated": "treat", "scheduled": "schedule", "examined": "examine", "stored": "store", "expired": "expire",
    "retired": "retire", "hired": "hire", "fired": "fire", "merged": "merge", "charged": "charge", "compared": "compare",
    "shared": "share", "handled": "handle", "settled": "settle", "created": "create", "deleted": "delete",
    "active": "activate", "inactive": "deactivate", "open": "open", "overdue": "mark_overdue", "outlined": "outline",
    "picked up": "pick_up", "checked in": "check_in", "checked out": "check_out", "put away": "put_away",
    "brought back": "bring_back", "signed off": "sign_off", "put on hold": "put_on_hold",
    "bestätigt": "bestaetigen", "geliefert": "liefern", "bezahlt": "bezahlen", "storniert": "stornieren",
    "geschlossen": "schliessen", "abgeschlossen": "abschliessen", "genehmigt": "genehmigen", "abgelehnt": "ablehnen",
    "versendet": "versenden", "versandt": "versenden", "zurückgegeben": "zurueckgeben", "eingereicht": "einreichen",
    "freigegeben": "freigeben", "bestellt": "bestellen", "gebucht": "buchen", "geprüft": "pruefen", "erledigt": "erledigen",
    "aktiv": "aktivieren", "offen": "oeffnen", "gestartet": "starten", "beendet": "beenden", "gesperrt": "sperren",
    "archiviert": "archivieren", "verkauft": "verkaufen", "ausgeliehen": "ausleihen", "verliehen": "verleihen",
    "bearbeitet": "bearbeiten", "vermietet": "vermieten", "zugestellt": "zustellen", "verloren": "verlieren",
    "devuelto": "devolver", "abierto": "abrir", "disuelto": "disolver", "resuelto": "resolver", "roto": "romper",
    "rendu": "rendre", "vendu": "vendre", "perdu": "perdre", "ouvert": "ouvrir", "fini": "finir", "remis": "remettre",
    "disponible": "disponer", "verschickt": "verschicken", "angenommen": "annehmen", "eingelagert": "einlagern",
}  # fmt: skip

# Adjectives that say nothing a rule could hold: "a small gym" is a gym, "all books" are books.
ADJECTIVES = PLAIN_ADJECTIVES | frozenset(
    """small little big large local simple basic minimal tiny medium-sized family-run busy modern different various certain
    specific particular whole entire full complete proper same other additional further extra own public private current
    web web-based online digital virtual mobile internal external rest restful http little neat lightweight""".split()
)
HAS = frozenset(
    "has have contains contain includes include comprises comprise carries carry stores store records record holds hold".split()
)
MODAL = frozenset("must should shall can could may might will would ought needs need".split())
BE = frozenset("is are be was were been being".split())
NOT = frozenset("not never".split())
QUANTITIES = frozenset("many several multiple various numerous".split())
SUBORDINATE = frozenset(
    """if when whenever unless until till while because since after before once as where whereas although though so that which
    who whom whose then else otherwise within during despite""".split()
)

# Participles and verbs that do not leave a record in another state: the product cannot do these by an action on a record.
NOT_STATES = frozenset(
    """search find filter sort order group count sum calculate compute print export import download upload email mail send
    notify remind inform alert share rate review comment follow like invite login log scan sync synchronise synchronize
    chat message call translate convert generate predict recommend suggest report summarise summarize compare
    show see view list display read browse look get access use reach consult query fetch retrieve sell click drag swipe
    integrate configure customise customize encrypt back backup restore migrate deploy install embed render play
    stream record measure monitor watch know need want have make do give take keep hold track manage maintain
    administer add create register enter edit update change modify replace rename correct delete remove store save combine
    split merge copy duplicate attach move transfer extend renew write be link relate associate identify describe define
    reach contact grouped linked based attached""".split()
)
STATE_VERBS = frozenset(
    """approve reject submit publish unpublish archive cancel close reopen open start begin finish complete return borrow
    lend confirm activate deactivate pause resume suspend block unblock accept decline deliver ship pay book reserve release
    lock unlock resolve escalate verify discharge admit withdraw pack dispatch refund void expire terminate enable disable
    hide pin retire revoke issue receive pick_up check_in check_out sign_off hand_in put_on_hold settle clear clean repair
    inspect freeze thaw promote waive fulfil fulfill postpone reschedule draft""".split()
)
OPERATIONS: dict[str, str] = {
    **dict.fromkeys("add create register enter insert new save store post".split(), "create"),
    **dict.fromkeys("list view see show browse read display get open look retrieve fetch access".split(), "read"),
    **dict.fromkeys("edit update change modify replace rename correct amend adjust maintain".split(), "update"),
    **dict.fromkeys("delete remove erase".split(), "delete"),
    **dict.fromkeys("filter find".split(), "filter"),
    **dict.fromkeys(
        "manage administer keep track record organise organize handle catalogue catalog log collect".split(), "manage"
    ),
}
OPERATION_FORMS: dict[str, str] = {
    **OPERATIONS,
    **{
        form: kind
        for verb, kind in OPERATIONS.items()
        for form in (verb + "s", verb.rstrip("e") + "ing", verb.rstrip("e") + "ed")
    },
    **dict.fromkeys("kept tracked".split(), "manage"),
    **dict.fromkeys("seen shown got".split(), "read"),
    **dict.fromkeys("tracking tracks cataloguing logged logging".split(), "manage"),
    **dict.fromkeys("getting".split(), "read"),
    **dict.fromkeys("modified modifies modifying".split(), "update"),
}
PRODUCT = frozenset(
    "app application tool service system software program website site platform api backend portal webapp product".split()
)
PRODUCT_KINDS = PRODUCT | frozenset(
    "manager tracker planner organiser organizer list register catalogue catalog database directory log logbook diary".split()
)
# Never the name of a record; and words that are one only where "a/each … has" says so.
NEVER_ENTITIES = frozenset(
    """possibility ability way overview amount thing rest need kind sort one ones both each everyone everybody anybody nobody
    lot following above access permission everything something
    date datetime timestamp birthday birthdate age weight height width length duration quantity surname nickname firstname
    lastname gender temperature percentage percent isbn postcode datum geburtsdatum lieferdatum uhrzeit fecha""".split()
)
RARELY_ENTITIES = NEVER_ENTITIES | frozenset(
    """price amount cost colour color sku barcode priority capacity deadline due-date
    list number case time day moment place part type value values example field rule information info data detail details
    change action operation status state set lists history report reports search page pages role roles mistake error errors
    problem reason result results today week month year name title e-mail email description id identifier key column row
    table record entry entries""".split()
)
DATED = frozenset("date day birthday deadline".split())
STATE_NOUNS = frozenset({"status", "state", "stage", "phase", "zustand", "estado", "statut"})
PLAIN_STATES = frozenset(
    """open draft pending active inactive available free empty full ready overdue busy dirty clean in-progress occupied
    favourite favorite used new""".split()
)
# Words in -ed that are no participles.
NOT_PARTICIPLES = frozenset(
    "need feed seed speed shed bed red weed breed hundred indeed exceed proceed succeed sacred naked wed bleed greed deed".split()
)
# Verbs that speak of one field: "tickets cost 5 to 500 euros".
FIELD_VERBS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("cost", "costs"), ("price", "cost", "fee")),
    **dict.fromkeys(("last", "lasts"), ("duration", "length")),
    **dict.fromkeys(("weigh", "weighs"), ("weight",)),
}
GIVE = frozenset("give provide enter supply specify state name".split())
TYPES_ONLY = frozenset("string integer boolean decimal int bool whole float percentage enum".split())
MONEY = frozenset("euro euros eur dollar dollars usd € $ £ pounds pound gbp chf".split())
LINKING = frozenset("links link connects connect joins join assigns ties relates combines".split())
# What no field of the product can hold: files, and secrets, which must not be kept as plain values.
GENERIC_TITLES = frozenset("inventory stock warehouse".split())
# Things of the machine: what is "stored in a database" does not refer to a record.
MACHINE = frozenset(
    "file log database table list system queue report email message cache cloud browser phone app".split()
)
NO_VALUES = frozenset(
    """image picture photo file attachment video logo avatar thumbnail upload document pdf password passwort secret passphrase
    bild foto datei signature scan recording map""".split()
)
# What records of very common kinds have where the brief names no field at all; anything else has a name.
USUAL_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("todo", "task", "chore", "reminder"), (("title", "string"), ("done", "boolean"))),
    **dict.fromkeys(("note", "post", "article", "message", "comment"), (("title", "string"), ("text", "text"))),
    **dict.fromkeys(("ticket", "issue", "order", "booking", "appointment", "event"), (("title", "string"),)),
}
