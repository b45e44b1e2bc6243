"""What data say of the statements of an article: each check that is declared (graph:checks), carried out where its dataset is.

A verdict is a claim of Suasion, in a graph of its own: its IRI names the graph with the result, and graph:verdicts says whose
claim it is and what it was derived from (PROV-O). Which observations answer which statement is declared data; nothing here
knows a case. What the article says is not touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext

import pyoxigraph as ox

from suasion.prefixes import DEF, GRAPH, ID

VERDICTS = ox.NamedNode(GRAPH + "verdicts")
_VERDICT = ID + "verdict/"
_CHECK = ID + "check/"
_CHECKS = ox.NamedNode(GRAPH + "checks")
_SUASION = ox.NamedNode(ID + "agent/suasion")
_RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_LABEL = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_NOTE = ox.NamedNode("http://www.w3.org/2004/02/skos/core#note")
_CLAIM = ox.NamedNode("https://schema.org/Claim")
_REVIEWED = ox.NamedNode("https://schema.org/itemReviewed")
_QB = "http://purl.org/linked-data/cube#"
_DATASET, _MEASURE, _KIND = (ox.NamedNode(_QB + name) for name in ("dataSet", "measure", "DataSet"))
_PROV = "http://www.w3.org/ns/prov#"
_DERIVED, _ATTRIBUTED = (ox.NamedNode(_PROV + name) for name in ("wasDerivedFrom", "wasAttributedTo"))
_SDMX = "http://purl.org/linked-data/sdmx/2009/attribute#"
_UNIT, _MULTIPLIER = (ox.NamedNode(_SDMX + name) for name in ("unitMeasure", "unitMult"))
_PERIOD = ox.NamedNode("http://purl.org/linked-data/sdmx/2009/dimension#refPeriod")
_INTEGER, _DECIMAL = (ox.NamedNode(f"http://www.w3.org/2001/XMLSchema#{name}") for name in ("integer", "decimal"))
_DIGITS, _RATIO_DIGITS = 15, 4
Object = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


@dataclass(frozen=True, slots=True)
class _Observed:
    """What a dataset says: a value, of how many observations, and which values of dimensions it does not have."""

    value: Decimal
    unit: Object | None
    number: int
    periods: tuple[str, ...]
    missing: tuple[Object, ...] = ()


@dataclass(slots=True)
class _Result:
    """A verdict in the making."""

    outcome: str = "NotComparable"
    claimed: Decimal | None = None
    observed: Decimal | None = None
    rate: Decimal | None = None
    obstacle: str = ""
    used: int = 0
    periods: tuple[str, ...] = ()
    missing: tuple[Object, ...] = ()
    derived_from: list[Object] = field(default_factory=list)


class _ObstacleError(Exception):
    """Why nothing is compared, in one sentence."""


def reached(store: ox.Store) -> list[ox.Quad]:
    """Return the quads of the verdicts of all checks whose statement is in a store, in the order of their names.

    Without any dataset there are none. A check whose own dataset is missing has one that says so.
    """
    if not any(store.quads_for_pattern(None, _RDF_TYPE, _KIND, ox.NamedNode(GRAPH + "datasets"))):
        return []
    checks = store.quads_for_pattern(None, _RDF_TYPE, ox.NamedNode(DEF + "ClaimCheck"), _CHECKS)
    found = sorted((quad.subject for quad in checks if isinstance(quad.subject, ox.NamedNode)), key=str)
    return [quad for check in found for quad in _verdict(store, check)]


def _verdict(store: ox.Store, check: ox.NamedNode) -> Iterator[ox.Quad]:
    verdict = ox.NamedNode(_VERDICT + check.value.removeprefix(_CHECK))
    claim, dataset, tolerance = (_one(store, check, name, _CHECKS) for name in (_REVIEWED, _DATASET, _term("tolerance")))
    assert claim and dataset, f"{check} has no claim or no dataset"
    result = _Result(derived_from=[claim, dataset])
    try:
        _carry_out(store, check, result)
    except _ObstacleError as obstacle:
        result.obstacle = str(obstacle)
    about: list[tuple[ox.NamedNode, Object]] = [
        (_RDF_TYPE, ox.NamedNode(DEF + "Verdict")),
        (_RDF_TYPE, _CLAIM),
        (_REVIEWED, claim),
        (_term("byCheck"), check),
        (_ATTRIBUTED, _SUASION),
        *((_DERIVED, source) for source in result.derived_from),
    ]
    said: list[tuple[ox.NamedNode, Object]] = [(_term("outcome"), _term(result.outcome))]
    for name, number in (("claimedValue", result.claimed), ("observedValue", result.observed), ("exchangeRate", result.rate)):
        if number is not None:
            said.append((_term(name), _number(number)))
    if result.claimed and result.observed is not None:
        said.append((_term("ratio"), _number(result.observed / result.claimed, _RATIO_DIGITS)))
    if result.obstacle:
        said.append((_term("obstacle"), ox.Literal(result.obstacle, language="en")))
    else:
        said.append((_term("observationsUsed"), ox.Literal(str(result.used), datatype=_INTEGER)))
        if tolerance:
            said.append((_term("tolerance"), tolerance))
    said += [(_term("observedPeriod"), ox.Literal(period)) for period in result.periods]
    said += [(_term("withoutObservation"), value) for value in result.missing]
    yield from (ox.Quad(verdict, property_, value, VERDICTS) for property_, value in about)
    yield from (ox.Quad(verdict, property_, value, verdict) for property_, value in said)


def _carry_out(store: ox.Store, check: ox.NamedNode, result: _Result) -> None:
    """Fill a result as far as it goes. Raises _ObstacleError where nothing is compared."""
    claim, checked = (_one(store, check, name, _CHECKS) for name in (_REVIEWED, _term("checks")))
    assert isinstance(claim, ox.NamedNode) and isinstance(checked, ox.NamedNode), f"{check} checks nothing"
    result.claimed = _stated(store, claim, checked)
    if declared := _one(store, check, _term("obstacle"), _CHECKS):
        raise _ObstacleError(_text(declared))
    aggregation = _one(store, check, _term("aggregation"), _CHECKS)
    observed = _observed(store, check, _text(aggregation).removeprefix(DEF) if aggregation else "")
    result.used, result.periods, result.missing = observed.number, observed.periods, observed.missing
    result.observed = observed.value
    currency = _one(store, checked, _term("currency"), claim)
    if currency and observed.unit != currency:
        result.observed = None  # a number in another unit is none in this one
        result.rate, conversion = _rate(store, check, observed.unit, currency)
        result.derived_from.append(conversion)
        result.observed = observed.value * result.rate
    bound = _one(store, checked, _term("bound"), claim)
    allowed = _one(store, check, _term("tolerance"), _CHECKS)
    assert allowed, f"{check} has no tolerance"
    name = _text(bound).removeprefix(DEF) if bound else "Exact"
    result.outcome = "Agrees" if _agrees(result.claimed, result.observed, name, Decimal(_text(allowed))) else "Differs"


def _stated(store: ox.Store, claim: ox.NamedNode, checked: ox.NamedNode) -> Decimal:
    """Return the number that a claim states: the value of a figure, or the year of a milestone."""
    value = _one(store, checked, _term("value"), claim)
    if value is not None:
        return Decimal(_text(value))
    period = _one(store, checked, _term("period"), claim)
    if isinstance(period, ox.NamedNode):
        graph = ox.NamedNode(GRAPH + "quantities")
        days = [_one(store, period, _term(name), graph) for name in ("begins", "ends")]
        years = {_text(day)[:4] for day in days if day}
        if len(years) == 1 and all(days):
            return Decimal(years.pop())
    raise _ObstacleError("The statement has no number, and no period within one year.")


def _agrees(claimed: Decimal, observed: Decimal, bound: str, tolerance: Decimal) -> bool:
    most, least = claimed * (1 + tolerance), claimed * (1 - tolerance)
    match bound:
        case "MoreThan" | "AtLeast":
            return observed >= least
        case "OrderOfMagnitude":
            return claimed <= observed < claimed * 10
    return least <= observed <= most


def _observed(store: ox.Store, asking: ox.NamedNode, aggregation: str) -> _Observed:
    """Return what the observations that a check or a conversion selects come to, in the whole units of the measure."""
    dataset, measure = (_one(store, asking, name, _CHECKS) for name in (_DATASET, _MEASURE))
    assert isinstance(dataset, ox.NamedNode) and isinstance(measure, ox.NamedNode), f"{asking} names no dataset or no measure"
    name = dataset.value.removeprefix(ID + "dataset/")
    graph = ox.NamedNode(f"{GRAPH}dataset-{name}")
    if not any(store.quads_for_pattern(dataset, None, None, graph)):
        raise _ObstacleError(f"The dataset {name} is not loaded: add it with suasion datasets add.")
    found: dict[ox.NamedNode, None] = {}
    missing: list[Object] = []
    for quad in sorted(store.quads_for_pattern(asking, _term("selection"), None, _CHECKS), key=str):
        assert isinstance(quad.object, ox.NamedNode)
        observations, without = _selected(store, quad.object, graph)
        found |= dict.fromkeys(observations)
        missing += without
    values = [(one, value) for one in found if (value := _one(store, one, measure, graph)) is not None]
    if not values:
        raise _ObstacleError(f"The dataset {name} has no observation for what the statement is on.")
    if aggregation == "SingleValue" and len(values) > 1:
        raise _ObstacleError(f"The dataset {name} has {len(values)} observations where one is meant.")
    periods = {_text(period) for one, _ in values if (period := _one(store, one, _PERIOD, graph))}
    power = _one(store, measure, _MULTIPLIER, graph)
    with localcontext() as context:
        context.prec = 40
        try:
            total = sum((Decimal(_text(value)) for _, value in values), Decimal()) * 10 ** int(_text(power) if power else 0)
        except InvalidOperation:
            raise _ObstacleError(f"The dataset {name} has a value that is no number.") from None
    counted = Decimal(len(values)) if aggregation == "CountOfObservations" else total
    unit = None if aggregation == "CountOfObservations" else _one(store, measure, _UNIT, graph)
    return _Observed(counted, unit, len(values), tuple(sorted(periods)), tuple(dict.fromkeys(missing)))


def _selected(store: ox.Store, selection: ox.NamedNode, graph: ox.NamedNode) -> tuple[list[ox.NamedNode], list[Object]]:
    """Return the observations that have one of the values in each dimension, and the values that none of them has."""
    wanted: dict[ox.NamedNode, list[Object]] = {}
    for quad in store.quads_for_pattern(selection, None, None, _CHECKS):
        if quad.predicate not in (_RDF_TYPE, _LABEL, _NOTE):
            wanted.setdefault(quad.predicate, []).append(quad.object)
    by_dimension: dict[ox.NamedNode, dict[Object, set[ox.NamedNode]]] = {
        dimension: {value: set(_subjects(store, dimension, value, graph)) for value in values}
        for dimension, values in wanted.items()
    }
    together = [set().union(*by_value.values()) for by_value in by_dimension.values()]
    found = set.intersection(*together) if together else set()
    without = [
        value
        for by_value in by_dimension.values()
        for value, having in by_value.items()
        if len(by_value) > 1 and not having & found
    ]
    return sorted(found, key=str), sorted(without, key=str) if found else []


def _subjects(store: ox.Store, dimension: ox.NamedNode, value: Object, graph: ox.NamedNode) -> Iterator[ox.NamedNode]:
    for quad in store.quads_for_pattern(None, dimension, value, graph):
        if isinstance(quad.subject, ox.NamedNode):
            yield quad.subject


def _rate(store: ox.Store, check: ox.NamedNode, unit: Object | None, currency: Object) -> tuple[Decimal, Object]:
    """Return the rate that brings a unit into a currency, and the dataset that it comes from."""
    for quad in store.quads_for_pattern(check, _term("conversion"), None, _CHECKS):
        conversion = quad.object
        assert isinstance(conversion, ox.NamedNode)
        base, priced = (_one(store, conversion, name, _CHECKS) for name in (_term("baseCurrency"), _term("quoteCurrency")))
        source = _one(store, conversion, _DATASET, _CHECKS)
        if {base, priced} == {unit, currency} and source:
            rate = _observed(store, conversion, "SingleValue").value
            return (rate if unit == base else 1 / rate), source
    raise _ObstacleError("The data are in another unit than the statement, and the check declares no conversion between them.")


def _one(store: ox.Store, subject: Object, property_: ox.NamedNode, graph: Object) -> Object | None:
    assert isinstance(subject, ox.NamedNode) and isinstance(graph, ox.NamedNode)
    return min((quad.object for quad in store.quads_for_pattern(subject, property_, None, graph)), key=str, default=None)


def _term(name: str) -> ox.NamedNode:
    return ox.NamedNode(DEF + name)


def _text(value: Object) -> str:
    assert isinstance(value, ox.NamedNode | ox.Literal)
    return value.value


def _number(value: Decimal, digits: int = _DIGITS) -> ox.Literal:
    """Return a number as a decimal of at most so many digits."""
    with localcontext() as context:
        context.prec = digits
        plain = f"{+value:f}"
    return ox.Literal(plain.rstrip("0").rstrip(".") if "." in plain else plain, datatype=_DECIMAL)
