// Triples as a picture: things joined by arrows, laid out by forces that push them apart and pull what is joined together.

import { element } from "./dom.js";
import { cut, draw, picture, text } from "./svg.js";

const MOST = 90;
const [WIDTH, HEIGHT] = [1000, 640];

export function graph(panel, triples, terms) {
  const nodes = new Map();
  const joined = new Map();
  let dropped = 0;
  const node = (term) => {
    const key = `${term.type} ${term.value} ${term["xml:lang"] ?? ""} ${term.datatype ?? ""}`;
    if (!nodes.has(key) && nodes.size < MOST) {
      nodes.set(key, { term, place: nodes.size });
    }
    return nodes.get(key);
  };
  for (const [subject, property, object] of triples) {
    const [from, to] = [node(subject), node(object)];
    if (from && to) {
      const key = [from.place, to.place].join(" ");
      const names = joined.get(key)?.names ?? [];
      joined.set(key, { from, to, names: [...names, terms.shorten(property)] });
    } else {
      dropped += 1;
    }
  }
  const all = [...nodes.values()];
  const edges = [...joined.values()].map(({ from, to, names }) => ({ from, to, name: names.join(", ") }));
  arrange(all, edges);
  const arrow = draw(
    "marker",
    { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" },
    draw("path", { d: "M0,0 L8,4 L0,8 Z", fill: "var(--muted)" }),
  );
  const lines = edges.flatMap(({ from, to, name }) => {
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(dx, dy) || 1;
    const end = { x: to.x - (dx / length) * 9, y: to.y - (dy / length) * 9 };
    const line = draw("line", { x1: from.x, y1: from.y, x2: end.x, y2: end.y, stroke: "var(--muted)", "stroke-width": 1, "marker-end": "url(#arrow)" }, draw("title", {}, name));
    return edges.length > 60 ? [line] : [line, text((from.x + to.x) / 2, (from.y + to.y) / 2 - 3, cut(name, 34), { "text-anchor": "middle", fill: "var(--muted)", "font-size": 10 })];
  });
  const dots = all.flatMap(({ term, x, y }) => {
    const name = terms.text(term);
    const literal = term.type === "literal";
    const mark = literal
      ? draw("rect", { x: x - 4, y: y - 4, width: 8, height: 8, fill: "var(--paper)", stroke: "var(--ink)" }, draw("title", {}, name))
      : draw("circle", { cx: x, cy: y, r: 6, fill: "var(--accent)" }, draw("title", {}, name));
    const label = text(x, y - 10, cut(literal ? `“${name}”` : name, 30), { "text-anchor": "middle", "font-size": 12, "paint-order": "stroke", stroke: "var(--paper)", "stroke-width": 3 });
    const href = term.type === "uri" ? terms.link(term.value) : "";
    return [href ? draw("a", { href }, mark, label) : draw("g", {}, mark, label)];
  });
  const note = dropped ? `The first ${MOST} things and values are drawn, without ${dropped.toLocaleString("en")} triples; Turtle has all.` : "Circles are things, squares are values.";
  panel.replaceChildren(
    ...picture(WIDTH, HEIGHT, `Graph of ${all.length} things and values`, draw("defs", {}, arrow), ...lines, ...dots),
    element("p", { class: "note" }, note),
  );
}

// Place nodes: the same triples give the same picture.
function arrange(nodes, edges) {
  nodes.forEach((one, place) => {
    const angle = place * 2.399963;
    const radius = 16 * Math.sqrt(place + 1);
    one.x = WIDTH / 2 + radius * Math.cos(angle) * 1.6;
    one.y = HEIGHT / 2 + radius * Math.sin(angle);
  });
  const apart = Math.min(110, 0.75 * Math.sqrt((WIDTH * HEIGHT) / Math.max(1, nodes.length)));
  const rounds = 300;
  for (let round = 0; round < rounds; round += 1) {
    const most = 40 * (1 - round / rounds) + 0.5;
    for (const one of nodes) {
      [one.dx, one.dy] = [(WIDTH / 2 - one.x) * 0.01, (HEIGHT / 2 - one.y) * 0.02];
    }
    for (let i = 0; i < nodes.length; i += 1) {
      for (let j = i + 1; j < nodes.length; j += 1) {
        const [dx, dy] = [nodes[i].x - nodes[j].x, nodes[i].y - nodes[j].y];
        const square = dx * dx + dy * dy || 0.01;
        const push = (apart * apart) / square;
        nodes[i].dx += dx * push;
        nodes[i].dy += dy * push;
        nodes[j].dx -= dx * push;
        nodes[j].dy -= dy * push;
      }
    }
    for (const { from, to } of edges) {
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const pull = Math.hypot(dx, dy) / apart / 2;
      from.dx += dx * pull;
      from.dy += dy * pull;
      to.dx -= dx * pull;
      to.dy -= dy * pull;
    }
    for (const one of nodes) {
      const length = Math.hypot(one.dx, one.dy) || 1;
      const step = Math.min(length, most) / length;
      one.x = Math.min(WIDTH - 90, Math.max(90, one.x + one.dx * step));
      one.y = Math.min(HEIGHT - 16, Math.max(24, one.y + one.dy * step));
    }
  }
}
