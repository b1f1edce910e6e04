// What the pages can do more of with a script; each of them is complete without it.
"use strict";

function sortable(table) {
  const body = table.tBodies[0];
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = Number(text.replaceAll(",", ""));
    return text !== "" && !Number.isNaN(number) ? number : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });

  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => compare(valueOf(a, column), valueOf(b, column)) * (up ? 1 : -1));
      body.append(...rows);
    });
  });
}

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

async function showLastCheck() {
  if (location.protocol === "file:") return;
  const answer = await fetch(document.body.dataset.check, { cache: "no-cache" });
  if (!answer.ok) return;
  const { checked } = await answer.json();
  const when = new Date(checked);
  if (Number.isNaN(when.valueOf())) return;
  const time = document.createElement("time");
  time.dateTime = checked;
  time.textContent = when.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
  document.getElementById("checked").append(" · last checked ", time);
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll("nav.tabs").forEach(markTabs);
window.addEventListener("hashchange", openTarget);
openTarget();
showLastCheck();
