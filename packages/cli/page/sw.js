// Keeps this page's own files, all of them and nothing else, so that it works without a network.
// 'edgewise optimize' puts the list and its hash in front of this file:
/* global FILES, VERSION */

const PREFIX = `edgewise ${self.registration.scope} `;
const CACHE = PREFIX + VERSION;
const URLS = new Map(FILES.map((file) => [new URL(file, self.registration.scope).href, file]));

self.addEventListener('install', (event) => {
  event.waitUntil(store().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOlder().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const address = url.replace(/[?#].*$/, '').replace(/\/$/, '/index.html');
  if (method === 'GET' && URLS.has(address)) event.respondWith(answer(event.request, address));
});

async function store() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...URLS.keys()].map((url) => new Request(url, { cache: 'no-cache' })));
}

async function removeOlder() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}

async function answer(request, address) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address)) ?? fetch(request);
}
