"""The front page: what there is to ask, each question with a link that answers it."""

from collections.abc import Callable
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader

from suasion.catalog import Query
from suasion.exchange import Ready

Page = Callable[[Ready], str]


def templates(files: tuple[str, ...] = ()) -> Environment:
    """Return the templates of the pages, of the article or of files by their names; what is filled in is escaped."""
    environment = Environment(loader=PackageLoader("suasion"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals["files"] = files
    return environment


def page(pages: Environment, queries: tuple[Query, ...], files: tuple[str, ...] = ()) -> Page:
    """Return what makes the front page, as HTML, from the state of the data: of the article, or of files by their names."""
    template = pages.get_template("home.html")
    return lambda ready: template.render(queries=queries, ready=ready, files=files, example=_example)


def _example(query: Query) -> str:
    """Return the query string of a first try: the required parameters, or none."""
    required = {p.name: p.example for p in query.parameters if p.required}
    return "?" + urlencode(required) if required else ""
