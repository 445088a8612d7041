// Small manners of every page: dialogs, relative times, confirmations, and one
// plain sentence when the server cannot be reached.
const DIVISIONS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [60 * 86_400, 86_400, "d"],
];

function ago(seconds) {
  if (seconds < 1) return "now";
  const found = DIVISIONS.find(([limit]) => seconds < limit);
  if (!found) return null; // so long ago that only the date says something
  const [, size, unit] = found;
  return `${Math.floor(seconds / size)} ${unit}`;
}

function tellTimes() {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const then = new Date(element.dateTime);
    element.textContent = ago((Date.now() - then) / 1000) ?? then.toLocaleDateString();
    element.title = then.toLocaleString();
  }
}

function say(sentence) {
  const box = document.getElementById("toasts");
  const alert = document.createElement("div");
  alert.className = "alert alert-error alert-soft";
  alert.textContent = sentence;
  box.append(alert);
  setTimeout(() => alert.remove(), 8000);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
  const copier = event.target.closest("[data-copies]");
  if (copier) navigator.clipboard.writeText(copier.dataset.copies);
  const dismisser = event.target.closest("[data-dismisses]");
  if (dismisser) dismisser.closest(".alert").remove();
});

document.addEventListener("submit", (event) => {
  // A second click must not send the form twice. A button that is disabled before the form
  // is read would not send its own name and value, so they are disabled only after that.
  if (event.target.matches("form[data-once]")) {
    const buttons = event.target.querySelectorAll("button[type=submit]");
    setTimeout(() => { for (const button of buttons) button.disabled = true; });
  }
});

// Coming back by the browser's own button finds the page as it was left.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  for (const button of document.querySelectorAll("form[data-once] button:disabled")) button.disabled = false;
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing) {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

document.addEventListener("htmx:sendError", () => say("The server does not answer. Is it running?"));
// The server puts the sentence of a refusal into this event (views/doors.py).
document.addEventListener("problem", ({ detail }) => say(detail.sentence));
document.addEventListener("htmx:responseError", ({ detail }) => {
  const status = detail.xhr.status;
  if (detail.xhr.getResponseHeader("HX-Trigger") || status === 401) return;
  if (status === 403) say("The page is too old for this. Reload it.");
  else say(`The server could not answer (${status}). Try again, or look at its log.`);
});
document.addEventListener("htmx:afterSettle", tellTimes);

tellTimes();
setInterval(tellTimes, 5000);
