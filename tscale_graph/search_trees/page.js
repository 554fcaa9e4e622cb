// What a reader does with the outline, and the panel beside it.

const unfolded = new Set(bestPath.length ? bestPath.slice(0, -1) : [0]);
let open = unfolded; // the filter has a set of its own, so that the reader's is there again after it
let sought = "";
let matches = null; // what the filter found; null without one
let kept = null; // that, and everything above it
let entries = [];
let placeOf = new Map(); // where in the entries a node stands
let focused = tree.best ?? 0;
let pinned = null;
let hovered = null;
const rows = new Map(); // the rows that exist: those in sight, and the focused one

function arrange() {
  entries = unfoldedEntries(open, kept);
  placeOf = new Map(entries.map((entry, place) => [entry.index, place]));
  while (focused && !placeOf.has(focused)) focused = nodes[focused].parent;
  if (!placeOf.has(hovered)) hovered = null;
  for (const [index, row] of rows) {
    if (placeOf.has(index)) fill(row, entries[placeOf.get(index)], sought, matches);
  }
  draw();
  show();
}

function draw() {
  const height = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
  canvas.style.height = `${entries.length * height}px`;
  const [first, last] = inSight(height);
  const wanted = new Set(entries.slice(Math.max(0, first), Math.max(0, last)).map((entry) => entry.index));
  if (placeOf.has(focused)) wanted.add(focused);
  for (const [index, row] of rows) {
    if (wanted.has(index)) continue;
    rows.delete(index);
    row.remove();
  }
  for (const index of wanted) {
    if (!rows.has(index)) rows.set(index, makeRow(index));
    const row = rows.get(index);
    row.style.top = `${placeOf.get(index) * height}px`;
    row.tabIndex = index === focused ? 0 : -1;
  }
}

function makeRow(index) {
  const row = template.cloneNode(true);
  row.dataset.index = index;
  fill(row, entries[placeOf.get(index)], sought, matches);
  mark(row, index);
  const next = [...canvas.children].find((other) => placeOf.get(Number(other.dataset.index)) > placeOf.get(index));
  canvas.insertBefore(row, next ?? null);
  return row;
}

function mark(row, index) {
  row.classList.toggle("shown", index === (pinned ?? hovered ?? focused));
  row.classList.toggle("pinned", index === pinned);
}

function setOpen(index, opened) {
  const { expanded } = entries[placeOf.get(index)];
  if (expanded === null || expanded === opened) return;
  if (opened) open.add(index);
  else open.delete(index);
  arrange();
}

function focus(index, block = "nearest") {
  focused = index;
  draw();
  const row = rows.get(index);
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block });
  draw();
  show();
}

function pin(index) {
  pinned = index;
  document.body.classList.toggle("sheet", pinned !== null);
  element("unpin").hidden = pinned === null;
  show();
  if (pinned !== null) rows.get(pinned)?.scrollIntoView({ block: "nearest" });
}

function describe(list, pairs) {
  list.replaceChildren(...pairs.map(([name, said]) => {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = said;
    detail.dir = "auto";
    pair.append(term, detail);
    return pair;
  }));
}

let described = null;
function show() {
  const index = pinned ?? hovered ?? focused;
  for (const [one, row] of rows) mark(row, one);
  if (described === index) return;
  described = index;
  const node = nodes[index];
  const title = index ? `Node ${whole(index)}` : "The question";
  element("panel-title").textContent = index && onBest.has(index) ? `${title}, on the best path` : title;
  describe(element("facts"), facts(node));
  element("note").textContent = node.note;
  element("note").hidden = element("note-title").hidden = !node.note;
  element("text").textContent = node.text;
  element("panel").scrollTop = 0;
}

function filter(words) {
  sought = words.trim().toLowerCase();
  matches = matching(sought);
  kept = matches && new Set();
  for (const found of matches ?? []) {
    for (let at = found; at !== null && !kept.has(at); at = nodes[at].parent) kept.add(at);
  }
  open = kept ? new Set(kept) : unfolded;
  element("found").textContent = matches ? `${whole(matches.size)} of ${counted(nodes.length, "node")} match` : "";
  arrange();
}

const stepTo = (place) => place >= 0 && place < entries.length && focus(entries[place].index);
const keys = {
  ArrowDown: (place) => stepTo(place + 1),
  ArrowUp: (place) => stepTo(place - 1),
  ArrowRight: (place, { index, expanded }) => (expanded ? stepTo(place + 1) : setOpen(index, true)),
  ArrowLeft: (place, { index, expanded }) => (expanded ? setOpen(index, false) : index && focus(nodes[index].parent)),
  Home: () => stepTo(0),
  End: () => stepTo(entries.length - 1),
  Enter: (place, { index, expanded }) => setOpen(index, !expanded),
  " ": (place, { index }) => pin(pinned === index ? null : index),
};

const rowOf = (event) => event.target.closest(".row");

outline.addEventListener("keydown", (event) => {
  const row = rowOf(event);
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
  if (!row || !act) return;
  event.preventDefault();
  if (event.key !== " " && event.key !== "Enter" && pinned !== null) pin(null);
  const place = placeOf.get(Number(row.dataset.index));
  act(place, entries[place]);
});
outline.addEventListener("click", (event) => {
  const row = rowOf(event);
  if (!row) return;
  const index = Number(row.dataset.index);
  focus(index);
  if (event.target.closest(".fold") && row.hasAttribute("aria-expanded")) setOpen(index, !open.has(index));
  else if (event.detail < 2) pin(pinned === index ? null : index);
});
outline.addEventListener("dblclick", (event) => {
  const row = rowOf(event);
  if (row && !event.target.closest(".fold")) setOpen(Number(row.dataset.index), !open.has(Number(row.dataset.index)));
});
outline.addEventListener("pointerover", (event) => {
  const row = rowOf(event);
  if (!row || event.pointerType !== "mouse") return;
  hovered = Number(row.dataset.index);
  show();
});
outline.addEventListener("pointerleave", () => {
  hovered = null;
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && pinned !== null) pin(null);
});

element("unpin").addEventListener("click", () => {
  pin(null);
  rows.get(focused)?.focus({ preventScroll: true });
});
element("best").addEventListener("click", () => {
  element("filter").value = "";
  unfolded.clear();
  for (const index of bestPath.slice(0, -1)) unfolded.add(index);
  filter("");
  pin(null);
  focus(tree.best, "center");
});
element("unfold").addEventListener("click", () => {
  nodes.forEach((node, index) => children[index].length && open.add(index));
  arrange();
});
element("fold").addEventListener("click", () => {
  open.clear();
  open.add(0);
  arrange();
  focus(focused);
});
let typing = 0;
element("filter").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => filter(event.target.value), 120);
});
element("filter").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  clearTimeout(typing);
  filter(event.target.value);
  if (matches?.size) focus(matches.values().next().value);
});

document.title = `${tree.technique}: search tree`;
element("technique").textContent = tree.technique;
element("question").textContent = tree.question;
element("best").disabled = tree.best === null;
outline.style.setProperty("--cap", CAP);
outline.classList.toggle("models", models.size > 1);
describe(element("totals"), totals());
for (const [place, event] of [[outline, "scroll"], [window, "scroll"], [window, "resize"]]) {
  place.addEventListener(event, draw, { passive: true });
}
arrange();
