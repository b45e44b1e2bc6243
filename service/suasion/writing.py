"""A dataset that can be written to: what a candidate makes of a change, and how the process that holds the data takes it over.

A candidate is a fork of that process. It makes the change on its copy, keeps the new state on disk as a snapshot, and answers
with the difference. Nothing that a client sent runs in the process itself: it puts the snapshot in force and applies the
difference, lines of N-Quads, to its stores.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TextIO

import pyoxigraph as ox

from suasion import clauses, files, loading, uploads
from suasion.errors import (
    BadGraph,
    BadQuery,
    DataError,
    Failed,
    Forbidden,
    NotFound,
    PreconditionFailed,
    SuasionError,
    WorkerDied,
)
from suasion.exchange import Answer, Change, Operation, Ready
from suasion.generations import Folder, Generation, Origin, Snapshot
from suasion.loading import Dataset
from suasion.prefixes import BASE, GRAPH
from suasion.source import Source
from suasion.syntax import described

UNION = GRAPH + "union"
MOST_TERM_BYTES = 1024 * 1024
MOST_TERM_DEPTH = 64
_PUBLISHED_NAMESPACES = (GRAPH, BASE + "id/claim/")
_Name = ox.NamedNode | ox.BlankNode


@dataclass(slots=True)
class Written:
    """A dataset and the folder that keeps it.

    `lines` is the dataset once more, as sorted lines of N-Quads: a quarter more memory, for a change in half the time.
    `published` is the bundle that it stands beside, whose graphs, default graph and namespaces nobody may change; None without
    one. `own` are the lines that were written beside a bundle; without one all lines are, and `own` is None.
    """

    dataset: Dataset
    folder: Folder
    generation: Generation
    ready: Ready
    lines: list[bytes]
    published: Dataset | None = None
    own: set[bytes] | None = None

    def protects(self, graph: str | None) -> bool:
        """Say whether nobody may write to a graph (an IRI; None is the default graph)."""
        if self.published is None:
            return graph == UNION
        if graph is None or graph.startswith(_PUBLISHED_NAMESPACES):
            return True
        return self.published.facts.contains_named_graph(ox.NamedNode(graph))

    def commit(self, answer: Answer) -> Ready:
        """Put what a candidate answered in force: on disk first, then in memory.

        Raises StorageFull when there is no room for the pointer: nothing is changed then. Any other error leaves open which
        state the disk has, so the process has to end on it.
        """
        extra = answer.extra
        generation = _generation(extra["generation"])
        self.folder.point_to(generation)
        lines = answer.body.splitlines(keepends=True)
        removed, added = set(lines[: _int(extra["removed"])]), set(lines[_int(extra["removed"]) :])
        _apply(self.dataset, removed, added, extra)
        self.lines = _merged(self.lines, removed, added)
        if self.own is not None:
            self.own.difference_update(removed)
            self.own.update(added)
        self.generation = generation
        self.ready = replace(self.ready, quads=_int(extra["quads"]), digest=str(extra["digest"]), number=generation.number)
        self.folder.tidy(generation)
        return self.ready


def opened(source: Source, published: Dataset | None, terminal: TextIO | None = None) -> Written:
    """Return the dataset of a folder: beside a published one, or alone, of files where the folder is new.

    Raises DataError when the folder is in use, damaged or of the other kind, and what reading the files raises.
    """
    assert source.writable is not None
    folder = Folder(source.writable)
    folder.lock()
    generation = folder.pointed()
    if published is None:
        return _alone(source, folder, generation, terminal)
    return _beside(published, folder, generation)


def candidate(written: Written, change: Change) -> Answer:
    """Make a change on this process's copy, keep the snapshot, and answer with the difference; or with what is wrong.

    `extra` has `created` (a graph that was not there before), `changed`, and for `Written.commit` the rest.
    """
    try:
        return _candidate(written, change)
    except SuasionError as error:
        return Answer(error=type(error).__name__, detail=error.detail, extra=error.extra)
    except OSError as error:
        return Answer(error=Failed.__name__, detail=f"The change cannot be kept on disk, so it was not made: {error.strerror}.")
    except MemoryError:
        return Answer(error=WorkerDied.__name__, detail="The change needs more memory than a worker has: make it in parts.")


def _candidate(written: Written, change: Change) -> Answer:
    store = written.dataset.facts
    graphs = set(store.named_graphs())
    scope = None if change.operation is Operation.UPDATE else _graph(change.graph)
    before = set(written.lines) if scope is None else set(_lines(store, scope))
    created = _run(written, change)
    after = set(_lines(store, scope))
    new_graphs = set(store.named_graphs())
    removed, added = before - after, after - before
    if not (removed or added) and graphs == new_graphs:
        return Answer(extra={"created": False, "changed": False})
    if scope is None:  # else one graph alone has changed, and whether it may was asked before
        _refuse_protected(written, removed | added, graphs ^ new_graphs)
    _refuse_large(added)
    merged = _merged(written.lines, removed, added)
    lines = merged if written.own is None else (written.own - removed) | added
    own_graphs = [name for name in new_graphs if not written.protects(_iri(name))]
    empty = tuple(str(name) for name in own_graphs if not any(store.quads_for_pattern(None, None, None, name)))
    snapshot = Snapshot(written.generation.origin, tuple(lines), len(own_graphs), empty)
    generation = written.folder.write(written.generation.number + 1, snapshot)
    extra = {
        "created": created,
        "changed": True,
        "generation": asdict(generation),
        "removed": len(removed),
        "new_graphs": [str(name) for name in new_graphs - graphs],
        "gone_graphs": [str(name) for name in graphs - new_graphs],
        "quads": len(merged),
        "digest": _digest(store, merged),
    }
    return Answer(body=b"".join([*removed, *added]), extra=extra)


def _run(written: Written, change: Change) -> bool:
    """Make a change in memory; return whether it made a graph, or filled an empty default graph."""
    store = written.dataset.facts
    if change.operation is Operation.UPDATE:
        _update(store, change)
        return False
    graph = _graph(change.graph)
    if written.protects(change.graph):
        raise _protected(change.graph)
    exists = change.graph is None or store.contains_named_graph(_node(change.graph))
    if change.exists is not None and change.exists != exists:
        raise PreconditionFailed(f"The graph {'exists already' if exists else 'does not exist'}, so nothing was changed.")
    if change.operation is Operation.DELETE:
        if not exists:
            raise NotFound(f"There is no graph {str(change.graph)[:200]}, so there is nothing to delete.")
        if isinstance(graph, ox.NamedNode):
            store.remove_graph(graph)
        else:
            store.clear_graph(graph)
        return False
    if change.operation is Operation.POST and not any(document.body for document in change.documents):
        return False  # section 5.5: an empty body adds nothing, and makes no graph
    filled = exists and (change.graph is not None or any(store.quads_for_pattern(None, None, None, graph)))
    if change.operation is Operation.PUT and exists:
        store.clear_graph(graph)
    if isinstance(graph, ox.NamedNode):
        store.add_graph(graph)
    for document in change.documents:
        uploads.add(store, document, graph, change.base)
    return not filled


def _update(store: ox.Store, change: Change) -> None:
    """Run an update. Raises BadQuery for what does not parse, is refused, or cannot be done, BadGraph for a bad using graph."""
    (document,) = change.documents
    try:
        text = document.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadQuery(f"Byte {error.start} of {document.name} is not UTF-8.") from None
    clauses.refuse_hostile(text)
    if change.using is not None or change.using_named is not None:
        using, named = ([_using(iri) for iri in iris or ()] for iris in (change.using, change.using_named))
        text = clauses.directed(text, using, named)
    try:
        try:
            store.update(text, base_iri=change.base or None)
        except RuntimeError:  # nothing was changed
            store.update(clauses.forgiving(text), base_iri=change.base or None)
    except SyntaxError as error:
        shown, line, column = described(error.msg)
        raise BadQuery(f"The update does not parse: {shown}", {"line": line, "column": column}) from None
    except OSError as error:
        raise BadQuery(f"The update reaches outside, which is not allowed here: {error}") from None
    except (ValueError, RuntimeError) as error:
        raise BadQuery(f"The update cannot be run: {error}") from None


def _using(iri: str) -> str:
    if iri == UNION:
        raise BadGraph(f"{UNION} is for reading only: name the graphs that the update looks at.")
    return str(_node(iri))


def _node(iri: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(iri)
    except ValueError as error:
        raise BadGraph(f"{iri[:80]!r} is no absolute IRI ({error}): give one, such as https://example.org/notes.") from None


def _graph(iri: str | None) -> ox.NamedNode | ox.DefaultGraph:
    return ox.DefaultGraph() if iri is None else _node(iri)


def _iri(name: _Name | ox.DefaultGraph) -> str | None:
    return None if isinstance(name, ox.DefaultGraph) else name.value


def _refuse_protected(written: Written, lines: Iterable[bytes], graphs: Iterable[_Name]) -> None:
    touched = {_iri(name) for name in graphs} | {_iri(quad.graph_name) for quad in _quads(lines)}
    if refused := sorted((name for name in touched if written.protects(name)), key=str):
        raise _protected(refused[0])


def _protected(graph: str | None) -> Forbidden:
    if graph == UNION:
        return Forbidden(f"{UNION} stands for all graphs together: write to one of them.", {"graph": graph})
    what = "The default graph is" if graph is None else f"The graph {graph[:200]}, and what is named like it, is"
    remedy = "write to a graph of a name of your own, such as https://example.org/notes"
    return Forbidden(f"{what} published and cannot be changed: {remedy}.", {"graph": graph or "default"})


def _refuse_large(lines: Iterable[bytes]) -> None:
    """Raise BadQuery for terms that no process should have to bear when it reads them back."""
    for line in lines:
        if len(line) > MOST_TERM_BYTES or line.count(b"<<(") > MOST_TERM_DEPTH:
            for quad in _quads([line]):
                terms = [str(term) for term in quad]
                if any(len(term.encode()) > MOST_TERM_BYTES for term in terms):
                    raise BadQuery(f"A literal or IRI has more than {MOST_TERM_BYTES:,} bytes: shorten it.", {"limit": "term"})
                depth, term = 0, quad.object
                while isinstance(term, ox.Triple):
                    depth, term = depth + 1, term.object
                if depth > MOST_TERM_DEPTH:
                    raise BadQuery(f"A triple term is nested more than {MOST_TERM_DEPTH} deep: flatten it.", {"limit": "term"})


def _lines(store: ox.Store, graph: ox.NamedNode | ox.DefaultGraph | None) -> list[bytes]:
    """Return the N-Quads of a graph, or of all graphs, each with its line end."""
    if graph is None:
        return loading.lines(store)
    triples = (store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph) or b"").splitlines(keepends=True)
    if isinstance(graph, ox.DefaultGraph):
        return triples
    end = f"{graph} .\n".encode()
    return [triple[:-2] + end for triple in triples]


def _merged(lines: list[bytes], removed: Collection[bytes], added: Collection[bytes]) -> list[bytes]:
    """Return sorted lines without some and with others."""
    kept = [line for line in lines if line not in removed] if removed else lines
    return sorted([*kept, *added])  # what is sorted already costs next to nothing


def _digest(store: ox.Store, lines: list[bytes]) -> str:
    """Return what `loading.digest` does, from sorted lines where these signs show that there is no blank node."""
    data = b"".join(lines)
    return loading.digest(store) if b"_:" in data or b"<<(" in data else sha256(data).hexdigest()


def _apply(dataset: Dataset, removed: Iterable[bytes], added: Iterable[bytes], extra: Mapping[str, object]) -> None:
    """Make a difference in both stores; in the union a triple leaves the default graph when no graph has it any more."""
    facts, union = dataset.facts, dataset.union
    gone = _quads(removed)
    for quad in gone:
        facts.remove(quad)
        if quad.graph_name != ox.DefaultGraph():
            union.remove(quad)
    for quad in gone:
        if not any(facts.quads_for_pattern(quad.subject, quad.predicate, quad.object, None)):
            union.remove(ox.Quad(quad.subject, quad.predicate, quad.object))
    new = _quads(added)
    facts.extend(new)
    union.extend(new)
    union.extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in new)
    for store in (facts, union):
        for name in _names(extra["new_graphs"]):
            store.add_graph(name)
        for name in _names(extra["gone_graphs"]):
            store.remove_graph(name)


def _quads(lines: Iterable[bytes]) -> list[ox.Quad]:
    return list(ox.parse(b"".join(lines), format=ox.RdfFormat.N_QUADS))


def _names(texts: object) -> list[_Name]:
    """Return names of graphs from how N-Quads writes them."""
    assert isinstance(texts, list | tuple)
    return [ox.BlankNode(text[2:]) if text.startswith("_:") else ox.NamedNode(text[1:-1]) for text in texts]


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _generation(values: object) -> Generation:
    assert isinstance(values, dict)
    return Generation(**{**values, "origin": Origin(**values["origin"])})


def _alone(source: Source, folder: Folder, generation: Generation | None, terminal: TextIO | None) -> Written:
    _refuse_kind(folder, generation, "files")
    facts = ox.Store()
    if generation is None:
        facts = files.read(source, terminal)
        graphs = list(facts.named_graphs())
        empty = tuple(str(name) for name in graphs if not any(facts.quads_for_pattern(None, None, None, name)))
        origin = Origin("files", loading.digest(facts))
        generation = _begun(folder, Snapshot(origin, tuple(loading.lines(facts)), len(graphs), empty))
    else:
        _fill(facts, folder.read(generation))
    return _written(facts, folder, generation)


def _beside(published: Dataset, folder: Folder, generation: Generation | None) -> Written:
    _refuse_kind(folder, generation, "bundle")
    digest = loading.digest(published.facts)
    if generation is None:
        generation = _begun(folder, Snapshot(Origin("bundle", digest)))
    snapshot = folder.read(generation)
    facts = ox.Store()
    _fill(facts, snapshot)
    for name in facts.named_graphs():
        if published.facts.contains_named_graph(name):
            remedy = "name another folder, or take the graph out of the bundle"
            raise DataError(f"{folder.path} has a graph {name.value}, which the bundle publishes too: {remedy}.")
    facts.bulk_extend(published.facts)
    written = _written(facts, folder, generation)
    ready = replace(written.ready, published_quads=len(published.facts), published_digest=digest)
    return replace(written, ready=ready, published=published, own=set(snapshot.lines))


def _written(facts: ox.Store, folder: Folder, generation: Generation) -> Written:
    folder.tidy(generation)
    union = ox.Store()
    union.bulk_extend(facts)
    union.bulk_extend(ox.Quad(q.subject, q.predicate, q.object) for q in facts if q.graph_name != ox.DefaultGraph())
    for name in facts.named_graphs():
        union.add_graph(name)
    lines = sorted(loading.lines(facts))
    ready = Ready(len(lines), _digest(facts, lines), number=generation.number)
    return Written(Dataset(facts, union), folder, generation, ready, lines)


def _refuse_kind(folder: Folder, generation: Generation | None, kind: str) -> None:
    if generation is not None and generation.origin.kind != kind:
        what = {"bundle": "what was written beside the article", "files": "a dataset of its own"}[generation.origin.kind]
        raise DataError(f"{folder.path} holds {what}: name another folder.")


def _begun(folder: Folder, snapshot: Snapshot) -> Generation:
    """Keep the first state of a folder. Raises DataError when there is no room for it."""
    try:
        generation = folder.write(1, snapshot)
        folder.point_to(generation)
    except SuasionError as error:
        raise DataError(f"{folder.path}: {error}") from error
    return generation


def _fill(store: ox.Store, snapshot: Snapshot) -> None:
    store.bulk_extend(_quads(snapshot.lines))
    for name in _names(snapshot.empty_graphs):
        store.add_graph(name)
