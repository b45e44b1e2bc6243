"""The documents of the repository as HTML: Markdown in, with anchors as GitHub makes them, and links that lead to pages."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)
_SENTENCE = re.compile(r".+?[.?](?=\s|$)")
_CONTENTS = ("h2", "h3")
_TEXT = "text"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a document: its tag, its text and its anchor."""

    tag: str
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a page shows it: its title, its first sentence, the headings below the title, and the rest as HTML."""

    title: str
    lead: str
    contents: tuple[Heading, ...]
    body: Markup


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a document is shown in: where a link of it leads, "" for nowhere, so that its words stand without it; the SVG of a
    picture by its name; and the address to which a query is appended to be tried, "" for none.
    """

    lead_to: Callable[[str], str]
    drawing: Callable[[str], str]
    editor: str = ""


def rendered(text: str, around: Surroundings) -> Document:
    """Return a document in Markdown as HTML. Raw HTML is shown as text, comments are left out."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text)
    headings = tuple(_headings(tokens))
    titled = bool(headings) and headings[0].tag == "h1" and tokens[0].type == "heading_open"
    lead = next((_words(tokens[place + 1]) for place, token in enumerate(tokens) if token.type == "paragraph_open"), "")
    first = _SENTENCE.match(lead)
    body = parser.renderer.render(list(_blocks(tokens[3:] if titled else tokens, around)), parser.options, {})
    return Document(
        title=headings[0].text if titled else "",
        lead=first[0] if first else lead,
        contents=tuple(heading for heading in headings if heading.tag in _CONTENTS),
        body=Markup(body),  # noqa: S704
    )


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Give each heading its anchor, and yield it."""
    known: set[str] = set()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            text = _words(tokens[place + 1])
            base = re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
            anchor, number = base, 0
            while anchor in known:
                number += 1
                anchor = f"{base}-{number}"
            known.add(anchor)
            token.attrs["id"] = anchor
            yield Heading(token.tag, text, anchor)


def _blocks(tokens: Sequence[Token], around: Surroundings) -> Iterator[Token]:
    """Yield the blocks of a document as they are shown: code with a way to try it, tables that scroll by themselves."""
    below = ""
    for place, token in enumerate(tokens):
        token.attrs.pop("style", None)  # how a column is aligned
        if token.children is not None:
            token.children = list(_parts(token.children, around))
        if token.type == "heading_open":
            below = _words(tokens[place + 1])
        if token.type == "table_open":
            yield _html(f'<div class="scrolls" role="region" aria-label="Table: {escape(below)}" tabindex="0">')
        yield _shown(token, around)
        if token.type == "table_close":
            yield _html("</div>\n")


def _parts(children: Sequence[Token], around: Surroundings) -> Iterator[Token]:
    """Yield the parts of a line: links that lead somewhere, the words of those that do not, pictures."""
    links: list[bool] = []
    for child in children:
        if child.type == "link_open":
            target = around.lead_to(str(child.attrs["href"]))
            links.append(bool(target))
            child.attrs["href"] = target
            if target:
                yield child
        elif child.type == "image":
            label, drawing = escape(child.content), around.drawing(str(child.attrs["src"]))
            yield _html(f'<span class="figure scrolls" role="img" aria-label="{label}" tabindex="0">{drawing}</span>')
        elif child.type != "link_close" or links.pop():
            yield _shown(child, around)


def _shown(token: Token, around: Surroundings) -> Token:
    if token.type in ("html_block", "html_inline"):
        return _html(escape(_COMMENT.sub("", token.content)))
    return _html(_code(token, around.editor)) if token.type == "fence" else token


def _code(token: Token, editor: str) -> str:
    """Return a block of code, with a link to the editor where it is a query."""
    language = token.info.strip() or _TEXT
    tried = f'<p><a href="{escape(editor + quote(token.content))}">Open in the editor</a></p>'
    code = f'<pre tabindex="0"><code class="language-{escape(language)}">{escape(token.content)}</code></pre>'
    return f'<div class="code">{code}{tried if editor and language == "sparql" else ""}</div>\n'


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=content)


def _words(token: Token) -> str:
    """Return the words of a line without its marks."""
    breaks = {"softbreak": " ", "hardbreak": " ", "html_inline": "", "html_block": ""}
    return "".join(breaks.get(child.type, child.content) for child in token.children or ())
