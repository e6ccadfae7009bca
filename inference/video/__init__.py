"""Video models: shots in, saved results out, frames streamed from the saved result."""
