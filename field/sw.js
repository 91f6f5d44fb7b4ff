// Keeps the app's own files, so that it opens without a network. The server puts VERSION and FILES before this text: a new version
// is another script, which waits until somebody takes it. It keeps nothing of people: those are sealed, in IndexedDB.

const BEGIN = "kangmai-field-";
const NAME = `${BEGIN}${VERSION}`;

self.addEventListener("install", (event) => {
  const fresh = FILES.map((path) => new Request(path, { cache: "no-cache" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(BEGIN) && name !== NAME).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !FILES.includes(pathname)) return;
  const kept = async () => (await caches.match(pathname, { cacheName: NAME })) || fetch(event.request);
  event.respondWith(kept());
});
