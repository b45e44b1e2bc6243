"""Pages for readers: a question with its form, its rows and how to get them elsewhere; and the list of all questions."""

from collections.abc import Mapping, Sequence

from jinja2 import Environment

from suasion import citations, renderings
from suasion.answertable import table
from suasion.catalog import Parameter, Query
from suasion.errors import SuasionError
from suasion.exchange import Term
from suasion.places import Places
from suasion.prefixes import Prefixes
from suasion.questions import Page, example, parameters
from suasion.statements import claim_link, modality
from suasion.terms import plain

_INPUTS = {"integer": "number", "date": "date"}
_LABELS = {"json": "JSON", "csv": "CSV", "ttl": "Turtle", "jsonld": "JSON-LD", "srj": "SPARQL JSON"}


class Pages:
    """The pages that the templates make; `places` are where things are told of."""

    def __init__(self, templates: Environment, places: Places) -> None:
        self._environment = templates
        self._places = places

    def answer(self, page: Page, choices: Mapping[str, Sequence[str]], names: Mapping[str, str], public_url: str) -> str:
        """Return the page of an answer; `choices` are what each parameter may be, `names` those of things by IRI."""
        citation = citations.of(page, public_url)
        template = self._environment.select_template([f"answers/{page.query.name}.html", "question.html"])
        rows = [_cells(page, row, self._places) for row in page.rows]
        return template.render(
            query=page.query,
            given=page.asked.given,
            fields=_fields(page.query, choices),
            page=page,
            rows=rows,
            table=table(page, names, self._places),
            named=[dict(zip(page.query.columns, row, strict=True)) for row in rows],
            claims=_claims(page),
            modality=modality,
            related=page.related_links("html"),
            links=renderings.links(page, "html"),
            formats={label: page.path(ending) for ending, label in _LABELS.items()},
            citation=citations.sentence(citation),
            url=public_url + page.path("csv"),
            claim_link=claim_link,
        )

    def refusal(self, query: Query, given: Mapping[str, str], choices: Mapping[str, Sequence[str]], error: SuasionError) -> str:
        """Return the page of a question that could not be answered: its form, and what to change."""
        fields = _fields(query, choices)
        return self._environment.get_template("question.html").render(
            query=query, given=given, fields=fields, error=error, page=None, related=[]
        )

    def questions(self, queries: Sequence[Query]) -> str:
        """Return the list of all questions."""
        tried = [(query, example(query, extension="html")) for query in queries]
        return self._environment.get_template("questions.html").render(queries=tried)


def _fields(query: Query, choices: Mapping[str, Sequence[str]]) -> list[tuple[Parameter, Sequence[str], str]]:
    """Return what the form asks for: each parameter with its choices and the type of its input."""
    return [
        (parameter, choices.get(parameter.name, parameter.values), _INPUTS.get(parameter.type, "text"))
        for parameter in parameters(query).values()
    ]


def _cells(page: Page, row: Mapping[str, Term], places: Places) -> list[list[tuple[str, str]]]:
    """Return the cells of a row: of each the values, with their link or ""."""
    return [[_shown(term, page.prefixes, places) for term in terms] for _, _, terms in page.cells(row)]


def _claims(page: Page) -> list[tuple[str, Mapping[str, object]]]:
    told = renderings.provenance(page).get("claims", {})
    assert isinstance(told, dict)
    return list(told.items())


def _shown(term: Term, prefixes: Prefixes, places: Places) -> tuple[str, str]:
    """Return the text of a value and where it leads: things of ours to their pages, others to the web."""
    value = term["value"]
    return (prefixes.shorten(value), places.link(value)) if term["type"] == "uri" else (str(plain(term)), "")
