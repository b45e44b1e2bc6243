"""A folder of one's own question and the data it is asked of: toys, with every type of parameter and column."""

from pathlib import Path

DATA = """\
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX toy: <https://example.org/toy/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>

toy:ball rdfs:label "Ball"@en ; toy:colour toy:red, toy:blue ; toy:price 2.50 ; toy:made "2001-05-03"^^xsd:date ; toy:new true .
toy:car rdfs:label "=1+1" ; toy:colour toy:red ; toy:price -10 ; toy:made "2002-01-01"^^xsd:date ; toy:new false .
toy:doll rdfs:label "a \\"doll\\", <b>big</b>\\r\\nand 日本" ; toy:colour toy:red ; toy:price 2.5 .
toy:doll toy:made "2002-12-31"^^xsd:date .
toy:top rdfs:label "ape" ; toy:colour toy:green ; toy:price 900 ; toy:made "2003-06-15"^^xsd:date ; toy:said toy:claim-1 .
"""
QUESTION = """\
#+ summary = "Toys, with their price"
#+ question = "Which toys are there?"
#+ keywords = ["toys", "prices"]
#+ claims = ["said"]
#+ sort = ["name", "price", "is_new"]
#+ related = ["toys/slow"]
#+
#+ [columns]
#+ toy = { meaning = "The toy", type = "iri" }
#+ name = { meaning = "Its name", type = "string" }
#+ price = { meaning = "What it costs", type = "decimal" }
#+ colours = { meaning = "Its colours", type = "iri", list = true }
#+ made = { meaning = "When it was made", type = "date" }
#+ is_new = { meaning = "Whether it is new", type = "boolean" }
#+ said = "The claim that says so"
#+
#+ [params.colour]
#+ type = "code"
#+ values_from = "SELECT DISTINCT ?value WHERE { ?toy toy:colour ?value } ORDER BY ?value"
#+ examples = ["toy:red", "toy:blue"]
#+ description = "A colour"
#+
#+ [params.during]
#+ type = "period"
#+ examples = [2001, "2001-05/2002", "2002/"]
#+ description = "When it was made"
#+
#+ [params.on]
#+ type = "date"
#+ example = "2002-01-01"
#+ description = "The day it was made"
#+
#+ [params.at_most]
#+ type = "decimal"
#+ default = 100.5
#+ example = "2.5"
#+ description = "The highest price"
#+
#+ [params.fresh]
#+ type = "boolean"
#+ example = true
#+ description = "Whether it is new"

PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX toy: <https://example.org/toy/>

SELECT
  ?toy
  ?name
  ?price
  (GROUP_CONCAT(STR(?one); SEPARATOR = " | ") AS ?colours)
  ?made
  ?is_new
  ?said
  ?colour
  ?during_first
  ?during_last
  ?on
  ?at_most
  ?fresh
WHERE {
  ?toy
    rdfs:label ?name ;
    toy:colour ?one ;
    toy:price ?price ;
    toy:made ?made .
  OPTIONAL { ?toy toy:new ?is_new }
  OPTIONAL { ?toy toy:said ?said }
  FILTER(COALESCE(STR(?colour) = "", true) || EXISTS { ?toy toy:colour ?colour })
  FILTER(COALESCE(?made >= ?during_first, true) && COALESCE(?made <= ?during_last, true))
  FILTER(COALESCE(?made = ?on, true))
  FILTER(?price <= ?at_most)
  FILTER(COALESCE(STR(?fresh) = "", true) || EXISTS { ?toy toy:new ?fresh })
}
GROUP BY ?toy ?name ?price ?made ?is_new ?said ?colour ?during_first ?during_last ?on ?at_most ?fresh
ORDER BY ?toy
"""
SLOW = """\
#+ summary = "All sevens of triples"
#+ question = "What takes longer than there is time?"
#+
#+ [columns]
#+ number = { meaning = "How many", type = "integer" }

SELECT (COUNT(*) AS ?number) WHERE {
  ?a ?b ?c .
  ?d ?e ?f .
  ?g ?h ?i .
  ?j ?k ?l .
  ?m ?n ?o .
  ?p ?q ?r .
  ?s ?t ?u .
}
ORDER BY ?number
"""


def write(folder: Path) -> tuple[Path, Path]:
    """Write data and questions below a folder; return the file of data and the folder of questions."""
    data, questions = folder / "toys.ttl", folder / "questions"
    (questions / "toys").mkdir(parents=True)
    data.write_text(DATA, encoding="utf-8")
    (questions / "toys" / "all.rq").write_text(QUESTION, encoding="utf-8")
    (questions / "toys" / "slow.rq").write_text(SLOW, encoding="utf-8")
    return data, questions
