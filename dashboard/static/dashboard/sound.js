// Sound on every page that has any: asks the server for words and for speech,
// records from the microphone, and plays one thing at a time. A page's own
// scripts use `globalThis.sound`; buttons with `data-speaks="address"` play by
// themselves what the server answers there.
const MIB = 1024 * 1024;
const NO_CONNECTION = "The server does not answer. Is it running?";
const FORMATS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4", "audio/webm"];

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

// Everything that is refused comes back as a sentence.
async function ask(address, options = {}) {
  const headers = { Accept: "application/json" };
  if (options.method === "POST") headers["X-CSRFToken"] = token();
  let answer;
  try {
    answer = await fetch(address, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(NO_CONNECTION);
  }
  if (answer.ok) return answer;
  let problem = "";
  try {
    problem = (await answer.json()).problem ?? "";
  } catch {
    // No sentence of ours came with it.
  }
  if (answer.status === 403 && !problem) problem = "The page is too old for this. Reload it.";
  throw new Error(problem || `The server could not answer (${answer.status}). Try again, or look at its log.`);
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

// The words in a file: {text, provider, duration_s, took_ms, language, letter}.
async function words(address, file, fields, most) {
  if (!file.size) throw new Error("The file is empty. Record again, or choose another one.");
  if (file.size > most.bytes) throw new Error(`The file is too large: ${most.bytes / MIB} MiB is the most.`);
  const body = new FormData();
  body.append("sound", file, file.name || "recording");
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return (await ask(address, { method: "POST", body })).json();
}

// Speech: {url, about}. The url lives until the page forgets it.
async function speech(address, options = {}) {
  const answer = await ask(address, options);
  return { url: URL.createObjectURL(await answer.blob()), about: JSON.parse(answer.headers.get("Spoken") ?? "{}") };
}

function whyNot(error) {
  if (error.name === "NotAllowedError") return "The browser did not let this page use the microphone. Allow it beside the address, or choose a file.";
  if (error.name === "NotFoundError") return "No microphone was found. Plug one in, or choose a file.";
  return "The microphone cannot be used just now. Another program may hold it; or choose a file.";
}

// One recording. `tick` events tell {seconds, level}; `over` comes when it is long enough.
class Recording extends EventTarget {
  static async start(mostSeconds) {
    if (!navigator.mediaDevices || !globalThis.MediaRecorder) {
      throw new Error("This browser lets a page record only over https or on this very machine. Choose a file instead.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
    } catch (error) {
      throw new Error(whyNot(error));
    }
    return new Recording(stream, mostSeconds);
  }

  constructor(stream, mostSeconds) {
    super();
    this.stream = stream;
    this.pieces = [];
    const type = FORMATS.find((each) => MediaRecorder.isTypeSupported(each));
    this.recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 48_000 });
    this.recorder.addEventListener("dataavailable", ({ data }) => this.pieces.push(data));
    this.ended = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
    this.context = new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const begun = performance.now();
    this.recorder.start(1000);
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, each) => sum + each * each, 0) / samples.length;
      const seconds = (performance.now() - begun) / 1000;
      // From -60 dB, as good as silent, to 0.
      const level = Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 6));
      this.dispatchEvent(new CustomEvent("tick", { detail: { seconds, level } }));
      if (seconds >= mostSeconds - 0.5) this.dispatchEvent(new CustomEvent("over"));
    }, 100);
  }

  // The file, and the microphone is free again.
  async stop() {
    clearInterval(this.timer);
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.ended;
    for (const track of this.stream.getTracks()) track.stop();
    await this.context.close();
    const type = this.recorder.mimeType.split(";")[0];
    return new File(this.pieces, `recording.${type.split("/")[1]}`, { type });
  }
}

// The strip of _recording.html inside `root`: resolves to a file, or to null if
// it was discarded.
async function record(root, mostSeconds) {
  const strip = root.querySelector("[data-recording]");
  const recording = await Recording.start(mostSeconds);
  const show = ({ seconds, level }) => {
    strip.querySelector("[data-clock]").textContent = `${clock(seconds)} of ${clock(mostSeconds)}`;
    strip.querySelector("[data-level]").value = level;
  };
  show({ seconds: 0, level: 0 });
  strip.hidden = false;
  const kept = await new Promise((resolve) => {
    recording.addEventListener("tick", ({ detail }) => show(detail));
    recording.addEventListener("over", () => resolve(true), { once: true });
    strip.querySelector("[data-done]").onclick = () => resolve(true);
    strip.querySelector("[data-discard]").onclick = () => resolve(false);
  });
  const file = await recording.stop();
  strip.hidden = true;
  return kept ? file : null;
}

const player = new Audio();
let playing = null; // the button whose sound it is
const made = new Map(); // addresses to urls, of what this page has heard already

function look(button, state) {
  button.dataset.state = state;
  button.setAttribute("aria-pressed", String(state === "playing"));
  button.setAttribute("aria-busy", String(state === "loading"));
  const label = button.querySelector("[data-label]");
  label.dataset.idle ??= label.textContent;
  label.textContent = { loading: "Wait", playing: "Stop" }[state] ?? label.dataset.idle;
}

function silence() {
  player.pause();
  if (playing) look(playing, "idle");
  playing = null;
}

// Play what `fetched` resolves to, with the button as its switch.
async function play(button, fetched) {
  const mine = playing === button;
  silence();
  if (mine) return;
  playing = button;
  look(button, "loading");
  try {
    const url = await fetched();
    if (playing !== button) return;
    player.src = url;
    await player.play();
    look(button, "playing");
  } catch (error) {
    if (playing === button) silence();
    if (error.name !== "AbortError") document.dispatchEvent(new CustomEvent("problem", { detail: { sentence: error.message } }));
  }
}

player.addEventListener("ended", silence);

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-speaks]");
  if (!button) return;
  const language = document.getElementById("spoken-language")?.value;
  const address = button.dataset.speaks + (language ? `?language=${encodeURIComponent(language)}` : "");
  play(button, async () => {
    if (!made.has(address)) made.set(address, (await speech(address)).url);
    return made.get(address);
  });
});

// What starts to play by its own controls silences the rest.
document.addEventListener("play", ({ target }) => {
  if (target !== player) silence();
  for (const other of document.querySelectorAll("audio")) if (other !== target) other.pause();
}, true);

globalThis.sound = { record, words, speech, play, silence };
