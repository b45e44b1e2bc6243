"""Outlines of countries near ASEAN, and the Mekong, as paths of a picture; both come with packages, not with this one.

Outlines and the river are of pyworldatlas-mapdata-overview (Natural Earth, made coarser; CC0); capitals, and the outlines of
countries that it lacks, of countryinfo (MIT).
"""

import json
import re
import sqlite3
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

WEST, EAST, SOUTH, NORTH = 90.0, 150.0, -11.5, 46.5
RIVER = "Mekong"
_SCALE = 13.2
_NARROWED = cos(radians(18.0))
WIDTH = round((EAST - WEST) * _SCALE * _NARROWED, 1)
HEIGHT = round((NORTH - SOUTH) * _SCALE, 1)
_SEEN = 1.3
"""Steps and islands shorter than this, in units of the picture, are left out."""
_FAR = 75.0
"""Degrees: no country whose middle is further from the picture reaches into it."""
_POINT = re.compile(r"POINT\s*\(\s*(-?[\d.]+)\s+(-?[\d.]+)\s*\)")
Point = tuple[float, float]
_Line = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO 3166-1 alpha-2 code: its outline as an SVG path, its capital, and its part of the river."""

    code: str
    path: str
    capital: Point | None
    river: str = ""


def projected(longitude: float, latitude: float) -> Point:
    """Return where a place lies in the picture: degrees of latitude are all the same length, those of longitude narrowed once."""
    return round((longitude - WEST) * _SCALE * _NARROWED, 1), round((NORTH - latitude) * _SCALE, 1)


def point(wkt: str) -> Point | None:
    """Return where a WKT point lies in the picture, None for another geometry or one outside it."""
    found = _POINT.fullmatch(wkt.strip())
    return _inside(float(found[1]), float(found[2])) if found else None


def countries() -> Mapping[str, Country]:
    """Return the countries that lie in the picture, by code. Reads some hundred small files: ask once."""
    told = {code: one for one in _described() if (code := one.get("ISO", {}).get("alpha2"))}
    drawn = dict(_drawn({code for code, one in told.items() if not _is_near(one)}))
    found: dict[str, Country] = {}
    for code in sorted(told.keys() | drawn.keys()):
        one = told.get(code, {})
        rings, rivers = drawn.get(code) or (list(_rings(one.get("geoJSON"))), [])
        path = "".join(f"{_path(ring)}Z" for ring in rings if _reaches(ring))
        river = "".join(_path(line) for line in rivers)
        capital = _capital(one)
        if path or capital:
            found[code] = Country(code, path, capital, river)
    return found


def _folder(package: str) -> Path:
    """Return where a package keeps its files, without importing it: its code is not needed."""
    spec = find_spec(package)
    assert spec and spec.origin
    return Path(spec.origin).parent / "data"


def _described() -> Iterator[Mapping[str, Any]]:
    for file in sorted(_folder("countryinfo").glob("*.json")):
        yield json.loads(file.read_text(encoding="utf-8"))


def _is_near(told: Mapping[str, Any]) -> bool:
    """Say whether a country may reach into the picture, by its middle: to read the outlines of all takes twice as long."""
    match told.get("latlng"):
        case [int() | float() as latitude, int() | float() as longitude]:
            across = abs((longitude - (WEST + EAST) / 2 + 180) % 360 - 180) - (EAST - WEST) / 2
            down = abs(latitude - (SOUTH + NORTH) / 2) - (NORTH - SOUTH) / 2
            return max(across, down) < _FAR
    return True


def _drawn(without: Container[str] = ()) -> Iterator[tuple[str, tuple[list[_Line], list[_Line]]]]:
    """Yield the outlines and the stretches of the river of each country, without some."""
    file = _folder("pyworldatlas_mapdata_overview") / "maps.sqlite3"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        for code, payload in database.execute("SELECT alpha2, payload FROM country_map"):
            if code in without:
                continue
            told = json.loads(zlib.decompress(payload))
            yield code, (told["boundary"], [river["points"] for river in told["rivers"] if river["name"] == RIVER])


def _capital(told: Mapping[str, Any]) -> Point | None:
    """Return where the capital lies, or the middle of the country where the package does not know it."""
    for key in ("capital_latlng", "latlng"):
        match told.get(key):
            case [int() | float() as latitude, int() | float() as longitude]:
                return _inside(longitude, latitude)
    return None


def _rings(collection: Any) -> Iterator[_Line]:
    """Yield the outer rings of a collection of features in GeoJSON."""
    features: Iterable[Any] = collection.get("features", ()) if isinstance(collection, dict) else ()
    for feature in features:
        shape = feature["geometry"]
        for polygon in [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]:
            yield polygon[0]


def _reaches(ring: _Line) -> bool:
    """Say whether a ring reaches into the picture and is large enough to be seen."""
    x, y = [at[0] for at in ring], [at[1] for at in ring]
    if max(x) < WEST or min(x) > EAST or max(y) < SOUTH or min(y) > NORTH:
        return False
    return (max(x) - min(x) + max(y) - min(y)) * _SCALE > 2 * _SEEN


def _path(line: _Line) -> str:
    kept: list[Point] = []
    for longitude, latitude in line[:-1] if line[0] == line[-1] else line:
        at = projected(longitude, latitude)
        if not kept or hypot(at[0] - kept[-1][0], at[1] - kept[-1][1]) > _SEEN:
            kept.append(at)
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in kept)


def _inside(longitude: float, latitude: float) -> Point | None:
    return projected(longitude, latitude) if WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH else None
