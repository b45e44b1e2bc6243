// The query as code that asks it from elsewhere.

const UNION_NAME = "default-graph-uri";

function shell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function python(text) {
  return text.includes('"""') || /["\\]$/.test(text) ? JSON.stringify(text) : `r"""\n${text.trim()}\n"""`;
}

function r(text) {
  let dashes = "";
  while (text.includes(`)${dashes}"`)) {
    dashes += "-";
  }
  return `r"${dashes}(${text})${dashes}"`;
}

function javascript(text) {
  return `\`${text.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${")}\``;
}

// What sort of query it is, by its first keyword outside comments, IRIs and texts; "" where there is none.
export function form(query) {
  const bare = query.replace(/<[^<>\s]*>|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|#.*/g, " ");
  return /\b(SELECT|ASK|CONSTRUCT|DESCRIBE)\b/i.exec(bare)?.[1].toUpperCase() ?? "";
}

// Snippets by language; settings are the parameters beside the query, by name.
export function snippets(query, settings, origin) {
  const endpoint = `${origin}/sparql`;
  const graph = ["CONSTRUCT", "DESCRIBE"].includes(form(query));
  const rows = form(query) === "SELECT";
  const accept = graph ? "text/turtle" : rows ? "text/csv" : "application/sparql-results+json";
  const others = Object.entries(settings);
  const inPython = [`"query": query`, ...others.map(([name, value]) => `"${name}": "${value}"`)];
  const client = [
    ...(settings[UNION_NAME] ? ["union=True"] : []),
    ...(settings.timeout ? [`timeout=${settings.timeout}`] : []),
  ];
  const found = {
    curl: [
      `curl ${endpoint} \\`,
      `  --header 'Accept: ${accept}' \\`,
      ...others.map(([name, value]) => `  --data-urlencode ${shell(`${name}=${value}`)} \\`),
      `  --data-urlencode ${shell(`query=${query.trim()}`)}`,
    ],
    Python: [
      "import suasion",
      "",
      `query = ${python(query)}`,
      `with suasion.open("${origin}") as graph:`,
      `    print(graph.query(${["query", ...client].join(", ")}))`,
    ],
    pandas: rows && [
      "from urllib.parse import urlencode",
      "from urllib.request import urlopen",
      "",
      "import pandas",
      "",
      `query = ${python(query)}`,
      `asked = urlencode({${[...inPython, '"format": "csv"'].join(", ")}})`,
      `rows = pandas.read_csv(urlopen("${endpoint}", asked.encode()))`,
    ],
    R: rows && [
      `query <- ${r(query)}`,
      `given <- c(query = query, ${[...others, ["format", "csv"]].map(([name, value]) => `\`${name}\` = "${value}"`).join(", ")})`,
      "asked <- paste0(names(given), \"=\", vapply(given, URLencode, \"\", reserved = TRUE), collapse = \"&\")",
      `rows <- read.csv(paste0("${endpoint}?", asked))`,
    ],
    JavaScript: [
      `const query = ${javascript(query)};`,
      `const response = await fetch("${endpoint}", {`,
      '  method: "POST",',
      `  headers: { Accept: "${graph ? accept : "application/sparql-results+json"}" },`,
      `  body: new URLSearchParams({ ${["query", ...others.map(([name, value]) => `"${name}": "${value}"`)].join(", ")} }),`,
      "});",
      `const answer = await response.${graph ? "text" : "json"}();`,
    ],
  };
  return Object.fromEntries(Object.entries(found).flatMap(([name, lines]) => (lines ? [[name, lines.join("\n")]] : [])));
}
