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

async function showLastCheck() {
  if (location.protocol === "file:") return;
  const answer = await fetch(document.body.dataset.check, { cache: "no-cache" });
  if (!answer.ok) return;
  const { checked } = await answer.json();
  const when = new Date(checked);
  if (Number.isNaN(when.valueOf())) return;
  const age = Date.now() - when.valueOf();
  const time = document.createElement("time");
  time.dateTime = checked;
  time.textContent = `${when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "GMT" })} GMT`;
  document.getElementById("checked").append(" · last checked ", time, ` (${ago(age)})`);
  const isLate = age > LATE_HOURS * 3600000;
  if (isLate && !document.querySelector(".notice.sample")) {
    const notice = document.createElement("p");
    notice.className = "notice late";
    notice.setAttribute("role", "status");
    notice.textContent = `The atlases were last checked ${ago(age)}; what is new since then is not here yet.`;
    document.body.append(notice); // at the foot of the window: what is read already stays where it is
  }
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
showLastCheck();
