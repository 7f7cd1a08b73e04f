// Runs in every document before the page's own scripts. It gives the page a clock that only actions move, and lets
// Python look at the page (`look`), find where an element is (`locate`) and fill in what no key can (`fill`).
// What is left out: closed shadow roots, and frames of another origin.
(() => {
  "use strict";
  if (window.__pathei) return;

  // ---- Time: timers, animation frames and dates follow a clock that stands still between actions.
  const real = {
    Date, setTimeout: window.setTimeout.bind(window), frame: window.requestAnimationFrame.bind(window),
  };
  const EPOCH = 1480000000000;  // 24 November 2016, as good a day as any
  const FRAME = 16;
  const SOON = 60000;
  const MOST = 200000;  // elements that are looked at, of which the nearest are listed
  const clock = { now: 0, next: 1, timers: new Map() };
  const native = ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "requestAnimationFrame",
    "cancelAnimationFrame"];
  const add = (run, delay, every) => {
    const id = clock.next++;
    clock.timers.set(id, { id, run, at: clock.now + Math.max(1, +delay || 0), every: every ? Math.max(1, +delay || 0) : 0 });
    return id;
  };
  const runner = (code, args) => typeof code === "function" ? () => code(...args) : () => (0, eval)(String(code));
  const advance = (ms) => {
    const until = clock.now + ms;
    for (let count = 0; count < 20000; count++) {
      let due = null;
      for (const timer of clock.timers.values())
        if (timer.at <= until && (!due || timer.at < due.at || (timer.at === due.at && timer.id < due.id))) due = timer;
      if (!due) break;
      clock.now = Math.max(clock.now, due.at);
      if (due.every) due.at = clock.now + due.every; else clock.timers.delete(due.id);
      try { due.run(); } catch (error) { console.error(error); }
    }
    clock.now = until;
    for (const frame of frames()) frame.__pathei?.advance(ms);
  };
  const frames = () => {
    const found = [];
    for (let i = 0; i < window.length; i++) {
      try { if (window[i].__pathei) found.push(window[i]); } catch { /* of another origin */ }
    }
    return found;
  };
  const waiting = () => [...clock.timers.values()].some((timer) => timer.at - clock.now < SOON)
    || frames().some((frame) => frame.__pathei.waiting());
  const virtual = {
    setTimeout: (code, delay, ...args) => add(runner(code, args), delay, false),
    setInterval: (code, delay, ...args) => add(runner(code, args), delay, true),
    clearTimeout: (id) => { clock.timers.delete(+id); },
    clearInterval: (id) => { clock.timers.delete(+id); },
    requestAnimationFrame: (run) => add(() => run(clock.now), FRAME - clock.now % FRAME, false),
    cancelAnimationFrame: (id) => { clock.timers.delete(+id); },
  };
  const freeze = () => {
    for (const name of native) window[name] = virtual[name];
    const Frozen = function (...args) {
      if (!new.target) return new Frozen().toString();
      return Reflect.construct(real.Date, args.length ? args : [EPOCH + clock.now], new.target);
    };
    Frozen.prototype = real.Date.prototype;
    Frozen.prototype.constructor = Frozen;
    Frozen.now = () => EPOCH + Math.floor(clock.now);
    Frozen.parse = real.Date.parse;
    Frozen.UTC = real.Date.UTC;
    window.Date = Frozen;
    performance.now = () => clock.now;
    let state = 0x2545f491;  // until the page, or MiniWoB's seed, sets its own
    Math.random = () => {
      state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
      return (state >>> 0) / 4294967296;
    };
  };
  if (typeof __pathei_frozen === "undefined" || __pathei_frozen) freeze();

  // ---- What can be clicked: elements with a handler of their own are marked when it is added.
  const handled = new WeakSet();
  const HANDLED = new Set(["click", "mousedown", "mouseup", "dblclick", "pointerdown", "touchstart"]);
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    if (HANDLED.has(type) && this instanceof Element) handled.add(this);
    return listen.call(this, type, ...rest);
  };
  // One page is shown: what would open another opens here.
  window.open = (url) => { if (url) window.location.href = url; return window; };
  listen.call(window, "click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[target], area[target]");
    if (link && link.target !== "_self") link.target = "_self";
  }, true);
  listen.call(window, "submit", (event) => { if (event.target.target) event.target.target = "_self"; }, true);

  // ---- Looking.
  let outer = null;
  try { outer = window !== top && top.__pathei; } catch { /* of another origin */ }
  const shared = outer ? outer.shared : { last: 0, ids: new WeakMap(), known: new Map() };
  const idOf = (element) => {
    let id = shared.ids.get(element);
    if (id === undefined) {
      id = ++shared.last;
      shared.ids.set(element, id);
      shared.known.set(id, element);
    }
    return id;
  };
  const squeeze = (text) => text.replace(/\s+/g, " ").trim();
  const cut = (text, length = 200) => text.length > length ? text.slice(0, length - 3) + "..." : text;
  const TYPES = {
    button: "button", submit: "button", reset: "button", image: "button", file: "button", checkbox: "checkbox",
    radio: "radio", range: "slider", number: "spinbutton", search: "searchbox", hidden: "", color: "colour",
    date: "date", time: "time", month: "month", week: "week", "datetime-local": "datetime",
  };
  const TAGS = {
    BUTTON: "button", TEXTAREA: "textbox", OPTION: "option", SUMMARY: "button", IMG: "image", H1: "heading",
    H2: "heading", H3: "heading", H4: "heading", H5: "heading", H6: "heading", PROGRESS: "progressbar",
  };
  const SHAPES = new Set(["circle", "rect", "ellipse", "line", "polyline", "polygon", "path", "text"]);
  const ACTIVE = new Set(["button", "link", "textbox", "searchbox", "spinbutton", "checkbox", "radio", "slider",
    "combobox", "listbox", "option", "tab", "menuitem", "switch", "treeitem", "colour", "date", "time", "month", "week",
    "datetime", "menuitemcheckbox", "menuitemradio"]);
  const roleOf = (element) => {
    const given = element.getAttribute("role");
    if (given) return given.trim().split(/\s+/)[0];
    const tag = element.tagName;
    if (tag === "A" || tag === "AREA") return element.hasAttribute("href") ? "link" : "";
    if (tag === "INPUT") return TYPES[element.type] ?? (element.list ? "combobox" : "textbox");
    if (tag === "SELECT") return element.multiple || element.size > 1 ? "listbox" : "combobox";
    if (tag === "OPTION" && element.closest("select") && roleOf(element.closest("select")) !== "listbox") return "";
    if (element.isContentEditable && !element.parentElement?.isContentEditable) return "textbox";
    return TAGS[tag] ?? "";
  };
  const byIds = (element, list) =>
    squeeze(list.split(/\s+/).map((id) => element.ownerDocument.getElementById(id)?.textContent ?? "").join(" "));
  const alternative = (element) => squeeze([...element.querySelectorAll("img[alt], svg title, [aria-label]")]
    .map((e) => e.getAttribute("aria-label") || e.getAttribute("alt") || e.textContent).join(" "));
  const nameOf = (element, role) => {
    const labelled = element.getAttribute("aria-labelledby");
    let name = labelled ? byIds(element, labelled) : "";
    name ||= squeeze(element.getAttribute("aria-label") ?? "");
    if (!name && element.labels?.length) name = squeeze([...element.labels].map((l) => l.textContent).join(" "));
    const tag = element.tagName;
    if (!name && tag === "INPUT" && ["submit", "button", "reset"].includes(element.type))
      name = squeeze(element.value || (element.type === "submit" ? "Submit" : element.type === "reset" ? "Reset" : ""));
    if (!name && (tag === "IMG" || element.type === "image")) name = squeeze(element.alt ?? "");
    const filled = ["textbox", "searchbox", "spinbutton", "combobox", "listbox", "slider", "date"].includes(role);
    if (!name && !filled && tag !== "INPUT") name = squeeze(element.textContent) || alternative(element);
    return name || squeeze(element.getAttribute("title") ?? "") || squeeze(element.getAttribute("placeholder") ?? "");
  };
  const valueOf = (element, role) => {
    if (role === "combobox" && element.tagName === "SELECT") return element.selectedOptions[0]?.label ?? "";
    if (role === "listbox" || role === "button" || role === "checkbox" || role === "radio") return "";
    if (element.type === "password") return "*".repeat(element.value.length);
    if (element.tagName === "INPUT" || element.tagName === "TEXTAREA") return element.value;
    return element.isContentEditable && role === "textbox" ? squeeze(element.innerText) : "";
  };
  const flagsOf = (element, role) => {
    const flags = [];
    const aria = (name) => element.getAttribute("aria-" + name);
    if (element.checked === true || aria("checked") === "true") flags.push("checked");
    if (element.tagName === "OPTION" ? element.selected : aria("selected") === "true") flags.push("selected");
    if (element.disabled === true || aria("disabled") === "true") flags.push("disabled");
    if (element.readOnly === true && role === "textbox") flags.push("read only");
    if (element.required === true) flags.push("required");
    if (role === "link" && element.protocol !== "javascript:" && element.origin !== location.origin) flags.push("external");
    if (aria("expanded") === "true") flags.push("expanded");
    if (aria("expanded") === "false") flags.push("collapsed");
    if (aria("pressed") === "true") flags.push("pressed");
    if (element.ownerDocument.activeElement === element && element !== element.ownerDocument.body) flags.push("focused");
    return flags;
  };
  const describe = (element, style) => {
    // For what has no name: a shape's colour, a picture's file, the names that its author gave it.
    if (element instanceof SVGElement) {
      const fill = element.getAttribute("fill") || element.style.fill || style.fill;
      const stroke = element.getAttribute("stroke") || "";
      return cut([fill === "none" ? "" : fill, stroke && stroke !== fill && stroke !== "none" ? "stroke " + stroke : ""]
        .filter(Boolean).join(" "), 60);
    }
    const image = element.tagName === "IMG" ? (element.getAttribute("src") ?? "").split("/").pop() : "";
    if (image && !image.startsWith("data:") && image.length < 60) return image;
    const named = [element.id && "#" + element.id, ...[...element.classList].map((c) => "." + c)].filter(Boolean).join("");
    const colour = element.style.backgroundColor;
    return cut([named, colour].filter(Boolean).join(" "), 60);
  };
  const pointOf = (element, rect, dx, dy) => {
    // Where a click reaches the element: its middle, or for a thin shape a place on its outline.
    const root = element.getRootNode();
    const hits = (x, y) => {
      const hit = root.elementFromPoint ? root.elementFromPoint(x, y) : null;
      return hit && (hit === element || element.contains(hit) || hit.contains(element) && hit.tagName === "LABEL"
        || [...(element.labels ?? [])].some((label) => label.contains(hit))) ? [x + dx, y + dy, 1] : null;
    };
    const x = rect.left + rect.width / 2, y = rect.top + rect.height / 2;
    const middle = hits(x, y);
    if (middle) return middle;
    if (element instanceof SVGGeometryElement) {
      try {
        const point = element.getPointAtLength(element.getTotalLength() / 2).matrixTransform(element.getScreenCTM());
        const outline = hits(point.x, point.y);
        if (outline) return outline;
      } catch { /* a shape without a length */ }
    }
    for (const box of element.getClientRects()) {
      const found = hits(box.left + box.width / 2, box.top + box.height / 2) ?? hits(box.left + 3, box.top + 3)
        ?? hits(box.right - 3, box.bottom - 3);
      if (found) return found;
    }
    return [x + dx, y + dy, clipped(element, x, y) ? 0 : -1];
  };
  const clipped = (element, x, y) => {
    // Whether a point is out of sight because something scrolls, as against covered by something else.
    if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return true;
    for (let box = element.parentElement; box; box = box.parentElement) {
      if (getComputedStyle(box).overflow === "visible") continue;
      const r = box.getBoundingClientRect();
      if (x < r.left || x > r.right || y < r.top || y > r.bottom) return true;
    }
    return false;
  };
  const look = (options) => {
    if (options.advance) advance(options.advance);
    const { lines, left } = listed(candidates(options), options);
    let extra = null, failed = null;
    if (options.extra) {
      try { extra = (0, eval)(options.extra); } catch (error) { failed = String(error); }
    }
    // A document that is just being replaced has no root for a moment; look again then.
    const whole = document.documentElement;
    if (!whole) throw new Error("The document was lost: it is being replaced.");
    return JSON.stringify({
      waiting: waiting(),
      url: location.href, title: document.title, lines, left, extra, failed,
      scroll: [scrollX, scrollY, whole.scrollWidth - innerWidth, whole.scrollHeight - innerHeight],
    });
  };
  const candidates = (options) => {
    const found = [];
    walkDocument(document, 0, 0, found, options);
    return found;
  };
  const away = ({ element, dx, dy }) => {
    // How far a candidate is from what the window shows, in pixels; up is negative.
    const box = element.getBoundingClientRect();
    const top = box.top + dy, bottom = box.bottom + dy, left = box.left + dx, right = box.right + dx;
    const across = Math.max(0, left - innerWidth, -right);
    return bottom < 0 ? bottom - across : Math.max(0, top - innerHeight) + across;
  };
  const listed = (found, options) => {
    // At most `limit` lines of together `chars` characters, those nearest to what the window shows, in document order.
    let kept = found;
    const far = new Map();
    const beyond = () => { if (!far.size) for (const one of found) far.set(one, away(one)); };
    const nearest = (list) => [...list].sort((a, b) => Math.abs(far.get(a)) - Math.abs(far.get(b)));
    if (found.length > options.limit) {
      beyond();
      const near = new Set(nearest(found).slice(0, options.limit));
      kept = found.filter((one) => near.has(one));
    }
    for (const one of kept) one.line = one.make();
    const size = (one) => one.line[2].length + one.line[3].length + 20;
    if (kept.reduce((sum, one) => sum + size(one), 0) > options.chars) {
      beyond();
      const fits = new Set();
      let used = 0;
      for (const one of nearest(kept)) if ((used += size(one)) <= options.chars || !fits.size) fits.add(one); else break;
      kept = kept.filter((one) => fits.has(one));
    }
    contexts(kept);
    const left = [0, 0];
    if (kept.length < found.length) {
      const shown = new Set(kept);
      const first = found.indexOf(kept[0]);
      found.forEach((one, at) => {
        if (!shown.has(one)) left[far.get(one) < 0 || far.get(one) === 0 && at < first ? 0 : 1] += 1;
      });
    }
    return { lines: kept.map((one) => one.line), left };
  };
  const contexts = (kept) => {
    // What tells elements of one role and name apart: the words of the row, card or group that only one of them is in.
    const alike = new Map();
    for (const one of kept) {
      if (!one.acts) continue;
      const key = one.line[1] + "\n" + one.line[2] + "\n" + one.line[10];
      alike.set(key, [...(alike.get(key) ?? []), one]);
    }
    for (const group of alike.values()) {
      if (group.length < 2) continue;
      const holds = new Map();
      for (const { element } of group)
        for (let box = element; box; box = box.parentElement) holds.set(box, (holds.get(box) ?? 0) + 1);
      for (const one of group) {
        let box = one.element;
        while (box.parentElement && holds.get(box.parentElement) === 1) box = box.parentElement;
        if (holds.get(box) === 1) one.line[12] = cut(wordsIn(box, one.line[2]) || around(box, one.element), 80);
      }
    }
  };
  const wordsIn = (box, name) => {
    const walker = box.ownerDocument.createTreeWalker(box, 4);
    const parts = [];
    for (let node = walker.nextNode(); node && parts.length < 8; node = walker.nextNode()) {
      const text = squeeze(node.data);
      const parent = node.parentElement;
      if (!text || text === name || parent.closest("script, style, button, select, textarea, [role=button]")) continue;
      if (parent.getClientRects().length) parts.push(text);
    }
    return parts.join(", ");
  };
  const around = (box, element) => {
    // Of a cell its row and column; else the legend, label or heading of the nearest group.
    const cell = element.closest("td, th");
    const row = cell?.closest("tr");
    if (row) {
      const head = row.closest("table")?.rows[0];
      const column = head && head !== row ? squeeze(head.cells[cell.cellIndex]?.textContent ?? "") : "";
      const first = row.cells[0] === cell ? "" : squeeze(row.cells[0].textContent);
      if (first || column) return [first, column].filter(Boolean).join(", ");
    }
    for (let group = box; group && group.tagName !== "BODY"; group = group.parentElement) {
      const labelled = group !== element && (group.getAttribute("aria-label")
        || group.tagName === "FIELDSET" && group.querySelector("legend")?.textContent
        || group.hasAttribute("aria-labelledby") && byIds(group, group.getAttribute("aria-labelledby")));
      if (labelled) return squeeze(labelled);
      for (let before = group.previousElementSibling; before; before = before.previousElementSibling)
        if (/^(H[1-6]|LABEL|LEGEND|DT)$/.test(before.tagName)) return squeeze(before.textContent);
    }
    return "";
  };
  const search = { text: "", element: null };
  const find = (text, options) => {
    // Scroll to the next place that says it; return its position among all of them, their number, and its element.
    const wanted = squeeze(text).toLowerCase();
    const found = candidates(options).filter((one) => one.says().toLowerCase().includes(wanted));
    if (!found.length) return null;
    const last = search.text === wanted ? found.findIndex((one) => one.element === search.element) : -1;
    const at = (last + 1) % found.length;
    Object.assign(search, { text: wanted, element: found[at].element });
    search.element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    return [at + 1, found.length, idOf(search.element)];
  };
  const walkDocument = (doc, dx, dy, lines, options) => {
    const skipped = options.skip ? new Set(doc.querySelectorAll(options.skip)) : new Set();
    const root = doc.body;
    if (root) walk(root, dx, dy, lines, options, skipped, "auto", false, false);
  };
  const walk = (element, dx, dy, lines, options, skipped, cursor, inside, within) => {
    if (lines.length >= MOST || skipped.has(element)) return;
    const tag = element.tagName;
    if (tag === "SCRIPT" || tag === "STYLE" || tag === "NOSCRIPT" || tag === "TEMPLATE") return;
    const boxes = element.getClientRects();
    const style = getComputedStyle(element);
    if (style.display === "none") return;
    if (tag === "IFRAME" || tag === "FRAME") {
      try {
        const box = element.getBoundingClientRect();
        const inner = element.contentWindow.__pathei;
        if (inner && boxes.length)
          inner.into(lines, dx + box.left + element.clientLeft, dy + box.top + element.clientTop, options);
      } catch { /* of another origin */ }
      return;
    }
    const seen = boxes.length > 0 && style.visibility !== "hidden";
    const role = roleOf(element);
    const shape = element instanceof SVGElement && SHAPES.has(tag);
    const pointer = style.cursor === "pointer" && cursor !== "pointer";
    const acts = ACTIVE.has(role) || handled.has(element) || pointer || element.onclick || element.onmousedown
      || element.hasAttribute("tabindex") && element.tabIndex >= 0 || element.draggable && tag !== "IMG" && tag !== "A";
    const field = ["textbox", "searchbox", "combobox", "listbox", "spinbutton"].includes(role);
    let whole = field;
    // Text in a small box that listens to clicks can be clicked, whatever the box makes of it.
    within ||= seen && handled.has(element) && element !== element.ownerDocument.body
      && element.getElementsByTagName("*").length <= 40;
    if (seen && element !== element.ownerDocument.body && tag !== "HTML") {
      // A container that only listens for its children is no thing of its own.
      const group = !ACTIVE.has(role) && !shape && element.childElementCount > 0
        && element.querySelector("a[href], button, input, select, textarea, [onclick], svg, img, li, td, div, p") !== null;
      if (acts && !group || shape && options.shapes || role === "image" || role === "heading") {
        add_line(element, role, acts || shape, style, dx, dy, lines);
        whole ||= role === "button" || role === "link" || role === "heading" || role === "option" || role === "tab"
          && element.childElementCount === 0 || element.childElementCount === 0;
        inside = true;
      }
    }
    if (whole && role !== "listbox") return;
    const kids = element.shadowRoot ? element.shadowRoot.childNodes : element.childNodes;
    let text = "";
    for (const child of kids) {
      if (child.nodeType === 3) text += child.data;
      else if (child.nodeType === 1) {
        // A run of text is broken by what can be acted on, not by bold print.
        if (text.trim()) { add_text(element, text, seen && !inside, within, dx, dy, lines); text = ""; }
        walk(child, dx, dy, lines, options, skipped, style.cursor, inside && element.childElementCount === 1, within);
      }
    }
    if (text.trim()) add_text(element, text, seen && !inside, within, dx, dy, lines);
  };
  const add_line = (element, role, acts, style, dx, dy, lines) => {
    const says = () => [nameOf(element, role), valueOf(element, role)].join(" ");
    lines.push({ element, dx, dy, acts, says, make: () => line_of(element, role, acts, style, dx, dy) });
  };
  const line_of = (element, role, acts, style, dx, dy) => {
    const rect = element.getBoundingClientRect();
    const name = nameOf(element, role);
    const [x, y, reach] = acts ? pointOf(element, rect, dx, dy) : [rect.left + dx, rect.top + dy, 0];
    const bare = !name || element instanceof SVGElement;
    const options = element.tagName === "SELECT" ? [...element.options].map((o) => squeeze(o.label)) : null;
    return [idOf(element), role || element.tagName.toLowerCase(), cut(name), cut(valueOf(element, role)),
      flagsOf(element, role), Math.round(x), Math.round(y), Math.round(rect.width), Math.round(rect.height),
      acts ? reach : 2, bare ? describe(element, style) : "", options, ""];
  };
  const add_text = (element, text, seen, within, dx, dy, lines) => {
    if (!seen) return;
    lines.push({ element, dx, dy, acts: false, says: () => squeeze(text), make: () => text_line(element, text, within, dx, dy) });
  };
  const text_line = (element, text, within, dx, dy) => {
    const rect = element.getBoundingClientRect();
    const [x, y, reach] = within ? pointOf(element, rect, dx, dy)
      : [rect.left + rect.width / 2 + dx, rect.top + rect.height / 2 + dy, 2];
    return [idOf(element), "text", cut(squeeze(text), 1000), "", [], Math.round(x), Math.round(y),
      Math.round(rect.width), Math.round(rect.height), reach, "", null, ""];
  };

  // ---- Acting.
  const elementOf = (id) => {
    // None where it has left its document, or its document its window.
    const element = shared.known.get(id);
    return element?.isConnected && element.ownerDocument.defaultView ? element : null;
  };
  const offset = (element) => {
    let x = 0, y = 0;
    for (let view = element.ownerDocument.defaultView; view !== window && view.frameElement; view = view.parent) {
      const box = view.frameElement.getBoundingClientRect();
      x += box.left + view.frameElement.clientLeft; y += box.top + view.frameElement.clientTop;
    }
    return [x, y];
  };
  const locate = (id) => {
    const element = elementOf(id);
    if (!element) return null;
    element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const [dx, dy] = offset(element);
    const owner = element.ownerDocument.defaultView.__pathei;
    return owner.pointOf(element, element.getBoundingClientRect(), dx, dy);
  };
  const fire = (element, ...types) => types.forEach((type) =>
    element.dispatchEvent(new (element.ownerDocument.defaultView.Event)(type, { bubbles: true })));
  const ready = (id) => {
    // Before typing: focus, and select what is there, so that the typed text replaces it.
    const element = elementOf(id);
    if (!element) return "gone";
    if (element.disabled) return "disabled";
    if (element.readOnly) return "read only";
    element.focus();
    const special = ["date", "time", "month", "week", "datetime-local", "color", "range"].includes(element.type);
    if (special) return "fill";
    const view = element.ownerDocument.defaultView;
    if (element.select) element.select();
    else if (element.isContentEditable) view.getSelection().selectAllChildren(element);
    else return "not editable";
    return "type";
  };
  const fill = (id, value) => {
    const element = elementOf(id);
    const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), "value").set;
    const before = element.value;
    set.call(element, value);
    if (element.value !== value) {
      set.call(element, before);
      return false;
    }
    fire(element, "input", "change");
    return true;
  };
  const choose = (id, label) => {
    const element = elementOf(id);
    if (!element) return "gone";
    if (element.tagName !== "SELECT") return "no list";
    if (element.disabled) return "disabled";
    const option = [...element.options].find((o) => squeeze(o.label) === label)
      ?? [...element.options].find((o) => o.value === label);
    if (!option) return "no such option";
    element.focus();
    if (element.multiple) option.selected = !option.selected; else element.value = option.value, option.selected = true;
    fire(element, "input", "change");
    return "";
  };
  const scroll = (id, dx, dy) => {
    // The nearest thing that scrolls that way; without an element the page, or else the largest box that does.
    const can = (e) => (dy ? e.scrollHeight > e.clientHeight + 1 : e.scrollWidth > e.clientWidth + 1)
      && (e === document.scrollingElement || /auto|scroll/.test(getComputedStyle(e)[dy ? "overflowY" : "overflowX"])
        || e.tagName === "TEXTAREA" || e.tagName === "SELECT");
    let box = id ? elementOf(id) : null;
    if (id && !box) return "gone";
    while (box && !can(box)) box = box.parentElement;
    if (!box) {
      const boxes = [document.scrollingElement, ...document.querySelectorAll("*")].filter((e) => e && can(e));
      const area = (e) => e.clientWidth * e.clientHeight;
      box = boxes[0] === document.scrollingElement ? boxes[0] : boxes.sort((a, b) => area(b) - area(a))[0];
    }
    if (!box) return "nothing scrolls";
    box.scrollBy({ left: dx * box.clientWidth * 0.8, top: dy * box.clientHeight * 0.8, behavior: "instant" });
    return new Promise((done) => real.frame(() => real.setTimeout(() => done(""), 0)));
  };
  const hop = (times) => new Promise((done) => {
    const next = (left) => left ? real.setTimeout(() => next(left - 1), 0) : done("");
    next(times);
  });
  const until = (holds, ms) => new Promise((done) => {
    const deadline = real.Date.now() + ms;
    const ask = () => holds() || real.Date.now() > deadline ? done(holds()) : real.setTimeout(ask, 5);
    ask();
  });
  const images = async () => {
    // What style sheets and pictures need is fetched now: later it is there at once, and does not change the layout
    // while the page is looked at.
    const wanted = new Set();
    for (const sheet of document.styleSheets) {
      try {
        for (const rule of sheet.cssRules)
          for (const [, url] of rule.cssText.matchAll(/url\("?([^")]+)"?\)/g)) wanted.add(new URL(url, document.baseURI).href);
      } catch { /* of another origin, as every linked sheet of a file page is */ }
    }
    shared.images = [...wanted].map((url) => Object.assign(new Image(), { src: url }));
    await Promise.all([...shared.images, ...document.images].map((image) => image.decode().catch(() => null)));
  };
  const settled = () => shared.images?.length
    ? new Promise((done) => real.frame(() => real.frame(() => done(true)))) : Promise.resolve(true);
  const restart = () => {
    // A new episode on the same document: elements are counted from 1 again, and the clock starts anew.
    shared.last = 0;
    shared.ids = new WeakMap();
    shared.known.clear();
    Object.assign(search, { text: "", element: null });
    if (clock.timers.size === 0) clock.now = 0;
    if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
    window.scrollTo(0, 0);
  };
  Object.defineProperty(window, "__pathei", { enumerable: false, value: {
    look, find, locate, ready, fill, choose, scroll, advance, restart, shared, pointOf, hop, until, images, settled, waiting,
    pending: () => clock.timers.size,
    into: (lines, dx, dy, options) => walkDocument(document, dx, dy, lines, options),
  } });
})();
