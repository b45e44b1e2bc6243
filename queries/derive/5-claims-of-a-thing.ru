# A thing stands in each claim whose content names it, or that rests on it as passage, note marker or data-quality note.
PREFIX : <https://w3id.org/suasion/def#>
PREFIX graph: <https://w3id.org/suasion/graph/>
PREFIX schema: <https://schema.org/>

INSERT { GRAPH graph:derived { ?thing :standsIn ?claim } }
WHERE {
  GRAPH graph:claims { ?claim a schema:Claim }
  {
    GRAPH ?claim {
      { ?thing ?out ?value } UNION { ?subject ?in ?thing }
    }
  } UNION {
    GRAPH graph:claims { ?claim :passage|:citesNote|:qualityNote ?thing }
  }
  FILTER(STRSTARTS(STR(?thing), "https://w3id.org/suasion/id/"))
}
