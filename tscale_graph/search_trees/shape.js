// What the tree is, and its numbers in words, apart from how they are shown.

const tree = JSON.parse(document.getElementById("data").textContent);
const nodes = tree.nodes;

const children = nodes.map(() => []);
for (const node of nodes) if (node.parent !== null) children[node.parent].push(node.index);

const bestPath = [];
for (let at = tree.best; at !== null; at = nodes[at].parent) bestPath.push(at);
bestPath.reverse();
const onBest = new Set(bestPath);

const models = new Set(nodes.map((node) => node.model).filter((model) => model !== null));

const added = { calls: 0, input_tokens: 0, output_tokens: 0, usd: 0, seconds: 0 };
for (const { usage } of nodes) for (const name of Object.keys(added)) added[name] += usage[name];
const total = tree.usage ?? added;

const tokensOf = (usage) => usage.input_tokens + usage.output_tokens;
const whole = (count) => count.toLocaleString("en-US");
const counted = (count, one) => `${whole(count)} ${one}${count === 1 ? "" : "s"}`;
const dollars = (usd) => "$" + (usd >= 1 ? usd.toFixed(2) : String(Number(usd.toPrecision(3))));
const lasting = (seconds) => (seconds < 60 ? `${seconds.toFixed(1)} s` : `${whole(Math.round(seconds))} s`);

function short(tokens) {
  if (tokens < 1000) return `${tokens} tokens`;
  const [size, unit] = tokens < 999_500 ? [tokens / 1000, "k"] : [tokens / 1e6, "M"];
  return `${size < 10 ? size.toFixed(1) : size.toFixed(0)}${unit} tokens`;
}

function costs(usage) {
  const said = [];
  if (tokensOf(usage)) said.push(["Tokens", `${whole(tokensOf(usage))} (${whole(usage.input_tokens)} in, ${whole(usage.output_tokens)} out)`]);
  if (usage.calls) said.push(["Calls", whole(usage.calls)]);
  if (usage.usd > 0) said.push(["Cost", dollars(usage.usd)]);
  if (usage.seconds > 0) said.push(["Time", lasting(usage.seconds)]);
  return said;
}

function totals() {
  const said = [["Nodes", whole(nodes.length)]];
  const best = tree.best === null ? null : nodes[tree.best].score;
  said.push(["Best score", best === null ? "none" : best.toFixed(2)], ...costs(total));
  if (models.size === 1) said.push(["Model", [...models][0]]);
  return said;
}

function facts(node) {
  const said = [["Score", node.score === null ? "none" : node.score.toFixed(3)]];
  said.push(["Mean value", node.value === null ? "none" : node.value.toFixed(3)]);
  said.push(["Visits", whole(node.visits)], ["Status", node.status], ["Depth", whole(node.depth)]);
  if (children[node.index].length) said.push(["Children", whole(children[node.index].length)]);
  if (node.model !== null) said.push(["Model", node.model]);
  return [...said, ...costs(node.usage)];
}

// The line of a text that a row shows: its first, or the one in which the filter found something.
function line(text, sought) {
  const at = sought ? text.toLowerCase().indexOf(sought) : -1;
  if (at < 0) return text.slice(0, 2000).trim().split(/[\r\n]/, 1)[0].slice(0, 300);
  const from = Math.max(text.lastIndexOf("\n", at) + 1, at - 40);
  const around = text.slice(from, at + 300).trimStart().split(/[\r\n]/, 1)[0];
  return (text.slice(0, from).trim() ? "…" : "") + around;
}

// Every node that has the words somewhere; null when none are sought.
let searched = null;
function matching(sought) {
  if (!sought) return null;
  searched ??= nodes.map((node) => [node.text, node.note, node.model ?? "", node.status].join("\n").toLowerCase());
  return new Set(nodes.filter((node) => searched[node.index].includes(sought)).map((node) => node.index));
}
