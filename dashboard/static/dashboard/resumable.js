// An upload that survives a lost connection, a server that starts again and a
// page that is closed: the tus 1.0 protocol, a piece of the file a request.
//
// Where an upload goes on is remembered in localStorage under the file's name,
// size and time, so choosing the same file again continues it.
const PIECE_BYTES = 4 * 1024 * 1024;
const MAX_WAIT_MS = 15_000;
const REMEMBERED_MS = 2 * 24 * 3600 * 1000; // as long as the server keeps an unfinished one
const PREFIX = "upload:";

// What a person is told; trying again would not help.
class Refused extends Error {}

class ResumableUpload extends EventTarget {
  // headers: of every request, such as the CSRF token. Tells of itself by the
  // events "progress" {sent, total}, "waiting" {seconds} and "paused".
  constructor(file, { address, name, headers, filename = file.name, modified = file.lastModified }) {
    super();
    Object.assign(this, { file, address, name, headers, filename });
    this.key = `${PREFIX}${filename}:${file.size}:${modified ?? 0}`;
    this.paused = false;
    this.request = null;
    this.wake = null;
  }

  // The address of the import's page, once every byte has come.
  async run() {
    forgetOld();
    let wait = 500;
    for (;;) {
      await this.unpaused();
      try {
        const { url, offset, page } = (await this.resumed()) ?? (await this.created());
        let sent = offset;
        this.tell("progress", { sent, total: this.file.size });
        while (sent < this.file.size) {
          await this.unpaused();
          sent = await this.send(url, sent);
          wait = 500;
        }
        localStorage.removeItem(this.key);
        return page;
      } catch (error) {
        if (error instanceof Refused) {
          throw error;
        }
        if (!this.paused) {
          this.tell("waiting", { seconds: Math.round(wait / 1000) });
          await this.sleep(wait * (0.75 + Math.random() / 2));
          wait = Math.min(wait * 2, MAX_WAIT_MS);
        }
      }
    }
  }

  pause() {
    this.paused = true;
    this.request?.abort();
    this.wake?.();
    this.tell("paused", {});
  }

  resume() {
    this.paused = false;
    this.wake?.();
  }

  // Take back what was sent. The server forgets it, and so does this browser.
  async cancel() {
    this.pause();
    const known = this.known();
    localStorage.removeItem(this.key);
    if (known) await this.ask("DELETE", known.url);
  }

  known() {
    const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
    return kept && Date.now() - kept.at < REMEMBERED_MS ? kept : null;
  }

  async resumed() {
    const known = this.known();
    if (!known) return null;
    const answer = await this.ask("HEAD", known.url);
    if (answer.status === 200) {
      const offset = Number(answer.getResponseHeader("Upload-Offset"));
      return { url: known.url, offset, page: answer.getResponseHeader("Import-Page") };
    }
    if ([403, 404, 409, 410].includes(answer.status)) {
      localStorage.removeItem(this.key); // over, cancelled or another's: begin anew
      return null;
    }
    throw this.failure(answer);
  }

  async created() {
    const told = Object.entries({ filename: this.filename, name: this.name ?? "" });
    const answer = await this.ask("POST", this.address, null, {
      "Upload-Length": String(this.file.size),
      "Upload-Metadata": told.filter(([, value]) => value).map(([key, value]) => `${key} ${base64(value)}`).join(","),
    });
    if (answer.status !== 201) throw this.failure(answer);
    const url = answer.getResponseHeader("Location");
    localStorage.setItem(this.key, JSON.stringify({ url, at: Date.now() }));
    return { url, offset: 0, page: answer.getResponseHeader("Import-Page") };
  }

  async send(url, offset) {
    const piece = this.file.slice(offset, offset + PIECE_BYTES);
    const answer = await this.ask("PATCH", url, piece, {
      "Upload-Offset": String(offset),
      "Content-Type": "application/offset+octet-stream",
    }, (loaded) => this.tell("progress", { sent: offset + loaded, total: this.file.size }));
    // 409: the server has another count; it is asked for it at the next round.
    if (answer.status === 409) throw new Error("out of step");
    if (answer.status !== 204) throw this.failure(answer);
    const sent = Number(answer.getResponseHeader("Upload-Offset"));
    this.tell("progress", { sent, total: this.file.size });
    return sent;
  }

  failure({ status, responseText }) {
    let problem = "";
    try {
      problem = JSON.parse(responseText).problem ?? "";
    } catch {
      // No sentence of ours came with it.
    }
    // A server that starts, is full or is gone for a moment is asked again.
    if (status === 0 || status === 429 || status === 503 || (status >= 500 && status !== 507)) return new Error(problem);
    if (status === 403 && !problem) return new Refused("The page is too old for this. Reload it and choose the same file again.");
    return new Refused(problem || `The server could not take the file (${status}). Try again, or look at its log.`);
  }

  // XMLHttpRequest, since fetch does not tell how much of a body was sent.
  ask(method, url, body = null, headers = {}, progress = null) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(method, url);
      const all = { Accept: "application/json", "Tus-Resumable": "1.0.0", ...this.headers, ...headers };
      for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
      if (progress) request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
      request.addEventListener("load", () => resolve(request));
      request.addEventListener("error", () => reject(new Error("no connection")));
      request.addEventListener("abort", () => reject(new Error("stopped")));
      request.send(body);
    });
  }

  async unpaused() {
    while (this.paused) await new Promise((resolve) => (this.wake = resolve));
  }

  sleep(ms) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, ms);
      addEventListener("online", resolve, { once: true });
    });
  }

  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function forgetOld() {
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(PREFIX)) continue;
    const kept = JSON.parse(localStorage.getItem(key));
    if (!(Date.now() - kept.at < REMEMBERED_MS)) localStorage.removeItem(key);
  }
}

globalThis.ResumableUpload = ResumableUpload;
