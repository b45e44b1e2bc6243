# A claim mentions each thing, concept, measure and period that stands in its content.
PREFIX : <https://w3id.org/suasion/def#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

INSERT { GRAPH <https://w3id.org/suasion/graph/claims> { ?claim :mentions ?thing } }
WHERE {
  {
    SELECT DISTINCT ?claim ?thing WHERE {
      GRAPH ?claim {
        { ?thing ?out ?value } UNION { ?subject ?in ?thing }
      }
      FILTER(STRSTARTS(STR(?claim), "https://w3id.org/suasion/id/claim/"))
      FILTER(ISIRI(?thing))
    }
  }
  {
    SELECT DISTINCT ?thing WHERE {
      GRAPH ?described { ?thing skos:prefLabel ?label }
    }
  }
}
