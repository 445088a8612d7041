// The page's one dialog: what htmx puts into it decides what it asks. It opens
// when something has come, and keeps what was typed until it was saved.
const dialog = document.getElementById("dialog");
const inside = document.getElementById("dialog-body");
const drafts = new Map();

function form() {
  return inside.querySelector("form[data-draft]");
}

inside.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target !== inside) return; // a part of the form, while somebody types
  const field = form()?.querySelector("textarea");
  const draft = field && drafts.get(form().dataset.draft);
  if (draft) field.value = draft;
  if (!dialog.open) dialog.showModal();
  (inside.querySelector("[autofocus]") ?? field)?.focus();
});

// The server took what was written; what it tells about that may be elsewhere.
document.addEventListener("saved", ({ detail }) => {
  drafts.delete(detail.draft);
  if (detail.closes) dialog.close();
});

dialog.addEventListener("close", () => {
  inside.replaceChildren();
  dialog.dispatchEvent(new CustomEvent("emptied", { bubbles: true }));
});

inside.addEventListener("input", () => {
  const field = form()?.querySelector("textarea");
  if (field) drafts.set(form().dataset.draft, field.value);
});

inside.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-starts-from-old]")) return;
  const field = form().querySelector("textarea");
  field.value = inside.querySelector("[data-old]").textContent;
  field.focus();
});

inside.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.target.form?.requestSubmit();
});
