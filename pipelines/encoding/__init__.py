"""Frames in, playable files out: the HLS ladder, stills and MP4, all by PyAV in-process."""
