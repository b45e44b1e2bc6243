# What is of a class is of the classes above it, in the same graph.
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>

INSERT { GRAPH ?g { ?s a ?super } }
WHERE {
  GRAPH <https://w3id.org/suasion/graph/ontology> { ?class rdfs:subClassOf+ ?super }
  GRAPH ?g { ?s a ?class }
}
