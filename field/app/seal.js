// What keeps a lost phone shut. From the PIN come a proof, of which the server holds a hash, and a half of the key that wraps the
// data key; the other half is the server's share, which ends. Neither opens anything alone. docs/sync.md has the whole of it.

const ROUNDS = 600_000;
const INFO = new TextEncoder().encode("kangmai phone");
const NONCE_BYTES = 12;

export const hexOf = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
export const random = (count) => crypto.getRandomValues(new Uint8Array(count));
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
export const utf8 = (text) => new TextEncoder().encode(text);

/**
 * What a PIN comes to with the salt of this phone. The browser works it out beside the page, so that nothing stands still.
 * @returns {Promise<{proof: string, half: Uint8Array}>}
 */
export const stretch = async (pin, salt) => {
  const key = await crypto.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveBits"]);
  const wish = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(wish, key, 512));
  return { proof: hexOf(bits.slice(0, 32)), half: bits.slice(32) };
};

const wrappingKey = async (half, share) => {
  const key = await crypto.subtle.importKey("raw", half, "HKDF", false, ["deriveKey"]);
  const wish = { name: "HKDF", hash: "SHA-256", salt: bytesOf(share), info: INFO };
  return crypto.subtle.deriveKey(wish, key, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
};

const encrypt = async (key, bytes, place) => {
  const iv = random(NONCE_BYTES);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(place) }, key, bytes));
  const whole = new Uint8Array(NONCE_BYTES + sealed.length);
  whole.set(iv);
  whole.set(sealed, NONCE_BYTES);
  return whole;
};

const decrypt = (key, whole, place) =>
  crypto.subtle.decrypt({ name: "AES-GCM", iv: whole.slice(0, NONCE_BYTES), additionalData: utf8(place) }, key, whole.slice(NONCE_BYTES));

const importDataKey = (raw) => crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);

/** The data key, wrapped for this phone, and ready to be used. */
export const wrapDataKey = async (dataKey, half, share) => {
  const raw = bytesOf(dataKey);
  return { wrapped: await encrypt(await wrappingKey(half, share), raw, "data key"), key: await importDataKey(raw) };
};

/** The data key; null where PIN or share is another. */
export const unwrapDataKey = async (wrapped, half, share) => {
  try {
    return await importDataKey(await decrypt(await wrappingKey(half, share), wrapped, "data key"));
  } catch {
    return null;
  }
};

/** Seals an object to its place: moved elsewhere it does not open. */
export const seal = (key, place, object) => encrypt(key, utf8(JSON.stringify(object)), place);

export const open = async (key, place, sealed) => JSON.parse(new TextDecoder().decode(await decrypt(key, sealed, place)));

/** A new identifier that begins with the time: UUID, version 7. */
export const mint = (now) => {
  const bytes = random(16);
  let time = now;
  for (let at = 5; at >= 0; at--) {
    bytes[at] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};
