// Tables that are sorted by their headings and filtered by words. A table with a name keeps both in the address.
"use strict";
{
  const asked = new URLSearchParams(location.search);

  function remember(name, value) {
    if (value) asked.set(name, value);
    else asked.delete(name);
    if (location.protocol === "file:") return; // where an address cannot be changed
    const query = asked.toString();
    history.replaceState(null, "", location.pathname + (query && `?${query}`) + location.hash);
  }

  const keyOf = (header) => header.textContent.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-");

  function valueOf(row, column) {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = Number(text.replaceAll(",", ""));
    return text !== "" && !Number.isNaN(number) ? number : text;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sortable(table) {
    const body = table.tBodies[0];
    const written = [...body.rows];
    const headers = [...table.tHead.rows[0].cells];
    const name = table.dataset.name && `sort.${table.dataset.name}`;

    function sort(column, direction) {
      for (const header of headers) header.removeAttribute("aria-sort");
      const rows = [...written];
      if (direction) {
        headers[column].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        const values = new Map(rows.map((row) => [row, valueOf(row, column)]));
        rows.sort((a, b) => compare(values.get(a), values.get(b)) * direction);
      }
      body.append(...rows);
    }

    headers.forEach((header, column) => {
      const key = keyOf(header);
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const direction = { ascending: -1, descending: 0 }[header.getAttribute("aria-sort")] ?? 1;
        sort(column, direction);
        if (name) remember(name, direction && (direction > 0 ? key : `-${key}`));
      });
      if (name && asked.get(name) === key) sort(column, 1);
      if (name && asked.get(name) === `-${key}`) sort(column, -1);
    });
  }

  function filterable(table) {
    const rows = [...table.tBodies[0].rows];
    const name = table.dataset.name && `filter.${table.dataset.name}`;
    const box = document.createElement("div");
    const input = document.createElement("input");
    const count = document.createElement("span");
    box.className = "filter";
    input.type = "search";
    input.placeholder = "Filter rows";
    input.setAttribute("aria-label", `Filter rows: ${table.closest("[role=region]").getAttribute("aria-label")}`);
    count.setAttribute("role", "status");
    box.append(input, count);
    table.closest("[role=region]").before(box);
    const texts = rows.map((row) => row.textContent.toLowerCase());

    function filter() {
      const words = input.value.toLowerCase().split(/\s+/);
      rows.forEach((row, at) => (row.hidden = !words.every((word) => texts[at].includes(word))));
      const left = rows.filter((row) => !row.hidden).length;
      count.textContent = input.value.trim() ? `${left} of ${rows.length}` : "";
    }

    input.addEventListener("input", () => {
      filter();
      if (name) remember(name, input.value.trim());
    });
    input.value = (name && asked.get(name)) ?? "";
    if (input.value) filter();
  }

  document.querySelectorAll("table.filterable").forEach(filterable);
  document.querySelectorAll("table.sortable").forEach(sortable);
}
