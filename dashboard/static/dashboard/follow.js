// One conversation or call among many: of all that happens, only its own news make
// a fragment ask again (`hx-trigger="followed"`). `data-follows` names them, each as
// topic:id or topic:id:beginning-of-the-kind; `data-topics` lets them come at all.
function concerns(wanted, { topic, kind, payload }) {
  const [name, id, kinds = ""] = wanted.split(":");
  return topic === name && String(payload.id) === id && kind.startsWith(kinds);
}

document.addEventListener("news", ({ detail }) => {
  for (const element of document.querySelectorAll("[data-follows]")) {
    const all = element.dataset.follows.split(" ");
    // live.js sees to it that a fragment on its way is not lost (`tell`).
    if (detail.type === "resync" || all.some((wanted) => concerns(wanted, detail))) {
      element.dispatchEvent(new CustomEvent("tell", { bubbles: true, detail: "followed" }));
    }
  }
});
