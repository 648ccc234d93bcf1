import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

import { expect } from "@playwright/test";

import type { Server } from "./server";

/** What these tests read of a job. */
export interface JobRecord {
  job_id: string;
  status: string;
  current_frame: number | null;
  error_message: string | null;
}

interface Submission {
  plugin?: string;
  file?: string;
  filename?: string;
}

const ENDED = ["completed", "failed", "cancelled"];

/** Submits jobs past the page, and ends what a test has left. */
export class Jobs {
  private readonly submitted: string[] = [];
  private readonly gates: string[] = [];

  constructor(private readonly server: Server) {}

  /** Submit a clip to a tool; return the job's id. */
  async submit(tool: string, options: object, { plugin = "probe", file, filename }: Submission = {}): Promise<string> {
    const path = file ?? this.server.clip;
    const query = new URLSearchParams({
      plugin_id: plugin,
      tool,
      options: JSON.stringify(options),
      filename: filename ?? basename(path),
    });
    return this.send("video", query, "video/mp4", readFileSync(path));
  }

  /** Submit a PNG to the plugin that measures pictures; return the job's id. */
  submitImage(png: Buffer): Promise<string> {
    const query = new URLSearchParams({ plugin_id: "picture", tool: "measure", filename: "picture.png" });
    return this.send("image", query, "image/png", png);
  }

  /** Cancel a job. */
  async cancel(jobId: string): Promise<void> {
    await fetch(`${this.server.url}/v1/jobs/${jobId}/cancel`, { method: "POST" });
  }

  /** Submit a job that takes the only slot and stands still in its middle until `open` is called. */
  async submitGated(): Promise<{ jobId: string; open: () => void }> {
    const gate = `/dev/shm/forgesyte-e2e-${randomBytes(8).toString("hex")}`;
    this.gates.push(gate);
    const jobId = await this.submit("gate", { at: 20, gate });
    await expect.poll(async () => (await this.ask(jobId)).status, { timeout: 90_000 }).toBe("running");
    return { jobId, open: () => writeFileSync(gate, "") };
  }

  private async send(kind: "video" | "image", query: URLSearchParams, type: string, body: Buffer): Promise<string> {
    const answer = await fetch(`${this.server.url}/v1/${kind}/submit?${query}`, {
      method: "POST",
      headers: { "Content-Type": type },
      body: new Uint8Array(body),
    });
    expect(answer.status).toBe(202);
    const { job_id } = (await answer.json()) as { job_id: string };
    this.submitted.push(job_id);
    return job_id;
  }

  async ask(jobId: string): Promise<JobRecord> {
    const answer = await fetch(`${this.server.url}/v1/jobs/${jobId}`);
    expect(answer.status).toBe(200);
    return (await answer.json()) as JobRecord;
  }

  /** Wait until a job has ended. */
  async ended(jobId: string): Promise<JobRecord> {
    await expect.poll(async () => ENDED.includes((await this.ask(jobId)).status), { timeout: 90_000 }).toBe(true);
    return this.ask(jobId);
  }

  /** The rows of a job, in the order of its frames. */
  async rows<Row>(jobId: string): Promise<Row[]> {
    const answer = await fetch(`${this.server.url}/v1/jobs/${jobId}/result?format=jsonl`);
    expect(answer.status).toBe(200);
    const lines = (await answer.text()).trim().split("\n");
    return lines.map((line) => JSON.parse(line) as Row);
  }

  /** End what still runs, so that the next test finds the slot free. */
  async end(): Promise<void> {
    for (const jobId of this.submitted) {
      await this.cancel(jobId);
      await this.ended(jobId);
    }
    for (const gate of this.gates) rmSync(gate, { force: true });
  }
}
