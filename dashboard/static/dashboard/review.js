// Reviewing without the mouse: j and k move from card to card, the other keys press
// the card's own buttons, or those of the selection if there is one. Wherever the
// focus was, it is on a card again once the list was fetched anew.
let at = 0;
let wanted = null; // the card to go on with, if somebody said which
const picked = new Set();

const queue = () => document.getElementById("queue");
const bulk = () => document.getElementById("bulk");
const cards = () => [...document.querySelectorAll("[data-card]")];
const boxes = () => [...document.querySelectorAll("[data-picks]")];
const focused = () => document.activeElement?.closest?.("[data-card]");
const anyDialog = () => document.querySelector("dialog[open]");

function show(card) {
  if (!card) return;
  at = cards().indexOf(card);
  card.focus();
  card.scrollIntoView({ block: "nearest" });
}

function go(step) {
  const all = cards();
  if (!all.length) return;
  const here = focused();
  const next = here ? all.indexOf(here) + step : Math.min(at, all.length - 1);
  show(all[Math.max(0, Math.min(next, all.length - 1))]);
}

function current() {
  return focused() ?? cards()[Math.min(at, cards().length - 1)];
}

function count() {
  if (!bulk()) return;
  bulk().hidden = picked.size === 0;
  bulk().querySelector("[data-count]").textContent = picked.size;
}

function press(key) {
  if (picked.size && bulk()) {
    const note = key === "r" && bulk().querySelector("[data-bulk-note]");
    if (note) note.focus(); // Enter in it rejects
    else bulk().querySelector(`[data-bulk="${key}"]`)?.click();
    return;
  }
  const card = current();
  const button = card?.querySelector(`[data-key="${key}"]`);
  if (!button) return;
  show(card);
  button.click();
}

function select() {
  const card = current();
  show(card);
  card?.querySelector("[data-picks]")?.click();
}

const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  a: () => press("a"),
  r: () => press("r"),
  m: () => press("m"),
  e: () => current()?.querySelector('[data-key="e"]') && (show(current()), current().querySelector('[data-key="e"]').click()),
  p: () => current()?.querySelector('[data-key="p"]') && (show(current()), current().querySelector('[data-key="p"]').click()),
  o: () => current()?.querySelector("a[href]")?.click(),
  u: () => document.getElementById("undo")?.click(),
  x: select,
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || anyDialog()) return;
  if (event.key === "Escape" && picked.size) {
    for (const box of boxes()) box.checked = false;
    picked.clear();
    count();
    show(current());
    return;
  }
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-picks]")) return;
  if (target.checked) picked.add(target.dataset.picks);
  else picked.delete(target.dataset.picks);
  count();
});

// What was decided is said aloud, and where it is gone to.
document.addEventListener("decided", ({ detail }) => {
  wanted = detail.focus ?? null;
  const status = document.getElementById("decided");
  if (status && detail.sentence) status.textContent = detail.sentence;
});

// A form whose answer is on its way must not be fetched away: the answer takes the queue's
// place, which it would look for in vain. A refresh that gave way comes later if it must.
const deciding = new Set();
let gaveWay = false;
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.id === "queue" && deciding.size) {
    gaveWay = true;
    event.preventDefault();
  } else if (elt.closest("form") && queue()?.contains(elt)) {
    deciding.add(xhr);
  }
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.elt.id !== "queue" || !deciding.size) return;
  gaveWay = true;
  detail.shouldSwap = false;
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!deciding.delete(detail.xhr) || deciding.size || !gaveWay) return;
  gaveWay = false;
  if (!detail.successful) queue()?.dispatchEvent(new Event("live"));
});

// A queue that was fetched anew keeps the reviewer's place and what they selected.
let wasInQueue = false;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "queue") return;
  const here = focused();
  wasInQueue = Boolean(here) || queue().contains(document.activeElement) || Boolean(anyDialog());
  if (here) at = cards().indexOf(here);
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target.id !== "queue") return;
  const there = new Set(boxes().map((box) => box.dataset.picks));
  for (const pk of [...picked]) if (!there.has(pk)) picked.delete(pk);
  for (const box of boxes()) box.checked = picked.has(box.dataset.picks);
  count();
  const card = (wanted && document.getElementById(`correction-${wanted}`)) ?? cards()[Math.min(at, cards().length - 1)];
  if ((wasInQueue || wanted) && !anyDialog()) back(card);
  wanted = null;
});

function back(card) {
  if (card) show(card);
  else document.getElementById("main").focus({ preventScroll: true }); // the last one is decided
}

// A dialog that closes gives the focus back to a button that may be gone by then.
document.addEventListener("emptied", () => {
  setTimeout(() => { if (!anyDialog() && !focused()) back(current()); });
});
