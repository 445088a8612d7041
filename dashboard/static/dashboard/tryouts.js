// "Say this" and "Hear this": try the voice and the ear of a server.
const { record, words, speech, play, silence } = globalThis.sound;

function shower(form) {
  const find = (selector) => form.querySelector(selector);
  return {
    find,
    busy(is) {
      const busy = find("[data-busy]");
      if (busy) busy.hidden = !is;
      for (const control of form.querySelectorAll("button, input, select, textarea")) control.disabled = is;
    },
    fail(error) {
      find("[data-problem]").textContent = error.message;
      find("[data-problem]").hidden = false;
    },
    begin() {
      find("[data-problem]").hidden = find("[data-result]").hidden = true;
      silence();
    },
  };
}

function seconds(value) {
  if (value < 0.1) return `${Math.round(value * 1000)} ms`;
  return `${value.toFixed(value < 10 ? 1 : 0)} s`;
}

const say = document.querySelector("form[data-say]");
if (say) {
  const { find, busy, fail, begin } = shower(say);
  say.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(say);
    begin();
    busy(true);
    const asked = performance.now();
    try {
      const { url, about } = await speech(say.action, { method: "POST", body });
      const took = about.is_cached ? "kept from before" : `made in ${seconds((performance.now() - asked) / 1000)}`;
      find("[data-about]").textContent = [about.provider, about.voice, seconds(about.duration_s), took].filter(Boolean).join(" · ");
      find("[data-result]").hidden = false;
      const audio = find("audio");
      audio.src = url;
      // A browser may want another click first; the controls are there for that.
      audio.play().catch(() => {});
    } catch (error) {
      fail(error);
    } finally {
      busy(false);
    }
  });
}

const hear = document.querySelector("form[data-hear]");
if (hear) {
  const { find, busy, fail, begin } = shower(hear);
  const most = { seconds: Number(hear.dataset.mostS), bytes: Number(hear.dataset.mostBytes) };
  const field = (name) => hear.elements[name].value;
  let heard = null;

  async function listen(file) {
    const fields = { language: field("language"), guild: field("guild") };
    busy(true);
    try {
      heard = await words(hear.action, file, fields, most);
      find("[data-text]").textContent = heard.text;
      find("[data-about]").textContent = `${heard.provider} · ${seconds(heard.duration_s)} of sound, understood in ${seconds(heard.took_ms / 1000)}`;
      find("[data-own]").src = URL.createObjectURL(file);
      find("[data-result]").hidden = false;
    } catch (error) {
      fail(error);
    } finally {
      busy(false);
    }
  }

  find("[data-record]").addEventListener("click", async ({ currentTarget }) => {
    begin();
    currentTarget.disabled = true;
    try {
      const file = await record(hear, most.seconds);
      if (file) await listen(file);
    } catch (error) {
      fail(error);
    } finally {
      find("[data-record]").disabled = false;
    }
  });

  find("[data-file]").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    target.value = ""; // the same file may be chosen again
    begin();
    if (file) await listen(file);
  });

  find("[data-echo]").addEventListener("click", ({ currentTarget }) => {
    const body = new FormData();
    for (const [name, value] of Object.entries({ text: heard.text.slice(0, 500), language: field("language"), guild: field("guild") })) body.append(name, value);
    play(currentTarget, async () => (await speech(document.querySelector("form[data-say]").action, { method: "POST", body })).url);
  });

  hear.addEventListener("submit", (event) => event.preventDefault());
}
