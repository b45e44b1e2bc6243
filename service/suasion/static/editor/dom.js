// Making elements: texts become text nodes, so nothing that data hold is ever read as markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children);
  return made;
}

// A tab list (WAI-ARIA, "tabs" pattern): arrows move and choose. `choose(name)` fills the panel; `start` is shown first.
export function tabs(list, panel, names, start, choose) {
  const buttons = names.map((name) =>
    element("button", { type: "button", role: "tab", id: `${list.id}-${name.toLowerCase().replaceAll(" ", "-")}`, "aria-controls": panel.id }, name),
  );
  const show = (button, focus) => {
    for (const other of buttons) {
      other.setAttribute("aria-selected", String(other === button));
      other.tabIndex = other === button ? 0 : -1;
    }
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", button.id);
    panel.replaceChildren();
    choose(button.textContent);
    if (focus) {
      button.focus();
    }
  };
  buttons.forEach((button, place) => {
    button.addEventListener("click", () => show(button));
    button.addEventListener("keydown", (event) => {
      const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        show(buttons[(to + buttons.length) % buttons.length], true);
      }
    });
  });
  list.replaceChildren(...buttons);
  show(buttons[Math.max(0, names.indexOf(start))]);
}

export function selection(label, id, choices, chosen, change) {
  const select = element("select", { id }, ...choices.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
  select.addEventListener("change", () => change(select.value));
  return element("label", {}, `${label} `, select);
}

export function copyButton(text) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying is not allowed here";
    }
  });
  return button;
}
