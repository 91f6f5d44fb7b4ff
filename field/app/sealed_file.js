// The outbox as a file, as it lies on the phone: sealed.

import { saveFile } from "./element.js";

/** The outbox as a file that only the server's key opens: for a phone that finds no network any more. */
export const exportSealed = async (store, card) => {
  const kept = await store.all("outbox");
  const entries = kept.map(({ sequence, id, form, chain, state, sealed }) => ({ sequence, id, form, chain, state, sealed: btoa(String.fromCharCode(...sealed)) }));
  const file = { form: 1, phone: card.phone, account: card.account, entries };
  saveFile(`kangmai-${card.phone.slice(0, 8)}.json`, JSON.stringify(file, null, 1), "application/json");
};
