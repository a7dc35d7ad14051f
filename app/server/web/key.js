// The API key: asked for when the server wants one, kept for this tab only.

import { find } from "./dom.js";

const NAME = "octopus-key";
let asking = null;

export const storedKey = () => sessionStorage.getItem(NAME);

// Ask for another key than `used`. Whether there is one now; several who ask share one dialogue.
export async function askForKey(used, why) {
  if (used !== storedKey()) return true;
  asking ??= ask(why).finally(() => (asking = null));
  return asking;
}

export function installKey(changed) {
  const opener = find("#key");
  opener.hidden = !storedKey();
  opener.addEventListener("click", async () => {
    if (await ask("Another key shows other threads.")) changed();
  });
}

function ask(why) {
  const dialog = find("#key-dialog");
  const input = dialog.querySelector("input");
  find("#key-why").textContent = `${why} The key is kept in this tab until you close it.`;
  find("#key").hidden = false;
  input.value = "";
  // Enter submits with the first button, which is Cancel.
  input.onkeydown = (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      dialog.close("use");
    }
  };
  dialog.returnValue = "";
  dialog.showModal();
  input.focus();
  return new Promise((done) => {
    dialog.onclose = () => {
      const given = dialog.returnValue === "use" && input.value.trim();
      input.value = "";
      if (given) sessionStorage.setItem(NAME, given);
      done(Boolean(given));
    };
  });
}
