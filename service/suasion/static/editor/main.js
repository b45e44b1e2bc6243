// The page of the editor: the pane or the plain field, asking, the answer in its views, links and code to take away.

import { copyButton, element, tabs } from "./dom.js";
import { graph } from "./graph.js";
import { chart, columnsWith, map, places, timeline } from "./pictures.js";
import { form as queryForm, snippets } from "./snippets.js";
import { table } from "./table.js";
import { moment, number, Terms } from "./terms.js";
import { highlighted, triples } from "./turtle.js";

const MOST_BYTES = 24 * 1024 * 1024;
const MOST_SHOWN = 200_000;
const MOST_URL = 60_000;
const RESULTS = "application/sparql-results+json";
const FORMATS = {
  rows: [["CSV", "csv"], ["TSV", "tsv"], ["JSON", "json"], ["XML", "xml"]],
  graph: [["Turtle", "turtle"], ["N-Triples", "nt"], ["JSON-LD", "jsonld"], ["RDF/XML", "rdf"]],
};

const at = (id) => document.getElementById(id);
const form = at("ask");
const field = at("query");
let vocabulary = { prefixes: {}, classes: [], properties: [], graphs: {} };
let terms = new Terms({}, form.dataset);
let asking = null;
let pane = plainField();

// ── Writing the query ──────────────────────────────────────────────────────────────────────────────────────────────────

function plainField() {
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      ask();
    }
  });
  field.addEventListener("input", showCode);
  return {
    text: () => field.value,
    set(text) {
      field.value = text;
    },
    focus: () => field.focus(),
    mark(line, column) {
      const before = field.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      field.focus();
      field.setSelectionRange(before + column - 1, before + column);
    },
    clear() {},
  };
}

async function mount() {
  if (!form.dataset.pane) {
    return;
  }
  try {
    const { mountPane } = await import(form.dataset.pane);
    const host = at("pane");
    host.hidden = false;
    pane = mountPane(host, {
      text: field.value,
      label: "Query",
      description: "Control Enter runs. Escape, then Tab, leaves the editor.",
      vocabulary: () => vocabulary,
      suggest,
      run: ask,
      changed: showCode,
    });
    field.hidden = true;
    document.querySelector("label[for=query]").addEventListener("click", () => pane.focus());
  } catch (error) {
    tell(["The editor could not be loaded: this is a plain field.", String(error.message)], true);
  }
}

async function learn() {
  const response = await fetch("/editor/names");
  if (response.ok) {
    vocabulary = await response.json();
    terms = new Terms(vocabulary.prefixes, form.dataset);
  }
}

// Things whose name or code begins so, as pairs of short name and label.
async function suggest(text) {
  try {
    const response = await fetch(`/suggest?${new URLSearchParams({ text })}`, { headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).rows.map((row) => [terms.shorten(row.thing), row.label ?? ""]) : [];
  } catch {
    return [];
  }
}

// ── Settings, links and code ───────────────────────────────────────────────────────────────────────────────────────────

// The parameters beside the query, where they are not what is taken anyway.
function settings() {
  const given = {};
  for (const box of [at("union"), at("partial")]) {
    if (box.checked) {
      given[box.name] = box.value;
    }
  }
  const seconds = at("timeout");
  if (seconds.selectedIndex < seconds.options.length - 1) {
    given.timeout = seconds.value;
  }
  return given;
}

// The fragment of a link: a server never sees it.
function fragment() {
  return `#${new URLSearchParams({ query: pane.text(), ...settings() })}`;
}

// Fill in what a link holds. It is never run before its reader has seen it.
function fillFromLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("query")) {
    return;
  }
  pane.set(given.get("query"));
  at("union").checked = given.get("default-graph-uri") === at("union").value;
  at("partial").checked = given.get("partial") === "true";
  const seconds = [...at("timeout").options].find((option) => option.value === given.get("timeout"));
  at("timeout").selectedIndex = seconds ? seconds.index : at("timeout").options.length - 1;
  tell(["This query came with the link: Run asks it."]);
}

function showCode() {
  const found = snippets(pane.text(), settings(), location.origin);
  const list = at("languages");
  const chosen = list.querySelector("[aria-selected=true]")?.textContent ?? "curl";
  tabs(list, at("snippet"), Object.keys(found), chosen, (name) => {
    const label = `Code: ${name}`;
    const shown = element("pre", { tabindex: "0", role: "region", "aria-label": label }, element("code", {}, found[name]));
    at("snippet").replaceChildren(shown, element("p", { class: "acts" }, copyButton(() => found[name])));
  });
  at("code").hidden = false;
}

// ── Asking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function tell(sentences, fault = false) {
  at("status").classList.toggle("fault", fault);
  at("status").replaceChildren(...sentences.filter(Boolean).map((sentence) => element("span", {}, `${sentence} `)));
}

async function ask() {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const query = pane.text();
  const given = settings();
  pane.clear();
  at("stop").hidden = false;
  tell(["Asking …"]);
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(2)} s`;
  try {
    const response = await fetch("/sparql", {
      method: "POST",
      body: new URLSearchParams({ query, ...given }),
      headers: { Accept: `${RESULTS}, text/turtle` },
      signal: mine.signal,
    });
    if (!response.ok) {
      refuse(await response.json(), seconds());
      return;
    }
    const text = await whole(response, mine);
    show(query, given, response, text, seconds());
  } catch (error) {
    if (asking === mine) {
      at("result").hidden = true;
      tell(mine.signal.aborted ? [mine.signal.reason?.said ?? `Stopped after ${seconds()}.`] : cutShort(error, seconds()), !mine.signal.aborted);
    }
  } finally {
    if (asking === mine) {
      asking = null;
      at("stop").hidden = true;
    }
  }
}

// Read an answer to its end, or stop where a page could not hold it.
async function whole(response, mine) {
  const parts = [];
  let bytes = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) {
      return new Blob(parts).text();
    }
    parts.push(value);
    bytes += value.length;
    if (bytes > MOST_BYTES) {
      const said = `The answer has more than ${MOST_BYTES / 1024 / 1024} MiB: too much for a page, so none of it is shown. Add a LIMIT, or use the code below.`;
      mine.abort({ said });
    }
  }
}

function cutShort(error, took) {
  return [
    `The answer was cut after ${took}, so nothing of it is shown: ${error.message}.`,
    "The time was up, the answer grew too large, or the service could not be reached. Ask for less, or tick “Some rows”.",
  ];
}

function refuse(problem, took) {
  at("result").hidden = true;
  const help = {
    TimedOut: "Tick “Some rows, when time runs out” to see what is found until then, or ask for less.",
    AnswerTooLarge: "Add a LIMIT, or tick “Some rows” to see the first.",
    TooManyRequests: "",
  }[problem.type?.split("/").pop()];
  tell([`${problem.title} (${problem.status}, ${took}).`, problem.detail, help], true);
  if (problem.line) {
    pane.mark(problem.line, problem.column ?? 1);
  }
}

// Say how far the answer can be trusted to be all there is.
function completeness(response, query, count) {
  const said = response.headers.get("Suasion-Completeness") ?? "";
  const reason = /reason=(\w+)/.exec(said)?.[1];
  if (reason === "service") {
    const failed = response.headers.get("Suasion-Failed-Services");
    return ["Incomplete: a SERVICE SILENT failed, and its part is missing.", failed ? `It was ${failed}.` : ""];
  }
  if (said.startsWith("truncated")) {
    return [
      reason === "bytes" ? "Truncated: there are more rows than fill the first MiB." : "Truncated: the time was up, there may be more rows.",
      reason === "bytes" ? "Untick “Some rows” for the whole answer, or add a LIMIT." : "Allow more seconds, or ask for less.",
    ];
  }
  const limit = Number(/\bLIMIT\s+(\d+)(?![^]*\bLIMIT\b)/i.exec(query)?.[1] ?? NaN);
  return ["Complete.", limit === count ? `LIMIT ${limit} of the query is reached: there may be more without it.` : ""];
}

// ── The answer ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function show(query, given, response, text, took) {
  const isRows = response.headers.get("Content-Type").startsWith(RESULTS);
  at("result").hidden = false;
  offer(query, given, isRows ? FORMATS.rows : FORMATS.graph);
  const panel = at("shown");
  const list = at("views");
  if (!isRows) {
    tell([`A graph, in ${took}.`, ...completeness(response, query)]);
    tabs(list, panel, ["Turtle", "Graph"], "Turtle", (name) => (name === "Turtle" ? source(panel, text, highlighted) : drawn(panel, query, given)));
    return;
  }
  const document_ = JSON.parse(text);
  if ("boolean" in document_) {
    tell([`${document_.boolean ? "Yes" : "No"}, in ${took}.`, ...completeness(response, query)]);
    tabs(list, panel, ["Answer", "Raw"], "Answer", (name) =>
      name === "Raw" ? source(panel, text) : panel.replaceChildren(element("p", { class: "word" }, document_.boolean ? "Yes" : "No")),
    );
    return;
  }
  const names = document_.head.vars;
  const rows = document_.results.bindings;
  const count = `${rows.length.toLocaleString("en")} ${rows.length === 1 ? "row" : "rows"}`;
  tell([`${count} in ${took}.`, ...completeness(response, query, rows.length), rows.length ? "" : "No rows: the graph does not say so, which does not mean that it is false."]);
  const things = columnsWith(names, rows, (term) => (term?.type === "uri" ? term.value : null));
  const views = {
    Table: () => table(panel, names, rows, terms),
    ...(columnsWith(names, rows, number).length && { Chart: () => chart(panel, names, rows, terms) }),
    ...(columnsWith(names, rows, moment).length && { Timeline: () => timeline(panel, names, rows, terms) }),
    ...(places(names, rows).length && { Map: () => map(panel, names, rows, terms) }),
    ...(things.length > 1 && { Graph: () => graph(panel, joined(things, rows), terms) }),
    Raw: () => source(panel, text),
  };
  const before = list.querySelector("[aria-selected=true]")?.textContent;
  tabs(list, panel, Object.keys(views), before in views ? before : "Table", (name) => views[name]());
}

// The first thing of each row, joined to the others by the names of their columns.
function joined([first, ...others], rows) {
  return rows.flatMap((row) => others.flatMap((name) => (row[first]?.type === "uri" && row[name]?.type === "uri" ? [[row[first], `?${name}`, row[name]]] : [])));
}

function source(panel, text, mark = (shown) => [shown]) {
  const shown = text.length > MOST_SHOWN ? text.slice(0, MOST_SHOWN) : text;
  const note = text.length > MOST_SHOWN ? "This is the beginning: the downloads have all." : "";
  panel.replaceChildren(
    element("pre", { tabindex: "0", role: "region", "aria-label": "The answer as text" }, element("code", {}, ...mark(shown))),
    element("p", { class: "note" }, note),
  );
}

async function drawn(panel, query, given) {
  panel.replaceChildren(element("p", {}, "Drawing …"));
  const response = await fetch("/sparql", { method: "POST", body: new URLSearchParams({ query, ...given }), headers: { Accept: "application/n-triples" } });
  if (!response.ok) {
    panel.replaceChildren(element("p", {}, `${(await response.json()).detail}`));
    return;
  }
  graph(panel, triples(await response.text()), terms);
}

function offer(query, given, formats) {
  const links = formats.map(([name, format]) => [name, format, `/sparql?${new URLSearchParams({ query, ...given, format })}`]);
  if (links.some(([, , href]) => href.length > MOST_URL)) {
    at("downloads").replaceChildren("The query is too long for links: take the answer by the code below.");
    return;
  }
  const made = links.map(([name, format, href]) => element("a", { href, download: `answer.${format}` }, name));
  at("downloads").replaceChildren("Download: ", ...made.flatMap((link, place) => (place ? [" · ", link] : [link])));
}

// ── Start ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("change", showCode);
at("stop").addEventListener("click", () => asking?.abort());
at("share").addEventListener("click", async () => {
  history.replaceState(null, "", `/editor${fragment()}`);
  try {
    await navigator.clipboard.writeText(location.href);
    tell(["The link is copied, and in the address bar. It opens filled in and does not run by itself."]);
  } catch {
    tell(["The link is in the address bar. It opens filled in and does not run by itself."]);
  }
});
at("examples").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = at("example").value;
  const response = await fetch(`/editor/examples/${name.split("/").map(encodeURIComponent).join("/")}`);
  if (response.ok) {
    pane.set(await response.text());
    pane.clear();
    showCode();
    tell(["The example is filled in: Run asks it."]);
    pane.focus();
  }
});
window.addEventListener("hashchange", fillFromLink);
at("share").hidden = false;
await Promise.all([mount(), learn()]);
fillFromLink();
showCode();
form.dataset.ready = "true";
