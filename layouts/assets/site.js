// What the pages can do more of with a script; each of them is complete without it.
"use strict";

function markTabs(nav) {
  const links = [...nav.querySelectorAll("a")];
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  const mark = () => {
    const line = window.innerHeight / 3;
    const reached = sections.filter((section) => section.getBoundingClientRect().top <= line);
    const current = reached.at(-1);
    links.forEach((link, at) => {
      if (sections[at] === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  document.addEventListener("scroll", mark, { passive: true });
  mark();
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

const LATE_HOURS = 36; // the site is checked every night

function ago(milliseconds) {
  const minutes = Math.max(milliseconds / 60000, 0);
  const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  if (minutes < 1) return "just now";
  if (minutes < 60) return words.format(-Math.floor(minutes), "minute");
  if (minutes < 48 * 60) return words.format(-Math.floor(minutes / 60), "hour");
  const days = Math.floor(minutes / 1440);
  return days < 730 ? words.format(-days, "day") : words.format(-Math.floor(days / 365.25), "year");
}

function day(moment) {
  return new Date(moment).toLocaleDateString("en-GB", { dateStyle: "medium", timeZone: "GMT" });
}

function addNotice(kind, text) {
  const notice = document.createElement("p");
  notice.className = `notice ${kind}`;
  notice.textContent = text;
  document.querySelector(".notices").append(notice); // at the foot of the window: what is read stays where it is
}

function noticeOf(atlas, { state, crawled, verified, failed_since, reason }) {
  if (state === "failed") {
    const shown = crawled ? "The data shown here is older." : "There is no data of this atlas yet.";
    return `${atlas} could not be updated since ${day(failed_since)} (${reason}). ${shown}`;
  }
  const last = verified ? `It was last verified on ${day(verified)}.` : "It was never verified.";
  return `${atlas} could not be verified: its latest changes may be missing here. ${last}`;
}

// An atlas page says what is wrong with its atlas, a table of atlases what is wrong with any.
function showFailures(atlases) {
  const own = document.querySelector("main").dataset.atlas;
  const marks = [...document.querySelectorAll("[data-mark]")];
  for (const [atlas, entry] of Object.entries(atlases)) {
    if (entry.state === "current" || (atlas !== own && !marks.length)) continue;
    addNotice(entry.state, noticeOf(atlas, entry));
    for (const mark of marks.filter((one) => one.dataset.mark === atlas)) {
      mark.classList.add(entry.state);
      mark.setAttribute("role", "img");
      mark.title = entry.state === "failed" ? "could not be updated" : "could not be verified";
      mark.setAttribute("aria-label", mark.title);
    }
  }
}

function showLastCheck(moment) {
  const when = new Date(moment);
  const age = Date.now() - when.valueOf();
  const time = document.createElement("time");
  time.dateTime = moment;
  time.textContent = `${when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "GMT" })} GMT`;
  document.getElementById("checked").append(" · last checked ", time, ` (${ago(age)})`);
  const isLate = age > LATE_HOURS * 3600000;
  if (isLate && !document.querySelector(".notice.sample"))
    addNotice("late", `The atlases were last checked ${ago(age)}; what is new since then is not here yet.`);
}

// Where the file cannot be read, the footer leads to it.
async function showStatus() {
  if (location.protocol === "file:") return;
  const answer = await fetch(document.body.dataset.status, { cache: "no-cache" }).catch(() => null);
  const status = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!status) return;
  const { crawled, verified, atlases = {} } = status;
  showFailures(atlases);
  if (verified ?? crawled) showLastCheck(verified ?? crawled);
}

function addThemeSwitch() {
  const top = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (top.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "theme";
  const say = () => {
    const other = isDark() ? "Light" : "Dark";
    button.textContent = other;
    button.title = `Show the site ${other.toLowerCase()}`;
  };
  button.addEventListener("click", () => {
    const chosen = isDark() ? "light" : "dark";
    top.dataset.theme = chosen;
    say();
    try {
      localStorage.setItem("hdash-theme", chosen);
    } catch {
      // It is kept for this page alone.
    }
  });
  system.addEventListener("change", say);
  say();
  document.querySelector(".top").append(button);
}

for (const time of document.querySelectorAll("main time[datetime*=T]")) {
  time.title = ago(Date.now() - new Date(time.dateTime).valueOf());
}
addThemeSwitch();
for (const here of document.querySelectorAll(".top nav [aria-current]")) {
  const menu = here.closest("ul"); // one line on a phone, of which it may be at the far end
  menu.scrollLeft = here.offsetLeft - menu.offsetLeft - menu.clientWidth / 3;
}
document.querySelectorAll("nav.tabs").forEach(markTabs);
window.addEventListener("hashchange", openTarget);
openTarget();
showStatus();
