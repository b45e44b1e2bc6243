"""The Turtle of a passage that is a part of a sentence, from the source file and the words."""

import re
from collections.abc import Sequence

import pyoxigraph as ox

from suasion import verify
from suasion.errors import DataError
from suasion.fingerprints import Word, fingerprint, words
from suasion.prefixes import ID

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def turtle(union: ox.Store, source: bytes, sentence: str, slug: str, runs: Sequence[str]) -> str:
    """Return the blocks for graph_data/passages.ttl of `passage:<sentence>-<slug>`.

    `runs` are one or two runs of words of the sentence, in its order. Raises DataError when the file is not the recorded
    source, or when there is no such sentence or no such run in it.
    """
    if not _SLUG.fullmatch(slug):
        raise DataError(f"{slug!r} is no slug: use lower-case letters, digits and hyphens, such as health.")
    if not verify.is_recorded_source(source, verify.recorded_digest(union)):
        raise DataError("This is not the source file: offsets are counted in the file whose SHA-256 the graph records.")
    whole = next((p for p in verify.passages(union) if p.iri == f"{ID}passage/{sentence}"), None)
    if whole is None:
        raise DataError(f"There is no sentence {sentence}: they are s001 to s231.")
    text = source.decode("utf-8")
    pieces = _pieces(text, whole, runs, sentence)
    if len(pieces) > 2:
        raise DataError("A passage has one or two ranges: give fewer runs, or runs that do not cross the break of the sentence.")
    name = f"{sentence}-{slug}"
    every = [word.text for piece in pieces for word in piece]
    selectors = [f"selector:{name}" + (f"-{n}" if len(pieces) > 1 else "") for n in range(1, len(pieces) + 1)]
    lines = [f"passage:{name}", "    a :Passage ;", f"    dcterms:isPartOf passage:{sentence} ;"]
    lines += ["    oa:hasSource source:article-text ;", *(f"    oa:hasSelector {selector} ;" for selector in selectors)]
    lines += _place(union, whole.iri)
    lines += [f"    :wordCount {len(every)} ;", f'    :fingerprint "{fingerprint(every)}" ;', "."]
    for number, (selector, piece) in enumerate(zip(selectors, pieces, strict=True), start=1):
        lines += [
            "",
            selector,
            "    a oa:TextPositionSelector ;",
            f"    oa:start {piece[0].start} ;",
            f"    oa:end {piece[-1].end} ;",
        ]
        if len(pieces) > 1:
            digest = fingerprint(word.text for word in piece)
            lines += [f"    :ordinal {number} ;", f"    :wordCount {len(piece)} ;", f'    :fingerprint "{digest}" ;']
        lines.append(".")
    return "\n".join(lines)


def _pieces(text: str, whole: verify.Passage, runs: Sequence[str], sentence: str) -> list[list[Word]]:
    inside = [
        [Word(w.text, piece.start + w.start, piece.start + w.end) for w in words(text[piece.start : piece.end])]
        for piece in whole.pieces
    ]
    flat = [word for piece in inside for word in piece]
    found: list[list[Word]] = []
    after = 0
    for run in runs:
        wanted = [word.text for word in words(run)]
        starts = range(after, len(flat) - len(wanted) + 1)
        first = next((i for i in starts if [w.text for w in flat[i : i + len(wanted)]] == wanted), None) if wanted else None
        if first is None:
            raise DataError(f"{sentence} has no words {run!r} (after what came before): copy them from the sentence.")
        after = first + len(wanted)
        hit = flat[first:after]
        found += [part for piece in inside if (part := [word for word in hit if word in piece])]
    return found


def _place(union: ox.Store, sentence: str) -> list[str]:
    """Return the lines that a part takes over from its sentence: section, paragraph and pages."""
    solutions = union.query(
        "PREFIX : <https://w3id.org/suasion/def#> SELECT DISTINCT ?section ?paragraph ?page ?s WHERE { "
        "?s :section ?section ; :page ?page . OPTIONAL { ?s :paragraph ?paragraph } } ORDER BY ?page",
        substitutions={ox.Variable("s"): ox.NamedNode(sentence)},
    )
    assert isinstance(solutions, ox.QuerySolutions)
    rows = list(solutions)
    lines = [f"    :section section:{rows[0]['section'].value.rpartition('/')[2]} ;"]
    if rows[0]["paragraph"]:
        lines.append(f"    :paragraph paragraph:{rows[0]['paragraph'].value.rpartition('/')[2]} ;")
    return lines + [f"    :page {row['page'].value} ;" for row in rows]
