# A thing is of the kinds that the labels of its classes name; classes of other vocabularies get their labels here.
# What only graph:states describes is nothing that the article speaks of, and has no kind.
PREFIX : <https://w3id.org/suasion/def#>
PREFIX adms: <http://www.w3.org/ns/adms#>
PREFIX c4o: <http://purl.org/spar/c4o/>
PREFIX doco: <http://purl.org/spar/doco/>
PREFIX dqv: <http://www.w3.org/ns/dqv#>
PREFIX fabio: <http://purl.org/spar/fabio/>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
PREFIX geo: <http://www.opengis.net/ont/geosparql#>
PREFIX graph: <https://w3id.org/suasion/graph/>
PREFIX org: <http://www.w3.org/ns/org#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
PREFIX sem: <http://semanticweb.cs.vu.nl/2009/11/sem/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX skosxl: <http://www.w3.org/2008/05/skos-xl#>

INSERT { GRAPH graph:derived { ?thing :kindName ?name } }
WHERE {
  {
    GRAPH graph:ontology {
      ?class
        rdfs:isDefinedBy <https://w3id.org/suasion/def> ;
        rdfs:label ?label .
    }
    BIND(STR(?label) AS ?name)
  } UNION {
    VALUES (?class ?name) {
      (adms:Identifier "identifier")
      (c4o:InTextReferencePointer "note marker")
      (doco:Paragraph "paragraph")
      (doco:Section "section")
      (doco:SectionTitle "heading")
      (doco:Sentence "sentence")
      (dqv:QualityAnnotation "quality note")
      (fabio:Journal "journal")
      (foaf:Group "group")
      (foaf:Person "person")
      (geo:Feature "place")
      (org:FormalOrganization "formal organization")
      (org:Membership "membership")
      (org:Organization "organization")
      (org:OrganizationalCollaboration "grouping of organizations")
      (org:Post "office")
      (prov:Entity "source")
      (schema:Claim "claim")
      (schema:Question "competency question")
      (sem:Event "event")
      (sem:EventType "type of event")
      (skos:Concept "concept")
      (skosxl:Label "spelling")
    }
  }
  GRAPH ?graph { ?thing a ?class }
  FILTER(?graph != graph:states)
  FILTER(STRSTARTS(STR(?thing), "https://w3id.org/suasion/id/"))
}
