"""Rows as Python has them: the answer to a question, a page or all of it, that tells whether it is complete."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from types import ModuleType
from typing import TYPE_CHECKING, Any, overload

from suasion.errors import NotInstalled

if TYPE_CHECKING:
    import pandas
    import polars

Value = str | int | float | bool | date | list[Any] | None
Row = Mapping[str, Value]
_SHOWN_ROWS = 20
_SHOWN_CHARACTERS = 200
_LONG_CHARACTERS = 48
"""A text of more gets a wide cell, or its row would be very high."""


@dataclass(frozen=True, slots=True)
class Results(Sequence[Row]):
    """Rows offset to offset + len of `total` rows: each a dict by column, None where there is no value, lists as lists.

    `columns` are the columns with what they mean. With `cut` more things fit a search than were looked at. `note` says so, or
    why there are no rows. `dataset` is the SHA-256 of the dataset, `citation` and `receipt` are what to give with what is used
    (see docs/questions.md); "" where there is none.
    """

    rows: Sequence[Row]
    columns: Mapping[str, str]
    total: int
    offset: int = 0
    note: str = ""
    dataset: str = ""
    citation: str = ""
    receipt: str = ""
    cut: bool = False
    _further: "Callable[[int], Results] | None" = field(default=None, repr=False, compare=False)
    _as_csv: Callable[[], str] = field(repr=False, compare=False, kw_only=True)

    @property
    def complete(self) -> bool:
        """Whether these are all the rows there are."""
        return self.offset == 0 and len(self.rows) == self.total and not self.cut

    def next(self) -> "Results | None":
        """Return the next page, None after the last. Raises what asking raises."""
        after = self.offset + len(self.rows)
        if self._further is None or not self.rows or after >= self.total:
            return None
        return self._further(after)

    def all(self) -> Iterator[Row]:
        """Yield these rows and those of all pages after, asked for as they are needed. Raises what asking raises."""
        page: Results | None = self
        while page is not None:
            yield from page.rows
            page = page.next()

    def csv(self) -> str:
        """Return these rows as CSV: whole IRIs, lists joined by " | ", a text that a spreadsheet would run made harmless."""
        return self._as_csv()

    def to_pandas(self) -> "pandas.DataFrame":
        """Return these rows as a data frame; `attrs` tells complete, total, dataset, citation and receipt.

        Raises NotInstalled without pandas.
        """
        frame = _imported("pandas").DataFrame(list(self.rows), columns=list(self.columns))
        frame.attrs.update(
            {name: getattr(self, name) for name in ("complete", "total", "offset", "dataset", "citation", "receipt")}
        )
        return frame

    def to_polars(self) -> "polars.DataFrame":
        """Return these rows as a data frame. Raises NotInstalled without polars."""
        polars = _imported("polars")
        columns = {name: [row[name] for row in self.rows] for name in self.columns}
        return polars.DataFrame(columns, strict=False)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Row]:
        """Yield these rows; `all` goes on to further pages."""
        return iter(self.rows)

    def __len__(self) -> int:
        """Return the number of these rows; `total` is that of all."""
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """Return one of these rows, or some."""
        return self.rows[index]

    def __repr__(self) -> str:
        """Return how many rows of how many there are, and their columns."""
        return f"<{self._extent()}: {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        """Return how many rows there are and the first of them as a table, for notebooks; every text is escaped.

        What is wide scrolls by itself; colours are those of the notebook, light or dark.
        """
        head = "".join(_tagged("th", escape(name), f' title="{escape(meaning)}"') for name, meaning in self.columns.items())
        shown = self.rows[:_SHOWN_ROWS]
        body = "".join("<tr>" + "".join(_tagged("td", _cell(row[name])) for name in self.columns) + "</tr>" for row in shown)
        more = "" if len(shown) == len(self.rows) else f"; the first {len(shown)} are shown"
        said = escape(f"{self._extent()}{more}{f'. {self.note}' if self.note else ''}")
        if not shown:
            return f"<p>{said}</p>"
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        region = f'<div role="region" aria-label="Rows" tabindex="0" style="overflow-x: auto">{table}</div>'
        return f"<p>{said}</p>{region}"

    def _extent(self) -> str:
        if self.complete:
            return f"{self.total} rows, complete"
        return f"rows {self.offset + 1} to {self.offset + len(self.rows)} of {self.total}, truncated"


def _tagged(tag: str, html: str, attributes: str = "") -> str:
    room = "; min-width: 18em" if tag == "td" and len(html) > _LONG_CHARACTERS and " " in html else ""
    return f'<{tag}{attributes} style="text-align: left; vertical-align: top{room}">{html}</{tag}>'


def _cell(value: Value) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return escape(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _imported(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise NotInstalled(f"{name} is not installed: pip install {name}") from None
