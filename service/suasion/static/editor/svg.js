// Drawing: SVG elements, scales with round steps, and a picture with its downloads.

import { element } from "./dom.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

export function draw(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function text(x, y, content, attributes = {}) {
  return draw("text", { x, y, fill: "var(--ink)", "font-size": 13, ...attributes }, content);
}

export function cut(content, most) {
  const characters = [...content];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : content;
}

// Round values from at most `low` to at least `high`, about `count` of them.
export function ticks(low, high, count = 6) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => span / size <= count) ?? 10 * power;
  const first = Math.floor(low / step) * step;
  const found = [];
  for (let place = 0; place < 100; place += 1) {
    found.push(Number((first + place * step).toPrecision(12)));
    if (found[place] >= high) {
      break;
    }
  }
  return found;
}

// A picture that scrolls by itself when it is wide, says what it shows, and can be taken away as a file.
export function picture(width, height, label, ...children) {
  const svg = draw(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, "font-family": "system-ui, sans-serif", class: "answer-picture" },
    ...children,
  );
  const save = element("button", { type: "button" }, "Download SVG");
  save.addEventListener("click", () => {
    const style = getComputedStyle(document.documentElement);
    const copy = svg.cloneNode(true);
    copy.setAttribute("xmlns", NAMESPACE);
    copy.prepend(draw("rect", { width, height, fill: "var(--paper)" }));
    const source = copy.outerHTML.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    const url = URL.createObjectURL(new Blob([source], { type: "image/svg+xml" }));
    element("a", { href: url, download: "answer.svg" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  return [
    element("div", { class: "scrolls", role: "region", "aria-label": label, tabindex: "0" }, svg),
    element("p", { class: "acts" }, save),
  ];
}
