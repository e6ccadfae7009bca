// Plays a scene's film with hls.js: from its first frame, growing while it plays.

const RETRY_MS = 3000;
const END_S = 0.35; // closer to the end than this counts as having seen it all

export class Film {
  // rev: how many segments, as a finished film; undefined: all there are, and those to come.
  constructor(video, sceneId, rev, on) {
    this.video = video;
    this.url = `/v1/scenes/${sceneId}/master.m3u8${rev ? `?rev=${rev}` : ""}`;
    this.on = on;
    this.hls = null;
    this.recovered = 0;
    for (const name of ["timeupdate", "waiting", "playing", "pause", "seeked", "durationchange"])
      video.addEventListener(name, () => on.moved());
  }

  get shown() {
    return this.hls !== null;
  }

  get atEnd() {
    const { currentTime, duration } = this.video;
    return this.shown && Number.isFinite(duration) && duration > 0 && duration - currentTime < END_S;
  }

  // from: seconds into the film; play: whether to go on playing there.
  open(from = 0, play = false) {
    this.close();
    if (!window.Hls) return;
    if (!window.Hls.isSupported()) {
      this.on.failed("This browser cannot play the film: it lacks Media Source Extensions.");
      return;
    }
    this.hls = new window.Hls({
      startPosition: from,
      workerPath: "/static/vendor/hls.worker.js",
      // an open scene is an EVENT, which a player would follow at its end: ours begins at its start
      liveSyncDurationCount: 3,
      liveMaxLatencyDurationCount: Infinity,
      maxBufferLength: 30,
      backBufferLength: 120,
    });
    this.hls.on(window.Hls.Events.ERROR, (_, data) => this.#failed(data));
    this.hls.on(window.Hls.Events.LEVEL_UPDATED, () => this.on.moved());
    this.hls.loadSource(this.url);
    this.hls.attachMedia(this.video);
    if (play) this.video.play().catch(() => {});
  }

  close() {
    this.hls?.destroy();
    this.hls = null;
  }

  // The playlist has another epoch: the old one is gone, what was seen stays where it was.
  reopen() {
    const { currentTime, paused } = this.video;
    this.open(currentTime, !paused);
  }

  #failed(data) {
    if (data.response?.code === 410) {
      this.on.stale();
      return;
    }
    if (!data.fatal) return;
    if (data.type === window.Hls.ErrorTypes.MEDIA_ERROR && this.recovered < 3) {
      this.recovered += 1;
      this.hls.recoverMediaError();
      return;
    }
    if (data.type === window.Hls.ErrorTypes.NETWORK_ERROR) {
      this.on.failed("The film does not load; trying again.");
      setTimeout(() => this.shown && this.reopen(), RETRY_MS * (0.5 + Math.random()));
      return;
    }
    this.on.failed("The film cannot be played. Load the page again.");
  }
}
