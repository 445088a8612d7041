// Reviewing without the mouse: j and k move from card to card, a, e and r press
// the card's own buttons.
let at = 0;

function cards() {
  return [...document.querySelectorAll("[data-card]")];
}

function focused() {
  return document.activeElement?.closest("[data-card]");
}

function go(step) {
  const all = cards();
  if (!all.length) return;
  const here = focused();
  at = here ? all.indexOf(here) + step : Math.min(at, all.length - 1);
  at = Math.max(0, Math.min(at, all.length - 1));
  all[at].focus();
  all[at].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (["a", "e", "r"].includes(event.key)) {
    const card = focused() ?? cards()[at];
    const button = card?.querySelector(`[data-key="${event.key}"]`);
    if (!button) return;
    card.focus();
    button.click();
  } else return;
  event.preventDefault();
});

// A queue that was fetched anew keeps the reviewer's place.
let wasInQueue = false;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "queue") return;
  const here = focused();
  wasInQueue = Boolean(here) || document.activeElement?.closest("#dialog") !== null;
  if (here) at = cards().indexOf(here);
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target.id !== "queue" || !wasInQueue) return;
  const card = cards()[Math.min(at, cards().length - 1)];
  if (card && !document.getElementById("dialog").open) card.focus();
});
