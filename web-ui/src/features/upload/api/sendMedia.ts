import type { components } from "@/lib/api";
import { apiKey, wantApiKey } from "@/lib/apiKey";
import { problemOf, RequestFailed } from "@/lib/problem";

import type { MediaKind } from "../media/checks";

/** What the server says of an accepted file. */
export type Submitted = components["schemas"]["Submitted"];

/** What is to be done with a file. */
export interface Analysis {
  plugin: string;
  tools: readonly string[];
  /** JSON as the route takes it; empty where every tool keeps its defaults. */
  options: string;
  device: "auto" | "cpu" | "gpu";
}

/** One file on its way. */
export interface Sending {
  file: File;
  kind: MediaKind;
  analysis: Analysis;
  onProgress: (sentBytes: number) => void;
  signal: AbortSignal;
}

/** Sends one file. `fetch` tells nothing of how much was sent, hence the older interface.
 *
 * Rejects with RequestFailed when the server refuses, with an AbortError when `signal` is aborted, and with a
 * TypeError, as fetch does, when the server cannot be reached.
 */
export function sendMedia(sending: Sending): Promise<Submitted> {
  const { file, kind, analysis, onProgress, signal } = sending;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new DOMException("The upload was cancelled", "AbortError"));
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", addressOf(kind, analysis, file.name));
    request.setRequestHeader("Content-Type", file.type.startsWith(`${kind}/`) ? file.type : "application/octet-stream");
    const key = apiKey();
    if (key !== null) request.setRequestHeader("X-API-Key", key);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.upload.addEventListener("load", () => onProgress(file.size));
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    request.addEventListener("abort", () => reject(new DOMException("The upload was cancelled", "AbortError")));
    request.addEventListener("error", () => reject(new TypeError("The server cannot be reached")));
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) {
        resolve(body as Submitted);
        return;
      }
      if (request.status === 401) wantApiKey();
      reject(new RequestFailed(problemOf(request.status, body)));
    });
    request.send(file);
  });
}

function addressOf(kind: MediaKind, { plugin, tools, options, device }: Analysis, filename: string): string {
  const query = new URLSearchParams({ plugin_id: plugin, device, filename });
  for (const tool of tools) query.append("tool", tool);
  if (options !== "") query.set("options", options);
  return `/v1/${kind}/submit?${query}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
