// The viewer's page: a list of episodes, and one episode step by step. What there is to show is asked by path, of the
// server, or of the answers that lie in the page itself. Everything that was recorded is shown as text, never as HTML.
// Addresses: #/?env=..&text=..&page=2 is a filtered list, #/episode/ID/7 the seventh step of an episode, #/enter/ID/6
// the same moment entered: its environment stands there, after six steps, and can be acted in,
// #/memory?question=.. what the store's memory finds for a question,
// #/curriculum the goals that a curriculum proposed,
// #/training what models learned from the store and what they lost,
// #/tree/TASK/ID the states that the episodes of a task came through, with the way of one of them.
"use strict";

const PAGE = 50;      // episodes on a page of the list
const WINDOW = 200;   // steps of an episode that are listed at once
const CHUNK = 50;     // moments in one answer; as in answers.py
const [ID, TASK, ENV, GOAL, COLLECTOR, SUCCESS, REWARD, STEPS, PARENT] = Array(9).keys();
const CURRICULUM = "curriculum";   // the collector that proposes its goals
const NONE = "no flag";
const FILTERS = ["text", "env", "collector", "success", "flag"];
const inside = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const rows = [];
let known = new Map();   // id -> row
let flags = {};   // id -> its flags
let here = { keys: {} };   // what is shown: its keys
let latest = 0;   // the newest drawing; an older one that is still waiting gives up
let listed = "#/";   // the list that one goes back to

// --- asking

const path = (...parts) => parts.map(encodeURIComponent).join("/");
const answers = new Map();

async function ask(what, given) {
  if (inside) {
    if (!(what in inside)) throw new Error("This is not in the exported page.");
    return inside[what];
  }
  const answer = await fetch("/" + what, given && { method: "POST", body: JSON.stringify(given) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

// An episode does not change once it is stored.
function remembered(what) {
  if (!answers.has(what)) {
    if (answers.size > 200) answers.clear();
    answers.set(what, ask(what).catch((error) => { answers.delete(what); throw error; }));
  }
  return answers.get(what);
}

async function refresh() {
  const found = inside && rows.length ? [] : await ask(inside ? "rows/0" : path("rows", rows.length));
  for (const row of found) { rows.push(row); known.set(row[ID], row); }
  flags = await ask("flags");
  document.getElementById("curriculum").hidden = !rows.some((row) => row[COLLECTOR] === CURRICULUM);
}

// --- making elements

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

const json = (value) => make("pre", {}, JSON.stringify(value, null, 1));
const fold = (title, ...children) => make("details", {}, make("summary", {}, title), ...children);
const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
const signed = (number) => (number > 0 ? "+" : "") + Number(number.toFixed(4));
const reached = (value) => ({ true: ["good", "reached"], false: ["bad", "not reached"] })[value] ?? ["note", "unknown"];
const verdict = (value) => make("span", { class: reached(value)[0] }, reached(value)[1]);

function episodeLink(id, moment, text) {
  return make("a", { href: "#/" + path("episode", id, moment) }, text);
}

function show(title, keys, ...children) {
  document.title = title;
  here = { keys };
  main.replaceChildren(...children.filter((child) => child != null && child !== false));
}

// --- the list

function chosen(filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (filter.env && row[ENV] !== filter.env) return false;
    if (filter.collector && row[COLLECTOR] !== filter.collector) return false;
    if (filter.success && reached(row[SUCCESS])[1] !== filter.success) return false;
    if (filter.flag && filter.flag !== NONE && !flags[row[ID]]?.includes(filter.flag)) return false;
    if (filter.flag === NONE && flags[row[ID]]) return false;
    if (!words.length) return true;
    const text = `${row[GOAL]}\n${row[ID]}\n${row[TASK]}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function listAddress(filter, page) {
  const query = new URLSearchParams();
  for (const name of FILTERS) if (filter[name]) query.set(name, filter[name]);
  if (page) query.set("page", page + 1);
  return "#/" + (query.size ? "?" + query : "");
}

function filterOf(address) {
  const query = new URLSearchParams(address.split("?")[1] ?? "");
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  return { filter, page: Math.max(0, (Number(query.get("page")) || 1) - 1) };
}

function choice(name, what, values, filter) {
  const change = (event) => location.replace(listAddress({ ...filter, [name]: event.target.value }, 0));
  const options = [["", `any ${what}`], ...values.map((value) => [value, value])];
  return make("select", { id: name, "aria-label": what, onchange: change },
    options.map(([value, text]) => make("option", { value, selected: filter[name] === value }, text)));
}

const allFlags = () => [...new Set(Object.values(flags).flat())].sort();

function listRow(row, selected) {
  const [env, n] = [row[ENV].replace(/^pathei\//, ""), row[STEPS]];
  return make("tr", { "data-id": row[ID], class: selected ? "here" : null, onclick: () => open(row[ID]) },
    make("td", {}, episodeLink(row[ID], 1, row[GOAL] || "no goal"), row[PARENT] && make("span", { class: "note" }, " (branch)"),
      (flags[row[ID]] ?? []).map((flag) => make("span", { class: "flag" }, flag))),
    make("td", { class: "env" }, env), make("td", {}, row[COLLECTOR]), make("td", { class: "result" }, verdict(row[SUCCESS])),
    make("td", { class: "number" }, String(n)), make("td", { class: "id" }, row[ID]));
}

async function drawList(mine) {
  await refresh();
  if (mine !== latest) return;
  listed = location.hash || "#/";
  const { filter, page } = filterOf(listed);
  const found = chosen(filter);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const at = Math.min(page, pages - 1);
  const shown = found.slice(at * PAGE, (at + 1) * PAGE);
  const values = (column) => [...new Set(rows.map((row) => row[column]))].sort();
  const turn = (by) => { if (at + by >= 0 && at + by < pages) location.hash = listAddress(filter, at + by); };
  const head = ["goal", "environment", "collector", "result", "steps", "id"];
  const kinds = ["", "env", "", "", "number", "id"];
  const body = make("tbody", {}, shown.map((row, n) => listRow(row, n === 0)));
  const search = make("input", { id: "text", type: "search", placeholder: "words of the goal or the id  ( / )",
    "aria-label": "words", value: filter.text, oninput: (event) => {
      location.replace(listAddress({ ...filter, text: event.target.value }, 0));
    } });
  const typing = document.activeElement?.id === "text" ? document.activeElement.selectionStart : null;
  show("Episodes", {
    ArrowDown: () => select(1), j: () => select(1), ArrowUp: () => select(-1), k: () => select(-1),
    Enter: () => { const row = body.querySelector(".here"); if (row) open(row.dataset.id); },
    n: () => turn(1), ArrowRight: () => turn(1), p: () => turn(-1), ArrowLeft: () => turn(-1), "/": () => search.focus(),
  },
    make("div", { class: "bar" }, search, choice("env", "environment", values(ENV), filter),
      choice("collector", "collector", values(COLLECTOR), filter),
      choice("success", "result", ["reached", "not reached", "unknown"], filter),
      allFlags().length > 0 && choice("flag", "flag", [...allFlags(), NONE], filter)),
    make("table", {}, make("thead", {}, make("tr", {}, head.map((name, n) => make("th", { class: kinds[n] }, name)))), body),
    make("p", { class: "bar" }, make("span", { class: "note", id: "count" }, count(found.length, "episode")),
      make("span", { class: "fill" }), make("button", { id: "previous", disabled: at === 0, onclick: () => turn(-1) }, "previous"),
      make("span", {}, `page ${at + 1} of ${pages}`),
      make("button", { id: "next", disabled: at === pages - 1, onclick: () => turn(1) }, "next")));
  if (typing !== null) { search.focus(); search.setSelectionRange(typing, typing); }

  function select(by) {
    const all = [...body.children];
    const now = all.findIndex((row) => row.classList.contains("here"));
    const then = Math.min(all.length - 1, Math.max(0, now + by));
    all[now]?.classList.remove("here");
    all[then]?.classList.add("here");
    all[then]?.scrollIntoView({ block: "nearest" });
  }
}

const open = (id, moment = 1) => { location.hash = "#/" + path("episode", id, moment); };

// --- an episode

async function drawEpisode(mine, id, wanted) {
  await refresh();
  const episode = await remembered(path("episode", id));
  const last = episode.lines.length + 1;   // the number of the end
  const number = wanted === "end" ? last : Math.min(last, Math.max(1, Number(wanted) || 1));
  const moment = await momentOf(id, number - 1);
  const before = number > 1 ? await momentOf(id, number - 2) : null;
  if (mine !== latest) return;
  let at = number;   // ahead of what is drawn while keys come faster than that
  const go = (to) => {
    at = Math.min(last, Math.max(1, to));
    location.replace("#/" + path("episode", id, at === last ? "end" : at));
  };
  const others = chosen(filterOf(listed).filter);
  const place = others.findIndex((row) => row[ID] === id);
  const neighbour = (by) => { const row = others[place + by]; if (place >= 0 && row) open(row[ID]); };
  const keys = {
    j: () => go(at + 1), ArrowDown: () => go(at + 1), k: () => go(at - 1), ArrowUp: () => go(at - 1),
    Home: () => go(1), g: () => go(1), End: () => go(last), G: () => go(last),
    n: () => neighbour(1), ArrowRight: () => neighbour(1), p: () => neighbour(-1), ArrowLeft: () => neighbour(-1),
    e: () => enter(), f: () => document.getElementById("flag")?.focus(), Escape: () => { location.hash = listed; },
  };
  const enter = () => { if (!inside) location.hash = "#/" + path("enter", id, number - 1); };
  const entrance = !inside && make("button", { id: "enter", onclick: enter }, "Enter here (e)");
  const list = stepList(episode, number, go);
  const scrolled = document.querySelector(".steps")?.dataset.id === id ? document.querySelector(".steps").scrollTop : 0;
  show(`${episode.task.goal.text || id}, step ${number}`, keys, ...episodeHead(episode),
    make("div", { class: "episode" }, list, make("section", { class: "step", "aria-live": "polite" },
      entrance, number === last ? end(moment, before, episode) : step(moment, before, number), drawing(episode, number - 1))));
  list.scrollTop = scrolled;
  const marked = list.querySelector(".here");
  const [top, room] = [marked.offsetTop - list.offsetTop, list.clientHeight];
  if (top < list.scrollTop || top + marked.offsetHeight > list.scrollTop + room) list.scrollTop = top - room / 2;
}

async function momentOf(id, n) {
  const { words, moments } = await remembered(path("steps", id, n - (n % CHUNK)));
  const found = moments[n % CHUNK];
  return { ...found, actions: found.actions && found.actions.map((word) => words[word]) };
}

// The flags of an episode: each can be taken away, and another set; it stays on the page what the server answered.
function flagBar(id) {
  const bar = make("div", { class: "flags" });
  const put = async (flag, on) => {
    try {
      const found = (await ask("flag", { id, flag, on })).flags;
      if (found.length) flags[id] = found; else delete flags[id];
      draw();
    } catch (error) { draw(error.message); }
  };
  const draw = (problem) => {
    const set = (flags[id] ?? []).map((flag) => make("span", { class: "flag" }, flag,
      !inside && make("button", { title: `take the flag away: ${flag}`, "aria-label": `remove ${flag}`, onclick: () => put(flag, false) }, "×")));
    const input = make("input", { id: "flag", list: "known-flags", placeholder: "flag it  ( f )", "aria-label": "flag", size: 12, maxlength: 40,
      onkeydown: (event) => { if (event.key === "Enter" && event.target.value.trim()) { event.stopPropagation(); put(event.target.value.trim(), true); } } });
    bar.replaceChildren(...set, ...(inside ? [] : [input,
      make("datalist", { id: "known-flags" }, [...new Set([...allFlags(), "good", "bad"])].map((value) => make("option", { value })))]),
      ...(problem ? [make("span", { class: "bad" }, problem)] : []));
  };
  draw();
  return bar;
}

function episodeHead(episode) {
  const { task, parent, shared } = episode;
  const branches = rows.filter((row) => row[PARENT]?.[0] === episode.id);
  const alike = rows.filter((row) => row[TASK] === task.id && row[ID] !== episode.id && row[PARENT]?.[0] !== episode.id);
  const link = (row) => make("li", {}, episodeLink(row[ID], row[PARENT] ? row[PARENT][1] + 1 : 1, row[ID]), " ", verdict(row[SUCCESS]),
    row[PARENT] && ` after step ${row[PARENT][1]}`);
  const listOf = (found, title) => found.length > 0 && fold(`${found.length} ${title}`, make("ul", { class: "plain" }, found.map(link)));
  return [
    make("h1", {}, task.goal.text || "no goal"),
    make("div", { class: "facts" }, make("span", {}, "goal ", verdict(episode.success)),
      make("span", {}, count(episode.lines.length, "step")), make("span", {}, `return ${signed(episode.reward)}`),
      make("span", {}, episode.collector), make("span", {}, task.env), make("span", {}, episode.id)),
    (!inside || flags[episode.id]) && flagBar(episode.id),
    parent && make("p", { class: "note" }, `A branch: its first ${count(shared, "step")} are those of `,
      known.has(parent.trajectory) ? episodeLink(parent.trajectory, parent.step + 1, parent.trajectory) : parent.trajectory, "."),
    make("div", { class: "facts" }, fold("task and origin", json({ task, provenance: episode.provenance })),
      make("a", { href: "#/" + path("tree", task.id, episode.id), id: "tree" }, "the task's tree"),
      listOf(branches, branches.length === 1 ? "branch" : "branches"), listOf(alike, "more of this task")),
  ].filter(Boolean);
}

function stepList(episode, number, go) {
  const last = episode.lines.length + 1;
  const first = Math.max(1, Math.min(number - WINDOW / 2, last - WINDOW + 1));
  const end = Math.min(last, first + WINDOW - 1);
  const items = [];
  for (let n = first; n <= end; n++) {
    const [action, reward, error, changes] = n === last ? ["the end", 0, "", 0] : episode.lines[n - 1];
    const kind = error ? "bad" : reward > 0 ? "good" : reward < 0 ? "bad" : "";
    const side = error ? "refused" : reward ? signed(reward) : changes ? `${changes}Δ` : "";
    const to = n === last ? "end" : n;
    items.push(make("li", { class: [n === number && "here", n <= episode.shared && "shared"].filter(Boolean).join(" "),
      "aria-current": n === number ? "step" : null },
    make("a", { href: "#/" + path("episode", episode.id, to), onclick: (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); go(n); }
    } }, make("span", { class: "n" }, n === last ? "" : String(n)),
      make("span", { class: kind }, action), make("span", { class: "note" }, side))));
  }
  const more = (to, text) => make("button", { class: "more", onclick: () => go(to) }, text);
  return make("nav", { class: "steps", "aria-label": "steps", "data-id": episode.id },
    first > 1 && more(first - 1, `${count(first - 1, "step")} before`), make("ol", {}, items),
    end < last && more(end + 1, `${count(last - end - 1, "step")} more`));
}

function seen(moment, before) {
  const old = new Set(before ? before.text.split("\n") : moment.text.split("\n"));
  const lines = moment.text.split("\n").map((line) => make("span", { class: old.has(line) ? null : "new" }, line + "\n"));
  return [make("h2", {}, "Seen"), make("pre", { class: "seen" }, lines),
    moment.images.map((name) => make("img", { alt: "what was seen", src: inside ? inside[path("image", name)] : "/" + path("image", name) })),
    moment.actions && fold(`${count(moment.actions.length, "admissible action")}`, make("ul", { class: "plain actions" },
      moment.actions.map((action) => make("li", { class: action === moment.action ? "chosen" : null }, action))))];
}

// Where the episode stands, as its environment draws it. What is drawn is a picture: nothing in it runs.
function drawing(episode, moment) {
  const name = path("drawing", episode.id, moment);
  if (inside ? !(name in inside) : !episode.drawn) return null;
  return make("details", { class: "drawn", open: true }, make("summary", {}, "Drawn"),
    make("img", { id: "drawing", alt: "a drawing of where the episode stands", src: inside ? inside[name] : "/" + name }));
}

function step(moment, before, number) {
  const { thought, sentence, ...notes } = moment.agent;
  const { success, progress, error, ...info } = moment.info;
  const thoughts = [thought, sentence].filter(Boolean);
  return [
    ...seen(moment, before),
    (thoughts.length > 0 || Object.keys(notes).length > 0) && make("h2", {}, "Thought"),
    thoughts.map((text) => make("pre", {}, String(text))),
    Object.keys(notes).length > 0 && fold("what the agent noted", json(notes)),
    make("h2", {}, `Did (step ${number})`), make("div", { class: "action" }, moment.action),
    error !== undefined && make("div", { class: "bad" }, `refused: ${error}`),
    make("div", { class: "facts" }, make("span", {}, `reward ${signed(moment.reward)}`),
      progress != null && make("span", {}, `progress ${Math.round(progress * 100)} %`),
      success && make("span", {}, "goal ", verdict(success)),
      moment.ended && make("span", {}, moment.ended)),
    Object.keys(info).length > 0 && fold("what else the environment reported", json(info)),
    make("h2", {}, "Changed"), changes(moment.changes), tokens(moment.tokens),
  ].flat(2).filter(Boolean);
}

function changes(found) {
  if (!found.length) return make("p", { class: "note" }, "No fact.");
  return make("ul", { class: "plain", id: "changes" }, found.map(([sign, text, passing]) =>
    make("li", { class: (sign === "+" ? "good" : "bad") + (passing ? " passing" : "") }, `${sign === "+" ? "+" : "−"} ${text}`)));
}

function tokens(found) {
  if (!found) return [];
  const { prompt_ids: read, completion_ids: written, logprobs } = found;
  const mean = logprobs?.length ? logprobs.reduce((sum, one) => sum + one, 0) / logprobs.length : null;
  return [make("h2", {}, "Tokens"), make("div", { class: "facts" }, make("span", {}, `${read.length} read`),
    make("span", {}, `${written.length} written`), mean !== null && make("span", {}, `mean log-probability ${mean.toFixed(3)}`)),
  fold("ids and log-probabilities", make("ul", { class: "plain" }, written.map((id, n) =>
    make("li", {}, logprobs ? `${id}  ${logprobs[n].toFixed(3)}` : String(id)))))];
}

function end(moment, before, episode) {
  return [...seen(moment, before), make("h2", {}, "The end"), make("div", { class: "action" }, "goal ", verdict(episode.success))]
    .flat(2).filter(Boolean);
}

// --- the tree of a task: every state once, under the way that first led to it

const DRAWN = 300;      // the most states of a picture
const LABELLED = 60;    // up to so many states, each has the action that led to it

const searched = (way) => `${count(way[7], "visit")}, value ${Number(way[8].toFixed(3))}`;

// The tree as a picture: steps to the right, alternatives below each other, other ways to a state dashed. A state is the larger the
// more episodes passed, and the greener the more of them reached the goal.
function grown(states, out, roots, entry, walk, reveal) {
  const above = (number) => entry.get(number)?.[0];
  const wanted = new Set();
  const order = states.map((_, n) => n).sort((a, b) => states[b][0] - states[a][0] || a - b);
  for (const number of [...walk, ...order]) {
    const line = [];
    for (let n = number; n !== undefined && !wanted.has(n); n = above(n)) line.push(n);
    if (wanted.size + line.length > DRAWN && wanted.size) break;
    for (const n of line) wanted.add(n);
  }
  const labelled = wanted.size <= LABELLED;
  const [across, down, top] = labelled ? [180, 30, 24] : [56, 14, 14];
  const at = new Map();   // state -> [x, y]
  let leaves = 0;
  const waiting = [...roots].reverse().filter((root) => wanted.has(root)).map((root) => [root, 0, false]);
  while (waiting.length) {
    const [number, depth, done] = waiting.pop();
    const under = out[number].filter((way) => wanted.has(way[1]) && entry.get(way[1]) === way).map((way) => way[1]);
    if (!done && under.length) {
      waiting.push([number, depth, true], ...under.reverse().map((one) => [one, depth + 1, false]));
    } else {
      const ys = under.map((one) => at.get(one)[1]);
      at.set(number, [14 + across * depth, ys.length ? (Math.min(...ys) + Math.max(...ys)) / 2 : top + down * leaves++]);
    }
  }
  const steps = new Set(walk.slice(1).map((to, n) => `${walk[n]} ${to}`));
  const [lines, taken, dots] = [[], [], []];
  for (const [number, [x, y]] of at) {
    for (const way of out[number]) {
      const to = at.get(way[1]);
      if (!to) continue;
      const bend = Math.max(12, (to[0] - x) / 2);
      const curve = `M ${x} ${y} C ${x + bend} ${y} ${to[0] - bend} ${to[1]} ${to[0]} ${to[1]}`;
      const on = steps.has(`${number} ${way[1]}`);
      (on ? taken : lines).push(svg("path", { d: curve, class: on ? "taken" : entry.get(way[1]) === way ? "way" : "way joins", "stroke-width": on ? 4 : 1 + Math.min(4, Math.log2(way[3])) },
        svg("title", {}, `${way[2]}: ${way[3]}×${way[7] ? `, ${searched(way)}` : ""}`)));
    }
    const [passed, won] = states[number];
    const way = entry.get(number);
    dots.push(svg("g", { class: "state", tabindex: 0, "data-state": number }, svg("title", {}, `state ${number}: ${count(passed, "episode")}, ${won} reached the goal`),
      svg("circle", { cx: x, cy: y, r: 3 + Math.min(6, Math.log2(passed)) }),
      svg("circle", { cx: x, cy: y, r: 3 + Math.min(6, Math.log2(passed)), class: "won", "fill-opacity": won / passed }),
      labelled && way && svg("text", { x: x - 10, y: y - 7, "text-anchor": "end" }, way[2].length > 24 ? `${way[2].slice(0, 23)}…` : way[2])));
  }
  for (const dot of dots) {
    dot.addEventListener("click", () => reveal(Number(dot.dataset.state)));
    dot.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.stopPropagation(); reveal(Number(dot.dataset.state)); } });
  }
  const width = 28 + Math.max(...[...at.values()].map(([x]) => x));
  const height = 14 + Math.max(...[...at.values()].map(([, y]) => y));
  const left_out = states.length - at.size;
  return make("div", { class: "grown" }, svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "the tree as a picture" }, ...lines, ...taken, ...dots),
    left_out > 0 && make("p", { class: "note" }, `The ${at.size} states that most episodes came through; ${left_out.toLocaleString("en")} more are in the list.`));
}

async function drawTree(mine, task, episode) {
  await refresh();
  const { states, ways, walks } = await ask(path("tree", task));
  if (mine !== latest) return;
  const out = states.map(() => []);
  for (const way of ways) out[way[0]].push(way);
  for (const found of out) found.sort((a, b) => b[3] - a[3]);
  const entry = new Map();   // state -> the way under which it is drawn
  const queue = [];
  const led = new Set(ways.filter(([from, to]) => from < to).map(([, to]) => to));
  const roots = states.map((_, n) => n).filter((n) => !led.has(n));
  for (const root of roots) { entry.set(root, null); queue.push(root); }
  for (let n = 0; n < queue.length; n++) {
    for (const way of out[queue[n]]) if (!entry.has(way[1])) { entry.set(way[1], way); queue.push(way[1]); }
  }
  const about = ([passed, won], number) => [make("span", { class: "note" }, ` ${passed}×`),
    won > 0 && make("span", { class: "good" }, ` ${won} reached the goal`), make("span", { class: "note" }, ` state ${number}`),
  ].filter(Boolean);

  function drawn(number, way, opened) {
    const label = way ? [episodeLink(way[5], way[6], way[2]), way[4] ? make("span", { class: way[4] > 0 ? "good" : "bad" }, ` ${signed(way[4])}`) : "",
      way[7] ? make("span", { class: "note" }, ` ${searched(way)},`) : ""] : ["the beginning"];
    if (way && entry.get(number) !== way) {
      return make("li", {}, ...label, make("span", { class: "note" }, ` ${way[3]}×, joins `), make("a", { href: location.hash, onclick: (event) => {
        event.preventDefault();
        reveal(number);
      } }, `state ${number}`));
    }
    if (!out[number].length) return make("li", { id: `state-${number}` }, ...label, ...about(states[number], number));
    const inner = make("ul", { class: "tree" });
    const fill = () => { if (!inner.children.length) inner.append(...out[number].map((next, n) => drawn(next[1], next, n === 0 && opened))); };
    const branch = make("details", { open: opened, ontoggle: fill }, make("summary", {}, ...label, ...about(states[number], number)), inner);
    if (opened) fill();
    return make("li", { id: `state-${number}` }, branch);
  }

  // Opens everything above a state, which is drawn when it is first opened.
  function reveal(number) {
    const above = [];
    for (let way = entry.get(number); way; way = entry.get(way[0])) above.unshift(way[0]);
    for (const one of above) {
      const found = document.querySelector(`#state-${one} > details`);
      found.open = true;
      found.dispatchEvent(new Event("toggle"));
    }
    const target = document.getElementById(`state-${number}`);
    document.querySelector(".tree .here")?.classList.remove("here");
    target.classList.add("here");
    target.scrollIntoView({ block: "center" });
  }

  const first = rows.find((row) => row[TASK] === task);
  const walk = walks[episode] ?? [];
  show(`tree of ${task}`, { Escape: () => history.back() }, make("h1", {}, first ? first[GOAL] || "no goal" : task),
    make("p", { class: "note" }, `${count(states.length, "state")} in ${count(rows.filter((row) => row[TASK] === task).length, "episode")} of ${task}. `,
      "Each state is drawn once, under the way that first led to it; the most frequent way comes first."),
    ways.length > 0 && grown(states, out, roots, entry, walk, reveal),
    walk.length > 0 && make("p", { class: "note" }, "The thick line is ", episodeLink(episode, 1, episode), "."),
    make("ul", { class: "tree", id: "root" }, roots.map((root) => drawn(root, null, true))));
  const picture = document.querySelector(".grown");
  const start = picture?.querySelector(`[data-state="${walk[0] ?? roots[0]}"] circle`);
  if (start) picture.scrollTop = start.cy.baseVal.value - picture.clientHeight / 2;
}

// --- the curriculum: which goals were proposed, reached and missed, in the order of the attempts

const SPAN = 50;   // attempts over which a rate is taken

function goalsOf(attempts) {
  const goals = new Map();
  attempts.forEach((row, n) => {
    const goal = goals.get(row[GOAL]) ?? { text: row[GOAL], tries: [], first: 0, last: row };
    goal.tries.push(row[SUCCESS] === true);
    if (row[SUCCESS] === true && !goal.first) goal.first = n + 1;
    goal.last = row;
    goals.set(row[GOAL], goal);
  });
  const share = (tries) => tries.filter(Boolean).length / tries.length;
  for (const goal of goals.values()) {
    // Learning progress: how much oftener the later half of the attempts reached the goal than the earlier half.
    const half = goal.tries.length >> 1;
    goal.reached = goal.tries.filter(Boolean).length;
    goal.progress = half ? share(goal.tries.slice(-half)) - share(goal.tries.slice(0, half)) : 0;
  }
  return [...goals.values()];
}

// Three lines over the attempts: goals proposed and reached so far, as shares of all goals, and the share of the last attempts.
function curves(attempts, all) {
  const [proposed, reachedGoals] = [new Set(), new Set()];
  const lines = [["proposed", []], ["reached", []], ["rate", []]];
  attempts.forEach((row, n) => {
    proposed.add(row[GOAL]);
    if (row[SUCCESS] === true) reachedGoals.add(row[GOAL]);
    const recent = attempts.slice(Math.max(0, n - SPAN + 1), n + 1);
    const values = [proposed.size / all, reachedGoals.size / all, recent.filter((one) => one[SUCCESS] === true).length / recent.length];
    values.forEach((value, line) => lines[line][1].push([n, value]));
  });
  const [left, width, height] = [52, 740, 200];
  const last = attempts.length - 1;
  const x = (n) => left + (n / Math.max(1, last)) * width;
  const y = (value) => 8 + height * (1 - value);
  const every = Math.max(1, Math.floor(attempts.length / width));
  const points = (line) => line.filter(([n]) => n % every === 0 || n === last).map(([n, value]) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const marks = [...new Set([0, last >> 1, last])];
  return svg("svg", { viewBox: `0 0 ${left + width + 8} ${height + 30}`, class: "curves", role: "img", "aria-label": "goals proposed and reached, and the share of attempts that reached theirs, over the attempts" },
    ...[0, 0.5, 1].flatMap((at) => [svg("line", { x1: left, x2: left + width, y1: y(at), y2: y(at), class: "rule" }),
      svg("text", { x: left - 6, y: y(at) + 4, "text-anchor": "end" }, `${100 * at} %`)]),
    ...marks.map((n) => svg("text", { x: x(n), y: height + 24, "text-anchor": n ? n === last ? "end" : "middle" : "start" }, n === last ? count(n + 1, "attempt") : (n + 1).toLocaleString("en"))),
    ...lines.map(([name, line]) => svg("polyline", { points: points(line), class: name })));
}

async function drawCurriculum(mine) {
  await refresh();
  if (mine !== latest) return;
  const attempts = rows.filter((row) => row[COLLECTOR] === CURRICULUM && !row[PARENT]);
  const goals = goalsOf(attempts);
  const got = goals.filter((goal) => goal.reached);
  const orders = { proposed: (a, b) => b.tries.length - a.tries.length, "first reached": (a, b) => (a.first || Infinity) - (b.first || Infinity),
    progress: (a, b) => b.progress - a.progress };
  const order = new URLSearchParams(location.hash.split("?")[1] ?? "").get("by") ?? "proposed";
  goals.sort(orders[order] ?? orders.proposed);
  const number = (text) => make("td", { class: "number" }, String(text));
  const legend = [["proposed", `goals proposed, of ${goals.length.toLocaleString("en")}`], ["reached", "goals reached"], ["rate", `share of the last ${SPAN} attempts that reached their goal`]];
  show("Curriculum", { Escape: () => { location.hash = listed; } }, make("h1", {}, "Curriculum"),
    make("p", { class: "note", id: "count" }, `${count(attempts.length, "attempt")} at ${count(goals.length, "goal")}: ${got.length} reached, ${goals.length - got.length} never.`),
    attempts.length > 1 && curves(attempts, goals.length),
    make("div", { class: "facts" }, legend.map(([name, what]) => make("span", { class: `key ${name}` }, what))),
    make("div", { class: "bar" }, make("label", { for: "by" }, "order: "), make("select", { id: "by", onchange: (event) => { location.replace("#/curriculum?by=" + encodeURIComponent(event.target.value)); } },
      Object.keys(orders).map((name) => make("option", { value: name, selected: name === order }, name)))),
    make("table", {}, make("thead", {}, make("tr", {}, ["goal", "proposed", "reached", "missed", "first reached", "progress"].map((name, n) =>
      make("th", { class: n ? "number" : null }, name)))),
    make("tbody", {}, goals.slice(0, 500).map((goal) => make("tr", {}, make("td", {}, episodeLink(goal.last[ID], 1, goal.text || "no goal")),
      number(goal.tries.length), number(goal.reached), number(goal.tries.length - goal.reached), number(goal.first || ""), number(goal.progress ? signed(goal.progress) : ""))))),
    goals.length > 500 && make("p", { class: "note" }, `The first 500 of ${goals.length.toLocaleString("en")} goals.`));
}

// --- training: success against language lost, a point for each model; the rounds of an agent in a loop are joined

const share = (value) => `${(100 * value).toFixed(0)} %`;

async function drawTraining(mine) {
  const points = await ask("training");
  if (mine !== latest) return;
  const names = [...new Set(points.map((point) => point.name))];
  const hue = (name) => `hsl(${Math.round(names.indexOf(name) * 360 / names.length + 210) % 360} 60% 50%)`;
  const measured = points.filter((point) => point.lost);
  const label = (point) => point.name + (point.round === null ? "" : `, round ${point.round}`);
  const order = (a, b) => (a.round ?? 0) - (b.round ?? 0) || b.success[0] - a.success[0];
  const number = (text) => make("td", { class: "number" }, text);
  const range = ([value, low, high], text) => text(value) + (low < high ? ` [${text(low)}, ${text(high)}]` : "");
  show("Training", { Escape: () => { location.hash = listed; } }, make("h1", {}, "Training"),
    make("p", { class: "note", id: "count" }, points.length ? `${count(points.length, "measurement")} of ${count(names.length, "model")}: success on what was held out, and language lost.`
      : "Nothing was measured yet: pathei eval and pathei loop write what is shown here."),
    measured.length > 0 && frontier(measured, hue, label),
    make("div", { class: "facts" }, names.map((name) => make("span", {}, svg("svg", { viewBox: "0 0 10 10", class: "dot" }, svg("circle", { cx: 5, cy: 5, r: 4, fill: hue(name) })), name))),
    make("table", {}, make("thead", {}, make("tr", {}, ["model", "success", "language lost (nats/token)"].map((name, n) => make("th", { class: n ? "number" : null }, name)))),
      make("tbody", {}, [...points].sort(order).map((point) => make("tr", {}, make("td", {}, label(point)), number(range(point.success, share)),
        number(point.lost ? range(point.lost, (value) => value.toFixed(3)) : "not measured"))))));
}

function frontier(points, hue, label) {
  const [width, height, left, below] = [640, 320, 44, 34];
  const lost = points.flatMap((point) => point.lost);
  const [low, high] = [Math.min(0, ...lost), Math.max(0.01, ...lost)];
  const x = (value) => left + ((value - low) / (high - low)) * (width - left - 24);
  const y = (value) => 8 + (1 - value) * (height - below - 8);
  const text = (at, line, words, anchor) => svg("text", { x: at, y: line, "text-anchor": anchor }, words);
  const names = [...new Set(points.map((point) => point.name))];
  const joined = names.map((name) => points.filter((point) => point.name === name && point.round !== null).sort((a, b) => a.round - b.round))
    .filter((some) => some.length > 1).map((some) => svg("polyline", { fill: "none", stroke: hue(some[0].name), points: some.map((one) => `${x(one.lost[0])},${y(one.success[0])}`).join(" ") }));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "frontier", role: "img", "aria-label": "success upwards, language lost to the right" },
    [0, 0.5, 1].map((value) => [svg("line", { x1: left, x2: width - 24, y1: y(value), y2: y(value), class: "rule" }), text(left - 6, y(value) + 4, share(value), "end")]).flat(),
    [low, (low + high) / 2, high].map((value) => text(x(value), height - below + 18, value.toFixed(2), "middle")),
    text((left + width) / 2, height - 2, "language lost, nats per token", "middle"), joined,
    points.map((point) => [svg("line", { x1: x(point.lost[0]), x2: x(point.lost[0]), y1: y(point.success[1]), y2: y(point.success[2]), stroke: hue(point.name) }),
      svg("line", { x1: x(point.lost[1]), x2: x(point.lost[2]), y1: y(point.success[0]), y2: y(point.success[0]), stroke: hue(point.name) }),
      svg("circle", { cx: x(point.lost[0]), cy: y(point.success[0]), r: 5, fill: hue(point.name) }, svg("title", {}, label(point)))]).flat());
}

// --- the store's memory

// Skills as a graph: to the right of a skill stand those that call it; a dashed line leads from a skill to one that needs its effect.
function skillGraph(items) {
  const skills = new Map(items.map((item) => [item.skill.name, item]));
  const calls = (name) => skills.get(name).skill.calls.filter((called) => called !== name && skills.has(called));
  const depths = new Map();
  const depth = (name, above = new Set()) => {
    if (!depths.has(name)) depths.set(name, 1 + Math.max(-1, ...calls(name).filter((one) => !above.has(one)).map((one) => depth(one, new Set([...above, name])))));
    return depths.get(name);
  };
  const columns = [];
  for (const name of skills.keys()) (columns[depth(name)] ??= []).push(name);
  const [width, step, line] = [250, 300, 30];
  const places = new Map();
  [...columns].forEach((names, column) => (names ?? []).forEach((name, row) => places.set(name, [8 + column * step, 8 + row * line])));
  const size = [8 + columns.length * step, 8 + line * Math.max(...[...columns].map((names) => names?.length ?? 0))];
  const edge = (from, to, kind) => {
    const [[x1, y1], [x2, y2]] = [places.get(from), places.get(to)];
    const [start, end, bend] = x2 > x1 ? [x1 + width, x2, 30] : x2 < x1 ? [x1, x2 + width, -30] : [x1 + width, x1 + width, 40];
    return svg("path", { class: kind, d: `M${start} ${y1 + 11} C${start + bend} ${y1 + 11} ${end - (x2 === x1 ? -bend : bend)} ${y2 + 11} ${end} ${y2 + 11}` });
  };
  const needs = (name) => [...skills.keys()].filter((other) => other !== name && skills.get(other).skill.effects.some((effect) => skills.get(name).skill.preconditions.includes(effect)));
  const short = (name) => (name.length > 36 ? name.slice(0, 35) + "…" : name);
  return make("div", { class: "skills" }, svg("svg", { width: size[0], height: size[1], viewBox: `0 0 ${size[0]} ${size[1]}`, role: "img", "aria-label": "skills, and which calls which" },
    [...skills.keys()].flatMap((name) => [...new Set(calls(name))].map((called) => edge(called, name, "calls"))),
    [...skills.keys()].flatMap((name) => needs(name).map((other) => edge(other, name, "needs"))),
    [...places].map(([name, [x, y]]) => svg("a", { href: "#", "data-skill": name }, svg("title", {}, skills.get(name).text),
      svg("rect", { x, y, width, height: 22, rx: 5 }), svg("text", { x: x + 8, y: y + 15 }, short(name))))));
}

// One skill: what has to hold, its steps in order, and what holds then.
function skillFlow({ preconditions, steps, effects }) {
  const part = (what, kind) => make("span", { class: `part ${kind}` }, what);
  return make("div", { class: "flow" }, preconditions.map((what) => part(what, "before")), steps.map((what) => part(what, "does")), effects.map((what) => part(what, "after")));
}

async function drawMemory(mine) {
  const query = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const [kind, status, question] = [query.get("kind") ?? "", query.get("status") ?? "active", query.get("question") ?? ""];
  const found = await ask(path("memory", kind, status, question));
  await refresh();
  if (mine !== latest) return;
  const words = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const go = (change) => { location.hash = "#/memory?" + new URLSearchParams({ kind, status, question, ...change }); };
  const choose = (id, now, values) => make("select", { id, "aria-label": id, onchange: (event) => go({ [id]: event.target.value }) },
    ["", ...values].map((value) => make("option", { value, selected: now === value }, value || `any ${id}`)));
  const skills = found.items.filter((item) => item.skill);
  const search = make("input", { id: "question", type: "search", placeholder: "a question, then Enter  ( / )", "aria-label": "question",
    value: question, onkeydown: (event) => { if (event.key === "Enter") go({ question: event.target.value }); } });
  show("Memory", { "/": () => search.focus(), Escape: () => { location.hash = listed; } },
    make("div", { class: "bar" }, search, choose("kind", kind, found.kinds), choose("status", status, found.statuses)),
    make("p", { class: "note", id: "count" }, question ? `${count(found.items.length, "item")} found, best first.`
      : `${count(found.holds, "active item")} in all; the newest first.`),
    skills.length > 1 && fold(`${skills.length} skills as a graph`, skillGraph(skills)),
    ...found.items.map((item) => memoryItem(item, words)));
  document.querySelector(".skills")?.parentElement.setAttribute("open", "");
  for (const node of document.querySelectorAll("[data-skill]")) node.addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector(`[data-name="${CSS.escape(node.dataset.skill)}"]`)?.scrollIntoView({ block: "center" });
  });
}

function memoryItem(item, words) {
  // Words of the question are marked; a part without any is one text.
  const alike = (a, b) => a === b || (Math.min(a.length, b.length) > 2 && (a.startsWith(b) || b.startsWith(a)));   // cup, cups
  const parts = item.text.split(/([\p{L}\p{N}]+)/u).map((part) =>
    words.some((word) => part && alike(word, part.toLowerCase())) ? make("mark", {}, part) : part);
  const facts = [item.kind, item.status !== "active" && item.status, item.replaced && `replaced by ${item.replaced}`,
    `seen ${item.seen}×`, (item.helpful > 0 || item.harmful > 0) && `helped ${item.helpful}×, harmed ${item.harmful}×`,
    `confidence ${item.confidence.toFixed(2)}`, item.score !== undefined && `score ${item.score.toFixed(3)}`,
    ...Object.entries(item.scores ?? {}).map(([part, value]) => `${part} ${value.toFixed(3)}`)].filter(Boolean);
  const origin = known.has(item.trajectory) ? episodeLink(item.trajectory, (item.step ?? 0) + 1, item.trajectory) : item.trajectory;
  return make("article", { class: "item", "data-name": item.skill?.name }, make("pre", {}, parts), item.skill && skillFlow(item.skill), make("div", { class: "facts" },
    facts.map((fact) => make("span", {}, fact)), origin && make("span", {}, "from ", origin)));
}

// --- a step that is entered

async function drawEntered(mine, id, step) {
  const there = { id, step };
  let state = await ask("enter", there);
  if (mine !== latest) return;
  const leave = () => { location.hash = "#/" + path("episode", id, step + 1); };
  const problem = make("p", { class: "bad", id: "problem" });
  const world = make("section", { class: "step", "aria-live": "polite" });
  const input = make("input", { id: "act", autocomplete: "off", oninput: () => list(), onkeydown: (event) => {
    if (event.key === "Enter" && matching().length) { event.stopPropagation(); act(matching()[0]); }
  } });
  const actions = make("ol", {});
  const desk = async (what, more) => {
    const waiting = setTimeout(() => problem.replaceChildren("Working ..."), 300);
    problem.replaceChildren();
    try {
      const found = await ask(what, { ...there, ...more });
      clearTimeout(waiting);
      problem.replaceChildren();
      return found;
    } catch (error) {
      clearTimeout(waiting);
      problem.replaceChildren(error.message);
      return null;
    }
  };
  const update = (found) => { if (found && mine === latest) { state = found; input.value = ""; redraw(); } };
  const act = async (action) => update(await desk("act", { action }));
  const keep = async () => { const kept = await desk("keep"); if (kept) open(kept.id, step + 1); };
  const agent = make("input", { id: "agent", "aria-label": "an agent", value: "random", autocomplete: "off", title: "an agent by its name, as `pathei list agent` shows them: random, skills:MEMORY, lm:MODEL" });
  const steps = make("input", { id: "steps", "aria-label": "how many steps at most", type: "number", min: 1, value: 10 });
  const handOver = async () => update(await desk("agent", { agent: agent.value.trim(), steps: Number(steps.value) }));
  for (const one of [agent, steps]) one.onkeydown = (event) => { event.stopPropagation(); if (event.key === "Enter") handOver(); };
  const buttons = make("div", { class: "bar" },
    make("button", { id: "keep", onclick: keep }, "Store this branch"),
    make("button", { id: "search", onclick: async () => update(await desk("search")) }, "Let a search go on"),
    make("button", { id: "let", onclick: handOver }, "Let an agent act:"), agent, steps,
    make("button", { id: "again", onclick: async () => update(await desk("enter", { again: true })) }, "Begin again"),
    make("button", { id: "leave", onclick: leave }, "Leave"));
  show(`${state.goal || id}, entered`, { Escape: leave, "/": () => input.focus() },
    make("h1", {}, state.goal || "no goal"),
    make("p", { class: "note" }, `You act after ${count(step, "step")} of `, episodeLink(id, step + 1, id), "."), buttons, problem,
    make("div", { class: "episode" }, make("div", { class: "act" }, input, make("nav", { class: "steps", "aria-label": "actions" }, actions)), world));
  redraw();

  function matching() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (state.over) return [];
    if (!state.actions) return words.length ? [input.value] : [];
    return state.actions.filter((action) => words.every((word) => action.toLowerCase().includes(word)));
  }

  function list() {
    const found = matching();
    const none = make("li", { class: "note none" }, state.over ? "The episode is over." : state.actions ? "No action has these words." : "");
    actions.replaceChildren(...(found.length ? [] : [none]), ...found.map((action, n) => make("li", { class: n === 0 ? "here" : null },
      make("a", { href: location.hash, onclick: (event) => { event.preventDefault(); act(action); } },
        make("span", { class: "n" }, n === 0 ? "⏎" : ""), make("span", {}, action)))));
  }

  function redraw() {
    const lines = state.lines.map(([action, reward, error], n) => make("li", { class: error ? "bad" : reward > 0 ? "good" : null },
      `${step + n + 1} ${action} ${reward ? signed(reward) : ""} ${error && `refused: ${error}`}`));
    document.getElementById("keep").disabled = !lines.length;
    for (const one of [document.getElementById("search"), document.getElementById("let"), input]) one.disabled = state.over;
    input.placeholder = state.actions ? `words of one of ${count(state.actions.length, "action")}, then Enter` : "what to do, then Enter";
    world.replaceChildren(...[
      make("h2", {}, "Done"), lines.length ? make("ul", { class: "plain", id: "done" }, lines) : make("p", { class: "note" }, "Nothing yet."),
      lines.length > 0 && state.success != null && make("p", {}, "goal ", verdict(state.success), state.over && ", the episode is over"),
      lines.length > 0 && make("h2", {}, "Changed"), lines.length > 0 && changes(state.changes),
      make("h2", {}, "Seen"), make("pre", { class: "seen" }, state.text),
      ...state.pictures.map((picture) => make("img", { alt: "what is seen", src: picture })),
    ].filter(Boolean));
    list();
    input.focus();
  }
}

// --- keys, addresses

const KEYS = [["j k ↓ ↑", "the next or previous episode of the list, or step of the episode"], ["Enter", "open the episode"],
  ["n p → ←", "the next or previous page of the list, or episode"], ["Home End", "the first step, or the end"], ["e", "enter the step and act from there"], ["f", "set a flag on the episode"],
  ["/", "search"], ["Esc", "back to the list"], ["?", "these keys"]];
const help = document.getElementById("help");
help.append(make("h2", {}, "Keys"), make("dl", { class: "keys" }, KEYS.flatMap(([keys, what]) =>
  [make("dt", {}, keys.split(" ").flatMap((key) => [make("kbd", {}, key), " "])), make("dd", {}, what)])));
help.addEventListener("click", () => help.close());
document.getElementById("keys").addEventListener("click", () => help.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === "Escape" || event.key === "Enter") event.target.blur();
    return;
  }
  const act = event.key === "?" ? () => help.showModal() : here.keys[event.key];
  if (!act || (event.key === "Enter" && event.target !== document.body)) return;
  event.preventDefault();
  act();
});

async function draw() {
  const mine = ++latest;
  const [, kind, ...parts] = location.hash.split("?")[0].split("/");
  try {
    if (kind === "memory") await drawMemory(mine);
    else if (kind === "curriculum") await drawCurriculum(mine);
    else if (kind === "training") await drawTraining(mine);
    else if (kind === "tree") await drawTree(mine, decodeURIComponent(parts[0]), decodeURIComponent(parts[1] ?? ""));
    else if (kind === "enter") await drawEntered(mine, decodeURIComponent(parts[0]), Number(parts[1]) || 0);
    else if (kind === "episode") await drawEpisode(mine, decodeURIComponent(parts[0]), parts[1]);
    else await drawList(mine);
  } catch (error) {
    if (mine === latest) show("pathei", { Escape: () => { location.hash = "#/"; } }, make("p", { class: "bad", id: "error" }, error.message));
  }
}

async function begin() {
  const about = await ask("store");
  document.getElementById("store").append(about.name, ...(about.failures ? [`, ${count(about.failures, "failure")}`] : []),
    ...about.damage.map((what) => make("span", { class: "bad" }, ` damaged: ${what}`)));
  document.getElementById("memory").hidden = Boolean(inside);
  document.getElementById("training").hidden = !about.training;
  window.addEventListener("hashchange", draw);
  if (inside && !location.hash && inside["rows/0"].length === 1) open(inside["rows/0"][0][ID]);
  else await draw();
}

begin().catch((error) => show("pathei", {}, make("p", { class: "bad", id: "error" }, error.message)));
