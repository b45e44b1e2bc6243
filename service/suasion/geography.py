"""Outlines of countries near ASEAN, as paths of a picture, from the package countryinfo (Natural Earth, 1:110 million)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import cos, radians
from pathlib import Path
from typing import Any

WEST, EAST, SOUTH, NORTH = 90.0, 150.0, -11.5, 46.5
_SCALE = 13.2
_NARROWED = cos(radians(18.0))
WIDTH = round((EAST - WEST) * _SCALE * _NARROWED, 1)
HEIGHT = round((NORTH - SOUTH) * _SCALE, 1)
_POINT = re.compile(r"POINT\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)\s*\)")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO 3166-1 alpha-3 code: its outline as an SVG path, "" where it is too small for one, and its capital."""

    code: str
    name: str
    path: str
    capital: Point | None


def projected(longitude: float, latitude: float) -> Point:
    """Return where a place lies in the picture: degrees of latitude are all the same length, those of longitude narrowed once."""
    return round((longitude - WEST) * _SCALE * _NARROWED, 1), round((NORTH - latitude) * _SCALE, 1)


def point(wkt: str) -> Point | None:
    """Return where a WKT point lies in the picture, None for another geometry or one outside it."""
    found = _POINT.fullmatch(wkt.strip())
    return _inside(float(found[1]), float(found[2])) if found else None


def countries() -> Mapping[str, Country]:
    """Return the countries that lie in the picture, by code. Reads some hundred small files: ask once."""
    found: dict[str, Country] = {}
    for file in _files():
        told = json.loads(file.read_text(encoding="utf-8"))
        features = told.get("geoJSON", {}).get("features", ())
        code = told.get("ISO", {}).get("alpha3") or (features[0].get("id") if features else None)
        if not code:
            continue
        path = "".join(_path(ring) for feature in features for ring in _rings(feature["geometry"]))
        capital = _capital(told)
        known = found.get(code)
        if path or capital:
            found[code] = Country(code, told["name"], path or (known.path if known else ""), (known and known.capital) or capital)
    return found


def _files() -> Iterator[Path]:
    spec = find_spec("countryinfo")
    assert spec and spec.origin
    for folder in ("data", "data_no_iso"):
        yield from sorted((Path(spec.origin).parent / folder).glob("*.json"))


def _capital(told: Mapping[str, Any]) -> Point | None:
    """Return where the capital lies, or the middle of the country where the package does not know it."""
    for key in ("capital_latlng", "latlng"):
        match told.get(key):
            case [int() | float() as latitude, int() | float() as longitude]:
                return _inside(longitude, latitude)
    return None


def _rings(geometry: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    shapes = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for shape in shapes:
        yield shape[0]


def _path(ring: Sequence[Sequence[float]]) -> str:
    """Return a ring as a path in whole units of the picture, "" where it lies outside."""
    if max(p[0] for p in ring) < WEST or min(p[0] for p in ring) > EAST:
        return ""
    if max(p[1] for p in ring) < SOUTH or min(p[1] for p in ring) > NORTH:
        return ""
    steps = [projected(longitude, latitude) for longitude, latitude in ring]
    whole = list(dict.fromkeys(f"{x:.0f} {y:.0f}" for x, y in steps))
    return "M" + "L".join(whole) + "Z"


def _inside(longitude: float, latitude: float) -> Point | None:
    return projected(longitude, latitude) if WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH else None
