/** The API key of this browser: kept in local storage, sent with every request, put into the address of media. */

const STORED = "forgesyte.key";
const listeners = new Set<() => void>();
let isWanted = false;

/** Return the key, or null where none was entered. */
export function apiKey(): string | null {
  return localStorage.getItem(STORED);
}

/** Keep a key for later requests; null forgets it. */
export function keepApiKey(key: string | null): void {
  if (key === null || key === "") localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, key);
  isWanted = false;
  for (const listener of listeners) listener();
}

/** Note that the server refused a request for want of a key that it knows. */
export function wantApiKey(): void {
  if (isWanted) return;
  isWanted = true;
  for (const listener of listeners) listener();
}

/** Whether the server asked for a key since the last one was kept. */
export function isApiKeyWanted(): boolean {
  return isWanted;
}

/** Call `listener` after each change of the key, and when one is wanted. Returns the function that ends it. */
export function subscribeToApiKey(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Put the key into an address that a media element or a download opens, since those send no headers. */
export function withApiKey(path: string): string {
  const key = apiKey();
  if (key === null) return path;
  return `${path}${path.includes("?") ? "&" : "?"}api_key=${encodeURIComponent(key)}`;
}
