// Keeps the page's fragments true. Each element with `data-topics="jobs job.5"`
// gets a `live` event when one of its topics has news; htmx fetches it again
// (`hx-trigger="live"`). After a lost connection the server replays what came
// after the last id seen here, so nothing is missed.
const body = document.body;
const MAX_WAIT_MS = 10_000;

let last = Number(body.dataset.liveAfter || 0);
let wait = 500;
let socket = null;
let asked = "";

function topicsOf(element) {
  return element.dataset.topics.split(" ").filter(Boolean);
}

function topicsOfPage() {
  const all = new Set();
  for (const element of document.querySelectorAll("[data-topics]")) {
    for (const topic of topicsOf(element)) all.add(topic);
  }
  return [...all].sort();
}

// What is asked of a fragment while its own replacement is on its way would be
// lost with it: it waits, and is asked of the one that came.
const ON_ITS_WAY = "htmx-request";

function tell(element, name) {
  if (element.id && element.classList.contains(ON_ITS_WAY)) {
    setTimeout(() => {
      const now = document.getElementById(element.id);
      if (now) tell(now, name);
    }, 100);
  } else element.dispatchEvent(new CustomEvent(name));
}

// One refresh for many events: a training run that reports ten steps a second
// must not ask for the page ten times a second. What is dear to draw says
// `data-calm` and is asked for once in ten seconds at most.
class Refresh {
  constructor(selector, delay) {
    this.selector = selector;
    this.delay = delay;
    this.dirty = new Set();
    this.everything = false;
    this.timer = null;
  }

  soon(topic) {
    if (topic) this.dirty.add(topic);
    else this.everything = true;
    this.timer ??= setTimeout(() => this.flush(), this.delay);
  }

  flush() {
    this.timer = null;
    for (const element of document.querySelectorAll(this.selector)) {
      if (this.everything || topicsOf(element).some((topic) => this.dirty.has(topic))) {
        tell(element, "live");
      }
    }
    this.dirty.clear();
    this.everything = false;
  }
}

const refreshes = [
  new Refresh("[data-topics]:not([data-calm])", 200),
  new Refresh("[data-topics][data-calm]", 10_000),
];

function subscribe() {
  const topics = topicsOfPage();
  asked = topics.join(" ");
  socket.send(JSON.stringify({ topics, after: last }));
}

function connect() {
  const url = new URL(body.dataset.live, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    wait = 500;
    document.documentElement.dataset.live = "on";
    subscribe();
  });
  socket.addEventListener("message", ({ data }) => {
    const news = JSON.parse(data);
    if (news.id > last) last = news.id;
    if (news.type === "refused") return;
    for (const refresh of refreshes) refresh.soon(news.topic);
    document.dispatchEvent(new CustomEvent("news", { detail: news }));
  });
  socket.addEventListener("close", ({ code }) => {
    document.documentElement.dataset.live = "off";
    if (code === 4401) {
      location.reload(); // signed out: the server answers with the sign-in page
      return;
    }
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, MAX_WAIT_MS);
  });
}

document.addEventListener("tell", ({ target, detail }) => tell(target, detail));

if (body.dataset.live) {
  connect();
  // A swapped fragment may follow other topics, or have stopped asking.
  document.addEventListener("htmx:afterSettle", () => {
    if (socket.readyState === WebSocket.OPEN && topicsOfPage().join(" ") !== asked) subscribe();
  });
}
