// Parses the playlists named on the command line strictly; prints one JSON line per file.
import { readFileSync } from "node:fs";
import HLS from "hls-parser";

HLS.setOptions({ strictMode: true, silent: false });
let faults = 0;
for (const path of process.argv.slice(2)) {
  try {
    const playlist = HLS.parse(readFileSync(path, "utf8"));
    const count = playlist.isMasterPlaylist ? playlist.variants.length : playlist.segments.length;
    console.log(JSON.stringify({ path, count }));
  } catch (error) {
    faults += 1;
    console.log(JSON.stringify({ path, fault: error.message }));
  }
}
process.exit(faults ? 1 : 0);
