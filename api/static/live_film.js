// Plays a chapter while it is being filmed: hls.js on the job's own growing playlist.

const AGAIN_MS = 1500;
const playing = new Map();

export function watch(video) {
  if (playing.has(video) || !window.Hls?.isSupported()) return;
  const hls = new window.Hls({
    startPosition: 0,
    workerPath: "/static/vendor/hls.worker.js",
    // from its beginning, not at its growing end
    liveSyncDurationCount: 3,
    liveMaxLatencyDurationCount: Infinity,
  });
  playing.set(video, hls);
  hls.on(window.Hls.Events.ERROR, (_, data) => {
    const gone = data.response?.code === 410;
    const atMaster = data.details === window.Hls.ErrorDetails.MANIFEST_LOAD_ERROR;
    if (gone && atMaster) end(video); // nothing came of it
    else if (gone || data.fatal) setTimeout(() => again(video), AGAIN_MS * (0.5 + Math.random()));
  });
  hls.loadSource(video.dataset.liveFilm);
  hls.attachMedia(video);
}

// Ends what is on the page no more.
export function letGo() {
  for (const video of playing.keys()) if (!video.isConnected) end(video);
}

// The take may have been begun anew: the master names the newest one.
function again(video) {
  if (!playing.has(video)) return;
  end(video);
  if (video.isConnected) watch(video);
}

function end(video) {
  playing.get(video)?.destroy();
  playing.delete(video);
}
