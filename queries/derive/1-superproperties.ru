# What holds by a property holds by the properties above it, in the same graph.
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

INSERT { GRAPH ?g { ?s ?super ?o } }
WHERE {
  GRAPH <https://w3id.org/suasion/graph/ontology> { ?p rdfs:subPropertyOf+ ?super }
  GRAPH ?g { ?s ?p ?o }
}
