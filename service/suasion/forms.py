"""The files of a form that was sent as multipart/form-data (RFC 7578)."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from suasion.errors import BadDocument, UnsupportedMedia
from suasion.exchange import Document

MOST_PARTS = 100


def parts(content_type: str, body: bytes) -> tuple[Document, ...]:
    """Return the parts of a form, each with its media type ("" where it names none) and its file name, or its place.

    Raises UnsupportedMedia without a boundary, and BadDocument for a form that is malformed, cut off, empty or too long.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise UnsupportedMedia("multipart/form-data needs the parameter boundary.")
    reader = _Reader()
    parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise BadDocument(f"The form cannot be read: {str(error).rstrip('.')}.") from None
    if not reader.ended:
        raise BadDocument("The form was cut off: its last boundary is missing.")
    if not reader.documents:
        raise BadDocument("The form has no parts: send at least one file.")
    return tuple(reader.documents)


class _Reader:
    """Gathers what the parser calls out."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.ended = False
        self._headers: dict[bytes, bytes] = {}
        self._field = b""
        self._value = b""
        self._body = bytearray()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_part_data": self._on_data,
            "on_part_end": self._on_part,
            "on_end": self._on_end,
        }

    def _begin(self) -> None:
        if len(self.documents) >= MOST_PARTS:
            raise BadDocument(f"The form has more than {MOST_PARTS} parts: send them in several requests.")
        self._headers = {}
        self._body = bytearray()

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._body += data[start:end]

    def _on_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        shown = options.get(b"filename", b"").decode("utf-8", "replace").rpartition("/")[2][:100]
        name = "".join(c if c.isprintable() else "\ufffd" for c in shown) or f"part {len(self.documents) + 1}"
        media_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self.documents.append(Document(media_type, bytes(self._body), name))

    def _on_end(self) -> None:
        self.ended = True
