/** Every sentence of the shell that users read. A feature's own are in its `texts.ts`, so that one file per feature tells all. */
export const texts = {
  product: "ForgeSyte",
  pages: { analyze: "Analyze", jobs: "Jobs", job: "Job", plugins: "Plugins", devices: "Devices" },
  notFound: { title: "There is no such page", next: "Go back to Analyze and start from there." },
  crashed: { title: "This page stopped working", next: "Reload it. Jobs go on; nothing is lost." },
} as const;
