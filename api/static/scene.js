// One scene: the film, its chapters and its jobs, kept up to date while it is made.

import { Problem, fragment, send, toast } from "./http.js";
import { Film } from "./film.js";
import { storyForm } from "./forms.js";
import { follow } from "./live.js";
import { letGo, watch } from "./live_film.js";
import { ask, titleAndEnd } from "./scene_head.js";

const ENDED = ["final_ready", "failed", "cancelled"];
const root = document.getElementById("scene");
const sceneId = root.dataset.scene;
const chapters = document.getElementById("chapters");
const jobs = document.getElementById("jobs");
const screen = document.getElementById("screen");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let epoch = Number(root.dataset.epoch);
let count = Number(root.dataset.count);

// The film

const film = new Film(document.getElementById("film"), sceneId, root.dataset.rev, {
  moved: showWhereWeAre,
  stale: () => renewScene(),
  failed: (words) => {
    const place = document.getElementById("film-error");
    place.textContent = words;
    place.hidden = false;
  },
});
film.video.addEventListener("playing", () => (document.getElementById("film-error").hidden = true));
if (count) film.open();

function showWhereWeAre() {
  const at = film.video.currentTime + 0.01;
  let start = 0;
  let current = null;
  for (const chapter of chapters.querySelectorAll(".chapter")) {
    const seconds = Number(chapter.dataset.seconds);
    if (at >= start && at < start + seconds) current = chapter;
    start += seconds;
  }
  if (film.atEnd && !chapters.querySelector("[data-after]")) current ??= chapters.lastElementChild;
  for (const chapter of chapters.querySelectorAll(".chapter[aria-current]"))
    if (chapter !== current) chapter.removeAttribute("aria-current");
  current?.setAttribute("aria-current", "true");
  const now = document.getElementById("now");
  const words = current ? `Chapter ${current.dataset.number} of ${count}` : "";
  if (now.textContent !== words) now.textContent = words;
  showCurtain();
}

// What is said over the picture: at the end of what exists, and before there is anything.
function showCurtain() {
  const curtain = document.getElementById("curtain");
  const live = jobs.querySelector("[data-live]");
  let words = "";
  if (!count) words = live ? "" : "The film begins here.";
  else if (film.atEnd && live) words = `The next chapter is being made: ${live.querySelector("progress").value} %`;
  else if (film.atEnd) words = "The story goes no further yet.";
  curtain.hidden = !words;
  document.getElementById("curtain-words").textContent = words;
  screen.toggleAttribute("data-empty", !count);
  showPreviewOnScreen(live);
}

// Until there is a film, the screen shows what is being filmed: its moving preview, then its parts.
function showPreviewOnScreen(live) {
  const source = count ? null : live?.querySelector("[data-preview], [data-live-film]");
  let stage = screen.querySelector(".stage-preview");
  if (!source) {
    stage?.remove();
    letGo();
    return;
  }
  if (stage && shownBy(stage) === shownBy(source)) return;
  stage?.remove();
  stage = source.cloneNode();
  stage.className = "stage-preview";
  stage.muted = true;
  screen.prepend(stage);
  start(stage);
}

function shownBy(video) {
  return video.dataset.liveFilm ?? video.getAttribute("src");
}

function start(video) {
  letGo();
  if (video.dataset.liveFilm) watch(video);
  if (calm.matches) video.controls = true;
  else video.play().catch(() => (video.controls = true));
}

// Chapters

chapters.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const chapter = button.closest(".chapter");
  if (!chapter) await moreChapters(button);
  else if (button.matches(".chapter-play")) playFrom(chapter);
  else if (button.matches("[data-retake]")) await act(button, "POST", `/v1/scenes/${sceneId}/segments/${chapter.dataset.segment}/retake`, {});
  else if (button.matches("[data-remove]") && (await ask("Remove the last chapter? Its film cannot be brought back.", "Remove")))
    await act(button, "DELETE", `/v1/scenes/${sceneId}/segments/${chapter.dataset.segment}`);
});

function playFrom(chapter) {
  let at = 0;
  for (const one of chapters.querySelectorAll(".chapter")) {
    if (one === chapter) break;
    at += Number(one.dataset.seconds);
  }
  film.video.currentTime = at + 0.001;
  film.video.play().catch(() => {});
  film.video.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
}

async function moreChapters(button) {
  button.disabled = true;
  const more = button.closest("[data-after]");
  try {
    more.replaceWith(await fragment(`/scenes/${sceneId}/chapters?after=${more.dataset.after}`));
  } catch (problem) {
    button.disabled = false;
    toast(problem.message);
  }
}

// Chapters come in order; those not asked for yet stay behind "More chapters".
async function newChapters() {
  if (chapters.querySelector("[data-after]")) return;
  const all = [...chapters.querySelectorAll(".chapter")];
  const after = all.length ? Number(all.at(-1).dataset.number) : 0;
  const fresh = await fragment(`/scenes/${sceneId}/chapters?after=${after}`);
  for (const chapter of fresh.querySelectorAll(".chapter")) chapter.classList.add("fresh");
  if (fresh.children.length) all.at(-1)?.querySelector(".chapter-actions")?.remove();
  chapters.append(fresh);
}

async function allChaptersAnew() {
  chapters.replaceChildren(await fragment(`/scenes/${sceneId}/chapters?after=0`));
}

// The scene

let renewing = null;

// One look at a time; asking during a look makes one more afterwards.
function renewScene() {
  renewing = (renewing ?? Promise.resolve()).then(lookAtScene).catch((problem) => {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 404) location.assign("/");
  });
  return renewing;
}

async function lookAtScene() {
  const scene = await send("GET", `/v1/scenes/${sceneId}`);
  const title = document.getElementById("title");
  if (document.activeElement !== title) title.value = scene.title;
  const grown = scene.segmentCount > count;
  const another = scene.playlistEpoch !== epoch;
  if (!grown && !another) return;
  count = scene.segmentCount;
  epoch = scene.playlistEpoch;
  document.getElementById("no-chapters").hidden = count > 0;
  document.getElementById("next-title").textContent = count || jobs.children.length ? "What happens next?" : "How does it begin?";
  if (another) await allChaptersAnew();
  else await newChapters();
  if (!count) film.close();
  else if (!film.shown) film.open(seenWhileFilmed(), !calm.matches);
  else if (another) film.reopen();
  showWhereWeAre();
}

// The first chapter goes on where it was watched while it was being filmed.
function seenWhileFilmed() {
  return screen.querySelector(".stage-preview[data-live-film]")?.currentTime ?? 0;
}

// Jobs

let renewingJobs = 0;

function renewJobs() {
  clearTimeout(renewingJobs);
  renewingJobs = setTimeout(async () => {
    try {
      keepPreviews(await fragment(`/scenes/${sceneId}/jobs`));
      showCurtain();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }, 60);
}

// A preview that plays already goes on playing in the new list.
function keepPreviews(fresh) {
  const playing = [...jobs.querySelectorAll("[data-preview], [data-live-film]")];
  for (const video of fresh.querySelectorAll("[data-preview], [data-live-film]")) {
    const old = playing.find((one) => shownBy(one) === shownBy(video));
    if (old) video.replaceWith(old);
  }
  jobs.replaceChildren(fresh);
  startPreviews();
}

// Without a film yet, what is being filmed plays on the screen instead of here.
function startPreviews() {
  letGo();
  for (const video of jobs.querySelectorAll("[data-preview]")) start(video);
  for (const video of count ? jobs.querySelectorAll("[data-live-film]") : []) start(video);
}

function update(job) {
  if (job.status === "final_ready") renewScene();
  const shown = jobs.querySelector(`[data-job="${job.jobId}"]`);
  if (!shown) {
    if (!ENDED.includes(job.status) || job.status === "failed") renewJobs();
    return;
  }
  if (job.seq <= Number(shown.dataset.seq)) return;
  const live = shown.hasAttribute("data-live");
  const another = ENDED.includes(job.status) || !live || job.waitReason || (job.previewUrl && !shown.querySelector("[data-preview], [data-live-film]")) || (job.liveUrl && !shown.querySelector("[data-live-film]"));
  shown.dataset.seq = job.seq;
  if (live) {
    shown.querySelector("progress").value = job.progress;
    shown.querySelector("[data-percent]").textContent = `${job.progress} %`;
    shown.querySelector("[data-stage]").textContent = root.dataset[camel(`stage_${job.stage || "none"}`)] ?? "";
    shown.querySelector("[data-message]").textContent = job.message;
  }
  if (another) renewJobs();
  else showCurtain();
}

jobs.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const job = button.closest("[data-job]").dataset.job;
  await act(button, "POST", `/v1/jobs/${job}/${button.dataset.act}`);
});

async function act(button, method, path, body) {
  button.disabled = true;
  try {
    await send(method, path, body);
    renewJobs();
    await renewScene();
  } catch (problem) {
    toast(problem.message);
  } finally {
    button.disabled = false;
  }
}

function camel(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

startPreviews();
showWhereWeAre();

// The forms

const form = document.getElementById("continue");
storyForm(form, async (data, key) => {
  const wish = {
    text: data.get("text"),
    targetDuration: Number(data.get("targetDuration")),
    stylePreset: data.get("stylePreset"),
    dryRun: data.has("dryRun"),
  };
  await send("POST", `/v1/scenes/${sceneId}/continue`, wish, { "Idempotency-Key": key });
  form.elements.text.value = "";
  form.elements.text.style.height = "";
  renewJobs();
});

titleAndEnd(sceneId);

// Live

follow([sceneId], {
  connected: (is) => (document.getElementById("offline").hidden = is),
  snapshot: ({ missing }) => {
    if (missing.length) location.assign("/");
    renewJobs();
    renewScene();
  },
  update,
  scene: ({ deleted }) => (deleted ? location.assign("/") : renewScene()),
});
