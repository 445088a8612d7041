// The Playground: sends questions over the socket and writes the answer as it
// forms, always as text. A finished answer is fetched as the transcript shows it.
const MAX_WAIT_MS = 10_000;
const NEAR_THE_END_PX = 120;
const LOST = "The connection was lost while the answer came.";

const root = document.getElementById("playground");
const composer = document.getElementById("composer");
const field = document.getElementById("question");
const sendButton = composer.querySelector("[data-send]");
const stopButton = composer.querySelector("[data-stop]");
const refusal = root.querySelector("[data-refusal]");
const recordButton = composer.querySelector("[data-record]");
const fileField = composer.querySelector("[data-file]");
const hearing = composer.querySelector("[data-hearing]");
const language = document.getElementById("spoken-language");
const LANGUAGE_KEY = "spoken-language";

let socket = null;
let wait = 500;
let turn = null; // the question under way: {question, asked, answer, text, sent}
let conversation = Number(root.dataset.conversation) || null;

function thread() {
  return document.getElementById("thread");
}

function chosenModel() {
  return document.getElementById("model").value;
}

function address() {
  const path = root.dataset.address + (conversation ? `${conversation}/` : "");
  const model = chosenModel();
  return model ? `${path}?model=${encodeURIComponent(model)}` : path;
}

function fresh(template, text) {
  const row = document.getElementById(template).content.firstElementChild.cloneNode(true);
  row.querySelector("[data-text]").textContent = text;
  return row;
}

function isNearTheEnd() {
  const page = document.documentElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_THE_END_PX;
}

function toTheEnd() {
  window.scrollTo({ top: document.documentElement.scrollHeight });
}

function setBusy(busy) {
  sendButton.hidden = busy;
  setDeaf(busy);
  stopButton.hidden = !busy;
  stopButton.disabled = false;
}

// While an answer comes, nothing else is listened to.
function setDeaf(deaf) {
  recordButton.disabled = fileField.disabled = deaf;
  fileField.closest("label").classList.toggle("btn-disabled", deaf);
}

// letter: of a question that was spoken; the server made its words.
function ask(question, letter = "") {
  if (turn || !question.trim()) return;
  refusal.hidden = true;
  document.getElementById("welcome").hidden = true;
  const asked = fresh("new-question", question);
  asked.querySelector("[data-spoken]").hidden = !letter;
  const answer = fresh("new-answer", "");
  const text = answer.querySelector("[data-text]").appendChild(document.createTextNode(""));
  thread().append(asked, answer);
  turn = { question, letter, asked, answer, text, sent: false };
  setBusy(true);
  toTheEnd();
  if (socket.readyState === WebSocket.OPEN) send();
  else answer.querySelector("[data-state]").textContent = "Connecting";
}

function send() {
  turn.sent = true;
  turn.answer.querySelector("[data-state]").textContent = "Thinking";
  const { question, letter } = turn;
  const said = letter ? { heard: letter } : { question };
  socket.send(JSON.stringify({ type: "ask", ...said, conversation, model: chosenModel() }));
}

function finish() {
  const done = turn;
  turn = null;
  setBusy(false);
  field.focus({ preventScroll: true });
  return done;
}

// The answer from its row: with its model, its figures and its buttons.
async function show(id, { answer }) {
  const stay = !isNearTheEnd();
  const url = root.dataset.answerAddress.replace("/0/", `/${id}/`);
  await htmx.ajax("GET", url, { target: answer, swap: "outerHTML" });
  if (!stay) toTheEnd();
}

function fail(sentence) {
  const { question, answer, text } = finish();
  const failure = fresh("new-failure", sentence);
  failure.querySelector("[data-partial]").textContent = text.data;
  failure.querySelector("[data-asks]").dataset.asks = question;
  answer.replaceWith(failure);
  toTheEnd();
}

const heard = {
  started(news) {
    conversation = news.conversation;
    history.replaceState(null, "", address());
  },
  delta(news) {
    if (!turn) return;
    const follow = isNearTheEnd();
    turn.text.appendData(news.text);
    turn.answer.querySelector("[data-thinking]").hidden = true;
    if (follow) toTheEnd();
  },
  answer(news) {
    if (turn) show(news.id, finish());
  },
  stopped(news) {
    if (!turn) return;
    if (news.id) show(news.id, finish());
    else fail("Stopped before anything came.");
  },
  failed(news) {
    if (!turn) return;
    if (news.id) show(news.id, finish());
    else fail(news.sentence);
  },
  refused(news) {
    // Nothing was asked: the words go back to where they were typed.
    refusal.textContent = news.sentence;
    refusal.hidden = false;
    if (!turn) return;
    const { question, asked, answer } = finish();
    asked.remove();
    answer.remove();
    if (!field.value) field.value = question;
  },
};

function connect() {
  const url = new URL(root.dataset.socket, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    wait = 500;
    if (turn && !turn.sent) send();
  });
  socket.addEventListener("message", ({ data }) => {
    const news = JSON.parse(data);
    heard[news.type](news);
  });
  socket.addEventListener("close", ({ code }) => {
    if (code === 4401) {
      location.reload(); // signed out: the server answers with the sign-in page
      return;
    }
    if (turn?.sent) fail(LOST);
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, MAX_WAIT_MS);
  });
}

// A sound becomes words first. What fails is said, and nothing is asked.
async function askAloud(sound) {
  if (turn) return;
  refusal.hidden = true;
  setDeaf(true);
  try {
    const file = await sound();
    if (!file) return;
    hearing.hidden = false;
    const most = { bytes: Number(root.dataset.mostBytes) };
    const heard = await globalThis.sound.words(root.dataset.hears, file, { language: language.value }, most);
    // Whoever typed meanwhile is being answered: their spoken words wait in the field.
    if (turn) field.value ||= heard.text;
    else ask(heard.text, heard.letter);
  } catch (error) {
    refusal.textContent = error.message;
    refusal.hidden = false;
  } finally {
    hearing.hidden = true;
    if (!turn) setDeaf(false);
  }
}

recordButton.addEventListener("click", () => askAloud(() => globalThis.sound.record(composer, Number(root.dataset.mostS))));

fileField.addEventListener("change", () => {
  const [file] = fileField.files;
  fileField.value = ""; // the same file may be chosen again
  if (file) askAloud(async () => file);
});

language.addEventListener("change", () => localStorage.setItem(LANGUAGE_KEY, language.value));
const remembered = localStorage.getItem(LANGUAGE_KEY);
if ([...language.options].some(({ value }) => value === remembered)) language.value = remembered;

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (turn || !field.value.trim()) return;
  const question = field.value;
  field.value = "";
  ask(question);
});

field.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

stopButton.addEventListener("click", () => {
  stopButton.disabled = true;
  if (turn?.sent) socket.send(JSON.stringify({ type: "stop" }));
  else if (turn) heard.refused({ sentence: "Not sent: there is no connection yet." });
});

// Suggestions, Retry and Ask again are all questions that need no typing.
root.addEventListener("click", ({ target }) => {
  const asker = target.closest("[data-asks]");
  if (asker) ask(asker.dataset.asks);
});

root.addEventListener("change", ({ target }) => {
  if (target.id !== "model") return;
  history.replaceState(null, "", address());
  field.focus();
});

root.querySelector("[data-new]").addEventListener("click", (event) => {
  const model = chosenModel();
  if (model) event.currentTarget.search = `?model=${encodeURIComponent(model)}`;
});

if (conversation) toTheEnd();
connect();
