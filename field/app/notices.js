// What the doctor must know of the phone itself: what waits, what the server said, a clock that is wrong, a phone that is full.

import { dayAt, dayIn, daysBetween, timeAt } from "./days.js";
import { button, h, notice } from "./element.js";
import { say } from "./words.js";

const HOUR_MS = 3_600_000;
/** From how many days before the phone must have been on the network this is said. */
const SHARE_SOON_DAYS = 2;

/** When the phone last spoke with the server: the time, and the day where it was not today. */
export const sinceText = (phone, moment) => {
  if (!moment) return say("never");
  const [day, today] = [dayAt(moment), phone.today()];
  return day === today ? timeAt(moment) : daysBetween(day, today) === 1 ? say("yesterday", { time: timeAt(moment) }) : `${day} ${timeAt(moment)}`;
};

const stateText = (sync) => {
  if (sync.progress) return say("loading", { count: sync.progress.count, of: sync.progress.of });
  return { busy: say("state_busy"), offline: say("state_offline"), failed: say("state_failed") }[sync.state] || "";
};

/** What the server took the last time, if that was today and nothing waits. */
const receiptText = (phone) => {
  const { receipt } = phone.meta;
  const isNews = receipt && !phone.waiting().length && dayAt(receipt.at) === phone.today();
  return isNews ? ` · ${say("uploaded", { count: receipt.count })}` : "";
};

/** `上次同步 08:30 · 待上传 3` */
export const statusLine = (phone, sync) =>
  h("p.status", { id: "status" },
    say("synced", { when: sinceText(phone, phone.meta.syncedAt) }), " · ",
    h("a", { href: "#/outbox" }, say("waiting_count", { count: phone.waiting().length })),
    stateText(sync) ? ` · ${stateText(sync)}` : receiptText(phone));

/** `手机时间快了 1 天` */
export const clockText = (offset) => {
  const hours = Math.round(Math.abs(offset) / HOUR_MS);
  const key = offset < 0 ? "clock_fast" : "clock_slow";
  const by = hours >= 24 ? say("days", { count: Math.round(hours / 24) }) : hours >= 1 ? say("hours", { count: hours }) : say("minutes", { count: Math.round(Math.abs(offset) / 60_000) });
  return say(key, { by });
};

export const notices = (phone, sync) => {
  const told = [];
  if (sync.state === "sign_in") told.push(notice("warning", h("p", {}, say("told_sign_in")), h("a.button", { href: "#/renew" }, say("sign_in"))));
  if (sync.state === "denied") told.push(notice("warning", h("p", {}, say("told_denied"))));
  if (sync.state === "old") told.push(notice("warning", h("p", {}, say("told_old"))));
  if (phone.isFull) told.push(notice("danger", h("p", {}, say("told_full"))));
  if (phone.meta.offset && phone.now() !== Date.now()) {
    const off = Math.abs(phone.now() - Date.now());
    if (off > 60_000) told.push(notice("warning", h("p", {}, clockText(phone.meta.offset), " ", say("clock_day", { day: phone.today() }))));
  }
  const refused = phone.refused().length;
  if (refused) told.push(notice("warning", h("p", {}, h("a", { href: "#/outbox" }, say("told_refused", { count: refused })))));
  const left = phone.card.until ? daysBetween(phone.today(), dayIn(phone.card.until)) : SHARE_SOON_DAYS + 1;
  if (left <= SHARE_SOON_DAYS) told.push(notice("warning", h("p", {}, say("told_until", { count: Math.max(left, 0) }))));
  if (phone.updateReady) told.push(notice("good", h("p", {}, say("update_ready")), button(say("update_do"), phone.updateReady)));
  return told;
};
