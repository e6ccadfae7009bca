// The top of a scene's page: its title, and the end of the story.

import { send, toast } from "./http.js";

export function titleAndEnd(sceneId) {
  const rename = document.getElementById("rename");
  rename.addEventListener("submit", (event) => {
    event.preventDefault();
    document.getElementById("title").blur();
  });
  document.getElementById("title").addEventListener("change", async ({ target }) => {
    try {
      const scene = await send("PATCH", `/v1/scenes/${sceneId}`, { title: target.value });
      target.value = scene.title;
      document.title = `${scene.title} · StoryForge`;
    } catch (problem) {
      target.value = target.defaultValue;
      toast(problem.message);
    }
  });

  document.getElementById("delete-scene").addEventListener("click", async () => {
    if (!(await ask("Delete this story with all its chapters?", "Delete"))) return;
    try {
      await send("DELETE", `/v1/scenes/${sceneId}`);
      location.assign("/");
    } catch (problem) {
      toast(problem.message);
    }
  });
}

// Resolves to whether the person said yes.
export function ask(words, yes) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-words").textContent = words;
  document.getElementById("ask-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
