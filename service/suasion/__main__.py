"""The command line; the only module that prints.

suasion serve     serve the article, or RDF files, over HTTP
suasion check     validate ontology, shapes, data and queries
suasion query     answer a .rq file from the article, or from RDF files
suasion datasets  add, list, show and remove datasets beside the article
suasion token     make a token for who may write
suasion restore   go back to the newest sound state of a damaged dataset
suasion mcp       answer an agent on standard input and output
suasion verify    find the passages in a copy of the article
suasion locate    the Turtle of a passage, from its words
"""

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from suasion import __version__
from suasion.errors import BadQuery, DataError, SuasionError
from suasion.settings import (
    Settings,
    bundle_folder,
    datasets_folder,
    from_environment,
    overridden,
    queries_folder,
    served_datasets,
)
from suasion.source import Source

if TYPE_CHECKING:
    from suasion.collection import Collection

_NAMES = ".ttl .trig .nt .nq .rdf .xml .owl .jsonld, and any of these with .gz .bz2 .zst"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 faults found, 2 bad input."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except SuasionError as error:
        print(f"suasion: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="suasion", description="The claims of an article in international relations, served.")
    parser.add_argument("--version", action="version", version=f"suasion {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the article, or RDF files, over HTTP; data with a fault are not served")
    serve.add_argument("files", nargs="*", type=Path, metavar="FILE", help=f"RDF files to serve instead of the article: {_NAMES}")
    _add_file_options(serve)
    serve.add_argument("--writable", metavar="DIR", help="folder that keeps what is written; needs --tokens")
    serve.add_argument("--tokens", metavar="FILE", help="who may write: lines that `suasion token` prints")
    serve.add_argument("--host", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (8000); 0 takes a free one")
    serve.add_argument("--workers", type=int, help="processes that answer queries (2)")
    serve.add_argument("--deadline-seconds", type=float, help="time that a query may take (20)")
    serve.add_argument(
        "--service", action="append", metavar="URL", help="endpoint that SERVICE may reach; may be repeated (none)"
    )
    serve.add_argument("--queries", metavar="DIR", help="folder with .rq files of your own, served beside those of the bundle")
    serve.add_argument("--datasets", metavar="DIR", help="folder of datasets, served beside the article (see suasion datasets)")
    serve.add_argument("--article", metavar="FILE", help="a copy of the article, whose words are shown on pages (none)")
    serve.add_argument("--bundle", help="folder with ontology, graph_data and queries (what came with the package)")
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check", help="validate ontology, shapes, data, queries")
    check.add_argument("directory", nargs="?", default="", metavar="DIR", help="a bundle (the one that came with the package)")
    check.add_argument("--queries", default="", metavar="DIR", help="folder with .rq files of your own, checked beside it")
    check.set_defaults(run=_check)

    query = commands.add_parser("query", help="answer a .rq file, as tab-separated values or Turtle")
    query.add_argument("file", type=Path, metavar="FILE.rq")
    query.add_argument("--data", nargs="+", type=Path, default=[], metavar="FILE", help=f"RDF files to ask instead: {_NAMES}")
    _add_file_options(query)
    query.set_defaults(run=_query)

    agent = commands.add_parser("mcp", help="answer an agent by MCP on standard input and output, until the input ends")
    agent.add_argument("files", nargs="*", type=Path, metavar="FILE", help=f"RDF files to ask instead of the article: {_NAMES}")
    _add_file_options(agent)
    agent.add_argument(
        "--service", action="append", metavar="URL", help="endpoint that SERVICE may reach; may be repeated (none)"
    )
    agent.add_argument("--queries", metavar="DIR", help="folder with .rq files of your own, offered as tools too")
    agent.add_argument("--bundle", help="folder with ontology, graph_data and queries (what came with the package)")
    agent.set_defaults(run=_mcp)

    _add_datasets(commands.add_parser("datasets", help="add, list, show and remove datasets beside the article"))

    token = commands.add_parser("token", help="print a new token, once, and the line of the file of tokens that makes it known")
    token.add_argument("name", metavar="NAME", help="who will use it; the access log names it")
    token.set_defaults(run=_token)

    restore = commands.add_parser("restore", help="go back to the newest sound state of a damaged dataset")
    restore.add_argument("directory", type=Path, metavar="DIR", help="the folder that was given as --writable")
    restore.set_defaults(run=_restore)

    verify = commands.add_parser("verify", help="find each passage in a copy of the article (text or HTML)")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.set_defaults(run=_verify)

    locate = commands.add_parser("locate", help="print the Turtle of a passage, given the article and the words")
    locate.add_argument("file", type=Path, metavar="FILE", help="the source file that the offsets are counted in")
    locate.add_argument("sentence", help="its sentence, such as s145")
    locate.add_argument("slug", help="what the passage is called after the sentence, such as health")
    locate.add_argument("words", nargs="+", help="the words, in one or two runs, each quoted")
    locate.set_defaults(run=_locate)
    return parser


def _add_datasets(datasets: argparse.ArgumentParser) -> None:
    commands = datasets.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("add", help="make a dataset of a table, in place of one of the same name; all of it or nothing")
    add.add_argument("file", type=Path, metavar="FILE", help="a table: .csv .tsv (also .gz .bz2 .zst) .xlsx .parquet .dta")
    add.add_argument(
        "--mapping", required=True, metavar="MAPPING", help="CSVW metadata: a file, or the name of one that came along"
    )
    add.add_argument("--name", default="", help="name of the dataset (what the mapping says)")
    add.add_argument(
        "--retrieved", default="", metavar="DATE", help="day on which the table was fetched (the file's last change)"
    )
    add.set_defaults(run=_add_dataset)

    listed = commands.add_parser("list", help="the datasets that there are")
    listed.set_defaults(run=_list_datasets)

    info = commands.add_parser("info", help="what is known of a dataset, and the codes in it that match nothing")
    info.add_argument("name", metavar="NAME")
    info.set_defaults(run=_show_dataset)

    remove = commands.add_parser("remove", help="remove a dataset")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_remove_dataset)

    for command in (add, listed, info, remove):
        command.add_argument("--datasets", default="", metavar="DIR", help="folder of the datasets (SUASION_DATASETS)")


def _add_file_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--base-iri", default="", metavar="IRI", help="what relative IRIs in the files are resolved against")
    command.add_argument(
        "--graph-per-file", action="store_true", help="put the triples of each file in the graph of its name, resolved likewise"
    )


def _source(files: Sequence[Path], settings: Settings, options: argparse.Namespace) -> Source:
    if files:
        folder = queries_folder(settings)
        return Source(None, tuple(files), options.base_iri, options.graph_per_file, settings.data_bytes, queries=folder)
    if options.base_iri or options.graph_per_file:
        raise DataError("--base-iri and --graph-per-file are for RDF files: name some.")
    return Source(bundle_folder(settings), queries=queries_folder(settings), datasets=served_datasets(settings))


def _written(options: argparse.Namespace, settings: Settings) -> Source:
    """Return the source of a service that is written to: what its folder began with, or will begin with."""
    from suasion.generations import Folder

    folder = Path(settings.writable)
    generation = Folder(folder).pointed()
    if generation is None or generation.origin.kind != "files":
        if generation is not None and options.files:
            raise DataError(f"{folder} holds what was written beside the article: leave out the files, or name another folder.")
        return replace(_source(options.files, settings, options), writable=folder)
    if options.files:
        print(f"suasion: {folder} has a dataset already, which is served: the files are not read again.", file=sys.stderr)
    return Source(writable=folder, queries=queries_folder(settings))


def _serve(options: argparse.Namespace) -> int:
    from suasion import catalog, tokens
    from suasion.engine import launch
    from suasion.federation import allowed

    given = {f.name: getattr(options, f.name, None) for f in fields(Settings)}
    given["services"] = _services(options)
    settings = overridden(from_environment(), given)
    if options.files and options.bundle:
        raise DataError("RDF files are served instead of a bundle: leave out --bundle.")
    if options.files and options.datasets:
        raise DataError("Datasets stand beside the article: leave out the files, or --datasets.")
    allowed(settings.services)  # what is wrong is told before anything starts
    tokens.opened(settings)
    source = _written(options, settings) if settings.writable else _source(options.files, settings, options)
    catalog.collect(bundle_folder(settings), source.queries, files=source.bundle is None)
    words = _words(settings, source)
    loader = launch(settings, source)  # the data are loaded while the modules below are imported
    from suasion.announced import run
    from suasion.app import create_app

    run(create_app(settings, source, loader, words), settings, lambda address: print(f"Suasion answers at {address}", flush=True))
    return 0


def _words(settings: Settings, source: Source) -> Mapping[str, str]:
    """Return the words of passages from the copy of the article that is set, none without one."""
    if not settings.article:
        return {}
    if source.bundle is None:
        raise DataError("A copy of the article goes with the article: leave out --article, or the RDF files.")
    from suasion import copies

    copy = copies.read(Path(settings.article), source.bundle)
    if copy.missing:
        print(f"suasion: {settings.article} lacks {copy.missing} of {len(copy.words) + copy.missing} passages.", file=sys.stderr)
    return copy.words


def _services(options: argparse.Namespace) -> str | None:
    return " ".join(options.service) if options.service else None


def _mcp(options: argparse.Namespace) -> int:
    from suasion import catalog
    from suasion.engine import launch
    from suasion.federation import allowed

    given = {"queries": options.queries, "bundle": options.bundle, "services": _services(options)}
    settings = overridden(from_environment(), given)
    if options.files and options.bundle:
        raise DataError("RDF files are served instead of a bundle: leave out --bundle.")
    source = _source(options.files, settings, options)
    # what is wrong is told before a process is started
    allowed(settings.services)
    catalog.collect(bundle_folder(settings), source.queries, files=source.bundle is None)
    loader = launch(settings, source)  # the data are loaded while the modules below are imported
    from suasion.mcpserver import run_stdio

    run_stdio(settings, source, loader)
    return 0


def _check(options: argparse.Namespace) -> int:
    from suasion import catalog, checks, conformity, hits, loading, projection, shapes
    from suasion.prefixes import declared

    settings = from_environment()
    settings = replace(settings, bundle=options.directory, queries=options.queries or settings.queries)
    bundle, own = bundle_folder(settings), queries_folder(settings)
    prefixes = declared(bundle)
    dataset = loading.load(bundle)
    queries = catalog.collect(bundle, own, files=False)
    for folder in catalog.query_folders(bundle, own, files=False):
        projection.refuse_mismatches(folder, catalog.load(folder))
    index = hits.indexed(dataset.union, bundle / "queries" / "index" / "article.rq")
    faults = [str(fault) for fault in checks.run(dataset.union, bundle, prefixes)]
    found = shapes.faults(shapes.as_graph(dataset.union), shapes.read_shapes(bundle), checks.written_places(bundle), prefixes)
    faults += [str(fault) for fault in found]
    faults += conformity.faults(dataset.facts, queries, prefixes, index)
    for fault in faults:
        print(fault)
    examined = f"{len(dataset.facts):,} quads, {len(shapes.shape_files(bundle))} shape files, {len(queries)} queries"
    print(f"{examined}: {len(faults)} faults")
    return 1 if faults else 0


def _query(options: argparse.Namespace) -> int:
    from suasion import gate, observations
    from suasion.evaluation import evaluate
    from suasion.exchange import Question
    from suasion.prefixes import declared

    settings = from_environment()
    source = _source(options.data, settings, options)
    text = _read_text(options.file)
    try:
        gate.pass_through(text, gate.Limits(characters=sys.maxsize))
    except BadQuery as error:
        raise DataError(f"{options.file}: {error}") from None
    question = Question(text, solution_types=("text/tab-separated-values",), base_iri=options.base_iri)
    prefixes = declared(source.bundle).table if source.bundle else {}
    answer = evaluate(observations.load_source(source, sys.stderr), question, prefixes, settings.answer_bytes)
    if answer.error:
        raise DataError(f"{options.file}: {answer.detail}")
    sys.stdout.buffer.write(answer.body)
    return 0


def _add_dataset(options: argparse.Namespace) -> int:
    from suasion import importing, keys, mappings

    bundle = bundle_folder(from_environment())
    path = Path(options.mapping)
    if options.mapping == path.stem and not path.exists():
        path = bundle / "graph_data" / "mappings" / f"{options.mapping}.json"
    mapping = mappings.read(path)
    collection = _collection(options)
    gc.disable()  # rows make no cycles: to look for some takes a sixth of the time
    made = importing.add(
        collection, options.file, mapping, keys.collected(bundle), options.name or mapping.name, options.retrieved, sys.stderr
    )
    numbers = f"{made.rows:,} rows, {made.observations:,} observations, {made.quads:,} quads, {made.seconds:.1f} s"
    print(f"{made.name}: {numbers}")
    if made.empty_rows:
        print(f"{made.empty_rows:,} rows have no value, and so no observation.")
    if made.ignored_columns:
        print(f"Columns that the mapping does not read: {', '.join(made.ignored_columns)}")
    if made.unmatched:
        print(f"{made.unmatched:,} codes in {made.unmatched_cells:,} cells match nothing: {collection.path / made.report}")
    return 0


def _list_datasets(options: argparse.Namespace) -> int:
    collection = _collection(options)
    found = collection.all()
    for made in found:
        print(f"{made.name}\t{made.observations:,} observations\t{made.title}")
    if not found:
        print(f"suasion: no dataset in {collection.path}", file=sys.stderr)
    return 0


def _show_dataset(options: argparse.Namespace) -> int:
    collection = _collection(options)
    made = collection.manifest(options.name)
    collection.verified(made)
    for field in fields(made):
        value = getattr(made, field.name)
        print(f"{field.name}\t{', '.join(value) if isinstance(value, tuple) else value}")
    if made.unmatched:
        print(_read_text(collection.path / made.report), end="")
    return 0


def _remove_dataset(options: argparse.Namespace) -> int:
    _collection(options).remove(options.name)
    print(f"{options.name} is removed.")
    return 0


def _collection(options: argparse.Namespace) -> "Collection":
    from suasion.collection import Collection

    return Collection(datasets_folder(overridden(from_environment(), {"datasets": options.datasets or None})))


def _token(options: argparse.Namespace) -> int:
    from suasion import tokens

    token, line = tokens.generated(options.name)
    print(f"Token, shown this once: {token}\nLine for the file of tokens: {line}")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from suasion.generations import Folder

    name, generation = Folder(options.directory).restore()
    print(f"{name} is in force again, as {generation.file}: {generation.quads:,} quads.")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from suasion import loading, verify
    from suasion.prefixes import declared

    bundle = bundle_folder(from_environment())
    union = loading.load(bundle).union
    data = _read(options.file)
    is_source = verify.is_recorded_source(data, verify.recorded_digest(union))
    located = verify.locate(verify.passages(union), verify.read_copy(data, str(options.file)), is_source)
    prefixes = declared(bundle)
    for one in located:
        ranges = " ".join(f"{start}-{end}" for start, end in one.ranges)
        print(f"{one.finding:8}{prefixes.shorten(one.passage.iri)}\t{ranges}".rstrip())
    counts = Counter(one.finding for one in located)
    kind = "the source file itself" if is_source else "another copy"
    print(f"{len(located)} passages in {kind}: " + ", ".join(f"{counts[finding]} {finding}" for finding in verify.Finding))
    return 1 if counts[verify.Finding.MISSING] else 0


def _locate(options: argparse.Namespace) -> int:
    from suasion import loading, locate

    union = loading.load(bundle_folder(from_environment())).union
    data = _read(options.file)
    print(locate.turtle(union, data, options.sentence, options.slug, options.words))
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}.") from error


def _read_text(path: Path) -> str:
    try:
        return _read(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8.") from None


if __name__ == "__main__":
    sys.exit(main())
