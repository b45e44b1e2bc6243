// Turtle with its parts told apart, and the triples of N-Triples.

import { element } from "./dom.js";

const TOKEN = /(?<comment>#.*)|(?<iri><[^<>"{}|^`\\\s]*>)|(?<literal>"""[^]*?"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<keyword>@?\b(?:prefix|base|PREFIX|BASE|a|true|false)\b(?!:))|(?<name>[\w-]*:[\w.%-]*\w)/g;

// The prefixes that nothing uses are left out: the table of the dataset is long.
export function highlighted(whole) {
  const body = whole.replace(/^@prefix .*\n/gm, "");
  const text = whole.replace(/^@prefix ([\w-]*): .*\n/gm, (line, prefix) => (new RegExp(`(?<![\\w-])${prefix}:[\\w-]`).test(body) ? line : ""));
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [kind] = Object.entries(found.groups).find(([, value]) => value !== undefined);
    parts.push(text.slice(last, found.index), element("span", { class: `code-${kind}` }, found[0]));
    last = found.index + found[0].length;
  }
  parts.push(text.slice(last));
  return parts;
}

const IRI = "<([^>]*)>|_:(\\S+)";
const TRIPLE = new RegExp(`^(?:${IRI})\\s+<([^>]*)>\\s+(?:${IRI}|"((?:[^"\\\\]|\\\\.)*)"(?:@([\\w-]+)|\\^\\^<([^>]*)>)?)\\s*\\.\\s*$`);
const ESCAPES = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f", '"': '"', "'": "'", "\\": "\\" };

// Triples of N-Triples as terms of SPARQL JSON: [subject, IRI of the property, object].
export function triples(text) {
  return text.split("\n").flatMap((line) => {
    const found = TRIPLE.exec(line);
    if (!found) {
      return [];
    }
    const node = (iri, label) => (iri === undefined ? { type: "bnode", value: label } : { type: "uri", value: unescaped(iri) });
    const literal = { type: "literal", value: unescaped(found[6] ?? ""), "xml:lang": found[7], datatype: found[8] };
    return [[node(found[1], found[2]), unescaped(found[3]), found[6] === undefined ? node(found[4], found[5]) : literal]];
  });
}

function unescaped(text) {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (whole, short, long, letter) =>
    letter ? (ESCAPES[letter] ?? whole) : String.fromCodePoint(parseInt(short ?? long, 16)),
  );
}
