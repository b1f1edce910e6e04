// Keeps a tab at the last state of its page, and shows what is wrong with what was saved.
"use strict";
(() => {
  const { whole, frame, boot, number } = document.currentScript.dataset;
  const state = { whole, frame, boot, number: Number(number) };
  const KEPT = "hdash-scroll";
  let leaving = false;

  function reload() {
    if (leaving) return;
    leaving = true;
    try {
      sessionStorage.setItem(KEPT, JSON.stringify([location.pathname, scrollX, scrollY]));
    } catch {} // storage may be forbidden
    location.reload();
  }

  function scrollBack() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT));
      sessionStorage.removeItem(KEPT);
    } catch {}
    if (!kept || kept[0] !== location.pathname) return;
    const put = () => scrollTo({ left: kept[1], top: kept[2], behavior: "instant" });
    put();
    addEventListener("load", put);
  }

  // A sheet takes the place of the old one when it is there: the page is never without.
  function swapStyles(hrefs) {
    document.querySelectorAll('link[rel~="stylesheet"]:not([data-leaving])').forEach((link, at) => {
      if (hrefs[at] === undefined || link.getAttribute("href") === hrefs[at]) return;
      const fresh = link.cloneNode();
      fresh.setAttribute("href", hrefs[at]);
      link.dataset.leaving = "";
      fresh.addEventListener("load", () => link.remove());
      fresh.addEventListener("error", reload);
      link.after(fresh);
    });
  }

  function uses(paths) {
    const used = new Set(performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname));
    for (const one of document.querySelectorAll("[src]")) used.add(new URL(one.src, location.href).pathname);
    return paths.some((path) => used.has(encodeURI(path)));
  }

  const mine = decodeURI(location.pathname).replace(/\/$/, "/index.html");
  const concerns = (path) => path === mine || path === "/404.html" || !path.endsWith(".html");

  function isOld(news) {
    return news.boot === state.boot && news.number < state.number;
  }

  let asking = false;
  let again = false;
  async function look() {
    again = true;
    if (asking) return;
    asking = true;
    while (again && !leaving) {
      again = false;
      try {
        const answer = await fetch(`/_hdash/look?${new URLSearchParams({ page: location.pathname, ...state })}`);
        if (answer.ok) act(await answer.json());
      } catch {} // the server is away; its stream comes back with news
    }
    asking = false;
  }

  function act(found) {
    if (isOld(found)) return;
    Object.assign(state, { boot: found.boot, number: found.number });
    show(found.faults);
    if (found.page === "changed") return reload();
    if (found.page === "styles") {
      state.whole = found.whole;
      swapStyles(found.styles);
    }
    const others = found.files.filter((path) => !path.endsWith(".css"));
    if (uses(found.page === "styles" ? others : found.files)) reload();
  }

  function heard(news) {
    if (isOld(news)) return;
    show(news.faults);
    if (news.navigate && news.navigate !== location.pathname) {
      leaving = true;
      location.assign(news.navigate);
      return;
    }
    if (news.boot === state.boot && news.number === state.number) return;
    const next = news.boot === state.boot && news.number === state.number + 1;
    if (next && news.changed && !news.changed.some(concerns)) state.number = news.number;
    else look();
  }

  const CSS = `
    section { position: fixed; inset: 0; z-index: 2147483647; overflow: auto; padding: 2rem;
      background: rgb(20 20 24 / 94%); color: #f4f4f4; font: 16px/1.5 system-ui, sans-serif; }
    article { max-width: 60rem; margin: 0 auto 2rem; border-left: 4px solid #ff7b72; padding-left: 1rem; }
    h2 { font-size: 1.1rem; margin: 0; } p { margin: .3rem 0; overflow-wrap: anywhere; }
    pre { margin: .5rem 0; padding: .5rem; background: #000; overflow: auto; font: 14px/1.5 monospace; }
    mark { background: #5a1e1b; color: inherit; display: block; }
    button { font: inherit; float: right; }`;
  let shown = "[]";
  let box = null;

  function element(name, text, ...inner) {
    const made = document.createElement(name);
    made.textContent = text;
    made.append(...inner);
    return made;
  }

  function article(fault) {
    const place = fault.file ? `${fault.file}${fault.line ? `, line ${fault.line}` : ""}` : "The site cannot be built";
    const made = element("article", "", element("h2", place), element("p", fault.said));
    if (fault.lines.length) {
      const pre = element("pre", "");
      for (const [number, text] of fault.lines) {
        pre.append(element(number === fault.line ? "mark" : "span", `${String(number).padStart(5)}  ${text}\n`));
      }
      made.append(pre);
    }
    return made;
  }

  function hide() {
    box?.remove();
    box = null;
  }

  function show(faults) {
    const now = JSON.stringify(faults);
    if (now === shown) return;
    shown = now;
    hide();
    if (!faults.length) return;
    box = document.createElement("div");
    box.id = "hdash-overlay";
    const sheet = new CSSStyleSheet(); // the policy of the page forbids styles that are written into it
    sheet.replaceSync(CSS);
    const root = box.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const close = element("button", "Close (Esc)");
    close.addEventListener("click", hide);
    const section = element("section", "", close, ...faults.map(article));
    section.setAttribute("role", "alert");
    root.append(section);
    document.documentElement.append(box);
  }

  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("pageshow", (event) => event.persisted && look());

  scrollBack();
  new BroadcastChannel("hdash").onmessage = (event) => heard(event.data);
  if (window.SharedWorker) {
    new SharedWorker("/_hdash/stream.js", "hdash");
  } else {
    new EventSource("/_hdash/events").onmessage = (event) => heard(JSON.parse(event.data));
  }
  look();
})();
