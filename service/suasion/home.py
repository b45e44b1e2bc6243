"""The front page: what there is to ask, each question with a link that answers it."""

from urllib.parse import urlencode

from jinja2 import Environment

from suasion.catalog import Query
from suasion.exchange import Ready

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Suasion</title>
<link rel="stylesheet" href="/static/suasion.css">
</head>
<body>
<h1>Suasion</h1>
{% if files %}
<p>{{ files | join(", ") }}</p>
{% else %}
<p>What one article in international relations says, as a knowledge graph: who says it, how surely, and where it stands.</p>
<p>H. H. Michael Hsiao and Alan Yang, “Soft Power Politics in the Asia Pacific: Chinese and Japanese Quests for Regional
Leadership”, <cite>The Asia-Pacific Journal: Japan Focus</cite> 7(8) no. 2, 2009.</p>
{% endif %}
<h2>Questions</h2>
<table>
<thead><tr><th scope="col">Question</th><th scope="col">Try it</th><th scope="col">As</th></tr></thead>
<tbody>
{% for query in queries %}
<tr>
<td>{{ query.question }}</td>
<td><a href="/{{ query.name }}{{ example(query) }}"><code>/{{ query.name }}{{ example(query) }}</code></a></td>
<td><a href="/{{ query.name }}.csv{{ example(query) }}">CSV</a> <a href="/queries/{{ query.name }}">SPARQL</a></td>
</tr>
{% endfor %}
</tbody>
</table>
<h2>SPARQL</h2>
<form action="/sparql" method="post">
<p><label for="query">Query</label></p>
<textarea id="query" name="query" rows="12" spellcheck="false">{% if files %}
SELECT * WHERE { ?subject ?property ?value } LIMIT 20
{%- else %}
PREFIX : &lt;https://w3id.org/suasion/def#&gt;
PREFIX actor: &lt;https://w3id.org/suasion/id/actor/&gt;

SELECT ?aid ?value ?currency ?summary ?ranges WHERE {
  GRAPH ?claim {
    ?aid :donor actor:japan ; :recipient actor:cambodia ; :amount ?amount .
    ?amount :value ?value ; :currency ?currency .
  }
  ?claim :summary ?summary ; :passage/:characterRanges ?ranges .
}
ORDER BY ?value
{%- endif %}</textarea>
<p><button>Ask</button></p>
</form>
{% if files %}
<p>The default graph holds what the files say outside named graphs;
<code>default-graph-uri=https://w3id.org/suasion/graph/union</code> takes all graphs together.</p>
{% else %}
<p>The default graph holds what is reported as fact; <code>GRAPH ?claim</code> reaches every claim;
<code>default-graph-uri=https://w3id.org/suasion/graph/union</code> takes all together.</p>
{% endif %}
<p><a href="/openapi.json">OpenAPI</a> · <a href="/healthz">Health</a> · {{ "{:,}".format(ready.quads) }} quads
{%- if ready.digest %},
dataset <code>sha256:{{ ready.digest }}</code>{% endif %}</p>
</body>
</html>
"""


def page(queries: tuple[Query, ...], ready: Ready, files: tuple[str, ...] = ()) -> str:
    """Return the front page as HTML: of the article, or of files by their names."""
    template = Environment(autoescape=True, trim_blocks=True).from_string(_PAGE)
    return template.render(queries=queries, ready=ready, files=files, example=_example)


def _example(query: Query) -> str:
    """Return the query string of a first try: the required parameters, or none."""
    required = {p.name: p.example for p in query.parameters if p.required}
    return "?" + urlencode(required) if required else ""
