// The beginning: the door, and behind it the screens, which are fetched while the doctor types the PIN.

import { Door } from "./door.js";
import { show } from "./frame.js";
import { applyLook } from "./look.js";

const serveOffline = async () => {
  if (!navigator.serviceWorker) return;
  const had = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => had && location.reload());
  await navigator.serviceWorker.register("/field/sw.js", { scope: "/field/", updateViaCache: "none" }).catch(() => null);
};

const enter = async (phone) => {
  const { begin } = await import("./screens.js");
  begin(phone, door);
};

const door = new Door(show, enter);
applyLook();
door.start().then(() => import("./screens.js"));
serveOffline();
