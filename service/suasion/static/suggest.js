// Suggests things while a name is typed into the search field of the site, as a combobox with a list
// (WAI-ARIA Authoring Practices, "Editable Combobox With List Autocomplete"). Without it the field is a plain form.
const WAIT = 150;
const MOST = 8;
const field = document.querySelector("#site-search");
const list = document.createElement("ul");
const said = document.createElement("span");
let timer, asked, chosen = -1;

list.id = "suggestions";
list.hidden = true;
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Suggestions");
said.className = "unseen";
said.setAttribute("role", "status");
field.type = "text"; // a field of type search may not be a combobox
field.after(list, said);
for (const [name, value] of Object.entries({
  role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
})) field.setAttribute(name, value);

field.addEventListener("input", () => {
  clearTimeout(timer);
  asked?.abort();
  const text = field.value.trim();
  if (text.length < 2) return close();
  timer = setTimeout(() => suggest(text), WAIT);
});

field.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    close();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (!list.hidden) choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter" && chosen >= 0) {
    event.preventDefault();
    open(list.children[chosen]);
  }
});

field.addEventListener("blur", close);
list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
list.addEventListener("click", (event) => open(event.target.closest("li")));

async function suggest(text) {
  asked = new AbortController();
  try {
    const query = new URLSearchParams({ text, limit: MOST, provenance: "none" });
    const reply = await fetch(`/suggest.json?${query}`, { signal: asked.signal });
    if (reply.ok) show((await reply.json()).rows);
    else close();
  } catch (error) {
    if (error.name !== "AbortError") close();
  }
}

function show(rows) {
  list.replaceChildren(...rows.map((row, place) => {
    const item = document.createElement("li");
    item.id = `suggestion-${place}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.dataset.path = path(row);
    item.append(part("span", row.label));
    const told = [row.kind, row.match !== row.label && row.match].filter(Boolean).join(" · ");
    if (told) item.append(part("small", told));
    return item;
  }));
  chosen = -1;
  field.removeAttribute("aria-activedescendant");
  list.hidden = rows.length === 0;
  field.setAttribute("aria-expanded", String(!list.hidden));
  said.textContent = rows.length ? `${rows.length} suggestions` : "No suggestions";
}

function choose(place) {
  const count = list.children.length;
  list.children[chosen]?.setAttribute("aria-selected", "false");
  chosen = place >= count ? -1 : place < -1 ? count - 1 : place; // -1 is the field itself
  const item = list.children[chosen];
  item?.setAttribute("aria-selected", "true");
  item?.scrollIntoView({ block: "nearest" });
  if (item) field.setAttribute("aria-activedescendant", item.id);
  else field.removeAttribute("aria-activedescendant");
}

function close() {
  clearTimeout(timer);
  asked?.abort();
  list.hidden = true;
  chosen = -1;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
  said.textContent = "";
}

function open(item) {
  if (item) location.assign(item.dataset.path);
}

// A thing of ours, theme:name, has a page; a search tells where others are.
function path({ thing, label }) {
  const [theme, name] = thing.split(":");
  const pages = field.dataset.pages;
  return pages ? `${pages}${theme}/${encodeURIComponent(name)}` : `/search.html?${new URLSearchParams({ text: label, limit: 20 })}`;
}

function part(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
