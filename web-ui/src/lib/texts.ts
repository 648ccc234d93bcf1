/** Every sentence of the shell that users read. A feature's own are in its `texts.ts`, so that one file per feature tells all. */
export const texts = {
  product: "ForgeSyte",
  pages: { analyze: "Analyze", jobs: "Jobs", job: "Job", plugins: "Plugins", devices: "Devices" },
  notFound: { title: "There is no such page", next: "Go back to Analyze and start from there." },
  crashed: { title: "This page stopped working", next: "Reload it. Jobs go on; nothing is lost.", reload: "Reload" },
  shell: { navigation: "Navigation", pages: "Pages", skip: "Skip to the page" },
  health: {
    title: "Server",
    asking: "Asking the server",
    healthy: "Healthy",
    degraded: "Degraded",
    unreachable: "Unreachable",
    allWell: "Everything works.",
    start: "Start it with `forgesyte up`, or check your connection. The page asks again every 5 seconds.",
    version: (version: string) => `ForgeSyte ${version}`,
    stale: (since: string) =>
      `The server has not been reached since ${since}. What is shown may be old; the page asks again every 5 seconds.`,
  },
  key: {
    button: "API key",
    title: "The server asks for an API key",
    own: "API key",
    label: "API key",
    why: "The operator of the server gave you one. It is kept in this browser and sent with every request.",
    refused: "The server does not know the key that is kept here. Enter another one.",
    unsendable: "A key has only Latin letters, digits and signs. Copy it once more from where you have it.",
    keep: "Keep key",
    forget: "Forget key",
    kept: "A key is kept in this browser.",
    none: "No key is kept. Servers that ask for one answer nothing without it.",
  },
  scheme: { button: "Colours", light: "Light", dark: "Dark", auto: "As the system" },
  shortcuts: {
    button: "Keyboard shortcuts",
    title: "Keyboard shortcuts",
    group: "Everywhere",
    go: (page: string) => `Go to ${page}`,
    sheet: "Show this sheet",
    then: "then",
  },
} as const;

/** Return what the browser's tab shows for a page. */
export function documentTitle(page: string): string {
  return `${page} · ${texts.product}`;
}
