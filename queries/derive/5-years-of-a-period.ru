# A period includes each year that it touches; an open side runs on to the first or last year that any period names.
PREFIX : <https://w3id.org/suasion/def#>
PREFIX graph: <https://w3id.org/suasion/graph/>

INSERT { GRAPH graph:derived { ?period :includesYear ?year } }
WHERE {
  {
    SELECT (MIN(YEAR(?day)) AS ?earliest) (MAX(YEAR(?day)) AS ?latest) WHERE { GRAPH graph:quantities { ?any :begins|:ends ?day } }
  }
  GRAPH graph:quantities { ?period a :Period }
  OPTIONAL { GRAPH graph:quantities { ?period :begins ?begins } }
  OPTIONAL { GRAPH graph:quantities { ?period :ends ?ends } }
  FILTER(BOUND(?begins) || BOUND(?ends))
  {
    SELECT ?year WHERE {
      VALUES ?tens { 0 10 20 30 40 50 60 70 80 90 }
      VALUES ?ones { 0 1 2 3 4 5 6 7 8 9 }
      VALUES ?century { 1800 1900 2000 2100 }
      BIND(?century + ?tens + ?ones AS ?year)
    }
  }
  FILTER(COALESCE(YEAR(?begins), ?earliest) <= ?year && ?year <= COALESCE(YEAR(?ends), ?latest))
}
