// The facts of a story: a form that is saved as one new version of the bible.

import { Problem, send } from "./http.js";

const form = document.getElementById("bible");
const error = form.querySelector(".error");
const sceneId = form.dataset.scene;
const lists = { character: "characters", place: "places", event: "events" };

form.addEventListener("click", ({ target }) => {
  if (target.matches("[data-remove]")) target.closest(".entry").remove();
  const kind = target.dataset.add;
  if (!kind) return;
  const list = document.getElementById(lists[kind]);
  list.append(document.getElementById(`new-${kind}`).content.cloneNode(true));
  list.lastElementChild.querySelector("input").focus();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!form.reportValidity()) return;
  await tried(async () => {
    await send("PUT", `/v1/scenes/${sceneId}/bible`, facts());
    location.reload();
  });
});

form.addEventListener("change", async ({ target }) => {
  if (!target.dataset.picture || !target.files.length) return;
  await tried(async () => {
    const [file] = target.files;
    const answer = await fetch(`/v1/scenes/${sceneId}/reference/${target.dataset.picture}`, {
      method: "PUT",
      headers: { "Content-Type": file.type },
      body: file,
    });
    if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => null));
    const place = target.closest(".portrait");
    place.querySelector("img")?.remove();
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = `${(await answer.json()).url}?at=${Date.now()}`;
    place.prepend(picture);
  });
});

async function tried(work) {
  error.hidden = true;
  form.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    error.textContent = problem.message;
    error.hidden = false;
    error.scrollIntoView({ block: "center" });
  } finally {
    form.removeAttribute("aria-busy");
  }
}

function facts() {
  const of = (name) => form.elements.namedItem(name).value;
  const taken = new Set([...form.querySelectorAll("[data-id]")].map((one) => one.dataset.id));
  return {
    version: Number(form.dataset.version),
    title: form.querySelector("section [name=title]").value,
    synopsis: of("synopsis"),
    characters: entries("character", (value, entry) => ({
      id: idOf(entry, value("name"), taken),
      name: value("name"),
      aliases: split(value("aliases"), ","),
      appearance: value("appearance"),
      traits: split(value("traits"), ","),
      status: value("status"),
    })),
    places: entries("place", (value, entry) => ({
      id: idOf(entry, value("name"), taken),
      name: value("name"),
      aliases: split(value("aliases"), ","),
      facts: split(value("facts"), "\n"),
    })),
    timeline: entries("event", (value, entry) => ({
      order: Number(value("order")),
      when: value("when"),
      description: value("description"),
      segmentNumber: entry.dataset.segment ? Number(entry.dataset.segment) : null,
    })),
    rules: split(of("rules"), "\n"),
    style: {
      preset: of("preset"),
      tone: of("tone"),
      visual: of("visual"),
      palette: split(form.dataset.palette, " "),
    },
  };
}

function entries(kind, read) {
  return [...form.querySelectorAll(`[data-kind=${kind}]`)].map((entry) =>
    read((name) => entry.querySelector(`[name=${name}]`).value, entry),
  );
}

function split(text, by) {
  return text.split(by).map((one) => one.trim()).filter(Boolean);
}

function idOf(entry, name, taken) {
  if (entry.dataset.id) return entry.dataset.id;
  const plain = name.normalize("NFD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50).toLowerCase();
  const base = plain || entry.dataset.kind;
  let id = base;
  for (let number = 2; taken.has(id); number += 1) id = `${base}-${number}`;
  taken.add(id);
  return id;
}
