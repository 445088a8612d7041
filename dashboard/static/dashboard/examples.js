// The example browser by keyboard: rows are walked, opened, edited, picked out
// and removed without a mouse. Which row is open is kept in the address.
const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

const browser = () => document.getElementById("browser");
const selection = () => document.getElementById("selection");
const rows = () => [...browser().querySelectorAll("[data-position]")];
const linkOf = (row) => row.querySelector("[data-row]");
const openedOf = (row) => row.querySelector("[data-opened]");

function current() {
  return document.activeElement?.closest("[data-position]") ?? null;
}

function go(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  linkOf(all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function remember(position) {
  const address = new URL(location.href);
  if (position === null) address.searchParams.delete("open");
  else address.searchParams.set("open", position);
  history.replaceState(history.state, "", address);
}

function close(row) {
  openedOf(row).replaceChildren();
  linkOf(row).setAttribute("aria-expanded", "false");
  remember(null);
}

function isOpen(row) {
  return openedOf(row).childElementCount > 0;
}

// A second press closes what the first one opened; htmx only knows how to open.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row]");
  const row = link?.closest("[data-position]");
  if (!row || !isOpen(row) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  close(row);
}, { capture: true });

document.addEventListener("htmx:afterSwap", ({ target }) => {
  const row = target.closest?.("[data-position]");
  if (!row || !openedOf(row)) return;
  linkOf(row).setAttribute("aria-expanded", String(isOpen(row)));
  remember(row.dataset.position);
  const editor = row.querySelector("[data-editor]");
  if (editor) editor.querySelector("[data-fields]:not([hidden]) textarea")?.focus();
  else linkOf(row).focus({ preventScroll: true });
});

function countSelected() {
  if (!selection()) return;
  const n = browser().querySelectorAll("[name=position]:checked").length;
  const all = selection().querySelector("[name=all]")?.checked;
  selection().querySelector("[data-count]").textContent = all ? "all" : n;
  for (const button of selection().querySelectorAll("button")) button.disabled = !n && !all;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[name=position], [name=all]")) countSelected();
  if (target.matches("[data-tab]")) {
    for (const form of target.closest("[data-editor]").querySelectorAll("[data-fields]")) {
      form.hidden = form.dataset.fields !== target.dataset.tab;
    }
  }
});
document.addEventListener("htmx:afterSettle", countSelected);

function edit(row) {
  const button = row.querySelector("[data-edit]");
  if (button) {
    button.click();
    return;
  }
  if (isOpen(row)) return; // the editor is there already, or nothing may be edited
  openedOf(row).addEventListener("htmx:afterSettle", () => row.querySelector("[data-edit]")?.click(), { once: true });
  linkOf(row).click();
}

const KEYS = {
  j: () => go(1),
  ArrowDown: () => go(1),
  k: () => go(-1),
  ArrowUp: () => go(-1),
  n: () => browser().querySelector("a[rel=next]")?.click(),
  p: () => browser().querySelector("a[rel=prev]")?.click(),
  o: (row) => row && linkOf(row).click(),
  e: (row) => row && edit(row),
  x: (row) => row?.querySelector("[name=position]")?.click(),
  d: (row) => {
    if (!selection()) return;
    if (row && !browser().querySelector("[name=position]:checked")) row.querySelector("[name=position]")?.click();
    selection().querySelector("[data-remove]:enabled")?.click();
  },
  u: () => document.querySelector("#undo:enabled")?.click(),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const row = current();
  if (event.key === "Escape" && row) {
    const cancel = row.querySelector("[data-fields]:not([hidden]) [data-cancel]");
    if (cancel) {
      htmx.process(cancel); // the form may have come in this very moment, its buttons yet asleep
      cancel.click();
    }
    else if (isOpen(row)) close(row);
    linkOf(row).focus({ preventScroll: true });
    return;
  }
  if (event.target.closest?.(TYPING) || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key](row);
});

countSelected();
