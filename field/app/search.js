// Finding somebody with no network: by a part of the name, the beginning of its pinyin initials, or the last four digits.

/** How many are shown. */
export const MOST_FOUND = 20;

/** The people that a text means, those whose name begins so first. @param {Iterable<Object>} people */
export const find = (people, text) => {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const rank = ({ name, initials, last_four }) => {
    if (/^\d{3}[\dx]$/.test(wanted) && (last_four || "").toLowerCase() === wanted) return 0;
    if (name.toLowerCase().startsWith(wanted)) return 1;
    if (/^[a-z]+$/.test(wanted) && (initials || "").startsWith(wanted)) return 2;
    return name.toLowerCase().includes(wanted) ? 3 : -1;
  };
  const ranked = [...people].map((person) => ({ person, rank: rank(person) })).filter((one) => one.rank >= 0);
  ranked.sort((one, other) => one.rank - other.rank || (one.person.initials || "").localeCompare(other.person.initials || ""));
  return ranked.slice(0, MOST_FOUND).map((one) => one.person);
};
