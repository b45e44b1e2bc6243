"""Receipts: what was asked, of which data, with which result, in one text that needs no memory of the service."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256

from suasion.errors import BadParameter

_TEXTS = ("question", "query_sha256", "dataset_sha256", "result_sha256", "time")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A question with its given parameters, and the digests of its query, of the dataset and of the result; time in UTC.

    `dataset_sha256` is "" for a dataset that has no digest.
    """

    question: str
    given: Mapping[str, str]
    query_sha256: str
    dataset_sha256: str
    result_sha256: str
    time: str

    @property
    def id(self) -> str:
        """The receipt as base64url (RFC 4648, section 5) of canonical JSON, with a check sum against slips in copying."""
        content = {**asdict(self), "given": dict(self.given)}
        whole = _canonical({**content, "check": _digest(content)[:8]})
        return base64.urlsafe_b64encode(whole).rstrip(b"=").decode("ascii")

    def differences(self, other: "Receipt") -> tuple[str, ...]:
        """Return which of query, dataset and result are not the same in another receipt."""
        parts = ("query", "dataset", "result")
        return tuple(part for part in parts if getattr(self, f"{part}_sha256") != getattr(other, f"{part}_sha256"))


def issued(question: str, given: Mapping[str, str], query_text: str, dataset_sha256: str, result: object) -> Receipt:
    """Return the receipt of an answer given now; `result` is whatever JSON stands for it in all formats."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Receipt(question, given, sha256(query_text.encode()).hexdigest(), dataset_sha256, _digest(result), now)


def read(text: str) -> Receipt:
    """Return the receipt of an id. Raises BadParameter for a text that is none, or one that was damaged."""
    damaged = BadParameter("This is no receipt, or it was cut or changed: copy the whole of receipt.id.", {"parameter": "id"})
    try:
        content = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise damaged from None
    if not isinstance(content, dict) or content.keys() != {*_TEXTS, "given", "check"}:
        raise damaged
    given = content["given"]
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in (*given.values(), *map(content.get, _TEXTS))):
        raise damaged
    receipt = Receipt(given=given, **{name: content[name] for name in _TEXTS})
    if receipt.id != text:
        raise damaged
    return receipt


def _digest(document: object) -> str:
    return sha256(_canonical(document)).hexdigest()


def _canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def summary(receipt: Receipt) -> Mapping[str, str | None]:
    """Return a receipt as an answer shows it."""
    digests = {name: getattr(receipt, name) or None for name in ("query_sha256", "dataset_sha256", "result_sha256")}
    return {"id": receipt.id, **digests, "time": receipt.time}
