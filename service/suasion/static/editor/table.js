// Rows as a table: sorted by a column, in pages of 500.

import { element } from "./dom.js";
import { moment, number } from "./terms.js";

const PAGE = 500;
const LONG = /\S{48}|.{120}/;

function compare(a, b, terms) {
  if (!a || !b) {
    return a ? -1 : b ? 1 : 0; // what is unbound comes last
  }
  const [x, y] = [number(a) ?? moment(a), number(b) ?? moment(b)];
  return x !== null && y !== null ? x - y : terms.text(a).localeCompare(terms.text(b));
}

export function table(panel, names, rows, terms) {
  let order = { name: "", down: false };
  let first = 0;
  let sorted = rows;
  const sort = (name) => {
    order = { name, down: order.name === name && !order.down };
    sorted = [...rows].sort((a, b) => {
      const unbound = !a[name] || !b[name];
      return compare(a[name], b[name], terms) * (order.down && !unbound ? -1 : 1);
    });
    first = 0;
    draw(name);
  };
  const turn = (by) => {
    first += by;
    draw();
    panel.querySelector("table").scrollIntoView({ block: "nearest" });
  };
  const draw = (focus) => {
    const heads = names.map((name) => {
      const button = element("button", { type: "button", class: "sort" }, `?${name}`);
      button.addEventListener("click", () => sort(name));
      const direction = order.name !== name ? undefined : order.down ? "descending" : "ascending";
      return element("th", { scope: "col", "aria-sort": direction }, button);
    });
    const shown = sorted.slice(first, first + PAGE);
    const body = shown.map((row) =>
      element("tr", {}, ...names.map((name) => element("td", { class: LONG.test(row[name]?.value) ? "long" : undefined }, ...(row[name] ? terms.shown(row[name]) : [])))),
    );
    const made = element(
      "table",
      { class: "rows" },
      element("caption", {}, rows.length > PAGE ? `Rows ${first + 1} to ${first + shown.length} of ${rows.length.toLocaleString("en")}` : "Rows"),
      element("thead", {}, element("tr", {}, ...heads)),
      element("tbody", {}, ...body),
    );
    panel.replaceChildren(element("div", { class: "scrolls", role: "region", "aria-label": "Rows", tabindex: "0" }, made));
    if (rows.length > PAGE) {
      const before = element("button", { type: "button", disabled: first === 0 }, "Rows before");
      const after = element("button", { type: "button", disabled: first + PAGE >= rows.length }, "Rows after");
      before.addEventListener("click", () => turn(-PAGE));
      after.addEventListener("click", () => turn(PAGE));
      panel.append(element("p", { class: "acts" }, before, " ", after));
    }
    if (focus) {
      panel.querySelectorAll("th button")[names.indexOf(focus)].focus();
    }
  };
  draw();
}
