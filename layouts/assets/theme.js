// Before anything is drawn: light or dark, as the reader chose here before.
"use strict";
try {
  const chosen = localStorage.getItem("hdash-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Nothing may be kept here: the system's choice stands.
}
