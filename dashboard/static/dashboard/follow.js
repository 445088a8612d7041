// One conversation or call among many: of all that happens, only its own news make
// a fragment ask again (`hx-trigger="followed"`). `data-topics` names where the news
// come from, `data-follows` the id, and `data-follows-kind` the beginning of their kind.
function concerns({ topics, follows, followsKind = "" }, { topic, kind, payload }) {
  return topics.split(" ").includes(topic) && String(payload.id) === follows && kind.startsWith(followsKind);
}

document.addEventListener("news", ({ detail }) => {
  for (const element of document.querySelectorAll("[data-follows]")) {
    // live.js sees to it that a fragment on its way is not lost (`tell`).
    if (detail.type === "resync" || concerns(element.dataset, detail)) {
      element.dispatchEvent(new CustomEvent("tell", { bubbles: true, detail: "followed" }));
    }
  }
});
