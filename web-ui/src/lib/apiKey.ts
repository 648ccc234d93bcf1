/** The API key of this browser: kept in local storage, sent with every request, put into the address of media. */

const STORED = "forgesyte.key";
const listeners = new Set<() => void>();
let isWanted = false;

/** Return the key, or null where none was entered that a request can carry. */
export function apiKey(): string | null {
  const key = (localStorage.getItem(STORED) ?? "").trim();
  return key !== "" && isSendable(key) ? key : null;
}

/** Whether a request can carry the key: a header takes the characters of Latin-1 only. */
export function isSendable(key: string): boolean {
  return /^[\x20-\x7e\x80-\xff]*$/.test(key.trim());
}

/** Keep a key for later requests; null forgets it. */
export function keepApiKey(key: string | null): void {
  const trimmed = (key ?? "").trim();
  if (trimmed === "") localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, trimmed);
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
