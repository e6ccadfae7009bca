// Talks to the node: JSON in, JSON out; a refusal becomes a Problem with words for people.

export class Problem extends Error {
  constructor(status, document) {
    super(document?.detail || "The node does not answer. Is it running?");
    this.status = status;
    this.code = document?.code || "unreachable";
  }
}

export async function send(method, path, body, headers = {}) {
  const answer = await ask(path, {
    method,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return answer.status === 204 ? null : answer.json();
}

export async function fragment(path) {
  const answer = await ask(path, { headers: { Accept: "*/*" } });
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return holder.content;
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem(0, null);
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => null));
  return answer;
}

// A key per wish, kept until the node has answered, so that pressing twice makes one job.
export function wishKey() {
  return crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
}

export function toast(words) {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.textContent = words;
  place.append(note);
  setTimeout(() => note.remove(), 6000);
}
