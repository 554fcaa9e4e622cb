// The outline: which nodes stand in it, and the rows of those that are in sight.

const CAP = 12; // levels that are indented; deeper rows say their depth instead
const AHEAD = 12; // rows that are made above and below the ones in sight
const element = (id) => document.getElementById(id);
const outline = element("tree");
const canvas = element("rows");
const template = element("row").content.firstElementChild;

const below = (index, kept) => (kept ? children[index].filter((child) => kept.has(child)) : children[index]);

// The unfolded nodes from top to bottom, each with the lines that run on beside what is below it;
// a stack, since trees can be very deep.
function unfoldedEntries(open, kept) {
  const entries = [];
  const waiting = kept && !kept.has(0) ? [] : [{ index: 0, size: 1, position: 0, lines: [], beside: [] }];
  while (waiting.length) {
    const entry = waiting.pop();
    const inside = below(entry.index, kept);
    entries.push(entry);
    entry.expanded = inside.length ? open.has(entry.index) : null;
    if (entry.expanded) for (const next of entriesOf(inside, entry).reverse()) waiting.push(next);
  }
  return entries;
}

function entriesOf(siblings, { index: parent, beside }) {
  const column = nodes[parent].depth;
  const bestAt = siblings.findIndex((index) => onBest.has(index));
  return siblings.map((index, position) => {
    const best = position === bestAt;
    const bestAfter = position < bestAt;
    const runsOn = position < siblings.length - 1;
    const lines = [{ column, y: "50%", across: true, best }, { column, y: "0", height: "50%", best: best || bestAfter }];
    if (runsOn) lines.push({ column, y: "100%", height: "50%", best: bestAfter });
    for (const one of beside) lines.push({ ...one, y: "0", height: "100%" });
    const passing = runsOn && column < CAP ? [...beside, { column, best: bestAfter }] : beside;
    return { index, size: siblings.length, position, lines, beside: passing };
  });
}

function setWords(place, text, sought) {
  const at = sought ? text.toLowerCase().indexOf(sought) : -1;
  place.textContent = at < 0 ? text : text.slice(0, at);
  if (at < 0) return;
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + sought.length);
  place.append(mark, text.slice(at + sought.length));
}

function fill(row, { index, size, position, lines, expanded }, sought, matches) {
  const node = nodes[index];
  const shown = node.score ?? node.value;
  const [, score, words, rest] = row.children;
  const [depth, model, visits, cost] = rest.children;
  row.className = `row ${node.status}`;
  row.classList.toggle("best", onBest.has(index));
  row.classList.toggle("above", matches !== null && !matches.has(index));
  row.classList.toggle("unscored", shown === null);
  row.classList.toggle("mean", node.score === null && shown !== null);
  row.style.setProperty("--level", node.depth);
  row.style.setProperty("--share", shown ?? 0);
  row.setAttribute("aria-level", node.depth + 1);
  row.setAttribute("aria-setsize", size);
  row.setAttribute("aria-posinset", position + 1);
  if (expanded === null) row.removeAttribute("aria-expanded");
  else row.setAttribute("aria-expanded", expanded);
  if (onBest.has(index)) row.setAttribute("aria-description", "on the best path");
  score.lastElementChild.textContent = shown === null ? "none" : (node.score === null ? "~" : "") + shown.toFixed(2);
  words.firstElementChild.textContent = node.status === "open" ? "" : node.status === "terminal" ? "answer" : node.status;
  setWords(words.lastElementChild, line(node.text, sought) || "no text", sought);
  depth.textContent = node.depth > CAP ? `depth ${node.depth}` : "";
  model.textContent = models.size > 1 ? node.model ?? "" : "";
  visits.textContent = node.visits ? counted(node.visits, "visit") : "";
  cost.textContent = tokensOf(node.usage) ? short(tokensOf(node.usage)) : "";
  drawLines(row, lines);
}

function drawLines(row, lines) {
  const drawn = lines.filter((one) => one.column < CAP).sort((a, b) => b.best - a.best); // the first lies on top
  const x = (column) => `calc(${column} * var(--step) + 2px + var(--glyph) / 2 - 1px)`;
  row.style.backgroundImage = drawn.map((one) => `linear-gradient(var(${one.best ? "--best" : "--line"}) 0 0)`).join();
  row.style.backgroundPosition = drawn.map((one) => `${x(one.column)} ${one.y}`).join();
  row.style.backgroundSize = drawn.map((one) => {
    const thick = one.best ? "2px" : "1px";
    return one.across ? `calc(var(--step) - var(--glyph) / 2 + 2px) ${thick}` : `${thick} ${one.height}`;
  }).join();
}

// The first and last entries that are in sight, whichever of page and outline scrolls.
function inSight(height) {
  const top = canvas.getBoundingClientRect().top;
  return [Math.floor(-top / height) - AHEAD, Math.ceil((window.innerHeight - top) / height) + AHEAD];
}
