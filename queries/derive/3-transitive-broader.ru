# What is narrower is narrower than all that is broader still (SKOS reference, S24), in the same graph.
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>

INSERT { GRAPH ?g { ?narrower skos:broaderTransitive ?broader } }
WHERE { GRAPH ?g { ?narrower skos:broader+ ?broader } }
