// <form data-upload>: a drop zone and a true progress bar (bytes really sent).
// Without this script the same form still posts the file, only more quietly.
//
// The server answers a good file with {"location": "/datasets/5/"} and a bad one
// with 422 and {"problem": "one sentence", "problems": [{"line", "message"}]}.
function mib(bytes) {
  return (bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0);
}

function arm(form) {
  const input = form.querySelector("input[type=file]");
  const zone = form.querySelector("[data-zone]");
  const chosen = form.querySelector("[data-chosen]");
  const name = form.querySelector("input[name=name]");
  const bar = form.querySelector("progress");
  const state = form.querySelector("[data-state]");
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button[type=submit]");
  const stop = form.querySelector("[data-stop]");
  const problems = form.querySelector("[data-problems]");

  function choose() {
    const file = input.files[0];
    chosen.textContent = file ? `${file.name} · ${mib(file.size)} MiB` : "";
    if (file && name && !name.value) name.value = file.name.replace(/\.[^.]+$/, "");
  }

  function list(rows) {
    problems.hidden = rows.length < 2;
    problems.querySelector("tbody").replaceChildren(
      ...rows.map((row) => {
        const line = document.createElement("tr");
        const number = line.insertCell();
        number.className = "num text-right";
        number.textContent = row.line;
        line.insertCell().textContent = row.message;
        return line;
      }),
    );
  }

  function complain(sentence, rows = []) {
    problem.textContent = sentence;
    list(rows);
    problem.closest("[role=alert]").hidden = false;
    bar.hidden = state.hidden = stop.hidden = true;
    button.disabled = false;
  }

  input.addEventListener("change", choose);
  for (const kind of ["dragover", "dragenter"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("dropping");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.remove("dropping"));
  }
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      choose();
    }
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    problem.closest("[role=alert]").hidden = problems.hidden = true;
    bar.hidden = state.hidden = stop.hidden = false;
    bar.value = 0;
    button.disabled = true;
    stop.onclick = () => request.abort();

    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = loaded / total;
      state.textContent = `${mib(loaded)} of ${mib(total)} MiB sent`;
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value"); // the server now reads the file: no percentage is known
      state.textContent = "Sent. Reading every line…";
    });
    request.addEventListener("load", () => {
      const answer = request.response ?? {};
      if (request.status < 300 && answer.location) location.assign(answer.location);
      else if (answer.problem) complain(answer.problem, answer.problems);
      else complain(`The server could not take the file (${request.status}). Try again, or look at its log.`);
    });
    request.addEventListener("error", () => complain("The connection broke. Nothing was stored; try again."));
    request.addEventListener("abort", () => complain("Stopped. Nothing was stored."));
    request.send(new FormData(form));
  });
}

document.querySelectorAll("form[data-upload]").forEach(arm);
