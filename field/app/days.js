// Days as people in China count them, written `2026-11-26`: text compares as days do, and no clock of the phone can shift one.

const DAY_MS = 86_400_000;
/** China has one time, eight hours before Greenwich, all year. */
const CHINA_MS = 8 * 3_600_000;

const two = (number) => String(number).padStart(2, "0");

const counted = new Map();
/** Days since 1970. A list asks the same days again and again, so they are counted once. */
export const numberOf = (day) => {
  if (!counted.has(day)) {
    const [year, month, date] = day.split("-").map(Number);
    counted.set(day, Math.round(Date.UTC(year, month - 1, date) / DAY_MS));
  }
  return counted.get(day);
};

/** The day of a number of days since 1970. */
export const dayOf = (number) => new Date(number * DAY_MS).toISOString().slice(0, 10);

/** The day in China at a moment in milliseconds. */
export const dayAt = (moment) => new Date(moment + CHINA_MS).toISOString().slice(0, 10);

/** The time in China at a moment: `08:30`. */
export const timeAt = (moment) => new Date(moment + CHINA_MS).toISOString().slice(11, 16);

export const plusDays = (day, count) => dayOf(numberOf(day) + count);

/** The same day of a later month, or its last. */
export const plusMonths = (day, count) => {
  const [year, month, date] = day.split("-").map(Number);
  const counted = year * 12 + month - 1 + count;
  const [toYear, toMonth] = [Math.floor(counted / 12), (((counted % 12) + 12) % 12) + 1];
  const last = new Date(Date.UTC(toYear, toMonth, 0)).getUTCDate();
  return `${String(toYear).padStart(4, "0")}-${two(toMonth)}-${two(Math.min(date, last))}`;
};

export const daysBetween = (from, to) => numberOf(to) - numberOf(from);

/** Completed years on `day` of who was born on `birth`; null where that is not known. */
export const ageOn = (birth, day) => {
  if (!birth) return null;
  const [bornYear, bornMonth, bornDate] = birth.split("-").map(Number);
  const [year, month, date] = day.split("-").map(Number);
  const years = year - bornYear - (month < bornMonth || (month === bornMonth && date < bornDate) ? 1 : 0);
  return years >= 0 && years <= 255 ? years : null;
};

/** Whether a text is a day that the calendar has. */
export const isDay = (text) =>
  /^\d{4}-\d\d-\d\d$/.test(text || "") && !Number.isNaN(Date.parse(text)) && dayOf(numberOf(text)) === text;

/** The day of a moment or of a day: the server writes either where something ends. */
export const dayIn = (value) => (typeof value === "number" ? dayAt(value) : (value || "").slice(0, 10));
