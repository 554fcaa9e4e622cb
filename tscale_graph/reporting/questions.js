"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const [search, klass, show, order] = ["search", "class", "show", "order"].map(byId);
  const PAGE = 50;
  let found = [], shown = 0;

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const cells = (q) => q.settings.filter((c) => c);
  const share = (q) => { const all = cells(q); return all.reduce((s, c) => s + c.right / c.runs, 0) / all.length; };
  const most = (q) => Math.max(...cells(q).map((c) => c.tokens));
  const wanted = (q) => {
    if (klass.value && q.class !== klass.value) return false;
    const text = search.value.trim().toLowerCase();
    if (text && !`${q.id}\n${q.question}\n${q.gold ?? ""}\n${cells(q).map((c) => c.answer ?? "").join("\n")}`.toLowerCase().includes(text)) return false;
    const [what, place] = show.value.split(" ");
    if (what === "wrong") { const c = q.settings[Number(place)]; return c && c.right < c.runs; }
    if (what === "cut") return cells(q).some((c) => c.cut);
    if (what === "differ") return new Set(cells(q).map((c) => c.right === c.runs)).size > 1;
    return true;
  };

  const table = (q) => {
    const scroll = element("div", null, "scroll"), made = element("table"), head = element("tr");
    scroll.tabIndex = 0;
    for (const name of ["setting", "", "answer", "tokens", "calls", "votes", ""]) head.append(element("th", name));
    made.append(head);
    q.settings.forEach((c, k) => {
      if (!c) return;
      const row = element("tr", null, data.highlighted[k] ? "strong" : "");
      const verdict = c.runs === 1 ? (c.right ? "right" : "wrong") : `${c.right} of ${c.runs} right`;
      row.append(element("th", data.settings[k]), element("td", verdict, c.right === c.runs ? "right" : "wrong"));
      row.append(element("td", c.answer ?? "no answer", "answer"), element("td", c.tokens.toLocaleString("en")), element("td", c.calls));
      row.append(element("td", c.votes, "answer"));
      const more = [c.error, c.cut && `cut off by ${c.cut}`, c.route && `as ${c.route}`].filter((x) => x).join("; ");
      row.append(element("td", more, "answer"));
      made.append(row);
    });
    scroll.append(made);
    return scroll;
  };

  const item = (q) => {
    const details = element("details"), summary = element("summary");
    const dots = element("span", null, "dots");
    q.settings.forEach((c) => {
      if (c) dots.append(element("span", c.right === c.runs ? "●" : c.right ? "◐" : "○", c.right === c.runs ? "right" : "wrong"));
    });
    summary.append(dots, element("span", (q.question || q.id).replace(/\s+/g, " ").slice(0, 140), "gist"));
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (!details.open || details.childElementCount > 1) return;
      details.append(element("p", `${q.class} · ${q.id}`, "note"));
      if (q.question) details.append(element("pre", q.question));
      if (q.gold !== null && q.gold !== undefined) details.append(element("p", `Right: ${q.gold}`));
      details.append(table(q));
      const told = new Set(cells(q).flatMap((c) => c.notes).map((k) => data.notes[k]));
      for (const note of told) details.append(element("p", note, "note"));
    });
    return details;
  };

  const more = () => {
    const next = found.slice(shown, shown + PAGE).map(item);
    byId("list").append(...next);
    shown += next.length;
    byId("more").hidden = shown >= found.length;
    byId("count").textContent = `${found.length} of ${data.questions.length} questions; a dot for each setting: ● right, ○ wrong`;
  };
  const renew = () => {
    found = data.questions.filter(wanted);
    if (order.value === "tokens") found.sort((a, b) => most(b) - most(a));
    if (order.value === "hard") found.sort((a, b) => share(a) - share(b));
    byId("list").replaceChildren();
    shown = 0;
    more();
  };
  let waiting;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(renew, 150); });
  for (const one of [klass, show, order]) one.addEventListener("change", renew);
  byId("more").addEventListener("click", more);
  const form = document.querySelector(".filters");
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  renew();
})();
