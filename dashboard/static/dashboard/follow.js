// One conversation among many: of all that is said, only its own news make its
// transcript ask again (`hx-trigger="followed"`).
document.addEventListener("news", ({ detail }) => {
  for (const element of document.querySelectorAll("[data-follows]")) {
    const isMine = detail.topic === "conversations" && String(detail.payload.id) === element.dataset.follows;
    // live.js sees to it that a fragment on its way is not lost (`tell`).
    if (isMine || detail.type === "resync") element.dispatchEvent(new CustomEvent("tell", { bubbles: true, detail: "followed" }));
  }
});
