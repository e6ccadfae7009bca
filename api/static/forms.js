// What both story forms share: the length slider, Ctrl+Enter, errors beside the button.

import { Problem, wishKey } from "./http.js";

export function storyForm(form, submit) {
  const error = form.querySelector(".error");
  const seconds = form.elements.targetDuration;
  const shown = form.querySelector("output");
  const text = form.elements.text;
  let key = null;
  let busy = false;

  seconds.addEventListener("input", () => (shown.textContent = `${seconds.value} s`));
  form.addEventListener("input", () => {
    key = null; // another wish
    error.hidden = true;
  });
  text.addEventListener("input", () => grow(text));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!text.value.trim()) {
      say("Write a few words first.");
      text.focus();
      return;
    }
    busy = true;
    key ??= wishKey();
    form.setAttribute("aria-busy", "true");
    try {
      await submit(new FormData(form), key);
      key = null;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      say(problem.message);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });

  function say(words) {
    error.textContent = words;
    error.hidden = false;
  }
}

function grow(text) {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.5)}px`;
}
