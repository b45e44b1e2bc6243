"""The documents of the repository as HTML: Markdown in, with anchors as GitHub makes them, and links that lead to pages."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)
_SENTENCE = re.compile(r".+?[.:?](?=\s|$)")
_CONTENTS = ("h2", "h3")


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


class _Writer(RendererHTML):
    """Writes HTML without raw HTML: comments are left out, other tags are shown as text."""

    def __init__(self, parser: object = None) -> None:
        super().__init__(parser)  # type: ignore[arg-type]
        self.rules["html_block"] = self.rules["html_inline"] = self._raw

    def _raw(self, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
        return escape(_COMMENT.sub("", tokens[place].content))

    def table_open(self, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
        name = escape(tokens[place].meta["below"])
        return f'<div class="scrolls" role="region" aria-label="Table: {name}" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def fence(self, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[place]
        language = escape(token.info.split()[0]) if token.info.strip() else "text"
        code = f'<pre tabindex="0"><code class="language-{language}">{escape(token.content)}</code></pre>'
        tried = f'<a href="{escape(env["editor"] + quote(token.content))}">Open in the editor</a>' if language == "sparql" else ""
        return f'<div class="code">{code}{f"<p>{tried}</p>" if tried and env["editor"] else ""}</div>\n'

    def image(self, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
        drawing = env["drawing"](str(tokens[place].attrs["src"]))
        return (
            f'<span class="figure scrolls" role="img" aria-label="{escape(tokens[place].content)}" tabindex="0">{drawing}</span>'
        )


def rendered(text: str, lead_to: Callable[[str], str], drawing: Callable[[str], str], editor: str = "") -> Document:
    """Return a document in Markdown as HTML.

    `lead_to` says where a link of the document leads, "" where it leads to no page, whose words then stand without it; `drawing`
    gives the SVG of a picture; `editor` is the address to which a query can be appended, "" for none.
    """
    parser = MarkdownIt("commonmark", renderer_cls=_Writer).enable("table")
    tokens = parser.parse(text)
    headings = tuple(_headings(tokens))
    for token in tokens:
        token.attrs.pop("style", None)  # the alignment of a column
        if token.children:
            token.children = list(_relinked(token.children, lead_to))
    title = headings[0].text if headings else ""
    lead = next((_words(tokens[place + 1]) for place, token in enumerate(tokens) if token.type == "paragraph_open"), "")
    first = _SENTENCE.match(lead)
    body = [token for token in tokens[3:]] if headings and headings[0].tag == "h1" else tokens
    html = parser.renderer.render(body, parser.options, {"editor": editor, "drawing": drawing})
    contents = tuple(heading for heading in headings if heading.tag in _CONTENTS)
    return Document(title, (first[0] if first else lead).rstrip(":"), contents, Markup(html))  # noqa: S704: see _Writer


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Give each heading its anchor, tell tables which heading they stand below, and yield the headings."""
    known: set[str] = set()
    below = ""
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            token.meta["below"] = below
        if token.type == "heading_open":
            below = _words(tokens[place + 1])
            base = re.sub(r"[^\w\- ]", "", below.lower()).strip().replace(" ", "-")
            anchor, number = base, 0
            while anchor in known:
                number += 1
                anchor = f"{base}-{number}"
            known.add(anchor)
            token.attrs["id"] = anchor
            yield Heading(token.tag, below, anchor)


def _relinked(children: Sequence[Token], lead_to: Callable[[str], str]) -> Iterator[Token]:
    """Yield the parts of a line with links that lead somewhere, and those that do not without their link."""
    open_links: list[bool] = []
    for child in children:
        if child.type == "link_open":
            target = lead_to(str(child.attrs["href"]))
            open_links.append(bool(target))
            child.attrs["href"] = target
            if target:
                yield child
        elif child.type != "link_close" or open_links.pop():
            yield child


def _words(token: Token) -> str:
    """Return the words of a line without its marks."""
    breaks = {"softbreak": " ", "hardbreak": " "}
    parts = (breaks.get(child.type, child.content) for child in token.children or () if child.type != "html_inline")
    return "".join(parts)
