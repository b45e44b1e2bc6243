"""Pages about things and about the ontology: what templates need, from statements."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment
from markupsafe import Markup

from suasion import geography, maps, neighbourhoods
from suasion.datacard import Card
from suasion.exchange import Term
from suasion.places import Places
from suasion.prefixes import BASE, CLAIM, DEF, GRAPH, Prefixes
from suasion.sights import DRAWINGS, Sights
from suasion.statements import thing_link
from suasion.things import Statement
from suasion.whereabouts import Whereabouts

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_SCHEMA = "https://schema.org/"
_TYPE = _RDF + "type"
_LABEL = _RDFS + "label"
_DEFINITION = _SKOS + "definition"
_EXAMPLE = _SKOS + "example"
_DEPRECATED = _OWL + "deprecated"
_DEFINED_BY = _RDFS + "isDefinedBy"
_SUMMARY = DEF + "summary"
_MODALITY = DEF + "modality"
_NAMES = (
    _SKOS + "prefLabel",
    _LABEL,
    "http://purl.org/dc/terms/title",
    "http://xmlns.com/foaf/0.1/name",
    _SCHEMA + "name",
    "http://www.w3.org/2008/05/skos-xl#literalForm",
    _SUMMARY,
)
"""The properties that name a thing, the best first."""
_FIRST = (*_NAMES, _TYPE, _SKOS + "altLabel", _DEFINITION, _SKOS + "note")
_SAME = (_SKOS + "exactMatch", _OWL + "sameAs")
_KINDS = (
    ("Classes", (_OWL + "Class", _RDFS + "Class")),
    ("Object properties", (_OWL + "ObjectProperty",)),
    ("Datatype properties", (_OWL + "DatatypeProperty",)),
    ("Other properties", (_OWL + "AnnotationProperty", _RDF + "Property")),
)

_DRAWN: Mapping[str, object] = {
    "base": "",
    "page": "",
    "dashes": neighbourhoods.DASHES,
    "land_width": geography.WIDTH,
    "land_height": geography.HEIGHT,
    "width": maps.WIDTH,
}
"""What pictures on a page need beside what they show."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A term as a reader sees it: its text, where it leads ("" for nowhere), and its IRI or datatype in short."""

    text: str
    link: str = ""
    hint: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a statement stands: a graph, or a claim with its modality in words and its sense."""

    graph: Shown
    modality: str = ""
    summary: str = ""


@dataclass(slots=True)
class Group:
    """A property with its values, or with the things that have it; each with where it is said."""

    predicate: Shown
    values: dict[Shown, list[Standing]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A term of the ontology."""

    anchor: str
    label: str
    definitions: tuple[Shown, ...]
    examples: tuple[Shown, ...]
    deprecated: bool
    groups: tuple[Group, ...]


class Depictions:
    """The pages that the templates make of statements."""

    def __init__(self, templates: Environment, prefixes: Prefixes, places: Places) -> None:
        self._environment = templates
        self._prefixes = prefixes
        self._places = places

    def _page(self, template: str, **context: object) -> str:
        return self._environment.get_template(template).render(**context)

    def title(self, iri: str, statements: Sequence[Statement]) -> str:
        """Return what a thing is called in its statements, else its IRI in short."""
        return _Reader(statements, {}, self._prefixes, self._places).name(iri)

    def thing(
        self,
        iri: str,
        statements: Sequence[Statement],
        labels: Mapping[str, str],
        told: Mapping[str, object],
        frame: Mapping[str, object],
    ) -> str:
        """Return the page of a thing; `labels` name terms of the ontology, `told` is what stands before the statements: a
        portrait or evidence, and a citation. `frame` is what pages of all documents have: formats, links, completeness.
        """
        reader = _Reader(statements, labels, self._prefixes, self._places)
        about = [one for one in statements if one.subject["value"] == iri]
        said = [one for one in about if one.part == 1]
        named = [one for one in statements if one.part == 2]
        content = [one for one in statements if one.part == 5 and one.graph and one.graph["value"] == iri]
        own = {one.predicate["value"]: one.object["value"] for one in about}
        return self._page(
            "thing.html",
            iri=iri,
            title=reader.name(iri),
            modality=reader.name(own[_MODALITY]) if _MODALITY in own else "",
            said=reader.groups(said, outgoing=True),
            named=reader.groups(named, outgoing=False),
            content=sorted(
                ((reader.shown(one.subject), reader.property(one.predicate), reader.shown(one.object)) for one in content),
                key=lambda row: row[0].text.casefold(),
            ),
            ranges=[
                (reader.property(one.predicate), reader.shown(one.object))
                for one in statements
                if one.part in (5, 7) and one not in content and one.object["type"] == "literal"
            ],
            json_ld=_script(_schema_org(iri, reader.name(iri), about)),
            thing_link=thing_link,
            canonical=self._places.of(iri),
            nanopub=f"/nanopub/{iri.removeprefix(CLAIM)}",
            **_DRAWN,
            **told,
            **frame,
        )

    def drawing(self, name: str, sights: Sights, about: str, path: str, base: str) -> str:
        """Return a picture of a thing as a file of its own, "" where there is none; `about` is what the thing is called, `path`
        where its page is, `base` the address of the service.
        """
        found = {"neighbourhood": sights.neighbourhood, "timeline": sights.timeline, "map": sights.map}[name]
        if found is None:
            return ""
        context = {**_DRAWN, name: found, "about": about, "base": base, "page": path}
        if isinstance(found, Whereabouts):
            context |= {"picture": found.picture, "window": found.window, "meant": found.meant, "own": found.page}
        return self._page(DRAWINGS[name], **context)

    def ontology(self, iri: str, statements: Sequence[Statement], frame: Mapping[str, object]) -> str:
        """Return the page of the ontology: each term with its fragment as anchor."""
        reader = _Reader(statements, {}, self._prefixes, self._places)
        by_subject: dict[str, list[Statement]] = defaultdict(list)
        for one in statements:
            by_subject[one.subject["value"]].append(one)
        terms = {one.subject["value"] for one in statements if one.predicate["value"] == _DEFINED_BY}
        kinds: dict[str, list[Entry]] = {name: [] for name, _ in _KINDS}
        codes: list[Entry] = []
        for term in sorted(terms, key=lambda term: (reader.name(term).casefold(), term)):
            types = {one.object["value"] for one in by_subject[term] if one.predicate["value"] == _TYPE}
            entry = _entry(term, by_subject[term], reader)
            kind = next((name for name, classes in _KINDS if types & set(classes)), "")
            (kinds[kind] if kind else codes).append(entry)
        header = [one for one in by_subject[iri] if "#prefix-" not in one.object["value"]]
        title = next((one.object["value"] for one in header if one.predicate["value"] in _NAMES), "Ontology")
        return self._page(
            "ontology.html",
            iri=iri,
            title=title,
            header=reader.groups(header, outgoing=True),
            kinds={name: entries for name, entries in [*kinds.items(), ("Codes", codes)] if entries},
            prefixes=sorted(self._prefixes.table.items()),
            namespace=DEF,
            json_ld=_script(_schema_org(iri, title, header)),
            **frame,
        )

    def problem(self, name: str, title: str, status: int, meaning: str, frame: Mapping[str, object]) -> str:
        """Return the page of an error."""
        script = _script({"@context": _SCHEMA, "@id": f"{BASE}problem/{name}", "@type": "DefinedTerm", "name": title})
        return self._page(
            "problem.html",
            name=name,
            title=title,
            status=status,
            meaning=meaning,
            iri=f"{BASE}problem/{name}",
            json_ld=script,
            **frame,
        )

    def dataset(self, card: Card, json_ld: Mapping[str, object], frame: Mapping[str, object]) -> str:
        """Return the page of the dataset, from its card."""
        counted = {
            "Links to other sites": [(f"{site}, by {self._prefixes.shorten(term)}", site, n) for term, site, n in card.linksets],
            "Classes": [(self._prefixes.shorten(term), term, number) for term, number in card.classes],
            "Properties": [(self._prefixes.shorten(term), term, number) for term, number in card.properties],
        }
        tables = {
            caption: [(Shown(text, self._places.link(term), term), number) for text, term, number in rows]
            for caption, rows in counted.items()
        }
        return self._page("dataset.html", card=card, tables=tables, json_ld=_script(json_ld), **frame)


class _Reader:
    """Statements with the names that stand among them."""

    def __init__(self, statements: Iterable[Statement], labels: Mapping[str, str], prefixes: Prefixes, places: Places) -> None:
        self._prefixes = prefixes
        self._places = places
        self._names = dict(labels)
        ranks: dict[str, int] = {}
        self._claims: dict[str, dict[str, str]] = defaultdict(dict)
        for one in statements:
            subject, predicate, value = (term["value"] for term in (one.subject, one.predicate, one.object))
            if predicate in _NAMES and one.object["type"] == "literal":
                rank = _NAMES.index(predicate)
                if rank < ranks.get(subject, len(_NAMES)):
                    ranks[subject] = rank
                    self._names[subject] = value
            if predicate in (_MODALITY, _SUMMARY):
                self._claims[subject][predicate] = value

    def name(self, iri: str) -> str:
        """Return what a thing is called: by a name, else by its IRI in short."""
        return self._names.get(iri) or self._prefixes.shorten(iri)

    def shown(self, term: Term) -> Shown:
        """Return a term as a reader sees it."""
        value = term["value"]
        if term["type"] == "uri":
            short = self._prefixes.shorten(value)
            name = short if value.startswith(CLAIM) else self.name(value)
            return Shown(name, self._places.link(value), short)
        datatype = term.get("datatype", "")
        shown_type = "" if datatype.endswith(("#string", "#langString")) else self._prefixes.shorten(datatype)
        return Shown(value, "", shown_type, term.get("xml:lang", ""))

    def property(self, term: Term) -> Shown:
        """Return a property as a reader sees it."""
        iri = term["value"]
        short = self._prefixes.shorten(iri)
        return Shown(self._names.get(iri, short), self._places.link(iri), short)

    def standing(self, graph: Term | None) -> Standing:
        """Return where a statement stands."""
        if graph is None:
            return Standing(Shown("default graph"))
        iri = graph["value"]
        short = self._prefixes.shorten(iri)
        if iri.startswith(GRAPH):
            return Standing(Shown(short, self._places.of(iri), iri))
        claim = self._claims.get(iri, {})
        modality = self.name(claim[_MODALITY]) if _MODALITY in claim else ""
        return Standing(Shown(short, self._places.link(iri), iri), modality, claim.get(_SUMMARY, ""))

    def groups(self, statements: Iterable[Statement], *, outgoing: bool) -> list[Group]:
        """Return statements by property: names and kinds first, then in the order of the names of properties."""
        found: dict[str, Group] = {}
        for one in statements:
            iri = one.predicate["value"]
            group = found.setdefault(iri, Group(self.property(one.predicate)))
            value = self.shown(one.object if outgoing else one.subject)
            group.values.setdefault(value, []).append(self.standing(one.graph))
        return [found[iri] for iri in sorted(found, key=lambda iri: _order(iri, found[iri]))]


def _order(iri: str, group: Group) -> tuple[int, str]:
    return (_FIRST.index(iri) if iri in _FIRST else len(_FIRST)), group.predicate.text.casefold()


def _entry(term: str, statements: Sequence[Statement], reader: _Reader) -> Entry:
    apart = {_LABEL, _DEFINITION, _EXAMPLE, _DEFINED_BY, _DEPRECATED}

    def values(predicate: str) -> tuple[Shown, ...]:
        return tuple(reader.shown(one.object) for one in statements if one.predicate["value"] == predicate)

    return Entry(
        anchor=term.removeprefix(DEF),
        label=reader.name(term),
        definitions=values(_DEFINITION),
        examples=values(_EXAMPLE),
        deprecated=any(shown.text in ("true", "1") for shown in values(_DEPRECATED)),
        groups=tuple(reader.groups((one for one in statements if one.predicate["value"] not in apart), outgoing=True)),
    )


def _schema_org(iri: str, name: str, about: Iterable[Statement]) -> dict[str, object]:
    """Return what search engines read of a thing, in schema.org: its classes there, its names, and what is the same elsewhere."""
    values: dict[str, list[str]] = defaultdict(list)
    for one in about:
        values[one.predicate["value"]].append(one.object["value"])
    types = sorted({value.removeprefix(_SCHEMA) for value in values[_TYPE] if value.startswith(_SCHEMA)}) or ["Thing"]
    found: dict[str, object] = {"@context": _SCHEMA, "@id": iri, "@type": types, "name": name}
    if same := sorted({value for predicate in _SAME for value in values[predicate]}):
        found["sameAs"] = same
    if others := sorted(set(values[_SKOS + "altLabel"])):
        found["alternateName"] = others
    if described := values[_DEFINITION] or values["http://purl.org/dc/terms/description"] or values[_SUMMARY]:
        found["description"] = described[0]
    return found


def _script(document: Mapping[str, object]) -> Markup:
    """Return JSON for a script element, which no text in it can end (HTML, section 4.12.1.3)."""
    text = json.dumps(document, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - JSON without a sign that HTML reads
