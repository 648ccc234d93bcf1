// Follow a job until it ends, across reconnects: node realtime_client.mjs http://127.0.0.1:8000 JOB_ID
// WebSocket is built into every browser and Node 22 (Node 20: node --experimental-websocket).

/** Call `say` once per message; resolves to the ending's status. Retries after 1, 2, 4, 8 and 16 s. */
export function watch(server, jobId, say, key) {
  let seq = 0, tries = 0, warnings = 0;
  return new Promise((done, fail) => {
    const open = () => {
      const address = `${server.replace(/^http/, "ws")}/v1/realtime?job_id=${jobId}&since=${seq}`;
      const socket = new WebSocket(address, key ? ["forgesyte.realtime", `forgesyte.key.${key}`] : []);
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        const { type, payload } = message;
        [seq, tries] = [message.seq ?? seq, 0];
        if (type === "ping") return socket.send('{"type": "pong"}');
        if (type === "warning" && payload.index < warnings) return; // a reconnect repeats them
        if (type === "warning") warnings = payload.index + 1;
        say(message);
        if (type !== "progress" || payload.status === "running") return;
        socket.onclose = socket.onerror = null;
        socket.close();
        done(payload.status);
      };
      socket.onclose = socket.onerror = ({ code }) => {
        socket.onclose = socket.onerror = null; // Node 20 reports a refused connection only as an error
        if (tries === 5 || [1008, 4000, 4001].includes(code)) fail(new Error(`closed with ${code}`));
        else setTimeout(open, 1000 * 2 ** tries++);
      };
    };
    open();
  });
}

if (globalThis.process?.argv[1]?.endsWith("realtime_client.mjs")) {
  const [server, jobId] = process.argv.slice(2);
  const status = await watch(server, jobId, (message) => console.log(JSON.stringify(message)));
  process.exit(status === "completed" ? 0 : 1);
}
