// Follows scenes over the live WebSocket; comes back by itself, with jitter, and starts anew
// from a snapshot each time.

const FIRST_MS = 500;
const LONGEST_MS = 20000;
const QUIET_MS = 25000; // no word for so long: ask whether the line is still there

export function follow(sceneIds, on) {
  let socket = null;
  let pause = FIRST_MS;
  let quiet = 0;

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/v1/live`);
    socket.onopen = () => {
      if (sceneIds.length) socket.send(JSON.stringify({ type: "subscribe", sceneIds }));
      on.connected?.(true);
    };
    socket.onmessage = ({ data }) => {
      listen();
      const message = JSON.parse(data);
      if (message.type === "snapshot") {
        pause = FIRST_MS;
        on.snapshot?.(message);
      } else if (message.type === "update") on.update?.(message.update);
      else if (message.type === "scene") on.scene?.(message);
    };
    socket.onclose = () => {
      clearTimeout(quiet);
      on.connected?.(false);
      setTimeout(connect, pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, LONGEST_MS);
    };
    listen();
  }

  function listen() {
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(JSON.stringify({ type: "ping" }));
      quiet = setTimeout(() => socket.close(), QUIET_MS);
    }, QUIET_MS);
  }

  connect();
  return {
    add(sceneId) {
      if (sceneIds.includes(sceneId)) return;
      sceneIds.push(sceneId);
      if (socket.readyState === WebSocket.OPEN)
        socket.send(JSON.stringify({ type: "subscribe", sceneIds: [sceneId] }));
    },
  };
}
