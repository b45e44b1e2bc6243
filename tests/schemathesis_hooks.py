"""What schemathesis has to be told, by SCHEMATHESIS_HOOKS: a query is sent as text, and a redirection is an answer."""

from typing import Any

import schemathesis

schemathesis.serializer.alias("application/sparql-query", "text/plain")


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001
    """Judge where an IRI leads, not what stands there."""
    kwargs["allow_redirects"] = False
