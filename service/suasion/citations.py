"""How to cite an answer or a document: a sentence, BibTeX, RIS, CSL-JSON; the dataset and, as its source, the encoded work."""

import json
import re
from dataclasses import dataclass

from suasion import __version__
from suasion.described import Work
from suasion.questions import Page

_TITLE = "Suasion: the claims of an article in international relations, as a knowledge graph"
_FILES = "Answer from RDF files served by Suasion"
_EDITORS = "Suasion editors"
_BIBTEX = {"\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "%": "\\%", "&": "\\&", "#": "\\#", "$": "\\$", "_": "\\_"}
_BIBTEX |= {"~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}


@dataclass(frozen=True, slots=True)
class Citation:
    """What a citation of an answer or a document says; `accessed` is YYYY-MM-DD, `digest` "" where the dataset has none.

    `question` is what was asked, or names the document; a document has no `receipt`.
    """

    title: str
    question: str
    url: str
    digest: str
    accessed: str
    receipt: str
    works: tuple[Work, ...]

    @property
    def version(self) -> str:
        """The version of the dataset: its digest, after the version of the package where that brought the data."""
        digest = f"sha256:{self.digest}" if self.digest else ""
        return " ".join(filter(None, [__version__ if self.works else "", digest])) or "no digest"

    @property
    def key(self) -> str:
        """A key for the answer, the same for the same question and dataset."""
        return "suasion-" + re.sub(r"[^a-z0-9]+", "-", self.question) + (f"-{self.digest[:8]}" if self.digest else "")


def of(page: Page, public_url: str) -> Citation:
    """Return what to cite for a page, at the address where clients reach the service."""
    receipt = page.receipt
    title = f"{page.query.summary}. {_TITLE if page.works else _FILES}"
    url = public_url + page.path()
    return Citation(title, page.query.name, url, page.dataset.digest, receipt.time[:10], receipt.id, page.works)


def of_document(name: str, url: str, key: str, digest: str, accessed: str, works: tuple[Work, ...]) -> Citation:
    """Return what to cite for the document about a thing, at its URL; `key` tells it from others, `accessed` is YYYY-MM-DD."""
    return Citation(f"{name.removesuffix('.')}. {_TITLE if works else _FILES}", key, url, digest, accessed, "", works)


def sentence(citation: Citation) -> str:
    """Return the citation in words."""
    source = "; ".join(_work(work) for work in citation.works)
    encoded = f" Source: {source}." if source else ""
    author = f"{_EDITORS}. " if citation.works else ""
    return f"{author}{citation.title}. Dataset {citation.version}. {citation.url}, accessed {citation.accessed}.{encoded}"


def bibtex(citation: Citation) -> str:
    """Return BibTeX: the answer as @misc, and each work it rests on as @article."""
    year, month, day = citation.accessed.split("-")
    fields = {
        "author": f"{{{_EDITORS}}}" if citation.works else "",
        "title": _braced(citation.title),
        "year": year,
        "version": _braced(citation.version),
        "howpublished": f"\\url{{{citation.url}}}",
        "url": citation.url,
        "urldate": f"{year}-{month}-{day}",
        "note": _braced(_rests(citation) + _receipt(citation)),
    }
    entries = [_entry("misc", citation.key, fields)]
    for work in citation.works:
        authors = " and ".join(_inverted(name) for name in work.authors)
        article = {"author": authors, "title": work.title, "journal": work.container, "volume": work.volume}
        article |= {"number": work.issue, "year": work.date[:4]}
        entries.append(_entry("article", _work_key(work), {name: _braced(value) for name, value in article.items()}))
    return "\n".join(entries)


def ris(citation: Citation) -> str:
    """Return RIS: the answer as DATA, and each work it rests on as JOUR; lines end in CRLF."""
    lines = [("TY", "DATA")]
    if citation.works:
        lines.append(("AU", _EDITORS))
    lines += [
        ("TI", citation.title),
        ("ET", citation.version),
        ("PY", citation.accessed[:4]),
        ("UR", citation.url),
        ("Y2", citation.accessed.replace("-", "/")),
        ("N1", _receipt(citation)),
        ("ER", ""),
    ]
    for work in citation.works:
        lines.append(("TY", "JOUR"))
        lines += [("AU", _inverted(name)) for name in work.authors]
        lines += [("TI", work.title), ("JO", work.container), ("VL", work.volume), ("IS", work.issue)]
        lines += [("PY", work.date[:4]), ("DA", work.date.replace("-", "/")), ("ER", "")]
    return "".join(f"{tag}  - {' '.join(value.split())}\r\n" for tag, value in lines if value or tag == "ER")


def csl_json(citation: Citation) -> str:
    """Return CSL-JSON: the answer as a dataset, and each work it rests on as an article."""
    items: list[dict[str, object]] = [
        {
            "id": citation.key,
            "type": "dataset",
            **({"author": [{"literal": _EDITORS}]} if citation.works else {}),
            "title": citation.title,
            "version": citation.version,
            "issued": _date(citation.accessed),
            "accessed": _date(citation.accessed),
            "URL": citation.url,
            **({"note": _receipt(citation)} if citation.receipt else {}),
        }
    ]
    for work in citation.works:
        article: dict[str, object] = {"id": _work_key(work), "type": "article-journal", "title": work.title}
        article["author"] = [dict(zip(("family", "given"), _parts(name), strict=True)) for name in work.authors]
        plain = {"container-title": work.container, "volume": work.volume, "issue": work.issue}
        article |= {name: value for name, value in plain.items() if value}
        items.append(article | ({"issued": _date(work.date)} if work.date else {}))
    return json.dumps(items, ensure_ascii=False, indent=1)


def _receipt(citation: Citation) -> str:
    return f"Receipt {citation.receipt}" if citation.receipt else ""


def _rests(citation: Citation) -> str:
    return "".join(f"Source: {_work(work)}. " for work in citation.works)


def _work(work: Work) -> str:
    number = work.volume + (f"({work.issue})" if work.issue else "")
    place = " ".join(filter(None, [work.container, number]))
    year = f" ({work.date[:4]})" if work.date else ""
    return f"{' and '.join(work.authors)}{year}: {work.title}" + (f", {place}" if place else "")


def _work_key(work: Work) -> str:
    last = work.authors[0].rpartition(" ")[2] if work.authors else "source"
    return re.sub(r"[^a-z0-9]", "", last.lower()) + work.date[:4]


def _parts(name: str) -> tuple[str, str]:
    given, _, family = name.rpartition(" ")
    return family, given


def _inverted(name: str) -> str:
    family, given = _parts(name)
    return f"{family}, {given}" if given else family


def _date(day: str) -> dict[str, object]:
    return {"date-parts": [[int(part) for part in day.split("-")]]}


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{body}}}\n"


def _braced(text: str) -> str:
    return "".join(_BIBTEX.get(character, character) for character in " ".join(text.split()))
