# The character ranges of a passage, as one text: start-end, two of them with a space between.
PREFIX : <https://w3id.org/suasion/def#>
PREFIX oa: <http://www.w3.org/ns/oa#>

INSERT { GRAPH ?g { ?passage :characterRanges ?ranges } }
WHERE {
  GRAPH ?g {
    ?passage oa:hasSelector ?first .
    FILTER NOT EXISTS { ?passage :marker ?number }
    ?first oa:start ?start ; oa:end ?end .
    FILTER NOT EXISTS { ?first :ordinal ?n FILTER(?n > 1) }
    OPTIONAL {
      ?passage oa:hasSelector ?second .
      ?second :ordinal 2 ; oa:start ?start2 ; oa:end ?end2 .
    }
    BIND(CONCAT(STR(?start), "-", STR(?end)) AS ?one)
    BIND(IF(BOUND(?second), CONCAT(?one, " ", STR(?start2), "-", STR(?end2)), ?one) AS ?ranges)
  }
}
