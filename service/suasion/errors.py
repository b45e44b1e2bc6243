"""What can go wrong, each with its HTTP status.

* SuasionError
  x DataError            the bundle is at fault: nothing is served
    + DataFileError      a file does not parse, or holds what no data file may hold
    + FaultsFound        checks or shapes found faults
    + QueryFileError     a .rq file breaks the rules of queries/README.md
    + DatasetDamaged     the folder of a dataset is not what was written there
  x RequestError         the request is at fault
    + BadQuery           SPARQL that does not parse or may not run            400
      - UnknownFunction  a call of a function that the engine does not have   422
    + BadGraph           the name of a graph is no absolute IRI               400
    + BadDocument        RDF or a form that does not parse, or may not be     400
    + UnknownHost        a Host that the service does not answer for          400
    + BadParameter       a missing or malformed parameter                     422
      - UnknownParameter a parameter that the endpoint does not have          400
    + Unauthorized       a write without a token, or with a wrong one         401
    + Forbidden          a write that nobody may do here                      403
    + NotFound           no such thing                                        404
    + Gone               a thing that was withdrawn                           410
    + MethodNotAllowed   the resource does not answer this method             405
    + NotAcceptable      no media type that the client accepts                406
    + PreconditionFailed a condition of the request does not hold             412
    + TooLarge           a request body above the limit                       413
    + UrlTooLong         a URL above the limit                                414
    + UnsupportedMedia   a request body of a type that is not read            415
    + TooManyRequests    the client has used up its share                     429
  x Unanswered           the request is fine, the answer is not to be had
    + TimedOut           the deadline passed                                  504
    + AnswerTooLarge     the answer is above the size limit                   507
    + StorageFull        no room on disk for a write: nothing was changed     507
    + Overloaded         no worker became free in time                        503
    + WorkerDied         the query ended its worker process                   500
    + NotReady           the data are not verified, or no worker lives        503
    + NotIndexed         the texts of the data are still being indexed        503
    + RemoteFailed       an endpoint of SERVICE gave no whole result       502
    + Unreached          the service does not answer, or not as Suasion does  502
    + NotInstalled       a package that is not installed                      501
    + Failed             a fault of the service, kept in its log              500
"""

import re
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class SuasionError(Exception):
    """One clear sentence on what is wrong and what to do; `extra` goes into problem documents as it is."""

    detail: str
    extra: dict[str, object] = field(default_factory=dict)

    title = "Error"
    status = 500

    def __str__(self) -> str:
        return self.detail


class DataError(SuasionError):
    title = "The data are at fault"


class DataFileError(DataError):
    title = "A data file cannot be read"


class FaultsFound(DataError):
    title = "The data break a rule"


class QueryFileError(DataError):
    title = "A query file breaks a rule"


class DatasetDamaged(DataError):
    title = "A dataset is damaged"


class RequestError(SuasionError):
    title = "Bad request"
    status = 400


class BadQuery(RequestError):
    title = "The SPARQL query cannot be run"


class UnknownFunction(BadQuery):
    title = "The query calls a function that is not here"
    status = 422


class BadGraph(RequestError):
    title = "The graph has no proper name"


class BadDocument(RequestError):
    title = "The document cannot be read"


class UnknownHost(RequestError):
    title = "Unknown host"


class BadParameter(RequestError):
    title = "A parameter is wrong"
    status = 422


class UnknownParameter(BadParameter):
    title = "Unknown parameter"
    status = 400


class Unauthorized(RequestError):
    title = "A token is needed"
    status = 401


class Forbidden(RequestError):
    title = "Not allowed"
    status = 403


class NotFound(RequestError):
    title = "Not found"
    status = 404


class Gone(RequestError):
    title = "Withdrawn"
    status = 410


class MethodNotAllowed(RequestError):
    title = "Method not allowed"
    status = 405


class NotAcceptable(RequestError):
    title = "No acceptable format"
    status = 406


class PreconditionFailed(RequestError):
    title = "A condition does not hold"
    status = 412


class TooLarge(RequestError):
    title = "The request is too large"
    status = 413


class UrlTooLong(RequestError):
    title = "The URL is too long"
    status = 414


class UnsupportedMedia(RequestError):
    title = "Unsupported media type"
    status = 415


class TooManyRequests(RequestError):
    title = "Share used up"
    status = 429


class Unanswered(SuasionError):
    title = "No answer"


class TimedOut(Unanswered):
    title = "The query ran out of time"
    status = 504


class AnswerTooLarge(Unanswered):
    title = "The answer is too large"
    status = 507


class StorageFull(Unanswered):
    title = "No room on disk"
    status = 507


class Overloaded(Unanswered):
    title = "Too busy"
    status = 503


class WorkerDied(Unanswered):
    title = "The query could not be finished"
    status = 500


class NotReady(Unanswered):
    title = "Not ready"
    status = 503


class NotIndexed(Unanswered):
    title = "Not indexed yet"
    status = 503


class RemoteFailed(Unanswered):
    title = "An endpoint of SERVICE failed"
    status = 502


class Unreached(Unanswered):
    title = "The service is not reached"
    status = 502


class NotInstalled(Unanswered):
    title = "A package is not installed"
    status = 501


class Failed(Unanswered):
    title = "The service failed"
    status = 500


def kinds() -> dict[str, type[SuasionError]]:
    """Return the errors that a request can meet, by name."""
    found = [one for one in globals().values() if isinstance(one, type) and issubclass(one, RequestError | Unanswered)]
    return {one.__name__: one for one in found if one not in (RequestError, Unanswered)}


def meaning(kind: type[SuasionError]) -> str:
    """Return when an error is met, as the tree above says it."""
    found = re.search(rf"[+-] {kind.__name__} +(\S.*?)(?: +\d{{3}})?$", __doc__ or "", re.MULTILINE)
    assert found
    return found[1]
