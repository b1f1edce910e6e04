// The search over the whole site: its titles are fetched when somebody first searches.
"use strict";
{
  const MOST_SHOWN = 30;
  const link = document.querySelector("a.search");
  const root = document.body.dataset.root;
  let dialog, input, list, count, entries;

  async function open() {
    if (!dialog) make();
    if (!dialog.open) dialog.showModal();
    input.select();
    if (entries) return;
    count.textContent = "…";
    const answer = await fetch(`${root}search/titles.json`, { cache: "no-cache" }).catch(() => null);
    if (!answer?.ok) {
      location.assign(link.href); // the map of the site
      return;
    }
    const { titles } = await answer.json();
    entries = titles.map(([title, url, about]) => ({
      title, url, about, name: title.toLowerCase(), text: `${title} ${about}`.toLowerCase(),
    }));
    show();
  }

  function make() {
    dialog = document.createElement("dialog");
    input = document.createElement("input");
    list = document.createElement("ul");
    count = document.createElement("p");
    dialog.className = "finder";
    dialog.setAttribute("aria-label", "Search");
    input.type = "search";
    input.placeholder = "An atlas, a component, a manifest, an article";
    input.setAttribute("aria-label", "Search the site");
    count.setAttribute("role", "status");
    dialog.append(input, count, list);
    document.body.append(dialog);
    input.addEventListener("input", show);
    dialog.addEventListener("keydown", move);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  function rank(entry, query) {
    if (entry.name === query) return 0;
    if (entry.name.startsWith(query)) return 1;
    return entry.name.includes(query) ? 2 : 3;
  }

  function show() {
    const query = input.value.trim().toLowerCase();
    const words = query.split(/\s+/);
    const found = query && entries ? entries.filter((entry) => words.every((word) => entry.text.includes(word))) : [];
    found.sort((a, b) => rank(a, query) - rank(b, query));
    list.replaceChildren(...found.slice(0, MOST_SHOWN).map(item));
    const shown = found.length > MOST_SHOWN ? `the first ${MOST_SHOWN} of ${found.length}` : `${found.length} found`;
    count.textContent = query ? shown : "";
  }

  function item({ title, url, about }) {
    const entry = document.createElement("li");
    const way = document.createElement("a");
    const name = document.createElement("bdi");
    const more = document.createElement("bdi");
    way.href = root + url;
    name.textContent = title;
    more.textContent = about;
    way.append(name, " ", more);
    entry.append(way);
    return entry;
  }

  function move(event) {
    const stops = [input, ...list.querySelectorAll("a")];
    const here = stops.indexOf(document.activeElement);
    if (event.key === "Enter" && here === 0 && stops[1]) stops[1].click();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    stops[Math.min(Math.max(here + step, 0), stops.length - 1)].focus();
  }

  if (location.protocol !== "file:") {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open();
    });
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      event.preventDefault();
      open();
    });
  }
}
