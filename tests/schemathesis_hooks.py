"""What schemathesis has to be told: a query is sent as text. Named in tests/schemathesis.toml's runs by SCHEMATHESIS_HOOKS."""

import schemathesis

schemathesis.serializer.alias("application/sparql-query", "text/plain")
