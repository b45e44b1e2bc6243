// The pane in which a query is written: CodeMirror with highlighting, completion, prefixes filled in, and places of faults.
//
// mountPane(host, options) puts it into the shadow tree of an element, where CodeMirror keeps its styles without inline ones.

import {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching, HighlightStyle, indentOnInput, LanguageSupport, syntaxHighlighting, syntaxTree,
} from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration, drawSelection, dropCursor, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers,
} from "@codemirror/view";
import { styleTags, tags } from "@lezer/highlight";
import { SparqlLanguage } from "codemirror-lang-sparql";

const KEYWORDS = (
  "SELECT CONSTRUCT DESCRIBE ASK WHERE FROM NAMED PREFIX BASE DISTINCT REDUCED OPTIONAL UNION MINUS GRAPH SERVICE FILTER BIND AS " +
  "VALUES UNDEF ORDER BY GROUP HAVING LIMIT OFFSET ASC DESC EXISTS NOT IN"
).split(" ");
const FUNCTIONS = (
  "STR LANG LANGMATCHES DATATYPE BOUND IRI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN UCASE LCASE ENCODE_FOR_URI CONTAINS " +
  "STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY HOURS MINUTES SECONDS TIMEZONE TZ NOW UUID STRUUID MD5 SHA1 SHA256 SHA512 " +
  "COALESCE IF STRLANG STRDT SAMETERM ISIRI ISBLANK ISLITERAL ISNUMERIC REGEX SUBSTR REPLACE COUNT SUM MIN MAX AVG SAMPLE " +
  "GROUP_CONCAT"
).split(" ");
const NO_NAMES_WITHIN = new Set(["Comment", "String", "IriRef"]);
const DECLARATION = /^[ \t]*PREFIX[ \t]+([\w-]*):/gim;

const language = SparqlLanguage.configure({
  props: [
    styleTags({
      "PrefixedName Pname_ln Pname_ns": tags.propertyName,
      IriRef: tags.url,
      Var: tags.variableName,
      "Integer Decimal Double": tags.number,
      "A_predicate Keyword": tags.keyword,
    }),
  ],
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.variableName, color: "var(--code-variable)" },
  { tag: [tags.propertyName, tags.namespace, tags.typeName], color: "var(--code-name)" },
  { tag: tags.url, color: "var(--code-iri)" },
  { tag: [tags.string, tags.number, tags.integer, tags.float, tags.bool], color: "var(--code-literal)" },
  { tag: [tags.comment, tags.annotation], color: "var(--muted)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--panel)", border: "1px solid var(--line)", fontSize: ".9rem" },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "ui-monospace, monospace", lineHeight: "1.5", minHeight: "16rem", maxHeight: "34rem", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: ".5rem 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--mark)", outline: "1px solid var(--line)" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: ".3rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "ui-monospace, monospace", maxHeight: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".15rem .5rem", color: "var(--ink)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--paper)" },
  ".cm-completionDetail": { fontStyle: "normal", color: "var(--muted)", marginLeft: "1rem" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionInfo": { maxWidth: "24rem", padding: ".5rem .7rem", fontFamily: "system-ui, sans-serif" },
  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--paper)", color: "var(--ink)", backgroundImage: "none", border: "1px solid var(--muted)" },
  ".cm-searchMatch": { backgroundColor: "var(--mark)" },
  ".cm-fault": { textDecoration: "underline wavy var(--alert)", backgroundColor: "color-mix(in srgb, var(--alert) 15%, transparent)" },
});

// The place of a fault, until the text changes there or another is set. (The package for it loads a picture from a data: URL.)
const setFault = StateEffect.define();
const fault = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    const told = transaction.effects.find((effect) => effect.is(setFault));
    if (told) {
      return told.value ? Decoration.set([Decoration.mark({ class: "cm-fault" }).range(...told.value)]) : Decoration.none;
    }
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function declared(text) {
  return new Set([...text.matchAll(DECLARATION)].map((found) => found[1]));
}

// The change that declares a prefix: after the other declarations, before the last where more stands on its line, or before all.
function declaration(state, prefix, namespace) {
  const text = state.doc.toString();
  const last = [...text.matchAll(DECLARATION)].pop();
  const line = `PREFIX ${prefix}: <${namespace}>`;
  if (!last) {
    return { from: 0, insert: `${line}\n${/^\s*\n/.test(text) || !text ? "" : "\n"}` };
  }
  const end = state.doc.lineAt(last.index + last[0].length).to;
  return /^\s*<[^<>]*>\s*$/.test(text.slice(last.index + last[0].length, end))
    ? { from: end, insert: `\n${line}` }
    : { from: last.index, insert: `${line}\n` };
}

function missing(state, name, prefixes) {
  const prefix = name.slice(0, name.indexOf(":"));
  return name.includes(":") && prefix in prefixes && !declared(state.doc.toString()).has(prefix)
    ? [declaration(state, prefix, prefixes[prefix])]
    : [];
}

function within(state, position) {
  return syntaxTree(state).resolveInner(position, -1).name;
}

// Adds the declaration of a known prefix in the same step in which its colon is typed.
function fillPrefixes(vocabulary) {
  return EditorState.transactionFilter.of((transaction) => {
    if (!transaction.isUserEvent("input.type") || !transaction.docChanged) {
      return transaction;
    }
    const end = transaction.newSelection.main.head;
    const line = transaction.newDoc.lineAt(end);
    const typed = line.text.slice(0, end - line.from);
    const found = /(?:^|[\s{}()[\]^|/!,;])([\w-]*):$/.exec(typed);
    if (!found || /^\s*PREFIX\s/i.test(typed) || typed.includes("#") || !(found[1] in vocabulary().prefixes)) {
      return transaction;
    }
    const before = transaction.startState;
    if (NO_NAMES_WITHIN.has(within(before, Math.min(before.selection.main.from, before.doc.length)))) {
      return transaction;
    }
    if (declared(transaction.newDoc.toString()).has(found[1])) {
      return transaction;
    }
    const changes = declaration({ doc: transaction.newDoc }, found[1], vocabulary().prefixes[found[1]]);
    return [transaction, { changes, sequential: true }];
  });
}

function named(vocabulary) {
  const described = (kind) => ([name, meaning, everywhere, facts]) => ({
    label: name.includes("://") && !known(name, vocabulary.prefixes) ? `<${name}>` : name,
    type: kind === "class" ? "class" : "property",
    detail: `${kind}, ${everywhere.toLocaleString("en")}`,
    info: [meaning, `${everywhere.toLocaleString("en")} in all graphs, ${facts.toLocaleString("en")} in the default graph.`]
      .filter(Boolean)
      .join(". "),
    boost: Math.min(20, Math.log2(1 + everywhere)),
  });
  return {
    classes: vocabulary.classes.map(described("class")),
    properties: vocabulary.properties.map(described("property")),
    graphs: Object.entries(vocabulary.graphs).map(([name, number]) => ({
      label: known(name, vocabulary.prefixes) ? name : `<${name}>`,
      type: "namespace",
      detail: `graph, ${number.toLocaleString("en")}`,
    })),
  };
}

function known(name, prefixes) {
  return name.slice(0, name.indexOf(":")) in prefixes;
}

// What may stand here, by what stands before: after `a` a class, after a subject or a semicolon a property, after GRAPH a graph.
function expected(before) {
  if (/\bGRAPH\s+$/i.test(before) || /\b(?:FROM|FROM\s+NAMED)\s+$/i.test(before)) {
    return "graphs";
  }
  if (/(?:^|\s)(?:a|rdf:type)\s+$/.test(before)) {
    return "classes";
  }
  if (/[;/^|]\s*$/.test(before) || /[{.]\s*(?:[?$]\w+|<[^>]*>|[\w-]*:[\w.-]*)\s+$/.test(before)) {
    return "properties";
  }
  return "";
}

function completions(vocabulary, suggest) {
  let last = null;
  let lists = null;
  return async (context) => {
    const state = context.state;
    if (NO_NAMES_WITHIN.has(within(state, context.pos)) && !context.matchBefore(/<[^<>\s]*$/)) {
      return null;
    }
    const variable = context.matchBefore(/[?$]\w*$/);
    if (variable) {
      const seen = new Set(state.doc.toString().match(/[?$][A-Za-z_]\w*/g) ?? []);
      seen.delete(variable.text);
      return { from: variable.from, options: [...seen].map((label) => ({ label, type: "variable" })), validFor: /^[?$]\w*$/ };
    }
    const declaring = context.matchBefore(/\bPREFIX\s+[\w-]*$/i);
    const prefixes = Object.entries(vocabulary().prefixes);
    if (declaring) {
      const from = declaring.to - /[\w-]*$/.exec(declaring.text)[0].length;
      return { from, options: prefixes.map(([name, iri]) => ({ label: `${name}:`, detail: iri, apply: `${name}: <${iri}>`, type: "namespace" })) };
    }
    const word = context.matchBefore(/<[^<>\s]*$|[\w-]*:?[\w.-]*$/);
    if (!word || (word.from === word.to && !context.explicit)) {
      return null;
    }
    if (last !== vocabulary()) {
      last = vocabulary();
      lists = named(last);
    }
    const expects = expected(state.sliceDoc(Math.max(0, word.from - 300), word.from));
    const apply = (view, completion, from, to) => {
      const name = completion.label;
      view.dispatch({
        changes: [...missing(view.state, name, vocabulary().prefixes), { from, to, insert: name }],
        selection: undefined,
        userEvent: "input.complete",
        scrollIntoView: true,
      });
      const put = view.state.doc.toString().indexOf(name, from);
      view.dispatch({ selection: { anchor: (put < 0 ? from : put) + name.length } });
    };
    const order = ["classes", "properties", "graphs"];
    const options = order
      .filter((kind) => !expects || kind === expects)
      .flatMap((kind) => lists[kind].map((option) => ({ ...option, apply })));
    if (!word.text.startsWith("<")) {
      if (!word.text.includes(":")) {
        options.push(...KEYWORDS.map((label) => ({ label, type: "keyword", boost: expects ? -40 : 5 })));
        options.push(...FUNCTIONS.map((label) => ({ label, type: "function", apply: `${label}(`, boost: -30 })));
        options.push(...prefixes.map(([name, iri]) => ({ label: `${name}:`, detail: iri, type: "namespace", apply, boost: -20 })));
      }
      const [prefix, local] = word.text.split(":");
      if (local?.length > 1 && prefix in vocabulary().prefixes) {
        const things = await suggest(local.replaceAll("-", " "));
        options.push(
          ...things
            .filter(([name]) => name.startsWith(`${prefix}:`))
            .map(([name, label]) => ({ label: name, detail: label, type: "constant", apply, boost: 30 })),
        );
        return { from: word.from, options, validFor: (text) => text.length <= word.text.length && /^[\w-]*:?[\w.-]*$/.test(text) };
      }
    }
    return { from: word.from, options, validFor: /^(?:<[^<>\s]*|[\w-]*:?[\w.-]?)$/ };
  };
}

/**
 * Put the pane into an element; return what reads and changes it.
 *
 * options: text; label; description (both for those who hear the page); vocabulary(), with prefixes, classes, properties, graphs;
 * suggest(text), which promises pairs of short name and label; run(); changed().
 */
export function mountPane(host, options) {
  const root = host.attachShadow({ mode: "open" });
  const state = EditorState.create({
    doc: options.text,
    extensions: [
      Prec.highest(keymap.of([{ key: "Ctrl-Enter", mac: "Cmd-Enter", run: () => (options.run(), true) }, { key: "Ctrl-Enter", run: () => (options.run(), true) }])),
      Prec.high(keymap.of([{ key: "Tab", run: acceptCompletion }, { key: "Ctrl-Space", run: startCompletion }])),
      lineNumbers(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      dropCursor(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      search({ top: true }),
      EditorState.tabSize.of(2),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": options.label, "aria-description": options.description, spellcheck: "false" }),
      new LanguageSupport(language),
      syntaxHighlighting(colours),
      look,
      autocompletion({ override: [completions(options.vocabulary, options.suggest)], maxRenderedOptions: 60 }),
      fillPrefixes(options.vocabulary),
      fault,
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, indentWithTab]),
      EditorView.updateListener.of((update) => update.docChanged && options.changed()),
    ],
  });
  const view = new EditorView({ state, parent: root, root });
  return {
    text: () => view.state.doc.toString(),
    set(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } });
    },
    focus: () => view.focus(),
    // Marks a fault at a line and a column, counted from 1, and goes there.
    mark(line, column) {
      const row = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      const at = Math.min(row.from + Math.max(0, column - 1), row.to);
      const from = at === row.to ? Math.max(row.from, at - 1) : at;
      const word = /^[\w:?$.-]+/.exec(view.state.sliceDoc(from, row.to));
      const to = Math.min(row.to, from + (word ? word[0].length : 1));
      const effects = to > from ? setFault.of([from, to]) : setFault.of(null);
      view.dispatch({ effects, selection: { anchor: at }, scrollIntoView: true });
    },
    clear: () => view.dispatch({ effects: setFault.of(null) }),
  };
}
