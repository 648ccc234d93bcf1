/** What PluginInspector shows; its users map messages or a record into these. */

export interface InspectedPlugin {
  name: string;
  /** A word of a job or of a plugin's state. */
  status: string;
  version?: string | null | undefined;
  model?: string | null | undefined;
  outputFormat?: string | null | undefined;
  inputShape?: readonly number[] | null | undefined;
  capabilities?: readonly string[] | undefined;
  /** What ran, in the order of execution, with the milliseconds of the latest frame. */
  steps: readonly { name: string; ms: number }[];
  /** Milliseconds of the latest frame, summed over the steps. */
  totalMs: number | null;
  budgetMs?: number | null | undefined;
  framesProcessed?: number | null | undefined;
  device?: string | null | undefined;
  /** Its health over all runners, and why it is not well. */
  health?: { state: string; reason?: string | null | undefined } | undefined;
}

export interface InspectedWarning {
  index: number;
  text: string;
  severity?: string | null | undefined;
  frameIndex?: number | null | undefined;
}
