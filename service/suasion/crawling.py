"""What crawlers and agents read first: robots.txt, the site map, and llms.txt."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from suasion.catalog import Query
from suasion.questions import example

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def robots(public_url: str) -> str:
    """Return robots.txt (RFC 9309): pages may be read, queries are not for crawlers."""
    return f"User-agent: *\nDisallow: /sparql\nDisallow: /mcp\nDisallow: /receipts/\n\nSitemap: {public_url}/sitemap.xml\n"


def site_map(addresses: Iterable[str]) -> str:
    """Return a site map of pages (sitemaps.org, protocol 0.9)."""
    lines = [f"<url><loc>{escape(address)}</loc></url>" for address in addresses]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<urlset {_SITEMAP}>", *lines, "</urlset>", ""])


def site_map_index(addresses: Iterable[str]) -> str:
    """Return a list of site maps."""
    lines = [f"<sitemap><loc>{escape(address)}</loc></sitemap>" for address in addresses]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<sitemapindex {_SITEMAP}>", *lines, "</sitemapindex>", ""])


def for_agents(title: str, description: str, queries: Sequence[Query], things: Sequence[str], public_url: str) -> str:
    """Return llms.txt: what the service holds, where to ask, and calls that answer; `things` are paths of some things."""
    lines = [
        f"# {title}",
        "",
        f"> {description}",
        "",
        "Each answer says whether it is complete. No data is answered as no data.",
        "",
        "## Ask",
        "",
        f"- [MCP]({public_url}/mcp): tools for agents, by the Model Context Protocol",
        f"- [SPARQL]({public_url}/sparql): any query by GET or POST, with `query`; without one, the service description",
        f"- [OpenAPI]({public_url}/openapi.json): the HTTP interface",
        f"- [Questions]({public_url}/queries): curated questions, with parameters and columns",
        *(f"- [{query.question}]({public_url}{example(query)}): {query.summary}" for query in queries),
        "",
        "## Read",
        "",
        f"- [Dataset]({public_url}/dataset): VoID and DCAT, with counts and downloads",
        f"- [Ontology]({public_url}/def): classes, properties and codes; Turtle at {public_url}/def.ttl",
        *(f"- [{path.removeprefix('/doc/')}]({public_url}{path}): a thing; Turtle at {public_url}{path}.ttl" for path in things),
        "",
    ]
    return "\n".join(lines)
