// Lists whose order counts (`data-chain`): the form sends the chosen ones as
// they stand. Without this script they keep the order in which they came.
function tidy(chain) {
  const links = [...chain.children];
  links.forEach((link, at) => {
    link.querySelector("[data-moves]").hidden = false;
    link.querySelector("[data-up]").disabled = at === 0;
    link.querySelector("[data-down]").disabled = at === links.length - 1;
  });
}

for (const chain of document.querySelectorAll("[data-chain]")) {
  chain.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-up], [data-down]");
    if (!button) return;
    const link = button.closest("[data-link]");
    if (button.matches("[data-up]")) link.previousElementSibling?.before(link);
    else link.nextElementSibling?.after(link);
    tidy(chain);
    // At an end the button goes dead; the other one keeps the keyboard here.
    (button.disabled ? link.querySelector("[data-moves] button:enabled") : button)?.focus();
  });
  tidy(chain);
}
