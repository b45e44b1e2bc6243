// Rows as pictures: bars, a line, a timeline, a map. Each has its twin in the table, and says what it leaves out.

import { element, selection } from "./dom.js";
import { cut, draw, picture, text, ticks } from "./svg.js";
import { moment, number, point } from "./terms.js";

const MOST = 80;
const ROW = 24;

export function columnsWith(names, rows, read) {
  return names.filter((name) => rows.some((row) => read(row[name]) !== null));
}

// What can label a row: columns of names and texts, not of numbers or points.
function labels(names, rows) {
  return names.filter((name) => rows.some((row) => row[name] && number(row[name]) === null && point(row[name]) === null));
}

function left(all, drawn) {
  return all > drawn ? element("p", { class: "note" }, `The first ${drawn} of ${all.toLocaleString("en")} rows are drawn; the table has all.`) : "";
}

function controls(panel, fields, paint) {
  const chosen = {};
  const place = element("div");
  const again = () => place.replaceChildren(...paint(chosen));
  const made = Object.entries(fields).map(([field, [label, choices]]) => {
    chosen[field] = choices[0][0];
    return selection(label, `picture-${field}`, choices, chosen[field], (value) => {
      chosen[field] = value;
      again();
    });
  });
  panel.replaceChildren(element("div", { class: "options" }, ...made), place);
  again();
}

function columns(names) {
  return names.map((name) => [name, `?${name}`]);
}

export function chart(panel, names, rows, terms) {
  const values = columnsWith(names, rows, number);
  const named = [...labels(names, rows), ...values];
  const kinds = [["bars", "bars"], ["line", "a line"]];
  controls(
    panel,
    { value: ["Numbers", columns(values)], label: ["Names", columns(named)], kind: ["As", kinds] },
    ({ value, label, kind }) => {
      const found = rows.filter((row) => number(row[value]) !== null).map((row) => ({ size: number(row[value]), term: row[label] }));
      const shown = found.slice(0, MOST);
      return [...(kind === "bars" ? bars : line)(shown, value, label, terms), left(found.length, shown.length), unbound(rows.length - found.length, "number", value)];
    },
  );
}

function unbound(count, what, name) {
  const rows = count === 1 ? `1 row has no ${what} in ?${name}: it is` : `${count.toLocaleString("en")} rows have no ${what} in ?${name}: they are`;
  return count ? element("p", { class: "note" }, `${rows} not drawn.`) : "";
}

function bars(found, value, label, terms) {
  const scale = ticks(Math.min(0, ...found.map(({ size }) => size)), Math.max(0, ...found.map(({ size }) => size)));
  const [low, high] = [scale[0], scale.at(-1)];
  const [start, end] = [250, 700];
  const x = (size) => start + ((size - low) / (high - low || 1)) * (end - start);
  const height = found.length * ROW + 50;
  const marks = scale.flatMap((at) => [
    draw("line", { x1: x(at), x2: x(at), y1: 30, y2: height - 14, stroke: "var(--line)" }),
    text(x(at), 20, at.toLocaleString("en", { notation: "compact" }), { "text-anchor": "middle", fill: "var(--muted)", "font-size": 12 }),
  ]);
  const drawn = found.flatMap(({ size, term }, place) => {
    const y = 36 + place * ROW;
    const name = term ? terms.text(term) : "";
    return [
      text(start - 8, y + 13, cut(name, 34), { "text-anchor": "end" }),
      draw("rect", { x: Math.min(x(0), x(size)), y, width: Math.max(1, Math.abs(x(size) - x(0))), height: ROW - 7, fill: "var(--accent)" }, draw("title", {}, `${name}: ${size}`)),
      text(Math.max(x(0), x(size)) + 6, y + 13, size.toLocaleString("en"), { "font-size": 12 }),
    ];
  });
  return picture(820, height, `Bars: ?${value} by ?${label}`, ...marks, ...drawn);
}

function line(found, value, label, terms) {
  const placed = found.map((one, place) => ({ ...one, at: moment(one.term) ?? number(one.term) ?? place }));
  const ordered = placed.sort((a, b) => a.at - b.at);
  const scale = ticks(Math.min(0, ...ordered.map(({ size }) => size)), Math.max(0, ...ordered.map(({ size }) => size)));
  const [first, last] = [ordered[0].at, ordered.at(-1).at];
  const x = (at) => 90 + ((at - first) / (last - first || 1)) * 680;
  const y = (size) => 300 - ((size - scale[0]) / (scale.at(-1) - scale[0] || 1)) * 270;
  const marks = scale.flatMap((at) => [
    draw("line", { x1: 90, x2: 780, y1: y(at), y2: y(at), stroke: "var(--line)" }),
    text(82, y(at) + 4, at.toLocaleString("en", { notation: "compact" }), { "text-anchor": "end", fill: "var(--muted)", "font-size": 12 }),
  ]);
  const path = ordered.map(({ at, size }) => `${x(at).toFixed(1)},${y(size).toFixed(1)}`).join(" ");
  const step = Math.ceil(ordered.length / 10);
  const points = ordered.flatMap(({ at, size, term }, place) => [
    draw("circle", { cx: x(at), cy: y(size), r: 4, fill: "var(--accent)" }, draw("title", {}, `${term ? terms.text(term) : place + 1}: ${size}`)),
    ...(place % step ? [] : [text(x(at), 324, cut(term ? terms.text(term) : String(place + 1), 12), { "text-anchor": "middle", "font-size": 12 })]),
  ]);
  return picture(820, 340, `Line: ?${value} by ?${label}`, ...marks, draw("polyline", { points: path, fill: "none", stroke: "var(--accent)", "stroke-width": 2 }), ...points);
}

export function timeline(panel, names, rows, terms) {
  const dates = columnsWith(names, rows, moment);
  const named = labels(names, rows).filter((name) => !dates.includes(name));
  controls(
    panel,
    { date: ["Dates", columns(dates)], label: ["Names", columns([...named, ...dates])] },
    ({ date, label }) => {
      const found = rows.filter((row) => moment(row[date]) !== null).sort((a, b) => moment(a[date]) - moment(b[date]));
      const shown = found.slice(0, MOST);
      const scale = ticks(moment(shown[0][date]), moment(shown.at(-1)[date]), 8);
      const x = (at) => 40 + ((at - scale[0]) / (scale.at(-1) - scale[0] || 1)) * 480;
      const height = shown.length * ROW + 50;
      const marks = scale.flatMap((at) => [
        draw("line", { x1: x(at), x2: x(at), y1: 30, y2: height - 10, stroke: "var(--line)" }),
        text(x(at), 20, String(at), { "text-anchor": "middle", fill: "var(--muted)", "font-size": 12 }),
      ]);
      const drawn = shown.flatMap((row, place) => {
        const at = x(moment(row[date]));
        const y = 44 + place * ROW;
        return [
          draw("circle", { cx: at, cy: y, r: 5, fill: "var(--accent)" }),
          text(at + 10, y + 4, `${row[date].value} ${cut(row[label] ? terms.text(row[label]) : "", 42)}`),
        ];
      });
      return [
        ...picture(900, height, `Timeline: ?${date} of ?${label}`, ...marks, ...drawn),
        left(found.length, shown.length),
        unbound(rows.length - found.length, "date", date),
      ];
    },
  );
}

// Where the rows of an answer lie: a column of points in WKT, or a latitude and a longitude.
export function places(names, rows) {
  const [column] = columnsWith(names, rows, point);
  if (column) {
    return rows.flatMap((row) => (point(row[column]) ? [{ row, at: point(row[column]) }] : []));
  }
  const latitude = names.find((name) => /^lat(itude)?$/i.test(name));
  const longitude = names.find((name) => /^(lon|lng|long|longitude)$/i.test(name));
  if (!latitude || !longitude) {
    return [];
  }
  return rows.flatMap((row) => {
    const at = [row[longitude], row[latitude]].map((term) => (term?.value.trim() ? Number(term.value) : NaN));
    return at.every(Number.isFinite) ? [{ row, at }] : [];
  });
}

export function map(panel, names, rows, terms) {
  const found = places(names, rows);
  const named = labels(names, rows);
  controls(panel, { label: ["Names", columns(named.length ? named : names)] }, ({ label }) => {
    const shown = found.slice(0, 500);
    const [xs, ys] = [0, 1].map((axis) => ticks(Math.min(...shown.map(({ at }) => at[axis])) - 1, Math.max(...shown.map(({ at }) => at[axis])) + 1));
    const unit = Math.min(720 / (xs.at(-1) - xs[0]), 480 / (ys.at(-1) - ys[0]));
    const x = (at) => 50 + (at - xs[0]) * unit;
    const y = (at) => 20 + (ys.at(-1) - at) * unit;
    const [right, bottom] = [x(xs.at(-1)), y(ys[0])];
    const grid = [
      ...xs.flatMap((at) => [
        draw("line", { x1: x(at), x2: x(at), y1: 20, y2: bottom, stroke: "var(--line)" }),
        text(x(at), bottom + 18, `${at}°`, { "text-anchor": "middle", fill: "var(--muted)", "font-size": 12 }),
      ]),
      ...ys.flatMap((at) => [
        draw("line", { x1: 50, x2: right, y1: y(at), y2: y(at), stroke: "var(--line)" }),
        text(44, y(at) + 4, `${at}°`, { "text-anchor": "end", fill: "var(--muted)", "font-size": 12 }),
      ]),
    ];
    const drawn = shown.flatMap(({ row, at }) => [
      draw("circle", { cx: x(at[0]), cy: y(at[1]), r: 5, fill: "var(--accent)" }),
      text(x(at[0]) + 8, y(at[1]) + 4, cut(row[label] ? terms.text(row[label]) : "", 30)),
    ]);
    return [
      ...picture(Math.max(400, right + 160), bottom + 30, "Map: degrees of longitude and latitude", ...grid, ...drawn),
      element("p", { class: "note" }, "Longitude and latitude as they are, without coasts."),
      left(found.length, shown.length),
    ];
  });
}
