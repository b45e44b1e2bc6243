// RDF terms as readers see them: short names by prefixes, links to pages, language and datatype.

import { element } from "./dom.js";

const XSD = "http://www.w3.org/2001/XMLSchema#";
const PATH = /^[^\u0000-\u0020<>"{}|\\^`?#]+$/;
const LOCAL = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/;
const NUMBERS = new Set(
  ("integer decimal double float int long short byte nonNegativeInteger positiveInteger negativeInteger nonPositiveInteger " +
    "unsignedInt unsignedLong unsignedShort unsignedByte").split(" ").map((name) => XSD + name),
);
const DATES = new Set("date dateTime dateTimeStamp gYear gYearMonth".split(" ").map((name) => XSD + name));

export class Terms {
  // prefixes: prefix to namespace; served: how the IRIs of things begin that have pages at /doc/, and all others of ours, or "".
  constructor(prefixes, served) {
    this.namespaces = Object.entries(prefixes).sort((a, b) => b[1].length - a[1].length);
    this.served = served;
  }

  shorten(iri) {
    for (const [prefix, namespace] of this.namespaces) {
      if (iri.startsWith(namespace) && LOCAL.test(iri.slice(namespace.length))) {
        return `${prefix}:${iri.slice(namespace.length)}`;
      }
    }
    return iri;
  }

  // Where a reader is led by an IRI, as places.py has it: a path here, an address on the web, or nowhere ("").
  link(iri) {
    const { things, base } = this.served;
    const path = (rest) => encodeURI(rest).replaceAll("%25", "%");
    if (iri.startsWith(things) && PATH.test(iri.slice(things.length))) {
      return `/doc/${path(iri.slice(things.length))}`;
    }
    if (base && iri.startsWith(base)) {
      return `/${path(iri.slice(base.length))}`;
    }
    return /^https?:\/\//.test(iri) ? iri : "";
  }

  // The text of a term alone, for pictures.
  text(term) {
    return term.type === "uri" ? this.shorten(term.value) : term.type === "bnode" ? `_:${term.value}` : String(term.value ?? "…");
  }

  // The elements of a term.
  shown(term) {
    if (term.type === "uri") {
      const short = this.shorten(term.value);
      const href = this.link(term.value);
      const text = short === term.value ? `<${short}>` : short;
      return [href ? element("a", { href, title: term.value, rel: "noreferrer" }, text) : element("span", {}, text)];
    }
    if (term.type === "bnode") {
      return [element("span", { class: "kind" }, `_:${term.value}`)];
    }
    if (term.type === "triple") {
      return ["<< ", ...["subject", "predicate", "object"].flatMap((part) => [...this.shown(term.value[part]), " "]), ">>"];
    }
    const kind = term["xml:lang"]
      ? `@${term["xml:lang"]}${term["its:dir"] ? `--${term["its:dir"]}` : ""}`
      : term.datatype && term.datatype !== `${XSD}string`
        ? `^^${this.shorten(term.datatype)}`
        : "";
    const text = element("span", { dir: "auto", lang: term["xml:lang"] }, term.value);
    return kind ? [text, " ", element("small", { class: "kind" }, kind)] : [text];
  }
}

export function number(term) {
  return term?.type === "literal" && NUMBERS.has(term.datatype) && Number.isFinite(Number(term.value)) ? Number(term.value) : null;
}

// The years, with fractions, of a date; null for what is none.
export function moment(term) {
  if (term?.type !== "literal" || !DATES.has(term.datatype)) {
    return null;
  }
  const found = /^(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?/.exec(term.value);
  return found ? Number(found[1]) + (Number(found[2] ?? 1) - 1) / 12 + (Number(found[3] ?? 1) - 1) / 372 : null;
}

// Longitude and latitude of a point in WKT, in the order of CRS84; null for what is none.
export function point(term) {
  if (term?.type !== "literal" || !/wktLiteral$/.test(term.datatype ?? "")) {
    return null;
  }
  const found = /^\s*(<[^>]*>)?\s*POINT\s*\(\s*(-?[\d.]+)[\s,]+(-?[\d.]+)/i.exec(term.value);
  if (!found || (found[1] && !found[1].includes("CRS84"))) {
    return null;
  }
  return [Number(found[2]), Number(found[3])];
}
