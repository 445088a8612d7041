// <form data-upload>: takes a file or a folder, dropped or chosen, and sends it
// so that nothing is lost on the way (resumable.js). Without this script the
// same form still posts a file, only more quietly.
const MIB = 1024 * 1024;

function size(bytes) {
  if (bytes < MIB) return `${Math.ceil(bytes / 1024)} KiB`;
  return `${(bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0)} MiB`;
}

// The files of a dropped folder, with their paths inside it.
async function filesIn(entry, path = "") {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name: path + entry.name, file }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const each of some) found.push(...(await filesIn(each, `${path}${entry.name}/`)));
  }
}

const isText = ({ name }) => !name.split("/").some((part) => part.startsWith(".")) && /\.(txt|json|jsonl|csv|tsv|log)$/i.test(name);

function arm(form) {
  const find = (selector) => form.querySelector(selector);
  const input = find("input[type=file][name=file]");
  const folder = find("#folder");
  const zone = find("[data-zone]");
  const chosen = find("[data-chosen]");
  const name = find("input[name=name]");
  const progress = find("[data-progress]");
  const bar = find("progress");
  const state = find("[data-state]");
  const alert = find("[data-alert]");
  const button = find("button[type=submit]");
  const pause = find("[data-pause]");
  const cancel = find("[data-cancel]");
  const maxBytes = Number(form.dataset.maxBytes);

  let given = null; // {file, filename, modified}
  let upload = null;
  let begun = 0;

  find("[data-needs-script]").classList.remove("hidden");
  input.required = false; // what was dropped is not in the field

  function complain(sentence) {
    find("[data-problem]").textContent = sentence;
    alert.hidden = false;
  }

  function take(file, filename, modified, words = "") {
    given = { file, filename, modified };
    alert.hidden = true;
    chosen.textContent = `${filename} · ${size(file.size)}${words}`;
    if (!name.value) name.value = filename.replace(/\.[^.]+$/, "");
    if (file.size > maxBytes) complain(`This file has ${size(file.size)}, over the limit of ${size(maxBytes)}. Split it.`);
    if (!file.size) complain("This file is empty. It needs at least one example.");
  }

  async function takeFolder(called, members) {
    const texts = members.filter(isText);
    given = null;
    if (!texts.length) {
      complain(`There are no texts (.txt, .json, .jsonl, .csv) in ${called}.`);
      return;
    }
    chosen.textContent = `Packing ${called}…`;
    try {
      const archive = await globalThis.storedZip(texts);
      const newest = texts.reduce((last, { file }) => Math.max(last, file.lastModified), 0);
      take(archive, `${called}.zip`, newest, ` · ${texts.length} files`);
    } catch (error) {
      chosen.textContent = "";
      complain(error.message);
    }
  }

  input.addEventListener("change", () => {
    if (input.files.length) take(input.files[0], input.files[0].name, input.files[0].lastModified);
  });
  folder?.addEventListener("change", () => {
    const members = [...folder.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
    if (members.length) takeFolder(members[0].name.split("/")[0], members);
  });

  for (const kind of ["dragover", "dragenter"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("dropping");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.remove("dropping"));
  }
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    if (upload) return;
    // Entries and files must be taken before the first wait: then the drop is over.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [...event.dataTransfer.files];
    if (entries.length === 1 && entries[0].isDirectory) {
      await takeFolder(entries[0].name, await filesIn(entries[0]));
    } else if (files.length > 1) {
      const parts = entries.length ? await Promise.all(entries.map((entry) => filesIn(entry))) : [];
      await takeFolder("dropped files", parts.length ? parts.flat() : files.map((file) => ({ name: file.name, file })));
    } else if (files.length) {
      take(files[0], files[0].name, files[0].lastModified);
    }
  });

  function showBusy(busy) {
    button.disabled = input.disabled = busy;
    progress.hidden = pause.hidden = cancel.hidden = !busy;
    pause.textContent = "Pause";
  }

  function showProgress({ sent, total }) {
    bar.value = sent / total;
    const seconds = (performance.now() - begun.at) / 1000;
    const rate = (sent - begun.sent) / seconds;
    const left = seconds > 2 && rate > 0 ? `, ${Math.ceil((total - sent) / rate)} s left` : "";
    state.textContent = `${size(sent)} of ${size(total)} sent${left}`;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (upload) return;
    if (!given) {
      complain("Choose a file first, or drop one.");
      return;
    }
    if (!given.file.size || given.file.size > maxBytes) return;
    alert.hidden = true;
    const headers = { "X-CSRFToken": find("[name=csrfmiddlewaretoken]").value };
    const { file, filename, modified } = given;
    upload = new globalThis.ResumableUpload(file, { address: form.dataset.uploads, name: name.value, filename, modified, headers });
    begun = null;
    upload.addEventListener("progress", ({ detail }) => {
      begun ??= { at: performance.now(), sent: detail.sent };
      showProgress(detail);
    });
    upload.addEventListener("waiting", () => {
      begun = null;
      state.textContent = "The connection is lost. Trying again…";
    });
    upload.addEventListener("paused", () => {
      begun = null;
      state.textContent += " · paused";
    });
    showBusy(true);
    try {
      location.assign(await upload.run());
    } catch (error) {
      upload = null;
      showBusy(false);
      complain(error.message);
    }
  });

  pause.addEventListener("click", () => {
    if (upload.paused) upload.resume();
    else upload.pause();
    pause.textContent = upload.paused ? "Go on" : "Pause";
  });

  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    try {
      await upload.cancel();
    } catch {
      // Out of reach: the server forgets an unfinished upload after two days.
    }
    location.reload();
  });
}

document.querySelectorAll("form[data-upload]").forEach(arm);
