# What holds by a property holds, the other way round, by its inverse, in the same graph.
PREFIX owl: <http://www.w3.org/2002/07/owl#>

INSERT { GRAPH ?g { ?o ?inverse ?s } }
WHERE {
  GRAPH <https://w3id.org/suasion/graph/ontology> { ?p owl:inverseOf ?inverse }
  GRAPH ?g { ?s ?p ?o }
}
