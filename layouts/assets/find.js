// Look an id up in the index of the site: the directory of its atlas, then the shard that holds it.
// What the index holds was written by strangers: it goes into the page as text only.
"use strict";

const SHOWN = 50;
const MOST_FILES = 3;
const MOST_SIGNS = 60000;
const LARGEST_SHARD = 34000;
const LONGEST = 200;
const END = "\n";

const box = document.getElementById("id");
const said = document.getElementById("said");
const found = document.getElementById("found");
const atlases = [...document.querySelectorAll("[data-atlas]")].map(({ dataset }) => dataset);
const files = new Map();
let turn = 0;

function make(tag, text = "", more = {}) {
  const one = Object.assign(document.createElement(tag), more);
  one.textContent = text;
  return one;
}

function list(tag, items) {
  const one = document.createElement(tag);
  for (const item of items) {
    const line = document.createElement("li");
    line.append(...item);
    one.append(line);
  }
  return one;
}

const shownId = (id) => make("bdi", id);

function toId(id) {
  const link = make("a", "", { href: "#" + encodeURIComponent(id) });
  link.append(shownId(id));
  return link;
}

// As the program makes addresses.
function slug(text) {
  return text.toLowerCase().replace(/[^a-z0-9_]+/g, "-").slice(0, 60).replace(/^-+|-+$/g, "") || "x";
}

// Texts in the order of their characters, which differs from that of UTF-16 beyond the first 65,536.
function compare(one, other) {
  const [a, b] = [[...one], [...other]];
  for (let at = 0; at < a.length && at < b.length; at++) {
    if (a[at] !== b[at]) return a[at].codePointAt(0) - b[at].codePointAt(0);
  }
  return a.length - b.length;
}

function fileName(first) {
  const signs = [...first].map((sign) => (/[a-z0-9_]/.test(sign) ? sign : `-${sign.codePointAt(0).toString(16)}-`));
  return signs.join("") || "-";
}

function unpacked(directory) {
  const firsts = [];
  let before = "";
  for (let at = 0; at < directory.length; at += 3) {
    before = [...before].slice(0, directory[at]).join("") + directory[at + 1];
    firsts.push({ first: before, count: directory[at + 2] });
  }
  return firsts;
}

async function fetched(path, budget) {
  if (!files.has(path)) {
    budget.files -= 1;
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    budget.signs -= text.length;
    files.set(path, JSON.parse(text));
  }
  return files.get(path);
}

// The shards that can hold keys which begin so; the first of these keys is that of the id itself.
function holding(shards, beginning) {
  const last = shards.findLastIndex(({ first }) => compare(first, beginning + END) <= 0);
  const some = last < 0 ? [] : [shards[last]];
  for (let at = last + 1; at < shards.length && shards[at].first.startsWith(beginning); at++) some.push(shards[at]);
  return some;
}

// The records of a part of the index whose ids begin so, and how many more there may be.
async function searched(part, beginning, budget) {
  const shards = part.directory ?? unpacked(await fetched(`${part.folder}directory.json`, budget));
  const hits = [];
  let more = 0;
  for (const { first, count } of holding(shards, beginning)) {
    const path = `${part.folder}${fileName(first)}.json`;
    if (!files.has(path) && (hits.length >= SHOWN || budget.files < 1 || budget.signs < LARGEST_SHARD)) {
      more += count;
      continue;
    }
    const shard = await fetched(path, budget);
    for (const row of shard.ids) {
      if (row[0].startsWith(beginning)) hits.push(record(part.prefix, shard, row));
    }
  }
  return { hits, more };
}

function record(prefix, shard, [rest, manifest, code, above, below, more = 0, address = ""]) {
  const id = prefix + rest;
  const stem = id.slice(0, id.lastIndexOf("_") + 1);
  const whole = (text) => (text ? (text.startsWith("~") ? stem : "") + text.slice(1) : stem.slice(0, -1));
  const component = (number) => {
    const [label, kind, family, level, levels, below = []] = shard.components[number];
    return { label, kind, family, level, levels, needed: below };
  };
  const up = [];
  for (let at = 0; at < above.length; at += 2) up.push({ id: whole(above[at + 1]), ...component(above[at]) });
  const down = below.map(([number, count, ...some]) => ({ count, ids: some.map(whole), ...component(number) }));
  const [atlas, entity] = shard.manifests[manifest];
  return { id, atlas, entity, address, above: up, below: down, more, ...component(code) };
}

const folderOf = (atlas) => `../${atlases.find((one) => one.atlas === atlas)?.folder}/`;

function toParticipant(atlas, id, address) {
  const known = address || (id.length <= 40 && /^HTA[0-9]+_(EXT)?[0-9]+$/.test(id) ? id.toLowerCase() : "");
  return known ? `${folderOf(atlas)}participants/${known}/` : `#${encodeURIComponent(id)}`;
}

function levels(one) {
  const there = new Map();
  for (const { kind, family, level, levels: all, needed } of [one, ...one.above, ...one.below]) {
    if (kind !== "assay" || !level) continue;
    const known = there.get(family) ?? { all, held: new Set(), lower: new Set() };
    known.held.add(level);
    needed.forEach((below) => known.lower.add(below));
    there.set(family, known);
  }
  return [...there].map(([family, { all, held, lower }]) => {
    const items = [...new Set([...all, ...held])].sort().map((level) => {
      const state = held.has(level) ? "there" : lower.has(level) ? "missing" : "none";
      return [state, `Level ${level}: ${{ there: "there", missing: "missing", none: "none yet" }[state]}`];
    });
    const line = make("ul", "", { className: "levels" });
    for (const [state, text] of items) line.append(make("li", text, { className: state }));
    return [make("bdi", family), " ", line];
  });
}

function card(one) {
  const article = make("article", "", { className: "id" });
  const title = make("h2");
  title.append(shownId(one.id), " ", make("small", one.label));
  const place = make("p");
  const manifest = make("a", "", { href: `${folderOf(one.atlas)}manifests/${slug(one.entity)}/` });
  manifest.append("its manifest ", shownId(one.entity));
  place.append(`${one.kind === "clinical" ? "Participant" : one.kind === "biospecimen" ? "Biospecimen" : "Data file"} of `);
  place.append(shownId(one.atlas), ", from ", manifest);
  if (one.address) {
    const page = make("a", "the page of this participant", { href: toParticipant(one.atlas, one.id, one.address) });
    place.append(", see ", page);
  }
  article.append(title, place);
  article.append(make("h3", "Comes from"));
  if (one.above.length) {
    const lines = [...one.above].reverse().map(({ id, label, kind }) => {
      const link = toId(id);
      if (kind === "clinical") link.href = toParticipant(one.atlas, id, "");
      return [link, ` ${label}`];
    });
    article.append(list("ol", lines));
    if (one.more & 1) article.append(make("p", "These are not all.", { className: "small" }));
  } else {
    article.append(make("p", one.kind === "clinical" ? "A participant is where it begins." : "Nothing in this atlas."));
  }
  article.append(make("h3", "Derived from it"));
  if (one.below.length) {
    const lines = one.below.map(({ count, ids, label }) => {
      const parts = [`${count.toLocaleString("en")}${one.more & 2 ? " or more" : ""} × ${label}: `];
      ids.forEach((id, at) => parts.push(...(at ? [", ", toId(id)] : [toId(id)])));
      if (ids.length < count) parts.push(" …");
      return parts;
    });
    article.append(list("ul", lines));
    if (one.more & 2) article.append(make("p", "These are not all, nor are the levels below.", { className: "small" }));
  } else {
    article.append(make("p", "Nothing in this atlas."));
  }
  const rows = levels(one);
  if (rows.length) article.append(make("h3", "Levels"), list("ul", rows));
  return article;
}

// Ids as people sort them: HTA1_2 before HTA1_10.
const natural = new Intl.Collator("en", { numeric: true });

function show(hits, more, typed) {
  found.replaceChildren();
  const exact = hits.filter(({ id }) => id === typed);
  const others = hits.filter(({ id }) => id !== typed).sort((a, b) => natural.compare(a.id, b.id));
  found.append(...exact.map(card));
  const rest = others.length + more;
  const id = exact.length ? `Found ${typed}` : "";
  if (others.length) {
    found.append(make("h2", exact.length ? "Ids that begin with it" : "Ids that begin like that"));
    found.append(list("ul", others.slice(0, SHOWN).map((one) => [toId(one.id), ` ${one.label}`])));
    found.lastChild.className = "matches";
    if (rest > SHOWN || more) {
      const hidden = rest - Math.min(others.length, SHOWN);
      found.append(make("p", `And ${more ? "up to " : ""}${hidden.toLocaleString("en")} more: type more of the id.`));
    }
  }
  const begin = rest ? `${more ? "up to " : ""}${rest.toLocaleString("en")} ${rest === 1 ? "id begins" : "ids begin"} with it` : "";
  said.textContent = [id, begin].filter(Boolean).join("; ") || `No id begins with ${typed}.`;
}

function showAtlases(typed) {
  const some = atlases.filter(({ atlas }) => atlas.toUpperCase().startsWith(typed.toUpperCase()));
  if (!some.length) return false;
  found.replaceChildren(list("ul", some.map(({ atlas, folder }) => {
    const link = make("a", "Participants of ", { href: `../${folder}/participants/` });
    link.append(shownId(atlas));
    return [link];
  })));
  said.textContent = `Go on with _ and a number, as in ${some[0].atlas}_1; or go by the participants of an atlas.`;
  return true;
}

async function lookUp(text) {
  const mine = ++turn;
  const typed = text.trim().slice(0, LONGEST);
  found.classList.toggle("asked", typed !== ""); // room for an answer, so that it moves nothing when it comes
  if (!typed) {
    found.replaceChildren();
    said.textContent = "";
    return;
  }
  const id = /^hta[0-9]+_/i.test(typed) ? typed.toUpperCase() : typed;
  const budget = { files: MOST_FILES, signs: MOST_SIGNS };
  const atlas = atlases.find((one) => id.startsWith(`${one.atlas}_`));
  said.textContent = "Looking …";
  try {
    const results = [];
    if (atlas) {
      const part = { folder: `${atlas.folder}/`, prefix: `${atlas.atlas}_` };
      results.push(await searched(part, id.slice(part.prefix.length), budget));
    }
    const strays = { folder: "-other/", prefix: "", directory: unpacked(JSON.parse(find.dataset.others)) };
    results.push(await searched(strays, id, budget));
    if (mine !== turn) return;
    const hits = results.flatMap(({ hits: some }) => some);
    const more = results.reduce((sum, one) => sum + one.more, 0);
    if (hits.some((one) => one.id === id) || !showAtlases(id)) show(hits, more, id);
  } catch {
    if (mine !== turn) return;
    found.replaceChildren();
    said.textContent = "The index could not be read. Try again, or go by the atlases below.";
  }
}

function remember(text) {
  const hash = text.trim() ? "#" + encodeURIComponent(text.trim()) : "";
  history.replaceState(null, "", location.pathname + hash);
}

function asked() {
  let text = location.hash.slice(1) || (new URLSearchParams(location.search).get("id") ?? "");
  try {
    if (location.hash) text = decodeURIComponent(text);
  } catch {
    // What is no encoded text is looked up as it stands.
  }
  box.value = text.slice(0, LONGEST);
  lookUp(box.value);
}

const find = document.getElementById("find");
let waiting = 0;
function typing(pause) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    remember(box.value);
    lookUp(box.value);
  }, pause);
}
box.addEventListener("input", () => typing(250));
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter") typing(0);
});
document.getElementById("go").addEventListener("click", () => typing(0));
window.addEventListener("hashchange", () => {
  asked();
  scrollTo(0, 0);
  box.focus();
});
if (location.hash || location.search) asked();
