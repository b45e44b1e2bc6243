# The default graph: every graph that is no claim, and the content of claims that count as fact; graph:states, which is only
# for converting codes, stays out of it.
PREFIX : <https://w3id.org/suasion/def#>
PREFIX graph: <https://w3id.org/suasion/graph/>
PREFIX schema: <https://schema.org/>

INSERT { ?s ?p ?o }
WHERE {
  GRAPH ?g { ?s ?p ?o }
  FILTER(?g != graph:states)
  FILTER NOT EXISTS { GRAPH <https://w3id.org/suasion/graph/claims> { ?g a schema:Claim } }
} ;

INSERT { ?s ?p ?o }
WHERE {
  GRAPH <https://w3id.org/suasion/graph/ontology> { ?modality :countsAsFact true }
  GRAPH <https://w3id.org/suasion/graph/claims> { ?claim :modality ?modality }
  GRAPH ?claim { ?s ?p ?o }
}
