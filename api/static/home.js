// The list of scenes: starts one, and keeps the cards of those being filmed up to date.

import { fragment, send, toast } from "./http.js";
import { storyForm } from "./forms.js";
import { follow } from "./live.js";

const ENDED = ["final_ready", "failed", "cancelled"];
const cards = document.getElementById("cards");
const stageWords = document.getElementById("stage-words").dataset;

const form = document.getElementById("begin");
if (form) {
  const people = document.getElementById("people");
  let sceneId = null; // the scene outlives a refused first text, so that trying again reuses it
  let sceneBody = "";
  document.getElementById("add-person").addEventListener("click", () => {
    people.append(document.getElementById("person").content.cloneNode(true));
    people.lastElementChild.querySelector("input").focus();
  });
  people.addEventListener("click", (event) => {
    if (event.target.matches("[data-remove]")) event.target.closest(".person").remove();
  });
  storyForm(form, async (data, key) => {
    const body = { title: data.get("title"), stylePreset: data.get("stylePreset") };
    if (!body.title.trim()) body.title = firstWords(data.get("text"));
    const characters = cast(people);
    if (characters.length) body.bible = { characters };
    if (sceneId === null || sceneBody !== JSON.stringify(body)) {
      sceneId = (await send("POST", "/v1/scenes", body)).id;
      sceneBody = JSON.stringify(body);
    }
    const wish = { text: data.get("text"), targetDuration: Number(data.get("targetDuration")) };
    await send("POST", `/v1/scenes/${sceneId}/continue`, wish, { "Idempotency-Key": key });
    location.assign(`/scenes/${sceneId}`);
  });
}

function cast(people) {
  const found = [];
  for (const person of people.querySelectorAll(".person")) {
    const value = (name) => person.querySelector(`[name=${name}]`).value.trim();
    if (!value("name")) continue;
    const traits = value("traits").split(",").map((one) => one.trim()).filter(Boolean);
    found.push({ id: idOf(value("name"), found), name: value("name"), appearance: value("appearance"), traits });
  }
  return found;
}

function idOf(name, others) {
  const plain = name.normalize("NFD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50).toLowerCase();
  const base = plain || "person";
  const taken = new Set(others.map((one) => one.id));
  let id = base;
  for (let number = 2; taken.has(id); number += 1) id = `${base}-${number}`;
  return id;
}

function firstWords(text) {
  const words = text.trim().split(/\s+/).slice(0, 7).join(" ").slice(0, 60);
  return words.replace(/[\s.,;:!?]+$/, "");
}

const ids = [...cards.querySelectorAll("[data-scene]")].map((card) => card.dataset.scene).slice(0, 100);
const renewing = new Map();

function renew(sceneId) {
  clearTimeout(renewing.get(sceneId));
  renewing.set(
    sceneId,
    setTimeout(async () => {
      const card = cards.querySelector(`[data-scene="${sceneId}"]`);
      try {
        const fresh = (await fragment(`/scenes/${sceneId}/card`)).firstElementChild;
        if (card && card.outerHTML !== fresh.outerHTML) card.replaceWith(fresh);
      } catch (problem) {
        if (problem.status === 404) card?.remove();
      }
    }, 150),
  );
}

if (ids.length) {
  follow(ids, {
    snapshot: ({ scenes, jobs, missing }) => {
      for (const id of missing) cards.querySelector(`[data-scene="${id}"]`)?.remove();
      for (const { id } of scenes) renew(id);
      jobs.forEach(update);
    },
    update,
    scene: ({ sceneId, deleted }) => {
      if (deleted) cards.querySelector(`[data-scene="${sceneId}"]`)?.remove();
      else renew(sceneId);
    },
  });
}

function update(job) {
  const card = cards.querySelector(`[data-scene="${job.sceneId}"]`);
  if (!card) return;
  const over = ENDED.includes(job.status);
  if (over ? card.dataset.job === job.jobId : card.dataset.job !== job.jobId && job.stage) renew(job.sceneId);
  if (card.dataset.job !== job.jobId) return;
  card.querySelector("progress").value = job.progress;
  card.querySelector("[data-stage]").textContent = stageWords[camel(job.stage || "none")] ?? "";
  if (job.status === "failed") toast(`A chapter failed: ${job.error?.detail ?? job.message}`);
}

function camel(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}
